import { Block } from './block.ts'
import { pageOfStreams } from './disk-log-store.ts'
import {
  comparePositions,
  emptyStreamKeptMs,
  type GroupSize,
  type LogStore,
  type Position,
  type ReadAnswer,
  type ReadQuery,
  type StoredEvent,
  type StreamInfo,
  type StreamsQuery,
} from './log-store.ts'
import { parseFilterPattern } from './pattern/filter-pattern.ts'

interface Stream {
  readonly name: string
  readonly createdAt: number
  events: readonly StoredEvent[]
}

/** Logs in memory, for tests and `--memory`: the plainest thing that does what a LogStore does. */
export class MemoryLogStore implements LogStore {
  readonly #groups = new Map<string, Map<string, Stream>>()
  readonly #messagesMax: number
  #nextSequence = 1

  /** A stream keeps only its newest events when it has more than so many. */
  constructor(messagesMax = 100_000) {
    this.#messagesMax = messagesMax
  }

  createStream(groupId: string, name: string, now: number): Promise<boolean> {
    const group = this.#groups.get(groupId) ?? new Map<string, Stream>()
    if (group.has(name)) return Promise.resolve(false)
    this.#groups.set(groupId, group.set(name, { name, createdAt: now, events: [] }))
    return Promise.resolve(true)
  }

  deleteStream(groupId: string, name: string): Promise<boolean> {
    return Promise.resolve(this.#groups.get(groupId)?.delete(name) ?? false)
  }

  deleteGroup(groupId: string): Promise<void> {
    this.#groups.delete(groupId)
    return Promise.resolve()
  }

  findStreams(groupId: string, names: readonly string[]): Promise<readonly StreamInfo[]> {
    return Promise.resolve(names.flatMap((name) => this.#infoOf(this.#groups.get(groupId)?.get(name))))
  }

  listStreams(groupId: string, query: StreamsQuery): Promise<readonly StreamInfo[]> {
    const streams = [...(this.#groups.get(groupId)?.values() ?? [])]
    return Promise.resolve(
      pageOfStreams(
        streams.flatMap((stream) => this.#infoOf(stream)),
        query,
      ),
    )
  }

  append(groupId: string, streamName: string, batch: Uint8Array): Promise<boolean> {
    const stream = this.#groups.get(groupId)?.get(streamName)
    if (!stream) return Promise.resolve(false)
    const block = new Block(batch)
    block.number(this.#nextSequence)
    this.#nextSequence += block.count
    const added = Array.from({ length: block.count }, (_, index) => ({
      ...block.position(index),
      streamName,
      message: block.message(index),
      ingestedAt: block.ingestedAt(index),
    }))
    stream.events = [...stream.events, ...added].toSorted(comparePositions).slice(-this.#messagesMax)
    return Promise.resolve(true)
  }

  read(groupId: string, query: ReadQuery): Promise<ReadAnswer> {
    const { streams, from, until, after, descending, limit, bytesMax, pattern } = query
    const sign = descending ? -1 : 1
    const matches = pattern === undefined ? () => true : parseFilterPattern(pattern).matches
    const isOf = (name: string): boolean =>
      !streams || ('names' in streams ? streams.names.includes(name) : name.startsWith(streams.prefix))
    const found = [...(this.#groups.get(groupId)?.values() ?? [])]
      .filter(({ name }) => isOf(name))
      .flatMap(({ events }) => events)
      .filter(({ timestamp }) => timestamp >= from && timestamp < until)
      .filter((event) => !after || sign * comparePositions(event, after) > 0)
      .filter(({ message }) => matches(message))
      .toSorted((left, right) => sign * comparePositions(left, right))
    let bytes = 0
    const end = found.findIndex(({ message }, index) => {
      bytes += Buffer.byteLength(message)
      return index > 0 && (index === limit || bytes > bytesMax)
    })
    if (end === -1) return Promise.resolve({ events: found })
    const { timestamp, sequence }: Position = found[end - 1] ?? { timestamp: 0, sequence: 0 }
    return Promise.resolve({ events: found.slice(0, end), resume: { timestamp, sequence } })
  }

  size(groupId: string): Promise<GroupSize> {
    const streams = [...(this.#groups.get(groupId)?.values() ?? [])]
    const bytes = streams
      .flatMap(({ events }) => events)
      .reduce((sum, { message }) => sum + Buffer.byteLength(message), 0)
    return Promise.resolve({ bytes, streams: streams.length })
  }

  listGroups(): Promise<readonly string[]> {
    return Promise.resolve([...this.#groups.keys()])
  }

  retain(
    groups: ReadonlyArray<{ readonly id: string; readonly notBefore: number }>,
    now: number,
  ): Promise<void> {
    for (const { id, notBefore } of groups) {
      const streams = this.#groups.get(id)
      for (const stream of streams?.values() ?? []) {
        stream.events = stream.events.filter(({ timestamp }) => timestamp >= notBefore)
        if (stream.events.length === 0 && stream.createdAt < now - emptyStreamKeptMs)
          streams?.delete(stream.name)
      }
    }
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #infoOf(stream: Stream | undefined): StreamInfo[] {
    if (!stream) return []
    const { name, createdAt, events } = stream
    const [first, last] = [events[0], events.at(-1)]
    if (!first || !last) return [{ name, createdAt }]
    return [
      {
        name,
        createdAt,
        firstEventAt: first.timestamp,
        lastEventAt: last.timestamp,
        lastIngestedAt: Math.max(...events.map(({ ingestedAt }) => ingestedAt)),
      },
    ]
  }
}
