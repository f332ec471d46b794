import type { Block } from './block.ts'
import type { Position } from './log-store.ts'
import type { FilterPattern } from './pattern/filter-pattern.ts'

/** A block that may hold events looked for, and the times of its first and last event. */
export interface Source {
  readonly first: number
  readonly last: number
  readonly streamName: string
  open(): Block
}

export interface ScanQuery {
  readonly from: number
  readonly until: number
  readonly after?: Position | undefined
  readonly descending: boolean
  readonly pattern?: FilterPattern | undefined
}

/** An event found, or how far all has been found: a place from which a scan may go on later. */
export type Found =
  | { readonly source: Source; readonly block: Block; readonly index: number }
  | { readonly reached: Position }

interface Cursor {
  readonly source: Source
  readonly block: Block
  /** Those of its events that are wanted, in the order of the scan. */
  readonly indices: readonly number[]
  at: number
}

/**
 * The events of many blocks in the order of their positions. A block is opened when the scan comes to its time, and of its
 * events only those wanted are looked at again. Before each opening it says how far it came, if that is further than
 * where it began.
 */
export function* scan(sources: readonly Source[], query: ScanQuery): Generator<Found> {
  const { from, until, after, descending } = query
  const sign = descending ? -1 : 1
  /** The time at which the scan must have a source open. */
  const opensAt = ({ first, last }: Source): number =>
    descending
      ? Math.min(last, until - 1, after?.timestamp ?? Infinity)
      : Math.max(first, from, after?.timestamp ?? -Infinity)
  const waiting = sources
    .filter(({ first, last }) => last >= from && first < until)
    .filter(({ first, last }) => !after || (descending ? first <= after.timestamp : last >= after.timestamp))
    .toSorted((left, right) => sign * (opensAt(left) - opensAt(right)))
  const begin = waiting[0] && opensAt(waiting[0])
  const open = new CursorHeap(sign)
  for (const source of waiting) {
    const time = opensAt(source)
    for (let top = open.top(); top && sign * (timeOf(top) - time) < 0; top = open.top()) yield open.take(top)
    if (time !== begin)
      yield { reached: { timestamp: time, sequence: descending ? Number.MAX_SAFE_INTEGER : -1 } }
    const block = source.open()
    const indices = wantedOf(block, query)
    if (indices.length > 0) open.push({ source, block, indices, at: 0 })
  }
  for (let top = open.top(); top; top = open.top()) yield open.take(top)
}

function wantedOf(block: Block, { from, until, after, descending, pattern }: ScanQuery): readonly number[] {
  const isBehind = (index: number): boolean =>
    after !== undefined &&
    (block.timestamp(index) - after.timestamp || block.sequence(index) - after.sequence) > 0
  const isAtOrBehind = (index: number): boolean =>
    after !== undefined &&
    (block.timestamp(index) - after.timestamp || block.sequence(index) - after.sequence) >= 0
  let low = block.first((index) => block.timestamp(index) >= from)
  let high = block.first((index) => block.timestamp(index) >= until)
  if (after && descending) high = Math.min(high, block.first(isAtOrBehind))
  if (after && !descending) low = Math.max(low, block.first(isBehind))
  const indices = matching(block, low, high, pattern)
  return descending ? indices.reverse() : indices
}

function matching(block: Block, low: number, high: number, pattern: FilterPattern | undefined): number[] {
  const indices: number[] = []
  if (!pattern) {
    for (let index = low; index < high; index++) indices.push(index)
    return indices
  }
  const { needle } = pattern
  if (needle === undefined) {
    for (let index = low; index < high; index++)
      if (pattern.matches(block.message(index))) indices.push(index)
    return indices
  }
  // What every matching message contains is looked for in all of them at once.
  for (let at = block.end(low - 1); ;) {
    const hit = block.messages.indexOf(needle, at)
    if (hit === -1) return indices
    const index = block.first((candidate) => block.end(candidate) > hit)
    if (index >= high) return indices
    // A hit that begins in one message and ends in the next is none; then the next is searched from its beginning.
    const within = hit + needle.length <= block.end(index)
    if (within && pattern.matches(block.message(index))) indices.push(index)
    at = block.end(index)
  }
}

function timeOf({ block, indices, at }: Cursor): number {
  return block.timestamp(indices[at] ?? 0)
}

/** Cursors by the position of their next event. */
class CursorHeap {
  readonly #heap: Cursor[] = []
  readonly #sign: number

  constructor(sign: number) {
    this.#sign = sign
  }

  top(): Cursor | undefined {
    return this.#heap[0]
  }

  push(cursor: Cursor): void {
    this.#heap.push(cursor)
    let at = this.#heap.length - 1
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (!this.#swapIfBefore(at, parent)) break
      at = parent
    }
  }

  /** The next event of the cursor on top, which moves on. */
  take(top: Cursor): Found {
    const { source, block, indices } = top
    const found = { source, block, index: indices[top.at] ?? 0 }
    top.at++
    if (top.at === indices.length) {
      const last = this.#heap.pop()
      if (last && last !== top) this.#heap[0] = last
    }
    this.#sink()
    return found
  }

  #sink(): void {
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      const least = right < this.#heap.length && this.#isBefore(right, left) ? right : left
      if (least >= this.#heap.length || !this.#swapIfBefore(least, at)) return
      at = least
    }
  }

  #isBefore(left: number, right: number): boolean {
    const [a, b] = [this.#heap[left], this.#heap[right]]
    if (!a || !b) return false
    const [i, j] = [a.indices[a.at] ?? 0, b.indices[b.at] ?? 0]
    const order = a.block.timestamp(i) - b.block.timestamp(j) || a.block.sequence(i) - b.block.sequence(j)
    return this.#sign * order < 0
  }

  #swapIfBefore(lower: number, upper: number): boolean {
    if (!this.#isBefore(lower, upper)) return false
    const [a, b] = [this.#heap[lower], this.#heap[upper]]
    if (a && b) [this.#heap[lower], this.#heap[upper]] = [b, a]
    return true
  }
}
