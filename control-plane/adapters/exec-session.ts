import { encodeSsmMessage, type SsmMessageType } from '@berth/agent-protocol/ssm-message.ts'
import type { ChannelClosed } from '@berth/agent-protocol/ssm-contents.ts'
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'

/** A websocket as a session sees it; handlers are set before anything is received, `onClose` is called once. */
export interface DataSocket {
  /** False: the peer is slow, and `onDrain` follows once it has read. */
  send(data: Buffer | string): boolean
  /** What is received waits in the peer's own buffers until `resume`. */
  pause(): void
  resume(): void
  close(code: number, reason: string): void
  onMessage: (data: Buffer, isBinary: boolean) => void
  onDrain: () => void
  onClose: () => void
}

/** What a session came to: the words its client shows, and what the command ended with. */
export interface SessionEnd {
  readonly output: string
  readonly exitCode?: number
}

export interface ExecSessionHost {
  readonly clock: Clock
  readonly ids: Ids
  /** Tells the agent to open its side; false when it cannot be told. */
  readonly callAgent: () => boolean
  /** Called once. */
  readonly ended: () => void
}

/** How long an agent may take to open its side, and a client that was lost to come back. */
export const agentAnswerMs = 15_000
export const clientReturnMs = 30_000
/** What a client says before the agent is there is kept as far as this; it is sent again anyway. */
const earlyMax = 64

/**
 * One session of ECS Exec: a client's socket and an agent's, and frames passed between them as they are. The agent is
 * called when the client is there, and told when it goes and comes back.
 */
export class ExecSession {
  readonly sessionId: string
  readonly #host: ExecSessionHost
  #client: DataSocket | undefined
  #agent: DataSocket | undefined
  #early: Buffer[] = []
  #called = false
  #ended = false
  #cancelDeadline: () => void

  constructor(sessionId: string, openMs: number, host: ExecSessionHost) {
    this.sessionId = sessionId
    this.#host = host
    this.#cancelDeadline = this.#deadline(openMs, 'The session was not opened in time.')
  }

  /** Takes the client's socket, in place of one it had. */
  attachClient(socket: DataSocket): void {
    if (this.#ended) return socket.close(1008, 'the session has ended')
    this.#cancelDeadline()
    const older = this.#client
    this.#client = socket
    older?.close(1008, 'a newer connection of this session took over')
    socket.onMessage = (data, isBinary) => {
      if (isBinary && this.#client === socket) this.#fromClient(data)
    }
    socket.onDrain = () => this.#agent?.resume()
    socket.onClose = () => this.#clientLost(socket)
    this.#agent?.resume()
    if (this.#called) this.#tellAgent('start_publication')
    else this.#callAgent()
  }

  /** Takes the agent's socket; there is only one in a session's life. */
  attachAgent(socket: DataSocket): void {
    if (this.#ended || this.#agent) return socket.close(1008, 'the session has ended')
    this.#cancelDeadline()
    this.#agent = socket
    socket.onMessage = (data, isBinary) => {
      if (!isBinary) this.#lastWords(data)
      else if (this.#client && !this.#client.send(data)) socket.pause()
    }
    socket.onDrain = () => this.#client?.resume()
    socket.onClose = () => this.end({ output: 'The connection to the container was lost.' })
    if (!this.#client) this.#tellAgent('pause_publication')
    for (const frame of this.#early.splice(0)) socket.send(frame)
  }

  /** Ends the session on both sides, once. */
  end({ output, exitCode }: SessionEnd): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancelDeadline()
    const closed = { Output: output, ...(exitCode !== undefined && { ExitCode: exitCode }) }
    for (const socket of [this.#client, this.#agent]) {
      socket?.resume()
      socket?.send(this.#control('channel_closed', closed))
      socket?.close(1000, 'the session has ended')
    }
    this.#host.ended()
  }

  #callAgent(): void {
    this.#called = true
    this.#cancelDeadline = this.#deadline(agentAnswerMs, 'The agent did not answer.')
    if (!this.#host.callAgent()) this.end({ output: 'The agent of the container instance is not connected.' })
  }

  #fromClient(frame: Buffer): void {
    if (this.#agent) {
      if (!this.#agent.send(frame)) this.#client?.pause()
    } else if (this.#early.length < earlyMax) this.#early.push(frame)
  }

  #clientLost(socket: DataSocket): void {
    if (this.#client !== socket || this.#ended) return
    this.#client = undefined
    this.#tellAgent('pause_publication')
    this.#agent?.resume()
    this.#cancelDeadline()
    this.#cancelDeadline = this.#deadline(clientReturnMs, 'The client did not come back.')
  }

  /** An agent's only text: how the session ended. */
  #lastWords(data: Buffer): void {
    let words: { readonly Output?: unknown; readonly ExitCode?: unknown } = {}
    try {
      words = JSON.parse(data.toString()) as typeof words
    } catch {
      // What an agent says last and badly is still its last.
    }
    this.end({
      output: typeof words.Output === 'string' ? words.Output : '',
      ...(typeof words.ExitCode === 'number' && { exitCode: words.ExitCode }),
    })
  }

  #tellAgent(messageType: 'start_publication' | 'pause_publication'): void {
    this.#agent?.send(this.#control(messageType, {}))
  }

  #control(messageType: SsmMessageType, content: object): Buffer {
    const { clock, ids } = this.#host
    const messageId = ids.uuid()
    const closed: Omit<ChannelClosed, 'MessageType' | 'Output'> & { readonly MessageType: string } = {
      MessageId: messageId,
      CreatedDate: new Date(clock.now()).toISOString(),
      DestinationId: this.sessionId,
      SessionId: this.sessionId,
      MessageType: messageType,
      SchemaVersion: 1,
      ...content,
    }
    return encodeSsmMessage({
      messageType,
      schemaVersion: 1,
      createdAt: clock.now(),
      sequenceNumber: 0,
      flags: 3,
      messageId,
      payloadType: 0,
      payload: Buffer.from(JSON.stringify(closed)),
    })
  }

  #deadline(durationMs: number, output: string): () => void {
    return this.#host.clock.at(this.#host.clock.now() + durationMs, () => this.end({ output }))
  }
}
