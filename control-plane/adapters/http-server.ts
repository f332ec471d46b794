import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { isForS3 } from '@berth/object-store/s3-endpoint.ts'
import type { Metrics } from './metrics.ts'
import { isLoopback, tlsServer } from './tls-listener.ts'
import type { ServerCertificate } from './tls.ts'

type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void
type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export interface HttpRoutes {
  readonly aws: RequestHandler
  readonly registry?: RequestHandler
  /** What is signed for S3. */
  readonly objects?: RequestHandler
  /** Berth's own: what an operation would do, and why. */
  readonly explain?: RequestHandler
  /** Berth's own: what machines ask that join, and how tokens for them are made. */
  readonly join?: RequestHandler
  /** By the first segment of the path: `acs`, `tcs`. */
  readonly upgrades?: Readonly<Record<string, UpgradeHandler>>
  /** What /health answers, as JSON. */
  readonly health: () => object
  readonly metrics: Metrics
}

type ListenResult = { readonly port: number } | { readonly error: string }

/** The one server of the control plane, on as many addresses as it is told to listen on. */
export interface HttpServer {
  /**
   * Port 0 takes any free one. An address that cannot be had is an `error` that a person can act on. With a certificate the
   * address is for other machines: it takes TLS only, unless it is all addresses (0.0.0.0), where those that were or are
   * told to be listened on without one, and loopback, take plain HTTP too.
   */
  listen(address: {
    readonly host: string
    readonly port: number
    readonly certificate?: ServerCertificate
  }): Promise<ListenResult>
  /** From now on connections are made with this certificate. */
  renew(certificate: ServerCertificate): void
  /** Takes no new requests and resolves when those under way are answered, or cut off after `graceMs`. */
  close(graceMs?: number): Promise<void>
}

export function createHttpServer(routes: HttpRoutes): HttpServer {
  const servers = new Set<Server>()
  const exposed = new Map<TlsServer, () => void>()
  const plain = new Set<string>()
  /** The port of all addresses, when it is listened on. */
  let allAddresses: number | undefined
  const upgraded = new Set<Duplex>()
  const onUpgrade: UpgradeHandler = (request, socket, head) => {
    upgraded.add(socket)
    socket.on('close', () => upgraded.delete(socket))
    socket.on('error', () => socket.destroy())
    const handler = routes.upgrades?.[firstSegment(request)]
    if (handler) handler(request, socket, head)
    else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  }
  return {
    listen: async ({ host, port, certificate }) => {
      if (!certificate) plain.add(host)
      if (allAddresses !== undefined && allAddresses === port) return { port }
      const onRequest: RequestHandler = (request, response) => route(routes, request, response)
      const mayBePlain = (address: string): boolean => isLoopback(address) || plain.has(address)
      const tls = certificate && tlsServer(certificate, timeouts, onRequest, mayBePlain)
      const server = tls?.server ?? createServer(timeouts, onRequest)
      server.on('upgrade', onUpgrade)
      const result = await listen(server, host, port)
      if ('error' in result) return result
      servers.add(server)
      if (tls) exposed.set(tls.server, () => tls.dropUnknown())
      if (isWildcard(host)) allAddresses = result.port
      return result
    },
    renew: ({ key, cert }) => {
      for (const server of exposed.keys()) server.setSecureContext({ key, cert, minVersion: 'TLSv1.2' })
    },
    close: async (graceMs = 5_000) => {
      for (const socket of upgraded) socket.destroy()
      const closing = [...servers].map((server) => close(server, graceMs))
      for (const dropUnknown of exposed.values()) dropUnknown()
      await Promise.all(closing)
      servers.clear()
      exposed.clear()
    },
  }
}

const timeouts = { keepAliveTimeout: 60_000, requestTimeout: 300_000 }

export const isWildcard = (host: string): boolean => host === '0.0.0.0' || host === '::'

function route(routes: HttpRoutes, request: IncomingMessage, response: ServerResponse): void {
  const path = request.url?.split('?')[0]
  if (path === '/health' && request.method === 'GET') return sendJson(response, 200, routes.health())
  if (path === '/metrics' && request.method === 'GET') return sendMetrics(routes.metrics, response)
  if (path === '/v2' || path?.startsWith('/v2/'))
    return routes.registry ? routes.registry(request, response) : sendJson(response, 404, { errors: [] })
  if (routes.objects && isForS3(request)) return routes.objects(request, response)
  if (path === '/berth/explain' && routes.explain) return routes.explain(request, response)
  if (path?.startsWith('/berth/') && routes.join) return routes.join(request, response)
  return routes.aws(request, response)
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(`${JSON.stringify(body)}\n`)
}

function sendMetrics(metrics: Metrics, response: ServerResponse): void {
  metrics.render().then(
    (text) => {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
      response.end(text)
    },
    () => sendJson(response, 500, { message: 'The metrics could not be collected.' }),
  )
}

const firstSegment = (request: IncomingMessage): string => /^\/([^/?]*)/.exec(request.url ?? '')?.[1] ?? ''

function listen(server: Server, host: string, port: number): Promise<ListenResult> {
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve({ error: explainListenError(error, host, port) }),
    )
    server.listen(port, host, () => resolve({ port: (server.address() as AddressInfo).port }))
  })
}

function explainListenError({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken by another program; stop it or choose another with --port.`
  if (code === 'EACCES')
    return `Port ${port} on ${host} needs more rights; choose one above 1023 with --port.`
  if (code === 'EADDRNOTAVAIL') return `This machine has no address ${host}.`
  return `Cannot listen on ${host}:${port}: ${message}`
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cutOff = setTimeout(() => server.closeAllConnections(), graceMs)
    // A kept-alive connection is idle only once its last answer is written, so this must be tried again.
    const sweep = setInterval(() => server.closeIdleConnections(), 20)
    server.close(() => {
      clearTimeout(cutOff)
      clearInterval(sweep)
      resolve()
    })
    server.closeIdleConnections()
  })
}
