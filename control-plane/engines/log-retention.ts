import { retainedFrom } from '#domain/logs/log-group.ts'
import type { Reconciler } from './reconciler.ts'

/** The events of logs. Implemented by adapters/logs-sweep.ts. */
export interface LogBytes {
  /**
   * Frees events older than their group's `notBefore`, and groups that are not wanted. `wanted` is asked after it is
   * known what groups there are: one that is made meanwhile is not among them.
   */
  sweep(
    kept: ReadonlyArray<{ readonly id: string; readonly notBefore: number }>,
    now: number,
    wanted: (id: string) => boolean,
  ): Promise<void>
}

interface Sweep {
  readonly kept: ReadonlyArray<{ readonly id: string; readonly notBefore: number }>
  readonly now: number
}

const periodMs = 3_600_000

/** Forgets events that their group does not retain, and what a crash left of deleted groups. */
export function logRetention(bytes: LogBytes, wanted: (id: string) => boolean): Reconciler<Sweep> {
  return {
    name: 'log-retention',
    watches: {},
    periodMs,
    reconcile(tx, now) {
      const kept = tx
        .list('logGroup')
        .map((group) => ({ id: group.storeId, notBefore: retainedFrom(group, now) }))
      return { effects: [{ kept, now }] }
    },
    perform: ({ kept, now }) => bytes.sweep(kept, now, wanted),
  }
}
