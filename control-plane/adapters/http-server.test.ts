import { connect } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type HttpServer, createHttpServer } from './http-server.ts'
import { createMetrics } from './metrics.ts'

let server: HttpServer
let port: number
/** Requests whose answers a test holds back. */
let held: Array<() => void>

beforeEach(async () => {
  held = []
  server = createHttpServer({
    aws: (request, response) => {
      if (request.url === '/held') held.push(() => response.end('late'))
      else response.end(`aws ${request.method} ${request.url}`)
    },
    registry: (request, response) => response.end(`registry ${request.url}`),
    upgrades: { acs: (request, socket) => socket.write(`HTTP/1.1 101 ${request.url}\r\n\r\n`) },
    health: () => ({ status: 'ready' }),
    metrics: createMetrics(),
  })
  const listening = await server.listen({ host: '127.0.0.1', port: 0 })
  if ('error' in listening) throw new Error(listening.error)
  port = listening.port
})
afterEach(() => server.close(0))

const get = async (path: string, method = 'GET') =>
  (await fetch(`http://127.0.0.1:${port}${path}`, { method })).text()

test.each([
  ['/', 'POST', 'aws POST /'],
  ['/?Action=X', 'GET', 'aws GET /?Action=X'],
  ['/health', 'POST', 'aws POST /health'],
  ['/v2', 'GET', 'registry /v2'],
  ['/v2/web/manifests/1?a', 'GET', 'registry /v2/web/manifests/1?a'],
  ['/v2x', 'GET', 'aws GET /v2x'],
  ['/health?now', 'GET', '{"status":"ready"}\n'],
])('takes %s by %s to where it belongs', async (path, method, answer) => {
  expect(await get(path, method)).toBe(answer)
})

/** What the server sends until it ends the connection or has said as much as asked for. */
const upgrade = (path: string, endsAfter: RegExp) =>
  new Promise<string>((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`),
    )
    socket.on('error', reject)
    socket.on('close', () => resolve(text))
    socket.on('data', (chunk) => {
      text += chunk.toString()
      if (endsAfter.test(text)) resolve(text)
    })
  })

test('hands upgrades to the handler of their path, and refuses others', async () => {
  expect(await upgrade('/acs/ws?clusterArn=a', /\r\n\r\n/)).toContain('101 /acs/ws?clusterArn=a')
  expect(await upgrade('/other/ws', /\r\n\r\n/)).toContain('404 Not Found')
})

test('says what to do about a port that is taken, and listens elsewhere', async () => {
  expect(await server.listen({ host: '127.0.0.1', port })).toEqual({
    error: `Port ${port} on 127.0.0.1 is taken by another program; stop it or choose another with --port.`,
  })
  const second = await server.listen({ host: '127.0.0.1', port: 0 })
  if ('error' in second) throw new Error(second.error)
  expect(await (await fetch(`http://127.0.0.1:${second.port}/x`)).text()).toBe('aws GET /x')
})

test('closing lets requests under way be answered, ends upgraded sockets and takes no new requests', async () => {
  const late = get('/held')
  await expect.poll(() => held.length).toBe(1)
  const socketClosed = upgrade('/acs/ws', /never/)
  await upgrade('/acs/ws', /101/)
  const closed = server.close(60_000)
  expect(await socketClosed).toContain('101 /acs/ws')
  await expect(get('/')).rejects.toThrow('fetch failed')
  for (const answer of held) answer()
  expect(await late).toBe('late')
  await closed
})

test('closing cuts off what is not answered in time', async () => {
  const late = get('/held').catch(() => 'cut off')
  await expect.poll(() => held.length).toBe(1)
  await server.close(0)
  expect(await late).toBe('cut off')
})
