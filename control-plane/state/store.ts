import { assert } from '@berth/std/assert.ts'
import type { Journal, JournalRow } from './journal.ts'
import { RowSet } from './row-set.ts'
import { type IndexName, type TableName, type Tables, tableNames, tables } from './tables.ts'

/** A row before and after; undefined where it was not, or is no more. */
export interface Change<T extends TableName = TableName> {
  readonly table: T
  readonly before: Tables[T] | undefined
  readonly after: Tables[T] | undefined
}

export interface View {
  find<T extends TableName>(table: T, key: string): Tables[T] | undefined
  /** Every row of a table: for periodic full looks and rare lists, never on a hot path. */
  list<T extends TableName>(table: T): Tables[T][]
  /** The rows under a key of an index, oldest first. */
  by<T extends TableName>(table: T, index: IndexName<T>, key: string): Tables[T][]
  count<T extends TableName>(table: T, index: IndexName<T>, key: string): number
}

export interface Transaction extends View {
  /** Adds the row, or takes the place of the one with its key. */
  put<T extends TableName>(table: T, row: Tables[T]): void
  delete(table: TableName, key: string): void
}

/**
 * Something derived from rows and kept in step with them, change by change, within each transaction. When a
 * transaction is undone it is shown the same changes reversed.
 */
export interface Projection {
  apply(change: Change): void
}

interface Waiter {
  readonly position: number
  readonly resolve: () => void
  readonly reject: (reason: unknown) => void
}

/** The state: rows in memory, changed by synchronous transactions, made durable by a journal. There is one writer. */
export class Store implements View {
  readonly #rows = Object.fromEntries(
    tableNames.map((name) => [name, new RowSet(tables[name])]),
  ) as unknown as {
    readonly [T in TableName]: RowSet<Tables[T]>
  }
  readonly #journal: Journal
  readonly #watchers: Array<(changes: readonly Change[]) => void> = []
  readonly #projections: Projection[] = []
  /** Rows changed since the last append, the newest of each key only. */
  #pending = new Map<string, JournalRow>()
  #waiters: Waiter[] = []
  #position = 0
  #durablePosition = 0
  #flushing = false
  #inTransaction = false
  #failure: unknown

  private constructor(journal: Journal) {
    this.#journal = journal
  }

  /** A store with all that the journal holds. Throws when a row was written by a newer version of this program. */
  static async open(journal: Journal): Promise<Store> {
    const store = new Store(journal)
    for (const { table, key, version, row } of await journal.load()) {
      const definition = tables[table as TableName]
      assert(definition !== undefined, `the journal holds a table ${table} that this version does not know`)
      assert(row !== undefined, `the journal holds an empty row ${table} ${key}`)
      const current = definition.migrations.length + 1
      if (version > current)
        throw new Error(
          `${table} ${key} was written by a newer version of Berth (schema ${version}, this one knows ${current}); start that version instead`,
        )
      let migrated: unknown = row
      for (const migrate of definition.migrations.slice(version - 1)) migrated = migrate(migrated as never)
      store.#rows[table as TableName].set(migrated as never)
    }
    return store
  }

  find<T extends TableName>(table: T, key: string): Tables[T] | undefined {
    return this.#rows[table].get(key)
  }

  list<T extends TableName>(table: T): Tables[T][] {
    return this.#rows[table].all()
  }

  by<T extends TableName>(table: T, index: IndexName<T>, key: string): Tables[T][] {
    return this.#rows[table].by(index, key)
  }

  count<T extends TableName>(table: T, index: IndexName<T>, key: string): number {
    return this.#rows[table].count(index, key)
  }

  /** How many rows a table has. */
  size(table: TableName): number {
    return this.#rows[table].size
  }

  /** Runs `body` to its end without suspending: all of it happens, or, when it throws, none of it. */
  update<Result>(body: (tx: Transaction) => Result extends Promise<unknown> ? never : Result): Result {
    assert(!this.#inTransaction, 'a transaction inside a transaction')
    if (this.#failure !== undefined) throw new Error('the journal is lost', { cause: this.#failure })
    const changes: Change[] = []
    const change = <T extends TableName>(
      table: T,
      before: Tables[T] | undefined,
      after: Tables[T] | undefined,
    ): void => {
      const made: Change = { table, before, after }
      changes.push(made)
      for (const projection of this.#projections) projection.apply(made)
    }
    const tx: Transaction = {
      find: (table, key) => this.find(table, key),
      list: (table) => this.list(table),
      by: (table, index, key) => this.by(table, index, key),
      count: (table, index, key) => this.count(table, index, key),
      put: (table, row) => {
        const before = this.#rows[table].set(row)
        if (before !== row) change(table, before, row)
      },
      delete: (table, key) => {
        const before = this.#rows[table].delete(key)
        if (before !== undefined) change(table, before, undefined)
      },
    }
    this.#inTransaction = true
    try {
      const result = body(tx)
      this.#commit(changes)
      return result
    } catch (error) {
      this.#undo(changes)
      throw error
    } finally {
      this.#inTransaction = false
    }
  }

  /** The place in the journal of the last change made so far. */
  get position(): number {
    return this.#position
  }

  /** Resolves once all that was changed up to `position` is in the journal. Nothing leaves this process before. */
  durable(position = this.#position): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure as Error)
    if (position <= this.#durablePosition) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiters.push({ position, resolve, reject }))
  }

  /** Calls `watcher` after each transaction with what it changed. The watcher must not change the store. */
  watch(watcher: (changes: readonly Change[]) => void): () => void {
    this.#watchers.push(watcher)
    return () => this.#watchers.splice(this.#watchers.indexOf(watcher), 1)
  }

  /** Keeps `projection` in step from now on; it is first shown every row as an addition. */
  project(projection: Projection, shown: readonly TableName[]): void {
    for (const table of shown)
      for (const row of this.list(table)) projection.apply({ table, before: undefined, after: row })
    const wanted = new Set(shown)
    this.#projections.push({ apply: (change) => wanted.has(change.table) && projection.apply(change) })
  }

  async close(): Promise<void> {
    await this.durable()
    await this.#journal.close()
  }

  #commit(changes: readonly Change[]): void {
    if (changes.length === 0) return
    for (const { table, before, after } of changes) {
      const definition = tables[table]
      const key = definition.key((after ?? before) as never)
      this.#pending.set(`${table} ${key}`, {
        table,
        key,
        version: definition.migrations.length + 1,
        row: after,
      })
    }
    this.#position++
    if (!this.#flushing) void this.#flush()
    for (const watcher of this.#watchers) watcher(changes)
  }

  #undo(changes: readonly Change[]): void {
    for (const { table, before, after } of changes.toReversed()) {
      if (before === undefined) this.#rows[table].delete(tables[table].key(after as never))
      else this.#rows[table].set(before as never)
      const reversed: Change = { table, before: after, after: before }
      for (const projection of this.#projections) projection.apply(reversed)
    }
  }

  /** Group commit: all that changed while the journal wrote the last batch is the next batch. */
  async #flush(): Promise<void> {
    this.#flushing = true
    await Promise.resolve() // so that transactions of the same turn share the first batch
    try {
      while (this.#pending.size > 0) {
        const rows = [...this.#pending.values()]
        const position = this.#position
        this.#pending = new Map()
        await this.#journal.append(rows)
        this.#durablePosition = position
        const due = this.#waiters.findIndex((waiter) => waiter.position > position)
        const reached = this.#waiters.splice(0, due === -1 ? this.#waiters.length : due)
        for (const waiter of reached) waiter.resolve()
      }
    } catch (error) {
      this.#failure = error
      for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
    }
    this.#flushing = false
  }
}
