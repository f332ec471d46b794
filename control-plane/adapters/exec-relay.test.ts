import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeSsmMessage } from '@berth/agent-protocol/ssm-message.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { SignatureError } from '@berth/wire/sigv4.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import WebSocket from 'ws'
import { type HandClock, testContext } from '#api/testing.ts'
import { ExecRelay, openMs } from './exec-relay.ts'
import { agentAnswerMs, clientReturnMs } from './exec-session.ts'

type Told = Readonly<Record<string, unknown>>
let clock: HandClock
let server: Server
let relay: ExecRelay
/** What the agent was told; undefined while it is away. */
let told: Told[] | undefined
let url = ''
const sockets: WebSocket[] = []
const containerInstanceArn = 'arn:aws:ecs:us-east-1:000000000000:container-instance/c/i'
const taskArn = 'arn:aws:ecs:us-east-1:000000000000:task/c/t'
const command = { containerInstanceArn, taskArn, containerName: 'web', command: 'sh' }

beforeEach(async () => {
  ;({ clock } = await testContext())
  told = []
  server = createServer()
  server.on('upgrade', (request, socket, head) => relay.upgrade(request, socket, head))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  relay = new ExecRelay({
    gateway: {
      commands: () => told && { sendCommand: (message) => Boolean(told?.push({ ...message })) },
    },
    url,
    clock,
    ids: idsFrom(prng(1)),
    authenticate: ({ headers }) => {
      if (headers['x-account'] === undefined) throw new SignatureError('missing', 'none')
      return { accountId: String(headers['x-account']), arn: 'arn', userId: 'user' }
    },
  })
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate()
  await new Promise((done) => server.close(done))
})

/** A connection of either side, with what it hears. */
class Peer {
  readonly socket: WebSocket
  readonly heard: Buffer[] = []
  readonly closed: Promise<number>
  #wake: () => void = () => undefined

  constructor(streamUrl: string, token: string | undefined, account?: string) {
    this.socket = new WebSocket(streamUrl, { headers: account === undefined ? {} : { 'x-account': account } })
    sockets.push(this.socket)
    this.socket.on(
      'open',
      () => token !== undefined && this.socket.send(JSON.stringify({ TokenValue: token })),
    )
    this.socket.on('message', (data: Buffer) => {
      this.heard.push(data)
      this.#wake()
    })
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code) => resolve(code))
      this.socket.on('unexpected-response', (_, response) => resolve(response.statusCode ?? 0))
      this.socket.on('error', () => undefined)
    })
  }

  async hears(count: number): Promise<readonly string[]> {
    while (this.heard.length < count) await new Promise<void>((wake) => (this.#wake = wake))
    return this.heard.map((data) => {
      const message = decodeSsmMessage(data)
      return message ? `${message.messageType} ${outputOf(message.payload)}`.trim() : data.toString()
    })
  }
}

function outputOf(payload: Buffer): string {
  const { Output, ExitCode } = JSON.parse(payload.toString()) as { Output?: string; ExitCode?: number }
  return [Output, ExitCode].filter((part) => part !== undefined).join(' ')
}

function openSession(): { streamUrl: string; tokenValue: string; sessionId: string } {
  const { streamUrl = '', tokenValue = '', sessionId = '' } = relay.commands.openSession(command) ?? {}
  return { streamUrl, tokenValue, sessionId }
}
const agentUrl = (streamUrl: string): string => streamUrl.replace('publish_subscribe', 'agent')
const client = (session = openSession()): Peer => new Peer(session.streamUrl, session.tokenValue)
const untilTold = async (): Promise<string> => {
  while (!told?.length) await new Promise((turn) => setImmediate(turn))
  return String(told[0]?.['tokenValue'])
}
async function joined(session = openSession()): Promise<{ readonly client: Peer; readonly agent: Peer }> {
  const one = client(session)
  const agent = new Peer(agentUrl(session.streamUrl), await untilTold(), '000000000000')
  agent.socket.once('open', () => agent.socket.send(Buffer.from('hello')))
  await one.hears(1)
  return { client: one, agent }
}

test("a session has AWS's shape, and its agent is told once its client has shown the token", async () => {
  const session = openSession()
  expect(session).toEqual({
    sessionId: expect.stringMatching(/^ecs-execute-command-[0-9a-f]{17}$/),
    streamUrl: `${url.replace('http', 'ws')}/v1/data-channel/${session.sessionId}?role=publish_subscribe`,
    tokenValue: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  expect(told).toEqual([])
  client(session)
  expect(await untilTold()).not.toBe(session.tokenValue)
  expect(told).toEqual([
    expect.objectContaining({
      taskArn,
      containerName: 'web',
      command: 'sh',
      sessionId: session.sessionId,
    }),
  ])
})

test('frames pass both ways as they are', async () => {
  const { client: one, agent } = await joined()
  one.socket.send(Buffer.from('up'))
  expect(await agent.hears(1)).toEqual(['up'])
  agent.socket.send(Buffer.from('down'))
  expect(await one.hears(2)).toEqual(['hello', 'down'])
})

test('the last words of the agent close the channel, with the exit status', async () => {
  const { client: one, agent } = await joined()
  agent.socket.send(JSON.stringify({ Output: '', ExitCode: 3 }))
  expect(await one.closed).toBe(1000)
  expect(await one.hears(2)).toEqual(['hello', 'channel_closed  3'])
  expect(await agent.closed).toBe(1000)
  expect(relay.size).toBe(0)
})

test('an agent that is lost ends the session in words', async () => {
  const { client: one, agent } = await joined()
  agent.socket.terminate()
  await one.closed
  expect((await one.hears(2)).at(-1)).toBe('channel_closed The connection to the container was lost.')
})

test('a client that is lost may come back with its token, and the agent hears both', async () => {
  const session = openSession()
  const { client: one, agent } = await joined(session)
  one.socket.terminate()
  expect(await agent.hears(1)).toEqual(['pause_publication'])
  expect(relay.commands.resumeSession('000000000000', session.sessionId)).toBe(session.tokenValue)
  const again = client(session)
  expect(await agent.hears(2)).toEqual(['pause_publication', 'start_publication'])
  agent.socket.send(Buffer.from('again'))
  expect(await again.hears(1)).toEqual(['again'])
})

test('a client that stays away ends its session', async () => {
  const { client: one, agent } = await joined()
  one.socket.terminate()
  await agent.hears(1)
  clock.advance(clientReturnMs)
  expect((await agent.hears(2)).at(-1)).toBe('channel_closed The client did not come back.')
  expect(relay.size).toBe(0)
})

test('a newer connection of the client takes the place of the older', async () => {
  const session = openSession()
  const { client: one, agent } = await joined(session)
  const again = client(session)
  expect(await one.closed).toBe(1008)
  await agent.hears(1)
  agent.socket.send(Buffer.from('here'))
  expect(await again.hears(1)).toEqual(['here'])
})

test("a wrong token opens nothing, neither does the other side's, and the session stays", async () => {
  const session = openSession()
  expect(await new Peer(session.streamUrl, 'wrong').closed).toBe(1008)
  client(session)
  const agentToken = await untilTold()
  expect(await new Peer(session.streamUrl, agentToken).closed).toBe(1008)
  expect(await new Peer(agentUrl(session.streamUrl), session.tokenValue, '000000000000').closed).toBe(1008)
  expect(relay.size).toBe(1)
})

test('a connection that shows no token is not kept', async () => {
  const silent = new Peer(openSession().streamUrl, undefined)
  await new Promise((open) => silent.socket.once('open', open))
  clock.advance(10_000)
  expect(await silent.closed).toBe(1008)
})

test('an agent signs, as its own account, and an unknown session is not found', async () => {
  const { streamUrl } = openSession()
  expect(await new Peer(agentUrl(streamUrl), 'x').closed).toBe(403)
  expect(await new Peer(agentUrl(streamUrl), 'x', '111111111111').closed).toBe(403)
  expect(await new Peer(streamUrl.replace('command-', 'command-x'), 'x').closed).toBe(404)
})

test('sessions that nobody opens, and agents that do not come, are given up', async () => {
  openSession()
  clock.advance(openMs)
  expect(relay.size).toBe(0)
  const one = client()
  await untilTold()
  clock.advance(agentAnswerMs)
  expect(await one.hears(1)).toEqual(['channel_closed The agent did not answer.'])
})

test('without an agent there is no session, and one whose agent has gone meanwhile says so', async () => {
  const session = openSession()
  told = undefined
  expect(relay.commands.openSession(command)).toBeUndefined()
  expect(await client(session).hears(1)).toEqual([
    'channel_closed The agent of the container instance is not connected.',
  ])
})

test('the end of the control plane, and TerminateSession, end sessions on both sides', async () => {
  const { client: one, agent } = await joined()
  relay.close()
  expect((await one.hears(2)).at(-1)).toBe('channel_closed The control plane is stopping.')
  expect((await agent.hears(1)).at(-1)).toBe('channel_closed The control plane is stopping.')
  told = []
  const session = openSession()
  const other = await joined(session)
  relay.commands.terminateSession('111111111111', session.sessionId)
  expect(relay.commands.resumeSession('111111111111', session.sessionId)).toBeUndefined()
  relay.commands.terminateSession('000000000000', session.sessionId)
  expect((await other.client.hears(2)).at(-1)).toBe('channel_closed')
  expect(relay.commands.resumeSession('000000000000', session.sessionId)).toBeUndefined()
})

test('a client that does not read stops its agent, and loses nothing', async () => {
  const { client: one, agent } = await joined()
  one.socket.pause()
  const piece = Buffer.alloc(60_000, 'x')
  const count = 400
  for (let sent = 0; sent < count; sent++) agent.socket.send(piece)
  await new Promise((turn) => setImmediate(turn))
  one.socket.resume()
  expect(await one.hears(count + 1)).toHaveLength(count + 1)
})
