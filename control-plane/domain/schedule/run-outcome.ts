/** What came of the RunTask of a schedule: tasks, and why others were not started, or that it was refused whole. */
export type RunOutcome =
  | {
      readonly taskArns: readonly string[]
      readonly failures: ReadonlyArray<{
        readonly arn?: string
        readonly reason: string
        readonly detail?: string
      }>
    }
  | { readonly refused: string }

/** Why not all tasks were started, in a line; undefined when they were. */
export function troubleOf(outcome: RunOutcome): string | undefined {
  if ('refused' in outcome) return outcome.refused
  const reasons = outcome.failures.map(({ arn, reason, detail }) =>
    [reason, arn, detail].filter((part) => part !== undefined).join(' '),
  )
  return reasons.length === 0 ? undefined : `tasks could not be started: ${reasons.join('; ')}`
}
