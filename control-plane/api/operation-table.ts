import type { Answer, OperationRow } from './operation.ts'

interface CommandInstance<Input, Output> {
  readonly input: Input
  resolveMiddleware(...args: never): (...args: never) => PromiseLike<{ readonly output: Output }>
}

type RowOf<Command> = Command extends abstract new (
  ...args: never
) => CommandInstance<infer Input, infer Output>
  ? OperationRow<Input, Answer<Output>>
  : never

/** The name of an operation by that of its class; `$Command` is the base of them all. */
type OperationName<Export> = Export extends '$Command'
  ? never
  : Export extends `${infer N}Command`
    ? N
    : never

/**
 * A row for each operation of a service, so that a forgotten one is an error of the type checker. The keys are made from
 * the exports, not looked up in them by name: of the thousands that EC2 has, that takes ten seconds.
 */
export type OperationTable<Sdk> = {
  readonly [Export in keyof Sdk as OperationName<Export>]: RowOf<Sdk[Export]>
}
