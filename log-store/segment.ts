import { closeSync, fstatSync, fsyncSync, openSync, readSync, renameSync, writeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { Block } from './block.ts'

/** A compressed block of a segment, with what must be known to do without reading it. */
export interface BlockEntry {
  readonly stream: number
  readonly offset: number
  readonly length: number
  readonly checksum: number
  /** Bytes of messages. */
  readonly bytes: number
  /** Times of its first and last event. */
  readonly first: number
  readonly last: number
  readonly sequenceMax: number
  readonly ingestedMax: number
}

/** A file of compressed blocks that is never changed; an index of them stands at its end. */
export interface Segment {
  readonly path: string
  readonly blocks: readonly BlockEntry[]
  /** Names of the files in whose place this one came. */
  readonly replaces: readonly string[]
  /** Bytes of the file. */
  readonly size: number
}

/** A segment is not what it was when it was written. */
class DamagedSegment extends Error {}

const magic = Buffer.from('BRTHLOG1')
const tailBytes = 8 + magic.length
const zstdOverhead = 32

/**
 * Writes the blocks of each stream, then the index, and gives the file its name when all of it is on the disk. Others
 * get their turn after each block.
 */
export async function writeSegment(
  path: string,
  blocks: Iterable<{ readonly stream: number; readonly block: Block }>,
  replaces: readonly string[] = [],
): Promise<Segment> {
  const file = openSync(`${path}.new`, 'w', 0o600)
  try {
    const entries: BlockEntry[] = []
    let offset = 0
    const write = (bytes: Uint8Array): void => {
      for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
      offset += bytes.length
    }
    for (const { stream, block } of blocks) {
      const compressed = zstdCompressSync(block.bytes)
      entries.push({
        stream,
        offset,
        length: compressed.length,
        checksum: crc32(compressed),
        ...factsOf(block),
      })
      write(compressed)
      await setImmediate()
    }
    const index = zstdCompressSync(JSON.stringify({ blocks: entries.map(rowOf), replaces }))
    const tail = Buffer.alloc(tailBytes)
    tail.writeUInt32LE(index.length, 0)
    tail.writeUInt32LE(crc32(index), 4)
    magic.copy(tail, 8)
    write(index)
    write(tail)
    fsyncSync(file)
    renameSync(`${path}.new`, path)
    syncDirectory(dirname(path))
    return { path, blocks: entries, replaces, size: offset }
  } finally {
    closeSync(file)
  }
}

/** So that a file's name is on the disk too. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  fsyncSync(directory)
  closeSync(directory)
}

function factsOf(block: Block): Pick<BlockEntry, 'bytes' | 'first' | 'last' | 'sequenceMax' | 'ingestedMax'> {
  let sequenceMax = 0
  let ingestedMax = 0
  for (let index = 0; index < block.count; index++) {
    sequenceMax = Math.max(sequenceMax, block.sequence(index))
    ingestedMax = Math.max(ingestedMax, block.ingestedAt(index))
  }
  return {
    bytes: block.messages.length,
    first: block.timestamp(0),
    last: block.timestamp(block.count - 1),
    sequenceMax,
    ingestedMax,
  }
}

const members = [
  'stream',
  'offset',
  'length',
  'checksum',
  'bytes',
  'first',
  'last',
  'sequenceMax',
  'ingestedMax',
] as const satisfies ReadonlyArray<keyof BlockEntry>

const rowOf = (entry: BlockEntry): readonly number[] => members.map((name) => entry[name])
const entryOf = (row: readonly number[]): BlockEntry =>
  Object.fromEntries(members.map((name, at) => [name, row[at] ?? 0])) as unknown as BlockEntry

/** Throws DamagedSegment. */
export function openSegment(path: string): Segment {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const tail = readAt(file, Math.max(0, size - tailBytes), tailBytes, path)
    const length = tail.readUInt32LE(0)
    if (!tail.subarray(8).equals(magic) || length + tailBytes > size) throw damaged(path)
    const index = readAt(file, size - tailBytes - length, length, path)
    if (crc32(index) !== tail.readUInt32LE(4)) throw damaged(path)
    const { blocks, replaces } = JSON.parse(zstdDecompressSync(index).toString()) as {
      readonly blocks: ReadonlyArray<readonly number[]>
      readonly replaces: readonly string[]
    }
    return { path, blocks: blocks.map(entryOf), replaces, size }
  } finally {
    closeSync(file)
  }
}

/** Throws DamagedSegment, and ENOENT when the file was replaced. */
export function readBlock({ path }: Segment, { offset, length, checksum, bytes }: BlockEntry): Block {
  const file = openSync(path, 'r')
  try {
    const compressed = readAt(file, offset, length, path)
    if (crc32(compressed) !== checksum) throw damaged(path)
    return new Block(zstdDecompressSync(compressed, { chunkSize: Math.max(1024, bytes * 2 + zstdOverhead) }))
  } finally {
    closeSync(file)
  }
}

function readAt(file: number, offset: number, length: number, path: string): Buffer {
  const bytes = Buffer.alloc(length)
  if (readSync(file, bytes, 0, length, offset) !== length) throw damaged(path)
  return bytes
}

const damaged = (path: string): DamagedSegment =>
  new DamagedSegment(
    `${basename(path)} in ${dirname(path)} is damaged; restore it from a backup or remove it`,
  )
