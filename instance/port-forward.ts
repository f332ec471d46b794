import { connect, createServer, type Server } from 'node:net'

/** A server that hands every connection on to `host:port`, byte for byte. */
export function portForward(host: string, port: number): Server {
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host, port, allowHalfOpen: true })
    near.on('error', () => far.destroy())
    far.on('error', () => near.destroy())
    near.pipe(far)
    far.pipe(near)
  })
  return server
}
