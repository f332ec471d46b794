import { assert } from '@berth/std/assert.ts'
import type { LogEvent, Position } from './log-store.ts'

/**
 * Events of one stream in the order of their positions, column by column: times, sequence numbers, times of ingestion
 * and ends of messages, each as 32 bits above the block's least, then the messages in UTF-8. A batch handed in, a record
 * of the write-ahead log and a compressed block of a segment all have this form, so events are never made into objects
 * on their way to the disk.
 */
export class Block {
  readonly bytes: Buffer
  readonly count: number
  readonly #base: { timestamp: number; sequence: number; ingestedAt: number }
  readonly #columns: Uint32Array
  /** The messages, one behind the other. */
  readonly messages: Buffer

  constructor(bytes: Uint8Array) {
    // Columns are read in place, which needs them aligned.
    const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
    this.bytes = Buffer.from(aligned.buffer, aligned.byteOffset, aligned.byteLength)
    this.count = this.bytes.readUInt32LE(0)
    this.#base = {
      timestamp: this.bytes.readDoubleLE(8),
      sequence: this.bytes.readDoubleLE(16),
      ingestedAt: this.bytes.readDoubleLE(24),
    }
    assert(headBytes + this.count * rowBytes <= this.bytes.length, 'a block is too short')
    this.#columns = new Uint32Array(aligned.buffer, aligned.byteOffset + headBytes, this.count * columns)
    this.messages = this.bytes.subarray(headBytes + this.count * rowBytes)
  }

  timestamp(index: number): number {
    return this.#base.timestamp + this.#at(0, index)
  }

  sequence(index: number): number {
    return this.#base.sequence + this.#at(1, index)
  }

  ingestedAt(index: number): number {
    return this.#base.ingestedAt + this.#at(2, index)
  }

  /** Where the message ends in `messages`; it begins where the one before ends. */
  end(index: number): number {
    return index < 0 ? 0 : this.#at(3, index)
  }

  message(index: number): string {
    return this.messages.toString('utf8', this.end(index - 1), this.end(index))
  }

  position(index: number): Position {
    return { timestamp: this.timestamp(index), sequence: this.sequence(index) }
  }

  /** The first index for which `reached` holds; it must hold for all behind it too. */
  first(reached: (index: number) => boolean): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (reached(middle)) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Gives the events their places among all events of the store; a batch numbers them from 0. */
  number(firstSequence: number): void {
    this.#base.sequence = firstSequence
    this.bytes.writeDoubleLE(firstSequence, 16)
  }

  #at(column: number, index: number): number {
    return this.#columns[column * this.count + index] ?? 0
  }
}

const headBytes = 32
const columns = 4
const rowBytes = columns * 4
const columnMax = 2 ** 32 - 1

/** A batch of events, oldest first, that came in together. Throws when their times are too far apart, 49 days. */
export function encodeBatch(events: readonly LogEvent[], ingestedAt: number): Uint8Array<ArrayBuffer> {
  const texts = events.map(({ message }) => message)
  const lengths = texts.map((text) => Buffer.byteLength(text))
  const { bytes, rows } = allocate(
    events.length,
    lengths.reduce((sum, length) => sum + length, 0),
    { timestamp: events[0]?.timestamp ?? 0, sequence: 0, ingestedAt },
  )
  const { length } = events
  let end = 0
  for (const [index, { timestamp, message }] of events.entries()) {
    const later = timestamp - (events[0]?.timestamp ?? 0)
    assert(later >= 0 && later <= columnMax, 'events of a batch are in order and within 49 days')
    rows[index] = later
    rows[length + index] = index
    bytes.write(message, headBytes + length * rowBytes + end)
    end += lengths[index] ?? 0
    rows[3 * length + index] = end
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** One event of a block. */
interface Cell {
  readonly block: Block
  readonly index: number
}

/** Blocks of at most about `messageBytesMax` each with the events of all of `blocks`, which are of one stream. */
export function* mergeBlocks(blocks: readonly Block[], messageBytesMax: number): Generator<Block> {
  let cells: Cell[] = []
  let size = 0
  let least = emptyRange()
  for (const cell of inOrder(blocks)) {
    const { block, index } = cell
    const length = block.end(index) - block.end(index - 1)
    const range = widened(least, cell)
    if (cells.length > 0 && (size + length > messageBytesMax || !fits(range))) {
      yield blockOf(cells, size, least)
      cells = []
      size = 0
      least = widened(emptyRange(), cell)
    } else least = range
    cells.push(cell)
    size += length
  }
  if (cells.length > 0) yield blockOf(cells, size, least)
}

function* inOrder(blocks: readonly Block[]): Generator<Cell> {
  const sorted = blocks
    .filter(({ count }) => count > 0)
    .toSorted((left, right) => left.timestamp(0) - right.timestamp(0) || left.sequence(0) - right.sequence(0))
  const apart = sorted.every((block, at) => {
    const next = sorted[at + 1]
    const last = block.count - 1
    if (!next || block.timestamp(last) < next.timestamp(0)) return true
    return block.timestamp(last) === next.timestamp(0) && block.sequence(last) < next.sequence(0)
  })
  if (apart) {
    for (const block of sorted) for (let index = 0; index < block.count; index++) yield { block, index }
    return
  }
  const cells = sorted.flatMap((block) =>
    Array.from({ length: block.count }, (_, index) => ({ block, index })),
  )
  yield* cells.sort(
    (left, right) =>
      left.block.timestamp(left.index) - right.block.timestamp(right.index) ||
      left.block.sequence(left.index) - right.block.sequence(right.index),
  )
}

interface Range {
  readonly timestamp: number
  readonly timestampMax: number
  readonly sequence: number
  readonly sequenceMax: number
  readonly ingestedAt: number
  readonly ingestedAtMax: number
}

const emptyRange = (): Range => ({
  timestamp: Infinity,
  timestampMax: -Infinity,
  sequence: Infinity,
  sequenceMax: -Infinity,
  ingestedAt: Infinity,
  ingestedAtMax: -Infinity,
})

function widened(range: Range, { block, index }: Cell): Range {
  const [timestamp, sequence, ingestedAt] = [
    block.timestamp(index),
    block.sequence(index),
    block.ingestedAt(index),
  ]
  return {
    timestamp: Math.min(range.timestamp, timestamp),
    timestampMax: Math.max(range.timestampMax, timestamp),
    sequence: Math.min(range.sequence, sequence),
    sequenceMax: Math.max(range.sequenceMax, sequence),
    ingestedAt: Math.min(range.ingestedAt, ingestedAt),
    ingestedAtMax: Math.max(range.ingestedAtMax, ingestedAt),
  }
}

const fits = (range: Range): boolean =>
  range.timestampMax - range.timestamp <= columnMax &&
  range.sequenceMax - range.sequence <= columnMax &&
  range.ingestedAtMax - range.ingestedAt <= columnMax

function blockOf(cells: readonly Cell[], messageBytes: number, base: Range): Block {
  const { bytes, rows } = allocate(cells.length, messageBytes, base)
  const { length } = cells
  let end = 0
  for (const [at, { block, index }] of cells.entries()) {
    rows[at] = block.timestamp(index) - base.timestamp
    rows[length + at] = block.sequence(index) - base.sequence
    rows[2 * length + at] = block.ingestedAt(index) - base.ingestedAt
    end += block.messages.copy(
      bytes,
      headBytes + length * rowBytes + end,
      block.end(index - 1),
      block.end(index),
    )
    rows[3 * length + at] = end
  }
  return new Block(bytes)
}

function allocate(
  count: number,
  messageBytes: number,
  base: { readonly timestamp: number; readonly sequence: number; readonly ingestedAt: number },
): { readonly bytes: Buffer<ArrayBuffer>; readonly rows: Uint32Array } {
  // Not from Node's pool: it goes to another thread whole.
  const bytes = Buffer.from(new ArrayBuffer(headBytes + count * rowBytes + messageBytes))
  bytes.writeUInt32LE(count, 0)
  bytes.writeDoubleLE(base.timestamp, 8)
  bytes.writeDoubleLE(base.sequence, 16)
  bytes.writeDoubleLE(base.ingestedAt, 24)
  return { bytes, rows: new Uint32Array(bytes.buffer, bytes.byteOffset + headBytes, count * columns) }
}
