import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect as connectTcp } from 'node:net'
import { decodeAcsServerMessage } from '@berth/agent-protocol/acs.ts'
import { encode } from '@berth/agent-protocol/message.ts'
import { type Refusal, readRefusal } from '@berth/agent-protocol/refusal.ts'
import { SignatureError, type SignedRequest } from '@berth/wire/sigv4.ts'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  arnOf,
  instanceArn,
  instanceRow,
  taskRow,
  type TestGateway,
  testGateway,
} from './agent-gateway-testing.ts'
import { agentUpgrades, type AgentUpgradeOptions } from './agent-gateway-upgrade.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const root = { accountId: '000000000000', arn: 'arn:aws:iam::000000000000:root', userId: '000000000000' }

async function serve(
  at: TestGateway,
  authenticate: AgentUpgradeOptions['authenticate'] = () => root,
): Promise<string> {
  const { acs, tcs } = agentUpgrades({
    gateway: at.gateway,
    authenticate,
    report: (_, problem) => at.problems.push(problem),
  })
  const server = createServer()
  server.on('upgrade', (request, socket, head) =>
    (request.url?.startsWith('/acs') ? acs : tcs)(request, socket, head),
  )
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

// As the official agent writes it, with `+` for a space.
const acsPath = (containerInstanceArn = instanceArn): string =>
  `/acs/ws?agentHash=5c45eef5&agentVersion=1.105.0&clusterArn=demo&containerInstanceArn=${encodeURIComponent(containerInstanceArn)}&dockerVersion=DockerVersion%3A+20.10.24%2Bdfsg1&protocolVersion=2&sendCredentials=true&seqNum=1`
const tcsPath = `/tcs/ws?agentHash=5c45eef5&agentVersion=1.105.0&cluster=demo&containerInstance=${encodeURIComponent(instanceArn)}&dockerVersion=20.10.24%2Bdfsg1`

/** An agent's websocket; what it hears is kept from the first frame on. */
async function dial(url: string): Promise<{ readonly socket: WebSocket; readonly frames: string[] }> {
  const socket = new WebSocket(url)
  const frames: string[] = []
  socket.on('message', (data: Buffer) => frames.push(data.toString()))
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject))
  return { socket, frames }
}

function refused(
  url: string,
): Promise<{ readonly status: number | undefined; readonly refusal: Refusal | undefined }> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url)
    socket.on('open', () => reject(new Error('the upgrade was accepted')))
    socket.on('error', () => undefined)
    socket.on('unexpected-response', (_, response: IncomingMessage) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode, refusal: readRefusal(body) }))
    })
  })
}

test('a task goes to an agent and its acknowledgement comes back, over a real websocket', async () => {
  const at = await testGateway(taskRow('a'))
  const url = await serve(at)
  const { socket, frames } = await dial(url + acsPath())
  expect(socket.extensions).toBe('')
  await expect.poll(() => at.instance()?.agentConnected).toBe(true)
  expect(at.instance()?.versionInfo.dockerVersion).toBe('DockerVersion: 20.10.24+dfsg1')

  await at.gateway.tell(instanceArn, [arnOf('a')])
  await expect.poll(() => frames.length).toBe(2)
  const payload = decodeAcsServerMessage(frames[1] ?? '')
  if (payload.kind !== 'message' || payload.message.type !== 'PayloadMessage') throw new Error('no payload')
  const { messageId } = payload.message.message
  socket.send(
    encode({ type: 'AckRequest', message: { cluster: 'demo', containerInstance: instanceArn, messageId } }),
  )
  socket.send('garbage')
  await expect.poll(() => at.problems).toHaveLength(1)

  at.clock.advance(40_000)
  expect(at.gateway.told(instanceArn)?.get(arnOf('a'))).toBe('RUNNING')
  socket.terminate()
  await expect.poll(() => at.gateway.told(instanceArn)).toBeUndefined()
})

test('telemetry is answered, and a stop of the control plane closes both connections as going away', async () => {
  const at = await testGateway()
  const url = await serve(at)
  const [acs, tcs] = await Promise.all([dial(url + acsPath()), dial(url + tcsPath)])
  tcs.socket.send(
    `Host: x\r\n\r\n${encode({ type: 'PublishMetricsRequest', message: { metadata: { fin: true } } })}`,
  )
  await expect
    .poll(() => tcs.frames)
    .toEqual([encode({ type: 'AckPublishMetric', message: { message: 'ok' } })])
  const closed = [acs, tcs].map(({ socket }) => new Promise((resolve) => socket.on('close', resolve)))
  at.gateway.close()
  expect(await Promise.all(closed)).toEqual([1001, 1001])
})

test('hands the request as it was signed to the check of its signature', async () => {
  const at = await testGateway()
  const signed: SignedRequest[] = []
  const url = await serve(at, (request) => {
    signed.push(request)
    return root
  })
  const { socket } = await dial(url + acsPath())
  expect(signed).toMatchObject([
    { method: 'GET', path: '/acs/ws', rawQuery: acsPath().slice('/acs/ws?'.length) },
  ])
  expect(signed[0]?.body).toHaveLength(0)
  socket.terminate()
})

test.each<[string, string, AgentUpgradeOptions['authenticate'], number, Refusal['type']]>([
  ['an unknown instance', acsPath(`${instanceArn}9`), () => root, 400, 'InvalidInstanceException'],
  ['no instance', '/acs/ws', () => root, 400, 'BadRequestException'],
  ['a wrong cluster', tcsPath.replace('demo', 'other'), () => root, 400, 'InvalidClusterException'],
  [
    'a bad signature',
    acsPath(),
    () => {
      throw new SignatureError('mismatch', 'The signature does not match.')
    },
    403,
    'AccessDeniedException',
  ],
  [
    'another account',
    acsPath(),
    () => ({ ...root, accountId: '111111111111' }),
    403,
    'AccessDeniedException',
  ],
  [
    'a failure of our own',
    acsPath(),
    () => {
      throw new Error('the disk is full of eels')
    },
    500,
    'ServerException',
  ],
])('refuses %s in words an agent reads', async (_, path, authenticate, status, type) => {
  const at = await testGateway()
  const url = await serve(at, authenticate)
  const answer = await refused(url + path)
  expect(answer).toMatchObject({ status, refusal: { type } })
  expect(answer.refusal?.message).not.toContain('eels')
})

test('refuses a deregistered instance so that its agent rests', async () => {
  const at = await testGateway()
  at.store.update((tx) => tx.put('containerInstance', { ...instanceRow, status: 'INACTIVE' }))
  const url = await serve(at)
  for (const path of [acsPath(), tcsPath])
    expect(await refused(url + path)).toMatchObject({ refusal: { type: 'InactiveInstanceException' } })
})

test('outlives a client that speaks no websocket or leaves halfway', async () => {
  const at = await testGateway()
  const url = await serve(at)
  const port = Number(new URL(url).port)
  const answer = await new Promise<string>((resolve) => {
    const socket = connectTcp(port, '127.0.0.1')
    socket.write(`GET ${acsPath()} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    socket.on('data', (data) => resolve(data.toString()))
  })
  expect(answer).toMatch(/^HTTP\/1\.1 400 /)
  const leaver = connectTcp(port, '127.0.0.1')
  leaver.write(`GET ${acsPath()} HTTP/1.1\r\nUpgrade: websocket\r\n`, () => leaver.resetAndDestroy())
  const { socket } = await dial(url + acsPath())
  await expect.poll(() => at.instance()?.agentConnected).toBe(true)
  socket.terminate()
})
