import { SsmChannel } from '@berth/agent-protocol/ssm-channel.ts'
import { payloadFlag, payloadType } from '@berth/agent-protocol/ssm-message.ts'
import type { Clock } from '@berth/std/clock.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { beforeEach, expect, test } from 'vitest'
import type { DataSocket, ExecProcess, ExecSpec } from './exec-ports.ts'
import { ExecSession, type ExecTarget, idleMs } from './exec-session.ts'

const turn = (): Promise<void> => new Promise((done) => setImmediate(done))

/** A clock that is moved by hand. */
class HandClock implements Clock {
  #now = 1_000_000
  readonly #calls = new Set<{ readonly at: number; readonly callback: () => void }>()
  now(): number {
    return this.#now
  }
  at(at: number, callback: () => void): () => void {
    const call = { at, callback }
    this.#calls.add(call)
    return () => this.#calls.delete(call)
  }
  advance(durationMs: number): void {
    this.#now += durationMs
    for (const call of this.#calls) if (call.at <= this.#now && this.#calls.delete(call)) call.callback()
  }
}

/** A command that does as it is told by the test. */
class FakeProcess implements ExecProcess {
  readonly did: string[] = []
  isRoomy = true
  onOutput: ExecProcess['onOutput'] = () => undefined
  onWritable: ExecProcess['onWritable'] = () => undefined
  onExit: ExecProcess['onExit'] = () => undefined
  write(bytes: Buffer): boolean {
    this.did.push(`write ${bytes.toString()}`)
    return this.isRoomy
  }
  endInput(): void {
    this.did.push('endInput')
  }
  resize({ cols, rows }: { cols: number; rows: number }): Promise<void> {
    this.did.push(`resize ${cols}x${rows}`)
    return Promise.resolve()
  }
  pause(): void {
    this.did.push('pause')
  }
  resume(): void {
    this.did.push('resume')
  }
  end(): Promise<void> {
    this.did.push('end')
    return Promise.resolve()
  }
}

let clock: HandClock
let command: FakeProcess
let started: ExecSpec[]
let texts: unknown[]
let received: string[]
let log: string[]
let reports: unknown[]
let begin: () => Promise<ExecProcess>
let isClosed: boolean
let socket: DataSocket
let client: SsmChannel
let session: ExecSession
const target: ExecTarget = { containerId: 'docker', toolbox: '/box', command: 'ls "a b"' }

beforeEach(() => {
  clock = new HandClock()
  command = new FakeProcess()
  ;[started, texts, received, log, reports] = [[], [], [], [], []]
  begin = () => Promise.resolve(command)
  isClosed = false
  const ids = idsFrom(prng(1))
  socket = {
    send: (data) => (typeof data === 'string' ? void texts.push(JSON.parse(data)) : client.hear(data)),
    close: () => (isClosed = true),
    onMessage: () => undefined,
    onClose: () => undefined,
  }
  client = new SsmChannel('client', {
    clock,
    ids,
    transmit: (frame) => socket.onMessage(frame),
    receive: (kind, payload) => {
      received.push(`${kind} ${kind === payloadType.handshakeRequest ? 'request' : payload.toString()}`)
      return true
    },
  })
  session = new ExecSession('session', socket, {
    clock,
    ids,
    start: (spec) => {
      started.push(spec)
      return begin()
    },
    putLog: (message) => {
      log.push(message)
      return Promise.resolve()
    },
    ended: () => texts.push('ended'),
    report: (problem) => reports.push(problem),
  })
})

function shake(result?: object, status = 1): Promise<void> {
  const action = { ActionType: 'SessionType', ActionStatus: status, ActionResult: result ?? null }
  client.sendJson(payloadType.handshakeResponse, { ClientVersion: '1', ProcessedClientActions: [action] })
  return turn()
}
async function open(result?: object): Promise<void> {
  session.open('token', target)
  await shake(result)
}
const lastWords = (): unknown => texts.at(-2)

test('shows its token, shakes hands and runs the command as root on a terminal', async () => {
  await open()
  expect(texts).toEqual([expect.objectContaining({ TokenValue: 'token', MessageSchemaVersion: '1.0' })])
  expect(received).toEqual([
    `${payloadType.handshakeRequest} request`,
    `${payloadType.handshakeComplete} {"HandshakeTimeToComplete":0,"CustomerMessage":""}`,
  ])
  expect(started).toEqual([
    {
      containerId: 'docker',
      command: ['/box/busybox', 'sh', '/box/run', '/box', 'ls', 'a b'],
      environment: ['TERM=xterm-256color'],
      user: '0',
      terminal: true,
    },
  ])
})

test('a client without a terminal gets none', async () => {
  await open({ Terminal: false })
  expect(started).toEqual([expect.objectContaining({ terminal: false, environment: [] })])
  command.onOutput('error', Buffer.from('oh'))
  expect(received.at(-1)).toBe(`${payloadType.stdErr} oh`)
  client.send(payloadType.flag, Buffer.of(0, 0, 0, payloadFlag.disconnectToPort))
  expect(command.did).toEqual(['endInput'])
})

test('passes input, sizes and output, the last size from before the command ran too', async () => {
  let run: (process: ExecProcess) => void = () => undefined
  begin = () => new Promise((resolve) => (run = resolve))
  await open()
  client.sendJson(payloadType.size, { cols: 10, rows: 20 })
  client.send(payloadType.output, Buffer.from('early'))
  run(command)
  await turn()
  client.sendJson(payloadType.size, { cols: 0, rows: 20 })
  client.sendJson(payloadType.size, { cols: 30, rows: 40 })
  client.send(payloadType.output, Buffer.from('\u0003'))
  expect(command.did).toEqual(['resize 10x20', 'write early', 'resize 30x40', 'write \u0003'])
  command.onOutput('output', Buffer.from('out'))
  expect(received.at(-1)).toBe(`${payloadType.output} out`)
})

test('input that the command is slow to read waits, and is given once', async () => {
  await open()
  command.isRoomy = false
  client.send(payloadType.output, Buffer.from('one'))
  client.send(payloadType.output, Buffer.from('two'))
  clock.advance(1000)
  expect(command.did).toEqual(['write one'])
  command.isRoomy = true
  command.onWritable()
  expect(command.did).toEqual(['write one', 'write two'])
})

test('output that nobody acknowledges stops the command', async () => {
  await open()
  client.close()
  command.onOutput('output', Buffer.alloc(1024 * 300))
  expect(command.did).toEqual(['pause'])
})

test('ends with the status of the command, once the last output was acknowledged', async () => {
  await open()
  command.onOutput('output', Buffer.from('bye'))
  command.onExit(7)
  expect(lastWords()).toEqual({ Output: '', ExitCode: 7 })
  expect(isClosed).toBe(true)
  await turn()
  expect(log).toEqual(['bye'])
  expect(command.did).toEqual([])
})

test('does not wait for ever for a client that has stopped reading', async () => {
  await open()
  client.close()
  command.onOutput('output', Buffer.from('bye'))
  command.onExit(7)
  expect(isClosed).toBe(false)
  clock.advance(10_000)
  expect(lastWords()).toEqual({ Output: '', ExitCode: 7 })
})

test('keeps what is printed within a second as one event of the log', async () => {
  await open()
  command.onOutput('output', Buffer.from('a'))
  command.onOutput('output', Buffer.from('b'))
  clock.advance(1000)
  command.onOutput('output', Buffer.from('c'))
  clock.advance(1000)
  await turn()
  expect(log).toEqual(['ab', 'c'])
})

test.each<[string, (one: ExecSession) => void, string]>([
  ['the connection is lost', () => socket.onClose(), ''],
  ['the agent ends', (one) => one.end('The agent is stopping.'), 'The agent is stopping.'],
  ['nothing happens for long', () => clock.advance(idleMs), 'The session session was idle for too long.'],
  [
    'the client says so',
    () => client.send(payloadType.flag, Buffer.of(0, 0, 0, payloadFlag.terminateSession)),
    '',
  ],
])('ends the command when %s', async (_, happen, words) => {
  await open()
  happen(session)
  expect(command.did).toEqual(['end'])
  expect(lastWords()).toEqual({ Output: words })
  session.end('again')
  expect(texts.filter((text) => text === 'ended')).toHaveLength(1)
})

test('a session that has ended before its command ran ends the command', async () => {
  let run: (process: ExecProcess) => void = () => undefined
  begin = () => new Promise((resolve) => (run = resolve))
  await open()
  socket.onClose()
  run(command)
  await turn()
  expect(command.did).toEqual(['end'])
})

test.each<[string, () => Promise<void>, string]>([
  [
    'what cannot be begun',
    async () => {
      begin = () => Promise.reject(new Error('no such container'))
      await open()
    },
    'Unable to start command: no such container',
  ],
  [
    'a command that is no command',
    async () => {
      session.open('token', { ...target, command: '"' })
      await shake()
    },
    'Failed to parse commands input: "',
  ],
  [
    'a target that is none',
    async () => session.open('token', { refusal: 'The container is not running.' }),
    'The container is not running.',
  ],
  [
    'a client that cannot',
    async () => {
      session.open('token', target)
      await shake(undefined, 2)
    },
    'The client does not support the session.',
  ],
  [
    'a client that says nothing',
    async () => {
      session.open('token', target)
      clock.advance(30_000)
    },
    'The handshake was not answered in time.',
  ],
])('says why it ends: %s', async (_, happen, words) => {
  await happen()
  expect(lastWords()).toEqual({ Output: words })
  expect(isClosed).toBe(true)
})

test('a log that cannot be written is told once and ends nothing', async () => {
  const failing = new ExecSession('other', socket, {
    clock,
    ids: idsFrom(prng(2)),
    start: () => Promise.resolve(command),
    putLog: () => Promise.reject(new Error('no such group')),
    ended: () => texts.push('ended'),
    report: (problem) => reports.push(problem),
  })
  failing.open('token', target)
  await shake()
  for (let second = 0; second < 3; second++) {
    command.onOutput('output', Buffer.from('x'))
    clock.advance(1000)
    await turn()
  }
  expect(reports).toHaveLength(1)
  expect(isClosed).toBe(false)
})
