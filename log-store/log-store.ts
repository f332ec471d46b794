/** Where an event stands: by its time, and among those of one millisecond by the order in which they came in. */
export interface Position {
  readonly timestamp: number
  readonly sequence: number
}

/** An event as it is handed in. */
export interface LogEvent {
  /** Milliseconds since the epoch. */
  readonly timestamp: number
  readonly message: string
}

export interface StoredEvent extends LogEvent, Position {
  readonly streamName: string
  readonly ingestedAt: number
}

/** Of times in milliseconds since the epoch; those of events are absent while there are none. */
export interface StreamInfo {
  readonly name: string
  readonly createdAt: number
  readonly firstEventAt?: number
  readonly lastEventAt?: number
  readonly lastIngestedAt?: number
}

export interface StreamsQuery {
  readonly prefix?: string
  readonly orderBy: 'name' | 'lastEventAt'
  readonly descending: boolean
  /** Only those behind this stream in the order asked for; it need not exist any more. */
  readonly after?: { readonly name: string; readonly lastEventAt: number }
  readonly limit: number
}

export interface ReadQuery {
  /** All streams of the group when neither is given. */
  readonly streams?: { readonly names: readonly string[] } | { readonly prefix: string }
  /** Inclusive. */
  readonly from: number
  /** Exclusive. */
  readonly until: number
  /** Only what is behind this position in the direction asked for. */
  readonly after?: Position
  /** The newest first. */
  readonly descending: boolean
  readonly limit: number
  /** How many bytes of messages an answer may hold; one event is always given. */
  readonly bytesMax: number
  /** In the language of CloudWatch Logs; all events when absent. */
  readonly pattern?: string
  /** How long to look at most before answering with what was found so far, possibly nothing. */
  readonly budgetMs: number
}

export interface ReadAnswer {
  readonly events: readonly StoredEvent[]
  /** Where to go on reading. Absent when there is nothing more. */
  readonly resume?: Position
}

export interface GroupSize {
  /** Bytes of messages. */
  readonly bytes: number
  readonly streams: number
}

/**
 * Events of logs, by group and stream. Groups are known by ids that are never used again; they come into being with
 * their first stream. What was answered is on the disk.
 */
export interface LogStore {
  /** False when there is one of the name. */
  createStream(groupId: string, name: string, now: number): Promise<boolean>
  /** With its events; false when there is none of the name. */
  deleteStream(groupId: string, name: string): Promise<boolean>
  deleteGroup(groupId: string): Promise<void>
  /** The streams of the names that exist. */
  findStreams(groupId: string, names: readonly string[]): Promise<readonly StreamInfo[]>
  listStreams(groupId: string, query: StreamsQuery): Promise<readonly StreamInfo[]>
  /** Adds the events of a batch made by `encodeBatch`; false when there is no such stream. */
  append(groupId: string, streamName: string, batch: Uint8Array): Promise<boolean>
  read(groupId: string, query: ReadQuery): Promise<ReadAnswer>
  size(groupId: string): Promise<GroupSize>
  listGroups(): Promise<readonly string[]>
  /** Forgets events older than their group's `notBefore`, and streams that have been empty for two months, as AWS does. */
  retain(
    groups: ReadonlyArray<{ readonly id: string; readonly notBefore: number }>,
    now: number,
  ): Promise<void>
  close(): Promise<void>
}

/** Streams that hold nothing go after two months: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatchLogsConcepts.html */
export const emptyStreamKeptMs = 60 * 24 * 3_600_000

/** Negative when `left` comes before `right`. */
export function comparePositions(left: Position, right: Position): number {
  return left.timestamp - right.timestamp || left.sequence - right.sequence
}

/** The order of StreamsQuery, ascending: streams without events are older than all others. */
export function compareStreams(
  orderBy: StreamsQuery['orderBy'],
  left: { readonly name: string; readonly lastEventAt?: number },
  right: { readonly name: string; readonly lastEventAt?: number },
): number {
  const byTime = orderBy === 'lastEventAt' ? (left.lastEventAt ?? 0) - (right.lastEventAt ?? 0) : 0
  return byTime || (left.name < right.name ? -1 : left.name > right.name ? 1 : 0)
}
