/** The operations of a service as functions of their input alone, for tests. */
import type { Context } from './operation.ts'

type Runnable<Row> = Extract<Row, { readonly run: unknown }>
type CallOf<Row> = Row extends { readonly run: (context: never, input: infer Input) => infer Output }
  ? (input: Input) => Output
  : never

export type Calls<Table> = { readonly [Name in keyof Table]: CallOf<Runnable<Table[Name]>> }

export function callsOn<Table extends object>(table: Table, context: Context): Calls<Table> {
  return Object.fromEntries(
    Object.entries(table).flatMap(([name, row]) => {
      const { run } = row as { readonly run?: (context: Context, input: unknown) => unknown }
      return run ? [[name, (input: unknown) => run(context, input)]] : []
    }),
  ) as Calls<Table>
}

/** What `run` throws; undefined when it does not. */
export function failure(run: () => unknown): unknown {
  try {
    run()
  } catch (thrown) {
    return thrown
  }
  return undefined
}
