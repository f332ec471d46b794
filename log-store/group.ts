import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { type Block, mergeBlocks } from './block.ts'
import type { StreamInfo } from './log-store.ts'
import {
  type BlockEntry,
  openSegment,
  readBlock,
  type Segment,
  syncDirectory,
  writeSegment,
} from './segment.ts'

/** A stream of a group. Its times are derived from what it holds. */
export interface Stream {
  readonly id: number
  readonly name: string
  readonly createdAt: number
  firstEventAt?: number
  lastEventAt?: number
  lastIngestedAt?: number
}

/** Messages of a block; it is the least that is read. */
const blockBytes = 256 * 1024
/** So many segments of less than so many bytes are made one. */
const smallSegments = 8
const smallSegmentBytes = 4 * 1024 * 1024

/** A group on the disk: `streams`, the names of its streams, and its segments, each of what one write-ahead log held. */
export class Group {
  readonly id: string
  readonly #directory: string
  readonly streams = new Map<string, Stream>()
  readonly #byId = new Map<number, Stream>()
  #segments: readonly Segment[] = []
  /** Blocks handed in that are in no segment yet, by stream. */
  #recent = new Map<number, Block[]>()
  /** The same of a write-ahead log that is complete, until `checkpoint` has written them. */
  #frozen = new Map<number, Block[]>()
  #namesChanged = false
  #nextStream = 1

  constructor(id: string, parent: string) {
    this.id = id
    this.#directory = join(parent, id)
    if (existsSync(this.#directory)) this.#load()
  }

  get segments(): readonly Segment[] {
    return this.#segments
  }

  #load(): void {
    const names = join(this.#directory, 'streams')
    if (existsSync(names)) {
      const { next, streams } = JSON.parse(zstdDecompressSync(readFileSync(names)).toString()) as {
        readonly next: number
        readonly streams: ReadonlyArray<readonly [number, string, number]>
      }
      for (const [streamId, name, createdAt] of streams) this.addStream({ id: streamId, name, createdAt })
      this.#nextStream = next
    }
    const files = readdirSync(this.#directory)
    for (const file of files.filter((name) => name.endsWith('.new'))) rmSync(join(this.#directory, file))
    const segments = files
      .filter((file) => /^segment-\d+\.\d+$/.test(file))
      .map((file) => openSegment(join(this.#directory, file)))
    const replaced = new Set(segments.flatMap(({ replaces }) => replaces))
    for (const { path } of segments) if (replaced.has(basename(path))) rmSync(path)
    this.#segments = segments.filter(({ path }) => !replaced.has(basename(path)))
    this.#derive()
  }

  /** Whether what the write-ahead log of this number held of the group is in a segment. */
  holds(log: number): boolean {
    return this.#segments.some(({ path }) => basename(path).startsWith(`segment-${log}.`))
  }

  /** The highest number of a write-ahead log of which there is a segment. */
  lastLog(): number {
    return this.#segments.reduce((most, { path }) => Math.max(most, placeOf(path).log), 0)
  }

  nextStreamId(): number {
    return this.#nextStream
  }

  addStream(stream: Stream): void {
    if (this.#byId.has(stream.id)) return
    this.streams.set(stream.name, stream)
    this.#byId.set(stream.id, stream)
    this.#nextStream = Math.max(this.#nextStream, stream.id + 1)
    this.#namesChanged = true
  }

  removeStream(id: number): void {
    const stream = this.#byId.get(id)
    if (!stream) return
    this.streams.delete(stream.name)
    this.#byId.delete(id)
    this.#recent.delete(id)
    this.#frozen.delete(id)
    this.#namesChanged = true
  }

  add(id: number, block: Block): void {
    const stream = this.#byId.get(id)
    if (!stream || block.count === 0) return
    const blocks = this.#recent.get(id)
    if (blocks) blocks.push(block)
    else this.#recent.set(id, [block])
    noteTimes(stream, block.timestamp(0), block.timestamp(block.count - 1), block.ingestedAt(block.count - 1))
  }

  /** The blocks of a stream in segments and those that are in none yet. */
  *blocksOf(wanted: (stream: Stream) => boolean): Generator<{
    readonly stream: Stream
    readonly first: number
    readonly last: number
    readonly in: { readonly segment: Segment; readonly entry: BlockEntry } | Block
  }> {
    const ids = new Map([...this.streams.values()].filter(wanted).map((stream) => [stream.id, stream]))
    for (const segment of this.#segments)
      for (const entry of segment.blocks) {
        const stream = ids.get(entry.stream)
        if (stream) yield { stream, first: entry.first, last: entry.last, in: { segment, entry } }
      }
    for (const [id, blocks] of [...this.#frozen, ...this.#recent]) {
      const stream = ids.get(id)
      if (!stream) continue
      for (const block of blocks)
        yield { stream, first: block.timestamp(0), last: block.timestamp(block.count - 1), in: block }
    }
  }

  /** Bytes of messages. */
  get bytes(): number {
    let bytes = 0
    for (const { blocks } of this.#segments) for (const block of blocks) bytes += block.bytes
    for (const blocks of [...this.#frozen.values(), ...this.#recent.values()])
      for (const block of blocks) bytes += block.messages.length
    return bytes
  }

  /** All handed in so far is of one write-ahead log, and what comes now of another. */
  freeze(): void {
    this.#frozen = this.#recent
    this.#recent = new Map()
  }

  /** Writes what was frozen to the segment of the write-ahead log of this number. */
  async checkpoint(log: number): Promise<void> {
    const frozen = this.#frozen
    if (!this.#namesChanged && frozen.size === 0) return
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    if (this.#namesChanged) this.#writeNames()
    if (frozen.size === 0) return
    const blocks = function* (): Generator<{ readonly stream: number; readonly block: Block }> {
      for (const [stream, all] of frozen)
        for (const block of mergeBlocks(all, blockBytes)) yield { stream, block }
    }
    const segment = await writeSegment(this.#file(log, 0), blocks())
    this.#segments = [...this.#segments, segment]
    this.#frozen = new Map()
    await this.#mergeSmall()
  }

  /**
   * Forgets events before `notBefore` and frees the bytes of streams that are no more. A segment goes as a whole, or
   * when half of it is of no use to anybody.
   */
  async clean(notBefore: number): Promise<void> {
    for (const segment of this.#segments) {
      const total = segment.blocks.reduce((sum, { length }) => sum + length, 0)
      const kept = segment.blocks
        .filter(({ stream, last }) => this.#byId.has(stream) && last >= notBefore)
        .reduce((sum, { length }) => sum + length, 0)
      const orphaned = segment.blocks.some(({ stream }) => !this.#byId.has(stream))
      if (kept === 0) this.drop(segment)
      else if (orphaned || kept < total / 2) await this.#rewrite([segment], notBefore)
    }
    for (const [id, blocks] of this.#recent) {
      const kept = blocks.filter((block) => block.timestamp(block.count - 1) >= notBefore)
      if (kept.length > 0) this.#recent.set(id, kept)
      else this.#recent.delete(id)
    }
    this.#derive()
  }

  drop(segment: Segment): void {
    this.#segments = this.#segments.filter((other) => other !== segment)
    rmSync(segment.path, { force: true })
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #file(log: number, generation: number): string {
    return join(this.#directory, `segment-${log}.${generation}`)
  }

  #writeNames(): void {
    const streams = [...this.streams.values()].map(({ id, name, createdAt }) => [id, name, createdAt])
    const path = join(this.#directory, 'streams')
    writeFileSync(`${path}.new`, zstdCompressSync(JSON.stringify({ next: this.#nextStream, streams })), {
      mode: 0o600,
      flush: true,
    })
    renameSync(`${path}.new`, path)
    syncDirectory(this.#directory)
    this.#namesChanged = false
  }

  async #mergeSmall(): Promise<void> {
    const small = this.#segments.filter(({ size }) => size < smallSegmentBytes)
    if (small.length >= smallSegments) await this.#rewrite(small, 0)
  }

  /** One segment in place of others, with what of them is of use. It names them, should they survive a crash. */
  async #rewrite(segments: readonly Segment[], notBefore: number): Promise<void> {
    const byStream = Map.groupBy(
      segments.flatMap((segment) => segment.blocks.map((entry) => ({ segment, entry }))),
      ({ entry }) => entry.stream,
    )
    const known = this.#byId
    const blocks = function* (): Generator<{ readonly stream: number; readonly block: Block }> {
      for (const [stream, entries] of byStream) {
        if (!known.has(stream)) continue
        const kept = entries.filter(({ entry }) => entry.last >= notBefore)
        const read = kept.map(({ segment, entry }) => readBlock(segment, entry))
        for (const block of mergeBlocks(read, blockBytes)) yield { stream, block }
      }
    }
    const newest = segments
      .map(({ path }) => placeOf(path))
      .reduce((most, place) => (comparePlaces(place, most) > 0 ? place : most))
    const merged = await writeSegment(
      this.#file(newest.log, newest.generation + 1),
      blocks(),
      segments.map(({ path }) => basename(path)),
    )
    this.#segments = [merged, ...this.#segments.filter((segment) => !segments.includes(segment))]
    for (const { path } of segments) rmSync(path, { force: true })
  }

  /** The times of streams, of what they hold. */
  #derive(): void {
    for (const stream of this.streams.values()) {
      delete stream.firstEventAt
      delete stream.lastEventAt
      delete stream.lastIngestedAt
    }
    for (const { blocks } of this.#segments)
      for (const { stream: id, first, last, ingestedMax } of blocks) {
        const stream = this.#byId.get(id)
        if (stream) noteTimes(stream, first, last, ingestedMax)
      }
    for (const [id, blocks] of [...this.#frozen, ...this.#recent])
      for (const block of blocks) {
        const stream = this.#byId.get(id)
        const end = block.count - 1
        if (stream) noteTimes(stream, block.timestamp(0), block.timestamp(end), block.ingestedAt(end))
      }
  }
}

interface Place {
  readonly log: number
  readonly generation: number
}

/** Of which write-ahead log a segment is, and how often it was written anew since. */
function placeOf(path: string): Place {
  const [, log, generation] = /(\d+)\.(\d+)$/.exec(path) ?? []
  return { log: Number(log), generation: Number(generation) }
}

const comparePlaces = (left: Place, right: Place): number =>
  left.log - right.log || left.generation - right.generation

function noteTimes(stream: Stream, first: number, last: number, ingestedAt: number): void {
  stream.firstEventAt = Math.min(stream.firstEventAt ?? Infinity, first)
  stream.lastEventAt = Math.max(stream.lastEventAt ?? 0, last)
  stream.lastIngestedAt = Math.max(stream.lastIngestedAt ?? 0, ingestedAt)
}

export function infoOf({ name, createdAt, firstEventAt, lastEventAt, lastIngestedAt }: Stream): StreamInfo {
  return {
    name,
    createdAt,
    ...(firstEventAt !== undefined && { firstEventAt }),
    ...(lastEventAt !== undefined && { lastEventAt }),
    ...(lastIngestedAt !== undefined && { lastIngestedAt }),
  }
}
