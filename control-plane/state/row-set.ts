import { assert } from '@berth/std/assert.ts'
import { KeyOrder } from './key-order.ts'

interface Definition<Row> {
  readonly key: (row: Row) => string
  readonly indexes: Readonly<Record<string, (row: Row) => string | readonly string[] | undefined>>
}

/** A row and its age: rows that came later have a higher number, which a row keeps when it changes. */
export interface Entry<Row> {
  readonly row: Row
  readonly age: number
}

/** Entries by key, oldest first. */
class Bucket<Row> {
  #entries = new Map<string, Entry<Row>>()
  #newest = -1
  #inOrder = true
  /** Made when it is first asked for; most buckets never are. */
  #keyOrder: KeyOrder | undefined

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Entry<Row> | undefined {
    return this.#entries.get(key)
  }

  set(key: string, entry: Entry<Row>): void {
    const { size } = this.#entries
    this.#entries.set(key, entry)
    if (this.#entries.size === size) return
    this.#keyOrder?.add(key)
    if (entry.age < this.#newest) this.#inOrder = false
    else this.#newest = entry.age
  }

  delete(key: string): void {
    if (this.#entries.delete(key)) this.#keyOrder?.delete(key)
  }

  *after(key: string | undefined): Generator<Row> {
    this.#keyOrder ??= new KeyOrder(this.#entries.keys())
    for (const next of this.#keyOrder.after(key)) {
      const entry = this.#entries.get(next)
      if (entry) yield entry.row
    }
  }

  rows(): Row[] {
    const rows: Row[] = []
    for (const { row } of this.inOrder().values()) rows.push(row)
    return rows
  }

  /** A row that changed its bucket, or came back when a transaction was undone, is put in its place only here. */
  inOrder(): ReadonlyMap<string, Entry<Row>> {
    if (!this.#inOrder) {
      this.#entries = new Map([...this.#entries].toSorted(([, one], [, other]) => one.age - other.age))
      this.#inOrder = true
    }
    return this.#entries
  }
}

interface Index<Row> {
  readonly keysOf: (row: Row) => string | readonly string[] | undefined
  readonly buckets: Map<string, Bucket<Row>>
  /** Puts the rows in that were there before the index was, a slice a step; undefined once all are. */
  filling: Iterator<undefined> | undefined
}

/** Rows that one step puts into an index: about a millisecond. */
const sliceRowsDefault = 1_000

/** The rows of one table with their indexes. An index is made when it is first asked for, or before in small steps. */
export class RowSet<Row> {
  readonly #definition: Definition<Row>
  readonly #entries = new Bucket<Row>()
  readonly #indexes = new Map<string, Index<Row>>()
  readonly #sliceRows: number
  #nextAge = 0

  constructor(definition: unknown, sliceRows = sliceRowsDefault) {
    this.#definition = definition as Definition<Row>
    this.#sliceRows = sliceRows
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Row | undefined {
    return this.#entries.get(key)?.row
  }

  /** Every row, oldest first. */
  all(): Row[] {
    return this.#entries.rows()
  }

  /** The rows under a key of an index, oldest first, whenever they came under that key. */
  by(index: string, key: string): Row[] {
    return this.#buckets(index).get(key)?.rows() ?? []
  }

  /** The rows under a key of an index in the order of their own keys: those after `rowKey`, or all. */
  after(index: string, key: string, rowKey: string | undefined): Iterable<Row> {
    return this.#buckets(index).get(key)?.after(rowKey) ?? []
  }

  count(index: string, key: string): number {
    return this.#buckets(index).get(key)?.size ?? 0
  }

  /** Makes the indexes that nobody has asked for yet, a slice of rows a step; rows may change between steps. */
  *makeIndexes(): Generator<undefined> {
    for (const name of Object.keys(this.#definition.indexes)) {
      const index = this.#index(name)
      for (; index.filling; yield) if (index.filling.next().done) index.filling = undefined
    }
  }

  /** Puts the row in place; returns what was there. */
  set(row: Row): Entry<Row> | undefined {
    const key = this.#definition.key(row)
    const before = this.#entries.get(key)
    if (before?.row !== row) this.#replace(key, before, { row, age: before?.age ?? this.#nextAge++ })
    return before
  }

  /** Returns what was there. */
  delete(key: string): Entry<Row> | undefined {
    const before = this.#entries.get(key)
    if (before) this.#replace(key, before, undefined)
    return before
  }

  /** Makes the entry of a key what `set` or `delete` returned before, with its age: as if it had not been touched. */
  restore(key: string, entry: Entry<Row> | undefined): void {
    this.#replace(key, this.#entries.get(key), entry)
  }

  #replace(key: string, before: Entry<Row> | undefined, entry: Entry<Row> | undefined): void {
    if (entry) this.#entries.set(key, entry)
    else this.#entries.delete(key)
    for (const { keysOf, buckets } of this.#indexes.values()) {
      const was = before && keysOf(before.row)
      const is = entry && keysOf(entry.row)
      if (before) for (const place of listed(was)) if (!includes(is, place)) remove(buckets, place, key)
      if (entry) for (const place of listed(is)) add(buckets, place, key, entry)
    }
  }

  #buckets(name: string): Map<string, Bucket<Row>> {
    const index = this.#index(name)
    while (index.filling) if (index.filling.next().done) index.filling = undefined
    return index.buckets
  }

  #index(name: string): Index<Row> {
    const known = this.#indexes.get(name)
    if (known) return known
    const keysOf = this.#definition.indexes[name]
    assert(keysOf !== undefined, `no index ${name}`)
    const buckets = new Map<string, Bucket<Row>>()
    const index = { keysOf, buckets, filling: this.#fill(keysOf, buckets) }
    this.#indexes.set(name, index)
    return index
  }

  /** What changes meanwhile comes into the index by itself: each row is put in as it is when its turn comes. */
  *#fill(keysOf: Index<Row>['keysOf'], buckets: Index<Row>['buckets']): Generator<undefined> {
    let count = 0
    const keys = Array.from(this.#entries.inOrder().keys())
    for (const key of keys) {
      const entry = this.#entries.get(key)
      if (entry) for (const place of listed(keysOf(entry.row))) add(buckets, place, key, entry)
      if (++count % this.#sliceRows === 0) yield
    }
  }
}

const none: readonly string[] = []

function listed(places: string | readonly string[] | undefined): readonly string[] {
  return places === undefined ? none : typeof places === 'string' ? [places] : places
}

function includes(places: string | readonly string[] | undefined, place: string): boolean {
  return typeof places === 'string' ? places === place : (places?.includes(place) ?? false)
}

function add<Row>(buckets: Map<string, Bucket<Row>>, place: string, key: string, entry: Entry<Row>): void {
  let bucket = buckets.get(place)
  if (!bucket) buckets.set(place, (bucket = new Bucket()))
  bucket.set(key, entry)
}

function remove<Row>(buckets: Map<string, Bucket<Row>>, place: string, key: string): void {
  const bucket = buckets.get(place)
  bucket?.delete(key)
  if (bucket?.size === 0) buckets.delete(place)
}
