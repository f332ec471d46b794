import { SsmChannel } from '@berth/agent-protocol/ssm-channel.ts'
import {
  type ChannelClosed,
  type HandshakeComplete,
  type HandshakeRequest,
  type HandshakeResponse,
  jsonObject,
  type OpenDataChannelInput,
  type SessionTypeResult,
  terminalSize,
  type TerminalSize,
} from '@berth/agent-protocol/ssm-contents.ts'
import { payloadFlag, payloadType } from '@berth/agent-protocol/ssm-message.ts'
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import type { DataSocket, ExecProcess, ExecSpec } from './exec-ports.ts'
import { SessionLogWriter } from './exec-log.ts'
import { commandWords } from './exec-words.ts'

/** As at AWS: a session in which nothing is typed or printed for so long ends. */
export const idleMs = 20 * 60_000
/** How long a client may take to answer the handshake, and to acknowledge the last output. */
const handshakeMs = 30_000
const lastOutputMs = 10_000
/** Later than TerminateSession may be sent as a flag, and than every feature the plugin looks for. */
const agentVersion = '3.3.40.0'

export interface ExecSessionHost {
  readonly clock: Clock
  readonly ids: Ids
  readonly start: (spec: ExecSpec) => Promise<ExecProcess>
  readonly putLog?: (message: string, timeMs: number) => Promise<void>
  readonly ended: () => void
  readonly report: (problem: unknown) => void
}

export type ExecTarget =
  | { readonly containerId: string; readonly toolbox: string; readonly command: string }
  | { readonly refusal: string }

/** One session: the handshake with its client, then a command in a container between the client's input and output. */
export class ExecSession {
  readonly #host: ExecSessionHost
  readonly #socket: DataSocket
  readonly #channel: SsmChannel
  readonly #sessionId: string
  readonly #log: SessionLogWriter | undefined
  readonly #openedAt: number
  #target: ExecTarget = { refusal: '' }
  #process: ExecProcess | undefined
  /** Typed before the command ran. */
  #size: TerminalSize | undefined
  #shaken = false
  /** The command has not read what it was given last. */
  #full = false
  /** The command has ended. */
  #over = false
  #ended = false
  #cancelTimer: () => void = () => undefined

  constructor(sessionId: string, socket: DataSocket, host: ExecSessionHost) {
    this.#sessionId = sessionId
    this.#socket = socket
    this.#host = host
    this.#openedAt = host.clock.now()
    this.#log = host.putLog && new SessionLogWriter(host.clock, host.putLog, host.report)
    this.#channel = new SsmChannel('agent', {
      clock: host.clock,
      ids: host.ids,
      transmit: (frame) => socket.send(frame),
      receive: (kind, payload) => this.#receive(kind, payload),
      drained: () => this.#process?.resume(),
      closed: () => this.end(''),
    })
    socket.onMessage = (data) => this.#channel.hear(data)
    socket.onClose = () => this.end('')
  }

  /** Shows that this is the agent that was asked, and begins the handshake. */
  open(token: string, target: ExecTarget): void {
    const { ids } = this.#host
    this.#target = target
    const opening: OpenDataChannelInput = {
      MessageSchemaVersion: '1.0',
      RequestId: ids.uuid(),
      TokenValue: token,
      ClientId: ids.uuid(),
      ClientVersion: agentVersion,
    }
    this.#socket.send(JSON.stringify(opening))
    if ('refusal' in target) return this.end(target.refusal)
    const request: HandshakeRequest = {
      AgentVersion: agentVersion,
      RequestedClientActions: [
        {
          ActionType: 'SessionType',
          ActionParameters: { SessionType: 'InteractiveCommands', Properties: null },
        },
      ],
    }
    this.#channel.sendJson(payloadType.handshakeRequest, request)
    this.#cancelTimer = this.#after(handshakeMs, () => this.end('The handshake was not answered in time.'))
  }

  /** Ends the session and its command; the words are shown to the user, and none for an end of his own. */
  end(output: string, exitCode?: number): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancelTimer()
    this.#channel.close()
    const words: Partial<ChannelClosed> = {
      Output: output,
      ...(exitCode !== undefined && { ExitCode: exitCode }),
    }
    this.#socket.send(JSON.stringify(words))
    this.#socket.close(1000, 'the session has ended')
    this.#process?.end().catch(this.#host.report)
    this.#log?.end()
    this.#host.ended()
  }

  #receive(kind: number, payload: Buffer): boolean {
    // Before the command runs nothing is taken of what is its own: it stays unacknowledged.
    if (this.#shaken && !this.#process && !this.#over && kind !== payloadType.size) return false
    if (kind === payloadType.handshakeResponse) this.#shake(jsonObject<HandshakeResponse>(payload) ?? {})
    // What comes before the handshake is over is no input; a client that is in time has none.
    else if (!this.#shaken) return true
    else if (kind === payloadType.output) return this.#input(payload)
    else if (kind === payloadType.size) this.#resize(terminalSize(payload))
    else if (kind === payloadType.flag && payload.length === 4) this.#flag(payload.readUInt32BE())
    return true
  }

  #shake({ ProcessedClientActions: actions }: Partial<HandshakeResponse>): void {
    const { clock } = this.#host
    if (this.#shaken) return
    const action = Array.isArray(actions)
      ? actions.find(({ ActionType }) => ActionType === 'SessionType')
      : undefined
    if (action?.ActionStatus !== 1) return this.end('The client does not support the session.')
    this.#shaken = true
    const complete: HandshakeComplete = {
      HandshakeTimeToComplete: Math.round((clock.now() - this.#openedAt) * 1_000_000),
      CustomerMessage: '',
    }
    this.#channel.sendJson(payloadType.handshakeComplete, complete)
    this.#touch()
    const { Terminal: terminal } = (action.ActionResult ?? {}) as Partial<SessionTypeResult>
    this.#start(terminal !== false).catch((error: unknown) => {
      this.#host.report(error)
      const why = error instanceof Error ? error.message : String(error)
      this.end(`Unable to start command: ${why}`)
    })
  }

  async #start(terminal: boolean): Promise<void> {
    if ('refusal' in this.#target) return
    const { containerId, toolbox, command } = this.#target
    const words = commandWords(command)
    if (!words?.length) return this.end(`Failed to parse commands input: ${command}`)
    const process = await this.#host.start({
      containerId,
      command: [`${toolbox}/busybox`, 'sh', `${toolbox}/run`, toolbox, ...words],
      environment: terminal ? ['TERM=xterm-256color'] : [],
      // As at AWS, whoever the container's user is.
      user: '0',
      terminal,
    })
    process.onOutput = (stream, bytes) => {
      this.#touch()
      this.#log?.write(bytes)
      const kind = stream === 'error' ? payloadType.stdErr : payloadType.output
      if (!this.#channel.send(kind, bytes)) process.pause()
    }
    process.onWritable = () => {
      this.#full = false
      this.#channel.flush()
    }
    process.onExit = (exitCode) => this.#exited(exitCode)
    if (this.#ended) return process.end()
    this.#process = process
    this.#resize(this.#size)
    this.#channel.flush()
  }

  /** What the command is slow to read is not taken either; `write` keeps what it was given all the same. */
  #input(payload: Buffer): boolean {
    this.#touch()
    if (this.#full) return false
    this.#full = this.#process?.write(payload) === false
    return true
  }

  #resize(size: TerminalSize | undefined): void {
    if (!size) return
    this.#size = size
    // A command that has just ended has no size any more.
    this.#process?.resize(size).catch(() => undefined)
  }

  #flag(flag: number): void {
    if (flag === payloadFlag.terminateSession) this.end('')
    // Berth's own client says so when its standard input has ended.
    else if (flag === payloadFlag.disconnectToPort) this.#process?.endInput()
  }

  /** The last output is for the client to see before the session is closed. */
  #exited(exitCode: number | undefined): void {
    this.#process = undefined
    this.#over = true
    const end = (): void => this.end('', exitCode)
    this.#cancelTimer()
    this.#cancelTimer = this.#after(lastOutputMs, end)
    this.#channel.whenIdle(end)
  }

  #touch(): void {
    if (this.#ended || this.#over) return
    this.#cancelTimer()
    this.#cancelTimer = this.#after(idleMs, () =>
      this.end(`The session ${this.#sessionId} was idle for too long.`),
    )
  }

  #after(durationMs: number, callback: () => void): () => void {
    const { clock } = this.#host
    return clock.at(clock.now() + durationMs, callback)
  }
}
