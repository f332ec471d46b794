import { createSocket, type Socket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@berth/std/system-clock.ts'
import { afterEach, expect, test } from 'vitest'
import { dnsForward, loopbackNameServers, machineNameServers, type NameServer } from './dns-forward.ts'

const closing: Array<() => unknown> = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const bound = (socket: Socket): Promise<number> =>
  new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket.address().port)))

/** A name server that gives every name the same address, after the question it was asked. */
async function nameServer(address: string): Promise<NameServer> {
  const socket = createSocket('udp4')
  closing.push(() => socket.close())
  socket.on('message', (query, client) => {
    const answer = Buffer.concat([
      query.subarray(0, 2),
      Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]),
      query.subarray(12, query.indexOf(0, 12) + 5),
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)]),
    ])
    socket.send(answer, client.port, client.address)
  })
  return { address: '127.0.0.1', port: await bound(socket) }
}

async function resolverOver(servers: readonly NameServer[]): Promise<Resolver> {
  const { udp } = dnsForward('127.0.0.1', () => servers, systemClock)
  closing.push(() => udp.close())
  const resolver = new Resolver({ timeout: 10_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${await bound(udp)}`])
  return resolver
}

test('hands a query on and its answer back', async () => {
  const resolver = await resolverOver([await nameServer('192.0.2.7')])
  expect(await resolver.resolve4('registry.example')).toEqual(['192.0.2.7'])
})

test('asks the next server when one does not listen', async () => {
  const gone = createSocket('udp4')
  const port = await bound(gone)
  await new Promise<void>((resolve) => gone.close(resolve))
  const resolver = await resolverOver([{ address: '127.0.0.1', port }, await nameServer('192.0.2.8')])
  expect(await resolver.resolve4('registry.example')).toEqual(['192.0.2.8'])
})

test('hands on over TCP too, past a server that refuses', async () => {
  const upstream = createServer((socket) => socket.end('an answer'))
  const closed = createServer()
  const portOf = (server: typeof upstream): Promise<number> =>
    new Promise((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
    )
  const [good, bad] = [await portOf(upstream), await portOf(closed)]
  await new Promise((resolve) => closed.close(resolve))
  const servers = [bad, good].map((port) => ({ address: '127.0.0.1', port }))
  const { udp, tcp } = dnsForward('127.0.0.1', () => servers, systemClock)
  await bound(udp)
  closing.push(
    () => udp.close(),
    () => tcp.close(),
    () => upstream.close(),
  )
  const client = connect(await portOf(tcp), '127.0.0.1')
  client.setEncoding('utf8')
  const text = await new Promise((resolve) => client.once('data', resolve))
  client.destroy()
  expect(text).toBe('an answer')
})

test.each([
  ['nameserver 127.0.0.53\noptions edns0\n', ['127.0.0.53']],
  ['nameserver 127.0.0.1\nnameserver ::1\n', ['127.0.0.1', '::1']],
  ['# nameserver 127.0.0.1\nnameserver 192.0.2.1\nnameserver 127.0.0.1\n', []],
  ['', []],
])('listens in the place of the resolvers of %j: %j', (resolvConf, expected) => {
  expect(loopbackNameServers(resolvConf)).toEqual(expected)
})

test('asks the servers that the local resolver asks, each once and itself never', () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-dns-'))
  closing.push(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'resolv.conf')
  writeFileSync(file, 'nameserver 192.0.2.1\nnameserver 127.0.0.1\nnameserver 192.0.2.1\n')
  expect(machineNameServers([join(directory, 'nothing'), file])).toEqual([{ address: '192.0.2.1', port: 53 }])
  expect(machineNameServers([])).toEqual([])
})
