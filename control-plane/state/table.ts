/** How a table is defined. Apart from the tables, so that they can stand in more than one file. */
type IndexKey = string | readonly string[] | undefined
/** How the rows of one kind are kept. */
export interface Table<Row> {
  readonly key: (row: Row) => string
  /** What rows are found by; a row is in an index under each key the function gives, or not at all. */
  readonly indexes: Readonly<Record<string, (row: Row) => IndexKey>>
  /** Brings a row written by an older version one version on. The table's version is their number + 1. */
  readonly migrations: ReadonlyArray<(row: never) => unknown>
}

/** A table of rows; they come out of the journal through its migrations. */
export const define =
  <Row>() =>
  <const T extends Omit<Table<Row>, 'migrations'>>(
    table: T,
    ...migrations: Table<Row>['migrations']
  ): T & {
    readonly migrations: Table<Row>['migrations']
  } => ({ ...table, migrations })

/** The hour a time lies in, as the indexes for the reaper know it. */
export function hourOf(timeMs: number): string {
  return String(Math.floor(timeMs / 3_600_000))
}
