import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pinOf, provideCertificate } from '@berth/control-plane/adapters/tls.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connectPinned, PinMismatch, postPinned, Refusal, type Remote, tunnel } from './join-tunnel.ts'

let directory: string
let server: Server
let remote: Remote
/** What has come through, of bodies and of bytes before them. */
let heard: string[]
const names = { addresses: [], hostName: 'hub', port: 1 }
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-tunnel-'))
  heard = []
  // A clock that is two years behind: the certificate has run out for everybody else.
  const certificate = await provideCertificate(directory, names, Date.now() - 800 * 24 * 3_600_000)
  server = createServer(certificate, (asked, response) => {
    let body = ''
    asked.on('data', (chunk: Buffer) => (body += chunk.toString()))
    asked.on('end', () => {
      heard.push(body)
      if (asked.url === '/refused') {
        response.writeHead(403)
        response.end('{"__type":"com.x#Refused","message":"no"}')
      } else {
        response.end(`{"path":"${asked.url}","length":${body.length}}`)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  remote = { url: `https://127.0.0.1:${port}`, pin: pinOf(certificate.cert) }
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
  rmSync(directory, { recursive: true, force: true })
})

const other = (): Remote => ({ ...remote, pin: 'x'.repeat(43) })

test('knows the control plane by its key alone, whatever its certificate says', async () => {
  expect(await postPinned(remote, '/berth/join', { a: 1 })).toEqual({ path: '/berth/join', length: 7 })
})

test('says nothing to one that has another key', async () => {
  await expect(postPinned(other(), '/berth/join', { token: 'secret' })).rejects.toThrow(PinMismatch)
  await expect(connectPinned(other())).rejects.toThrow(/has the key .* and the token names x+/)
  expect(heard).toEqual([])
})

test('gives what the control plane refuses by its type', async () => {
  const refused = postPinned(remote, '/refused', {})
  await expect(refused).rejects.toThrow(new Refusal('Refused', 'no'))
  await expect(refused).rejects.toMatchObject({ type: 'Refused' })
})

async function through(
  to: Remote,
  text: string,
): Promise<{ said: string; reported: Array<string | undefined> }> {
  const reported: Array<string | undefined> = []
  const local = tunnel(to, (problem) => reported.push(problem)).listen(0, '127.0.0.1')
  await once(local, 'listening')
  const near = connect((local.address() as AddressInfo).port, '127.0.0.1', () => near.end(text))
  let said = ''
  near.on('data', (chunk: Buffer) => (said += chunk.toString()))
  near.on('error', () => undefined)
  // A connection that is handed on to nobody is cut off.
  await new Promise((resolve) => near.on('close', resolve))
  local.close()
  return { said, reported }
}

test('hands on what comes to it, both ways, to the last byte', async () => {
  const body = 'x'.repeat(500_000)
  const { said, reported } = await through(
    remote,
    `POST /far HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
  expect(said).toContain('{"path":"/far","length":500000}')
  expect(reported).toEqual([])
})

test.each([
  ['has another key', other, /has the key/],
  ['is away', () => ({ ...remote, url: 'https://127.0.0.1:9' }), /ECONNREFUSED/],
])('hands nothing on to one that %s, and says why', async (_, to, why) => {
  const { said, reported } = await through(to(), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  expect(said).toBe('')
  expect(reported).toEqual([expect.stringMatching(why)])
  expect(heard).toEqual([])
})
