import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { Block } from './block.ts'
import { Group, infoOf, type Stream } from './group.ts'
import {
  compareStreams,
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
import { scan, type Source } from './scan.ts'
import { type BlockEntry, readBlock, type Segment, syncDirectory } from './segment.ts'
import { logFile, readRecords, WriteAheadLog } from './write-ahead-log.ts'

export interface DiskLogStoreOptions {
  /** How large all segments may be together; above that, the oldest go. */
  readonly bytesMax: number
  /** When a write-ahead log is made segments. */
  readonly logBytesMax?: number
}

/** So much of what was decompressed is kept for the next page. */
const cachedBytesMax = 8 * 1024 * 1024
/** Others get their turn while a long read goes on. */
const turnMs = 8

/**
 * Logs in a folder. What is handed in goes to a write-ahead log; when that is full, its events are sorted by group and
 * stream into compressed segments, one file a group, and it is removed. Reading looks at both. It is made for a thread
 * of its own: its files are read synchronously.
 */
export class DiskLogStore implements LogStore {
  readonly #directory: string
  readonly #options: DiskLogStoreOptions
  readonly #groups: Map<string, Group>
  readonly #log: WriteAheadLog
  #nextSequence: number
  /** Work on segments, one thing after the other. */
  #maintenance: Promise<void> = Promise.resolve()
  #checkpointing = false
  /** The number of a write-ahead log that is complete and not yet in segments. */
  #frozenLog: number | undefined
  readonly #report: (problem: unknown) => void
  readonly #cache = new Map<string, Block>()
  #cachedBytes = 0

  private constructor(
    directory: string,
    options: DiskLogStoreOptions,
    report: (problem: unknown) => void,
    groups: Map<string, Group>,
    log: WriteAheadLog,
  ) {
    this.#report = report
    this.#directory = directory
    this.#options = options
    this.#groups = groups
    this.#log = log
    const last = [...groups.values()].flatMap(({ segments }) =>
      segments.flatMap(({ blocks }) => blocks.map(({ sequenceMax }) => sequenceMax)),
    )
    this.#nextSequence = last.reduce((most, each) => Math.max(most, each), 0) + 1
  }

  /** `report` is told what fails though nobody waits for it. Throws DamagedSegment. */
  static async open(
    directory: string,
    options: DiskLogStoreOptions,
    report: (problem: unknown) => void = () => undefined,
  ): Promise<DiskLogStore> {
    mkdirSync(join(directory, 'groups'), { recursive: true, mode: 0o700 })
    const groups = new Map<string, Group>()
    for (const id of readdirSync(join(directory, 'groups')))
      groups.set(id, new Group(id, join(directory, 'groups')))
    const logs = readdirSync(directory)
      .flatMap((name) => /^log-(\d+)$/.exec(name)?.[1] ?? [])
      .map(Number)
      .toSorted((left, right) => left - right)
    for (const log of logs) await recover(directory, log, groups)
    const next = Math.max(0, ...logs, ...[...groups.values()].map((group) => group.lastLog())) + 1
    const log = await WriteAheadLog.create(directory, next)
    return new DiskLogStore(directory, options, report, groups, log)
  }

  createStream(groupId: string, name: string, now: number): Promise<boolean> {
    const known = this.#groups.get(groupId)
    if (known?.streams.has(name)) return Promise.resolve(false)
    const group = known ?? new Group(groupId, join(this.#directory, 'groups'))
    this.#groups.set(groupId, group)
    const stream: Stream = { id: group.nextStreamId(), name, createdAt: now }
    group.addStream(stream)
    return this.#log.append(
      { head: { kind: 'stream', group: groupId, id: stream.id, name, at: now } },
      () => true,
    )
  }

  async deleteStream(groupId: string, name: string): Promise<boolean> {
    const group = this.#groups.get(groupId)
    const stream = group?.streams.get(name)
    if (!group || !stream) return false
    group.removeStream(stream.id)
    await this.#log.append({ head: { kind: 'gone', group: groupId, id: stream.id } }, () => undefined)
    this.#maintain(() => group.clean(0)).catch(this.#report)
    return true
  }

  async deleteGroup(groupId: string): Promise<void> {
    const group = this.#groups.get(groupId)
    if (!group) return
    this.#groups.delete(groupId)
    await this.#log.append({ head: { kind: 'groupGone', group: groupId } }, () => undefined)
    await this.#maintain(() => Promise.resolve(group.remove()))
  }

  findStreams(groupId: string, names: readonly string[]): Promise<readonly StreamInfo[]> {
    const streams = this.#groups.get(groupId)?.streams
    return Promise.resolve(
      names.flatMap((name) => {
        const stream = streams?.get(name)
        return stream ? [infoOf(stream)] : []
      }),
    )
  }

  listStreams(groupId: string, query: StreamsQuery): Promise<readonly StreamInfo[]> {
    const streams = [...(this.#groups.get(groupId)?.streams.values() ?? [])]
    return Promise.resolve(pageOfStreams(streams.map(infoOf), query))
  }

  async append(groupId: string, streamName: string, batch: Uint8Array): Promise<boolean> {
    const group = this.#groups.get(groupId)
    const stream = group?.streams.get(streamName)
    if (!group || !stream) return false
    const block = new Block(batch)
    block.number(this.#nextSequence)
    this.#nextSequence += block.count
    await this.#log.append(
      { head: { kind: 'batch', group: groupId, id: stream.id }, batch: block.bytes },
      () => group.add(stream.id, block),
    )
    if (this.#log.bytes > (this.#options.logBytesMax ?? 16 * 1024 * 1024))
      this.checkpoint().catch(this.#report)
    return true
  }

  async read(groupId: string, query: ReadQuery): Promise<ReadAnswer> {
    for (let tries = 3; ; tries--) {
      const group = this.#groups.get(groupId)
      try {
        return group ? await this.#read(group, query) : { events: [] }
      } catch (error) {
        // A segment was replaced while it was waited for; its events are in another one now.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || tries === 0) throw error
      }
    }
  }

  async #read(group: Group, query: ReadQuery): Promise<ReadAnswer> {
    const { limit, bytesMax, budgetMs } = query
    const pattern = query.pattern === undefined ? undefined : parseFilterPattern(query.pattern)
    const startedMs = performance.now()
    let turnedMs = startedMs
    const events: StoredEvent[] = []
    let bytes = 0
    let last: Position | undefined
    for (const found of scan(this.#sources(group, query), { ...query, pattern })) {
      if ('reached' in found) {
        const now = performance.now()
        if (now - startedMs > budgetMs) return { events, resume: found.reached }
        if (now - turnedMs > turnMs) {
          await setImmediate()
          turnedMs = performance.now()
        }
        continue
      }
      const { block, index, source } = found
      bytes += block.end(index) - block.end(index - 1)
      if (last && (events.length === limit || bytes > bytesMax)) return { events, resume: last }
      last = block.position(index)
      events.push({
        ...last,
        streamName: source.streamName,
        message: block.message(index),
        ingestedAt: block.ingestedAt(index),
      })
    }
    return { events }
  }

  #sources(group: Group, { streams }: ReadQuery): readonly Source[] {
    const names = streams && 'names' in streams ? new Set(streams.names) : undefined
    const prefix = streams && 'prefix' in streams ? streams.prefix : ''
    const wanted = ({ name }: Stream): boolean => (names ? names.has(name) : name.startsWith(prefix))
    return [...group.blocksOf(wanted)].map(({ stream, first, last, in: place }) => ({
      first,
      last,
      streamName: stream.name,
      open: () => (place instanceof Block ? place : this.#open(place.segment, place.entry)),
    }))
  }

  #open(segment: Segment, entry: BlockEntry): Block {
    const key = `${segment.path} ${entry.offset}`
    const known = this.#cache.get(key)
    const block = known ?? readBlock(segment, entry)
    this.#cache.delete(key)
    this.#cache.set(key, block)
    if (!known) this.#cachedBytes += block.bytes.length
    for (const [oldest, { bytes }] of this.#cache) {
      if (this.#cachedBytes <= cachedBytesMax) break
      this.#cache.delete(oldest)
      this.#cachedBytes -= bytes.length
    }
    return block
  }

  size(groupId: string): Promise<GroupSize> {
    const group = this.#groups.get(groupId)
    return Promise.resolve({ bytes: group?.bytes ?? 0, streams: group?.streams.size ?? 0 })
  }

  listGroups(): Promise<readonly string[]> {
    return Promise.resolve([...this.#groups.keys()])
  }

  retain(
    groups: ReadonlyArray<{ readonly id: string; readonly notBefore: number }>,
    now: number,
  ): Promise<void> {
    return this.#maintain(async () => {
      for (const { id, notBefore } of groups) {
        const group = this.#groups.get(id)
        if (!group) continue
        await group.clean(notBefore)
        for (const { name, createdAt, lastEventAt } of group.streams.values())
          if (lastEventAt === undefined && createdAt < now - emptyStreamKeptMs)
            await this.deleteStream(id, name)
      }
      this.#bound()
    })
  }

  /** Makes segments of the write-ahead log as it is, and removes it. */
  checkpoint(): Promise<void> {
    if (this.#checkpointing) return this.#maintenance
    this.#checkpointing = true
    return this.#maintain(async () => {
      try {
        // One that failed halfway, on a full disk, is finished first.
        this.#frozenLog ??= await this.#log.rotate(() => {
          for (const group of this.#groups.values()) group.freeze()
        })
        for (const group of this.#groups.values()) await group.checkpoint(this.#frozenLog)
        rmSync(logFile(this.#directory, this.#frozenLog))
        this.#frozenLog = undefined
        this.#bound()
      } finally {
        this.#checkpointing = false
      }
    })
  }

  /** Drops the oldest segments while all are too large together. */
  #bound(): void {
    const all = [...this.#groups.values()].flatMap((group) =>
      group.segments.map((segment) => ({
        group,
        segment,
        last: segment.blocks.reduce((most, { last }) => Math.max(most, last), 0),
      })),
    )
    let bytes = all.reduce((sum, { segment }) => sum + segment.size, 0)
    for (const { group, segment } of all.toSorted((left, right) => left.last - right.last)) {
      if (bytes <= this.#options.bytesMax) return
      group.drop(segment)
      bytes -= segment.size
    }
  }

  async close(): Promise<void> {
    await this.#maintenance
    await this.#log.close()
  }

  #maintain(work: () => Promise<void>): Promise<void> {
    const done = this.#maintenance.then(work)
    // What failed is reported to whoever asked for it, and does not keep the rest from being done.
    this.#maintenance = done.catch(() => undefined)
    return done
  }
}

/** What a write-ahead log of an earlier run held becomes segments. */
async function recover(directory: string, log: number, groups: Map<string, Group>): Promise<void> {
  const path = logFile(directory, log)
  for (const { head, batch } of readRecords(path)) {
    if (head.kind === 'groupGone') {
      groups.get(head.group)?.remove()
      groups.delete(head.group)
      continue
    }
    const group = groups.get(head.group) ?? new Group(head.group, join(directory, 'groups'))
    groups.set(head.group, group)
    if (head.kind === 'stream') group.addStream({ id: head.id, name: head.name, createdAt: head.at })
    else if (head.kind === 'gone') group.removeStream(head.id)
    else if (batch && !group.holds(log)) group.add(head.id, new Block(batch))
  }
  for (const group of groups.values()) {
    group.freeze()
    await group.checkpoint(log)
  }
  rmSync(path)
  syncDirectory(dirname(path))
}

/** The streams of a page, of all of a group's. */
export function pageOfStreams(streams: readonly StreamInfo[], query: StreamsQuery): readonly StreamInfo[] {
  const { prefix = '', orderBy, descending, after, limit } = query
  const sign = descending ? -1 : 1
  return streams
    .filter(({ name }) => name.startsWith(prefix))
    .filter((stream) => !after || sign * compareStreams(orderBy, stream, after) > 0)
    .toSorted((left, right) => sign * compareStreams(orderBy, left, right))
    .slice(0, limit)
}
