import type { Answer, OperationRow } from './operation.ts'

/** The names of a service's operations: every N of which its SDK exports a class `NCommand`. */
type OperationName<Sdk> = Exclude<
  { [K in keyof Sdk]: K extends `${infer N}Command` ? N : never }[keyof Sdk],
  '$'
>

interface CommandInstance<Input, Output> {
  readonly input: Input
  resolveMiddleware(...args: never): (...args: never) => PromiseLike<{ readonly output: Output }>
}

type RowOf<Command> = Command extends abstract new (
  ...args: never
) => CommandInstance<infer Input, infer Output>
  ? OperationRow<Input, Answer<Output>>
  : never

/** A row for each operation of a service, so that a forgotten one is an error of the type checker. */
export type OperationTable<Sdk> = {
  readonly [N in OperationName<Sdk>]: RowOf<Sdk[`${N}Command` & keyof Sdk]>
}
