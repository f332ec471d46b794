/** Reads a bbolt file, the key-value store in which the official agent keeps what it knows. Nothing is ever written. */

const magic = 0xed0cdaed
const pageHeader = 16
const elementSize = 16
const branchPage = 1
/** Deeper than any file that fits a disk; a broken one may lead round in a circle. */
const depthMax = 16

/** @throws RangeError or Error when the bytes are no whole bbolt file of a little-endian machine */
export function boltBucket(file: Buffer, name: string): ReadonlyMap<string, string> {
  const { pageSize, root } = newestMeta(file)
  for (const [key, at] of elements(file, pageSize, root * pageSize)) {
    if (key !== name) continue
    const bucketRoot = Number(file.readBigUInt64LE(at.from))
    // A small bucket has no page of its own: its one page follows the bucket's header.
    const start = bucketRoot === 0 ? at.from + pageHeader : bucketRoot * pageSize
    return new Map(
      [...elements(file, pageSize, start)].map(([entry, { from, to }]) => [entry, text(file, from, to)]),
    )
  }
  return new Map()
}

/** Of the two pages that take turns in saying where the tree starts, the one written last. */
function newestMeta(file: Buffer): { readonly pageSize: number; readonly root: number } {
  const first = metaAt(file, 0)
  const pageSize = first?.pageSize ?? 4096
  const second = metaAt(file, pageSize)
  const newest =
    first && second ? (second.transaction > first.transaction ? second : first) : (first ?? second)
  if (!newest) throw new Error('this is no bbolt file')
  return newest
}

function metaAt(
  file: Buffer,
  offset: number,
): { readonly pageSize: number; readonly root: number; readonly transaction: bigint } | undefined {
  const at = offset + pageHeader
  if (
    file.readUInt32LE(at) !== magic ||
    checksum(file.subarray(at, at + 56)) !== file.readBigUInt64LE(at + 56)
  )
    return undefined
  return {
    pageSize: file.readUInt32LE(at + 8),
    root: Number(file.readBigUInt64LE(at + 16)),
    transaction: file.readBigUInt64LE(at + 48),
  }
}

/** FNV-1a of 64 bits: the power may have gone while a page was being written. */
function checksum(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash
}

interface Place {
  readonly from: number
  readonly to: number
}

/** The keys under a page, each with where its value is. */
function* elements(file: Buffer, pageSize: number, page: number, depth = 0): Generator<[string, Place]> {
  if (depth > depthMax) throw new Error('the pages of this file lead round in a circle')
  const isBranch = (file.readUInt16LE(page + 8) & branchPage) !== 0
  const count = file.readUInt16LE(page + 10)
  for (let index = 0; index < count; index++) {
    const element = page + pageHeader + index * elementSize
    if (isBranch) {
      const child = Number(file.readBigUInt64LE(element + 8))
      yield* elements(file, pageSize, child * pageSize, depth + 1)
    } else {
      const keyAt = element + file.readUInt32LE(element + 4)
      const from = keyAt + file.readUInt32LE(element + 8)
      yield [text(file, keyAt, from), { from, to: from + file.readUInt32LE(element + 12) }]
    }
  }
}

function text(file: Buffer, from: number, to: number): string {
  if (to > file.length) throw new RangeError('the file ends before what it holds')
  return file.toString('utf8', from, to)
}
