import { assert } from '@berth/std/assert.ts'
import type { Journal, JournalRow } from './journal.ts'
import { type Entry, RowSet } from './row-set.ts'
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
  /**
   * The rows under a key of an index in the order of their own keys: those after `rowKey`, or all. For lists that show a
   * page of many; read it before the next change.
   */
  after<T extends TableName>(
    table: T,
    index: IndexName<T>,
    key: string,
    rowKey: string | undefined,
  ): Iterable<Tables[T]>
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

/** What a transaction has done, and how to undo it. */
interface Step {
  readonly change: Change
  readonly key: string
  readonly entry: Entry<never> | undefined
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
  /** What a rehearsal has done so far. */
  #rehearsed: Step[] | undefined
  #failure: unknown
  readonly #fail = Promise.withResolvers<never>()

  /** Rejects when the journal is lost. The process must end then: its memory holds what will be known to nobody. */
  readonly failed: Promise<never> = this.#fail.promise

  private constructor(journal: Journal) {
    this.#journal = journal
    this.failed.catch(() => undefined) // so that a store nobody looks after, as in a test, is not an unhandled rejection
  }

  /** A store with all that the journal holds. Throws when a row was written by a newer version of this program. */
  static async open(journal: Journal): Promise<Store> {
    const store = new Store(journal)
    for (const { table, key, version, row } of await journal.load()) {
      const definition = tables[table as TableName] as (typeof tables)[TableName] | undefined
      if (definition === undefined)
        throw new Error(
          `the journal holds a table ${table}, which only a newer version of Berth knows; start that version instead`,
        )
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

  after<T extends TableName>(
    table: T,
    index: IndexName<T>,
    key: string,
    rowKey: string | undefined,
  ): Iterable<Tables[T]> {
    return this.#rows[table].after(index, key, rowKey)
  }

  count<T extends TableName>(table: T, index: IndexName<T>, key: string): number {
    return this.#rows[table].count(index, key)
  }

  /** How many rows a table has. */
  size(table: TableName): number {
    return this.#rows[table].size
  }

  /** Makes the indexes that nobody has asked for yet, in steps of about a millisecond. */
  *makeIndexes(): Generator<undefined> {
    for (const table of tableNames) yield* this.#rows[table].makeIndexes()
  }

  /** Runs `body` to its end without suspending: all of it happens, or, when it throws, none of it. */
  update<Result>(body: (tx: Transaction) => Result extends Promise<unknown> ? never : Result): Result {
    assert(!this.#inTransaction, 'a transaction inside a transaction')
    if (this.#failure !== undefined) throw new Error('the journal is lost', { cause: this.#failure })
    const steps: Step[] = []
    this.#inTransaction = true
    try {
      const result = this.#run(body, steps)
      if (this.#rehearsed) this.#rehearsed.push(...steps)
      else if (steps.length > 0) this.#commit(steps)
      return result
    } finally {
      this.#inTransaction = false
    }
  }

  /**
   * Runs `body`, whose transactions see each other's changes as ever, and undoes all of them: what it returns is what
   * would happen. Nobody is told, nothing is journaled, and the position stays.
   */
  rehearse<Result>(body: () => Result extends Promise<unknown> ? never : Result): Result {
    assert(!this.#inTransaction && !this.#rehearsed, 'a rehearsal inside a transaction or a rehearsal')
    const steps: Step[] = []
    this.#rehearsed = steps
    try {
      return body()
    } finally {
      this.#rehearsed = undefined
      this.#undo(steps)
    }
  }

  #run<Result>(body: (tx: Transaction) => Result, steps: Step[]): Result {
    let open = true
    const note = (table: TableName, entry: Entry<unknown> | undefined, after: object | undefined): void => {
      const before = entry?.row
      const change = { table, before, after } as Change
      steps.push({ change, key: tables[table].key((after ?? before) as never), entry: entry as Entry<never> })
      for (const projection of this.#projections) projection.apply(change)
    }
    const tx: Transaction = {
      find: (table, key) => this.find(table, key),
      list: (table) => this.list(table),
      by: (table, index, key) => this.by(table, index, key),
      after: (table, index, key, rowKey) => this.after(table, index, key, rowKey),
      count: (table, index, key) => this.count(table, index, key),
      put: (table, row) => {
        assert(open, 'a row put after its transaction')
        const entry = this.#rows[table].set(row)
        if (entry?.row !== row) note(table, entry, row)
      },
      delete: (table, key) => {
        assert(open, 'a row deleted after its transaction')
        const entry = this.#rows[table].delete(key)
        if (entry) note(table, entry, undefined)
      },
    }
    try {
      return body(tx)
    } catch (error) {
      this.#undo(steps)
      throw error
    } finally {
      open = false
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

  #commit(steps: readonly Step[]): void {
    for (const { change, key } of steps) {
      const { table, after } = change
      const version = tables[table].migrations.length + 1
      this.#pending.set(`${table} ${key}`, { table, key, version, row: after })
    }
    this.#position++
    if (!this.#flushing) void this.#flush()
    const changes = steps.map(({ change }) => change)
    for (const watcher of this.#watchers) watcher(changes)
  }

  #undo(steps: readonly Step[]): void {
    for (const { change, key, entry } of steps.toReversed()) {
      const { table, before, after } = change
      this.#rows[table].restore(key, entry)
      for (const projection of this.#projections) projection.apply({ table, before: after, after: before })
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
        const waiters = this.#waiters
        this.#waiters = waiters.filter((waiter) => waiter.position > position)
        for (const waiter of waiters) if (waiter.position <= position) waiter.resolve()
      }
    } catch (error) {
      this.#failure = error
      this.#fail.reject(error)
      for (const waiter of this.#waiters.splice(0)) waiter.reject(error)
    }
    this.#flushing = false
  }
}
