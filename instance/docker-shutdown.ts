import { request } from '@berth/wire/node-http.ts'

/** Stops every running container through the daemon's socket, each with `graceSeconds` to end by itself. */
export async function stopContainers(socketPath: string, graceSeconds: number): Promise<void> {
  const containers = JSON.parse(await call(socketPath, 'GET', '/containers/json')) as ReadonlyArray<{
    Id: string
  }>
  const stops = containers.map(({ Id }) =>
    call(socketPath, 'POST', `/containers/${Id}/stop?t=${graceSeconds}`),
  )
  await Promise.allSettled(stops)
}

function call(socketPath: string, method: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(text))
      response.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}
