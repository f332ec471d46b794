import { assert } from '@berth/std/assert.ts'

interface Definition<Row> {
  readonly key: (row: Row) => string
  readonly indexes: Readonly<Record<string, (row: Row) => string | readonly string[] | undefined>>
}

/** The rows of one table with their indexes. */
export class RowSet<Row> {
  readonly #definition: Definition<Row>
  readonly #rows = new Map<string, Row>()
  readonly #indexes: ReadonlyArray<{
    readonly keysOf: (row: Row) => string | readonly string[] | undefined
    readonly buckets: Map<string, Map<string, Row>>
  }>
  readonly #indexByName = new Map<string, Map<string, Map<string, Row>>>()

  constructor(definition: unknown) {
    this.#definition = definition as Definition<Row>
    this.#indexes = Object.entries(this.#definition.indexes).map(([name, keysOf]) => {
      const buckets = new Map<string, Map<string, Row>>()
      this.#indexByName.set(name, buckets)
      return { keysOf, buckets }
    })
  }

  get size(): number {
    return this.#rows.size
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  all(): Row[] {
    return [...this.#rows.values()]
  }

  by(index: string, key: string): Row[] {
    const bucket = this.#buckets(index).get(key)
    return bucket ? [...bucket.values()] : []
  }

  count(index: string, key: string): number {
    return this.#buckets(index).get(key)?.size ?? 0
  }

  /** Puts the row in place; returns the one that was there. */
  set(row: Row): Row | undefined {
    const key = this.#definition.key(row)
    const before = this.#rows.get(key)
    if (before === row) return before
    this.#rows.set(key, row)
    for (const { keysOf, buckets } of this.#indexes) {
      const after = keysOf(row)
      const was = before === undefined ? undefined : keysOf(before)
      if (was !== undefined && was !== after) remove(buckets, was, key)
      if (after !== undefined) add(buckets, after, key, row)
    }
    return before
  }

  delete(key: string): Row | undefined {
    const before = this.#rows.get(key)
    if (before === undefined) return undefined
    this.#rows.delete(key)
    for (const { keysOf, buckets } of this.#indexes) {
      const was = keysOf(before)
      if (was !== undefined) remove(buckets, was, key)
    }
    return before
  }

  #buckets(index: string): Map<string, Map<string, Row>> {
    const buckets = this.#indexByName.get(index)
    assert(buckets !== undefined, `no index ${index}`)
    return buckets
  }
}

function add<Row>(
  buckets: Map<string, Map<string, Row>>,
  at: string | readonly string[],
  key: string,
  row: Row,
): void {
  for (const place of typeof at === 'string' ? [at] : at) {
    const bucket = buckets.get(place)
    if (bucket) bucket.set(key, row)
    else buckets.set(place, new Map([[key, row]]))
  }
}

function remove<Row>(
  buckets: Map<string, Map<string, Row>>,
  at: string | readonly string[],
  key: string,
): void {
  for (const place of typeof at === 'string' ? [at] : at) {
    const bucket = buckets.get(place)
    bucket?.delete(key)
    if (bucket?.size === 0) buckets.delete(place)
  }
}
