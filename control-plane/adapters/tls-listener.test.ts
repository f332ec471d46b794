import { mkdtempSync, rmSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { request } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createHttpServer, type HttpServer } from './http-server.ts'
import { createMetrics } from './metrics.ts'
import { reachedAt } from './tls-listener.ts'
import { provideCertificate, type ServerCertificate } from './tls.ts'

const names = { addresses: ['127.0.0.2'], hostName: 'hub', port: 4566 }
let directory: string
let certificate: ServerCertificate
let server: HttpServer
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'berth-listener-'))
  certificate = await provideCertificate(directory, names, Date.now())
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))
afterEach(() => server.close(0))

/** Loopback addresses all are plain to a server; this one is told that none is. */
async function listen(host: string): Promise<number> {
  server = createHttpServer({
    aws: (asked, response) => {
      let body = ''
      asked.on('data', (chunk: Buffer) => (body += chunk.toString()))
      asked.on('end', () => response.end(`${reachedAt(asked)} ${body}`))
    },
    upgrades: { acs: (_, socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n') },
    health: () => ({}),
    metrics: createMetrics(),
  })
  const listening = await server.listen({ host, port: 0, certificate })
  if ('error' in listening) throw new Error(listening.error)
  return listening.port
}

const post = (send: typeof request | typeof plainRequest, port: number, body: string, host?: string) =>
  new Promise<string>((resolve, reject) => {
    const headers = host === undefined ? {} : { host }
    const outgoing = send(
      { host: '127.0.0.1', port, method: 'POST', headers, rejectUnauthorized: false },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () => resolve(text))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })

test.each([
  ['over TLS', request, 'hub:4566', 'https://hub:4566'],
  ['over TLS by a forwarder on its own machine', request, '127.0.0.1:4566', 'http://127.0.0.1:4566'],
  ['in plain text on loopback', plainRequest, 'hub:4566', 'undefined'],
])('answers %s, whatever the size', async (_, send, host, at) => {
  const port = await listen('0.0.0.0')
  const body = 'x'.repeat(300_000)
  expect(await post(send, port, body, host)).toBe(`${at} ${body}`)
  expect(await post(send, port, 'small', host)).toBe(`${at} small`)
})

test('takes upgrades over TLS', async () => {
  const port = await listen('0.0.0.0')
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () =>
      socket.write('GET /acs/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    )
    socket.on('data', (chunk: Buffer) => resolve(chunk.toString()))
    socket.on('error', reject)
  })
  expect(answer).toContain('101')
})

test('listens on all addresses once', async () => {
  const port = await listen('0.0.0.0')
  expect(await server.listen({ host: '127.0.0.1', port })).toEqual({ port })
})

test('shows a renewed certificate to those who come after', async () => {
  const port = await listen('127.0.0.1')
  const shown = (): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerX509Certificate()?.toString())
        socket.end()
      }).on('error', reject)
    })
  expect(await shown()).toBe(certificate.cert.replaceAll('\r', '').trimEnd().concat('\n'))
  const renewed = await provideCertificate(directory, { ...names, hostName: 'other' }, Date.now())
  server.renew(renewed)
  expect(await shown()).not.toBe(certificate.cert.replaceAll('\r', '').trimEnd().concat('\n'))
})

test('outlives strangers, and waits for none of them when it closes', async () => {
  const port = await listen('0.0.0.0')
  const begun = Buffer.from([0x16, 3, 1, 2, 0, 1, 1])
  const strangers = [undefined, begun, Buffer.from('GET / HT')].map((sent) => {
    const socket = connect(port, '127.0.0.1', () => sent && socket.write(sent))
    return socket.on('error', () => undefined)
  })
  const ended = (text: string): Promise<unknown> => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    return new Promise((resolve) =>
      socket
        .on('close', resolve)
        .on('error', () => undefined)
        .resume(),
    )
  }
  await ended('\x16no handshake at all')
  await ended('nonsense\r\n\r\n')
  expect(await post(request, port, 'still')).toContain('still')
  await server.close(0)
  for (const socket of strangers) socket.destroy()
})
