/** What stands in the JSON payloads of a data channel, and in the text frame that opens it. */

/** The first frame of a client, as text: it shows that the channel is its own. */
export interface OpenDataChannelInput {
  readonly MessageSchemaVersion: string
  readonly RequestId: string
  readonly TokenValue: string
  readonly ClientId: string
  readonly ClientVersion: string
}

/** The payload of an `acknowledge` message. */
export interface AcknowledgeContent {
  readonly AcknowledgedMessageType: string
  readonly AcknowledgedMessageId: string
  readonly AcknowledgedMessageSequenceNumber: number
  readonly IsSequentialMessage: boolean
}

/** The payload of a `channel_closed` message. */
export interface ChannelClosed {
  readonly MessageId: string
  readonly CreatedDate: string
  readonly DestinationId: string
  readonly SessionId: string
  readonly MessageType: 'channel_closed'
  readonly SchemaVersion: number
  /** Shown to the person at the terminal; empty when the session simply ended. */
  readonly Output: string
  /** Berth's own: what the command ended with, which the plugin has no use for. */
  readonly ExitCode?: number
}

export interface HandshakeRequest {
  readonly AgentVersion: string
  readonly RequestedClientActions: ReadonlyArray<{
    readonly ActionType: string
    readonly ActionParameters: unknown
  }>
}

/** 1 is success, 2 failure, 3 an action that the client does not know. */
type ActionStatus = 1 | 2 | 3

export interface HandshakeResponse {
  readonly ClientVersion: string
  readonly ProcessedClientActions: ReadonlyArray<{
    readonly ActionType: string
    readonly ActionStatus: ActionStatus
    readonly ActionResult?: unknown
    readonly Error?: string
  }>
  readonly Errors?: readonly string[] | null
}

/** Berth's own client says in the result of the action `SessionType` whether it has a terminal. */
export interface SessionTypeResult {
  readonly Terminal: boolean
}

export interface HandshakeComplete {
  /** Nanoseconds. */
  readonly HandshakeTimeToComplete: number
  /** Shown before anything else. */
  readonly CustomerMessage: string
}

export interface TerminalSize {
  readonly cols: number
  readonly rows: number
}

/** The JSON object in a payload; undefined when it holds none. Its members are for the reader to check. */
export function jsonObject<T extends object>(payload: Buffer | string): Partial<T> | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Partial<T>)
      : undefined
  } catch {
    return undefined
  }
}

/** A size that a terminal can have, within what the kernel keeps; undefined for anything else. */
export function terminalSize(payload: Buffer): TerminalSize | undefined {
  const { cols, rows } = jsonObject<TerminalSize>(payload) ?? {}
  const fits = (count: unknown): count is number =>
    typeof count === 'number' && Number.isInteger(count) && count > 0 && count <= 0xff_ff
  return fits(cols) && fits(rows) ? { cols, rows } : undefined
}
