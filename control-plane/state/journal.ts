/** One row as it now is, or that it is gone (`row` undefined). `version` is its table's schema version. */
export interface JournalRow {
  readonly table: string
  readonly key: string
  readonly version: number
  readonly row: object | undefined
}

/** Where changes become durable. Not a log: what is stored is the present state, a record a row. */
export interface Journal {
  /** Every row stored, in any order. Called once, before the first append. */
  load(): Promise<Iterable<JournalRow>>
  /** Stores the rows, all or none, after all appended before. A rejection means that the journal is lost. */
  append(rows: readonly JournalRow[]): Promise<void>
  close(): Promise<void>
}

/** A journal for tests and `--memory`: nothing is kept. */
export const memoryJournal: Journal = {
  load: () => Promise.resolve([]),
  append: () => Promise.resolve(),
  close: () => Promise.resolve(),
}
