/** A server on an address that other machines reach: TLS, told from plain HTTP by the first byte of a connection. */
import type { IncomingMessage, RequestListener } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ServerCertificate } from './tls.ts'

/** The type of a TLS record that opens a handshake. */
const handshakeByte = 0x16
/** How long a connection may take to say what it is, and to shake hands. */
const helloWithinMs = 30_000

interface TlsServer {
  readonly server: Server
  /** Ends the connections that have not said yet what they are: who closes the server need not wait for them. */
  dropUnknown(): void
}

/**
 * The server, not listening yet. Plain HTTP is answered where `mayBePlain` says so of the address it came to; elsewhere it
 * is told to use https, before anything of the request is read.
 */
export function tlsServer(
  { key, cert }: ServerCertificate,
  settings: { readonly keepAliveTimeout: number; readonly requestTimeout: number },
  onRequest: RequestListener,
  mayBePlain: (localAddress: string) => boolean,
): TlsServer {
  const options = { ...settings, key, cert, minVersion: 'TLSv1.2', handshakeTimeout: helloWithinMs } as const
  const server = createServer(options, onRequest)
  const unknown = new Map<string, Socket>()
  const secure = server.listeners('connection') as Array<(this: Server, socket: Socket) => void>
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    const peer = peerOf(socket)
    unknown.set(peer, socket)
    socket.on('close', () => unknown.get(peer) === socket && unknown.delete(peer))
    const drop = (): void => void socket.destroy()
    socket.on('error', drop)
    socket.setTimeout(helloWithinMs, drop)
    socket.once('data', (first) => {
      socket.pause()
      socket.off('error', drop)
      socket.setTimeout(0).off('timeout', drop)
      socket.unshift(first)
      if (first[0] === handshakeByte) for (const accept of secure) accept.call(server, socket)
      else if (mayBePlain(plainAddress(socket.localAddress))) acceptPlain(server, socket)
      else refusePlain(socket)
    })
  })
  server.on('secureConnection', (socket) => unknown.delete(peerOf(socket)))
  // What strangers send that is no TLS is nobody's fault here.
  server.on('tlsClientError', (_, socket) => socket.destroy())
  return {
    server,
    dropUnknown: () => {
      for (const socket of unknown.values()) socket.destroy()
    },
  }
}

/** One connection has one; the socket of TLS has that of the one beneath. */
const peerOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/** What follows a handshake takes any stream: the server's HTTP begins there. */
function acceptPlain(server: Server, socket: Socket): void {
  server.emit('secureConnection', socket)
  process.nextTick(() => socket.resume())
}

function refusePlain(socket: Socket): void {
  const text = `This address takes https only: https://${hostOf(socket)}\n`
  socket.on('error', () => socket.destroy())
  socket.end(
    `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\n\r\n${text}`,
    // What the client still sends is not read, so it must not wait for us.
    () => socket.destroySoon(),
  )
}

function hostOf({ localAddress, localPort }: Socket): string {
  const address = plainAddress(localAddress)
  return address.includes(':') ? `[${address}]:${localPort}` : `${address}:${localPort}`
}

/** An IPv4 address as such, though the socket takes both kinds. */
const plainAddress = (address = ''): string => address.replace(/^::ffff:/, '')

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || host === '::1' || /^127(?:\.\d+){3}$/.test(host)

/**
 * This control plane as the client of a TLS connection reaches it, by the host that the request names. A loopback address
 * there is that of a forwarder on the client's machine (`berth join`), which takes plain HTTP. Undefined of plain HTTP.
 */
export function reachedAt({
  socket,
  headers,
}: Pick<IncomingMessage, 'socket' | 'headers'>): string | undefined {
  if (!(socket as Partial<TLSSocket> | undefined)?.encrypted) return undefined
  const url = URL.parse(`https://${headers.host ?? ''}`)
  if (!url?.host) return undefined
  return `${isLoopback(url.hostname) ? 'http' : 'https'}://${headers.host}`
}
