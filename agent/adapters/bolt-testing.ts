/** Writes bbolt files as small as they can be, for tests. */

const pageSize = 4096
type Bucket = Readonly<Record<string, string>>

/**
 * Two meta pages, of which the second is the newer, a root page, and what the buckets need: nothing when they are
 * `inline`, a page each as a `leaf`, and three each when they start with a `branch`.
 */
export function boltFile(
  buckets: Readonly<Record<string, Bucket>>,
  shape: 'inline' | 'leaf' | 'branch',
): Buffer {
  const pages: Buffer[] = [Buffer.alloc(0), Buffer.alloc(0), page(leaf([]), 2), Buffer.alloc(0)]
  const root = Object.entries(buckets).map(([name, bucket]): Entry => {
    const entries = sorted(bucket)
    const header = Buffer.alloc(16)
    if (shape === 'inline') return { key: name, value: Buffer.concat([header, leaf(entries)]), flags: 1 }
    if (shape === 'leaf') header.writeBigUInt64LE(BigInt(pages.push(page(leaf(entries), 2)) - 1))
    else {
      const half = Math.ceil(entries.length / 2)
      const children = [entries.slice(0, half), entries.slice(half)].map((part) => ({
        key: part[0]?.key ?? '',
        child: pages.push(page(leaf(part), 2)) - 1,
      }))
      header.writeBigUInt64LE(BigInt(pages.push(page(branch(children), 1)) - 1))
    }
    return { key: name, value: header, flags: 1 }
  })
  pages[3] = page(leaf(root), 2)
  pages[0] = meta(2, 1)
  pages[1] = meta(3, 2)
  return Buffer.concat(pages)
}

interface Entry {
  readonly key: string
  readonly value: Buffer
  readonly flags: number
}

const sorted = (bucket: Bucket): readonly Entry[] =>
  Object.entries(bucket)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => ({ key, value: Buffer.from(value), flags: 0 }))

function pageHead(flags: number, count: number): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt16LE(flags, 8)
  head.writeUInt16LE(count, 10)
  return head
}

/** Each element says how far behind it its key is. */
function leaf(entries: readonly Entry[]): Buffer {
  const heads: Buffer[] = []
  const bodies: Buffer[] = []
  let body = entries.length * 16
  for (const [index, { key, value, flags }] of entries.entries()) {
    const head = Buffer.alloc(16)
    head.writeUInt32LE(flags, 0)
    head.writeUInt32LE(body - index * 16, 4)
    head.writeUInt32LE(Buffer.byteLength(key), 8)
    head.writeUInt32LE(value.length, 12)
    heads.push(head)
    bodies.push(Buffer.from(key), value)
    body += Buffer.byteLength(key) + value.length
  }
  return Buffer.concat([pageHead(2, entries.length), ...heads, ...bodies])
}

function branch(children: ReadonlyArray<{ readonly key: string; readonly child: number }>): Buffer {
  const heads: Buffer[] = []
  let body = children.length * 16
  for (const [index, { key, child }] of children.entries()) {
    const head = Buffer.alloc(16)
    head.writeUInt32LE(body - index * 16, 0)
    head.writeUInt32LE(Buffer.byteLength(key), 4)
    head.writeBigUInt64LE(BigInt(child), 8)
    heads.push(head)
    body += Buffer.byteLength(key)
  }
  return Buffer.concat([
    pageHead(1, children.length),
    ...heads,
    ...children.map(({ key }) => Buffer.from(key)),
  ])
}

function page(content: Buffer, flags: number): Buffer {
  const whole = Buffer.alloc(pageSize)
  content.copy(whole)
  whole.writeUInt16LE(flags, 8)
  return whole
}

function meta(root: number, transaction: number): Buffer {
  const body = Buffer.alloc(64)
  body.writeUInt32LE(0xed0cdaed, 0)
  body.writeUInt32LE(2, 4)
  body.writeUInt32LE(pageSize, 8)
  body.writeBigUInt64LE(BigInt(root), 16)
  body.writeBigUInt64LE(BigInt(transaction), 48)
  let hash = 0xcbf29ce484222325n
  for (const byte of body.subarray(0, 56)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  body.writeBigUInt64LE(hash, 56)
  return page(Buffer.concat([pageHead(4, 0), body]), 4)
}
