import { execFileSync } from 'node:child_process'
import type { ReadStream, WriteStream } from 'node:tty'
import WebSocket from 'ws'
import { SsmChannel } from '@berth/agent-protocol/ssm-channel.ts'
import {
  type HandshakeRequest,
  type HandshakeResponse,
  jsonObject,
  type OpenDataChannelInput,
  type SessionTypeResult,
} from '@berth/agent-protocol/ssm-contents.ts'
import { payloadFlag, payloadType } from '@berth/agent-protocol/ssm-message.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { systemIds } from '@berth/std/system-ids.ts'
import { Failure } from './failure.ts'

export interface OpenSession {
  readonly streamUrl: string
  readonly tokenValue: string
  readonly sessionId: string
}

/** What the command reads and writes. */
export interface Streams {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

/** What may wait for a slow reader of the output. */
const unwrittenBytesMax = 1024 * 1024
/** As of a program that SIGPIPE ended. */
const brokenPipeStatus = 141
const clientVersion = '1.2.694.0'

/**
 * Joins the streams to a session until its command ends, and gives the command's exit status. Throws Failure when the
 * session ends for another reason.
 */
export function runSession(session: OpenSession, streams: Streams = process): Promise<number> {
  return new Promise((resolve, reject) => new Session(session, streams, resolve, reject))
}

/** The client's side of one session. */
class Session {
  readonly #streams: Streams
  readonly #socket: WebSocket
  readonly #channel: SsmChannel
  readonly #isTerminal: boolean
  readonly #settle: (end: number | Failure) => void
  #started = false
  readonly #onInput = (bytes: Buffer): void => {
    if (!this.#channel.send(payloadType.output, bytes)) this.#streams.stdin.pause()
  }
  readonly #onInputEnd = (): void => this.#sendFlag(payloadFlag.disconnectToPort)
  readonly #onDrain = (): void => this.#channel.flush()
  readonly #onBrokenPipe = (): void => this.#settle(brokenPipeStatus)
  readonly #onResize = (): void => this.#sendSize()

  constructor(
    { streamUrl, tokenValue }: OpenSession,
    streams: Streams,
    resolve: (exitCode: number) => void,
    reject: (failure: Failure) => void,
  ) {
    this.#streams = streams
    // What is no terminal has no such member at all, whatever its type says.
    this.#isTerminal = Boolean(streams.stdin.isTTY) && Boolean(streams.stdout.isTTY)
    let settled = false
    this.#settle = (end) => {
      if (settled) return
      settled = true
      this.#stop()
      if (typeof end === 'number') resolve(end)
      else reject(end)
    }
    this.#socket = new WebSocket(streamUrl, { perMessageDeflate: false })
    this.#channel = new SsmChannel('client', {
      clock: systemClock,
      ids: systemIds,
      transmit: (frame) => {
        if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(frame)
      },
      receive: (kind, payload) => this.#receive(kind, payload),
      drained: () => streams.stdin.resume(),
      closed: ({ Output: output, ExitCode: exitCode }) =>
        this.#settle(output ? new Failure(output) : (exitCode ?? 0)),
    })
    streams.stdout.on('drain', this.#onDrain)
    streams.stdout.on('error', this.#onBrokenPipe)
    this.#socket.on('open', () => this.#socket.send(JSON.stringify(this.#opening(tokenValue))))
    this.#socket.on('message', (data: Buffer) => this.#channel.hear(data))
    this.#socket.on('error', (error) => this.#settle(new Failure(`the session was lost: ${error.message}`)))
    this.#socket.on('close', () => this.#settle(new Failure('the session was lost')))
  }

  #opening(token: string): OpenDataChannelInput {
    return {
      MessageSchemaVersion: '1.0',
      RequestId: systemIds.uuid(),
      TokenValue: token,
      ClientId: systemIds.uuid(),
      ClientVersion: clientVersion,
    }
  }

  #receive(kind: number, payload: Buffer): boolean {
    const { stdout, stderr } = this.#streams
    if (stdout.writableLength + stderr.writableLength > unwrittenBytesMax) return false
    if (kind === payloadType.handshakeRequest) this.#shake(payload)
    else if (kind === payloadType.handshakeComplete) this.#start()
    else if (kind === payloadType.output) stdout.write(payload)
    else if (kind === payloadType.stdErr) stderr.write(payload)
    return true
  }

  #shake(payload: Buffer): void {
    const { RequestedClientActions: actions = [] } = jsonObject<HandshakeRequest>(payload) ?? {}
    const result: SessionTypeResult = { Terminal: this.#isTerminal }
    const response: HandshakeResponse = {
      ClientVersion: clientVersion,
      ProcessedClientActions: actions.map(({ ActionType }) =>
        ActionType === 'SessionType'
          ? { ActionType, ActionStatus: 1, ActionResult: result }
          : { ActionType, ActionStatus: 3, Error: `Unsupported action ${ActionType}` },
      ),
    }
    this.#channel.sendJson(payloadType.handshakeResponse, response)
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    const { stdin, stdout } = this.#streams
    if (this.#isTerminal) {
      this.#sendSize()
      rawMode(stdin, true)
      stdout.on('resize', this.#onResize)
    } else stdin.once('end', this.#onInputEnd)
    stdin.on('data', this.#onInput)
  }

  #stop(): void {
    const { stdin, stdout } = this.#streams
    if (this.#started && this.#isTerminal) rawMode(stdin, false)
    stdout.off('resize', this.#onResize)
    stdout.off('drain', this.#onDrain)
    stdin.off('data', this.#onInput)
    stdin.off('end', this.#onInputEnd)
    stdin.pause()
    this.#channel.close()
    this.#socket.close()
    // A pipe that nobody closes would hold the process.
    if ('unref' in stdin) (stdin as ReadStream).unref()
  }

  #sendSize(): void {
    const { columns, rows } = this.#streams.stdout as WriteStream
    if (columns > 0 && rows > 0) this.#channel.sendJson(payloadType.size, { cols: columns, rows })
  }

  #sendFlag(flag: number): void {
    const payload = Buffer.alloc(4)
    payload.writeUInt32BE(flag)
    this.#channel.send(payloadType.flag, payload)
  }
}

/**
 * Node.js leaves a raw terminal turning line feeds into whole new lines, which breaks what full-screen programs draw: the
 * far terminal does that already. Leaving the mode restores all.
 */
function rawMode(stdin: NodeJS.ReadStream, isRaw: boolean): void {
  stdin.setRawMode(isRaw)
  if (!isRaw) return
  try {
    execFileSync('stty', ['-opost'], { stdio: ['inherit', 'ignore', 'ignore'] })
  } catch {
    // Without stty most things look right all the same.
  }
}
