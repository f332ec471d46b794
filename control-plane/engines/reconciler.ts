import type { Clock } from '@berth/std/clock.ts'
import { Wakeup } from '@berth/std/wakeup.ts'
import type { Change, Store, Transaction } from '#state/store.ts'
import type { TableName, Tables } from '#state/tables.ts'

/**
 * Brings one part of the world from what it is to what it should be.
 *
 * It is never told what changed, only where to look: it compares all there is at that place and does what is lacking.
 * So the way after a crash, a lost message or a bug is the same as the way on a good day, and there is one way only.
 */
export interface Reconciler<Effect = never, Outcome = void> {
  readonly name: string
  /** The tables that wake it and, for a changed row, the keys of the places to look at. */
  readonly watches: { readonly [T in TableName]?: (row: Tables[T]) => string | readonly string[] | undefined }
  /** How often it looks everywhere whether woken or not, in milliseconds. */
  readonly periodMs: number
  /** Writes rows and returns what to do in the world once they are durable. `places` undefined: look everywhere. */
  reconcile(tx: Transaction, now: number, places: ReadonlySet<string> | undefined): Look<Effect>
  /** Acts. A failure is reported, and the next look is the retry. Effects of one look are performed together. */
  perform?(effect: Effect): Promise<Outcome>
  /** Writes down what performing showed, in a transaction of its own. */
  settle?(tx: Transaction, now: number, effect: Effect, outcome: Outcome): void
}

export interface Look<Effect> {
  readonly effects?: readonly Effect[]
  /** Places to look at again at a time, because a deadline stands in a row there. Forgotten at a restart, where everything is looked at. */
  readonly again?: ReadonlyArray<{ readonly place: string; readonly at: number }>
}

export interface Drive {
  readonly store: Store
  readonly clock: Clock
  readonly stop: AbortSignal
  readonly onError: (engine: string, error: unknown) => void
}

/** Runs an engine until `stop` aborts: the only loop there is. Resolves when the effects under way have ended. */
export async function drive<Effect, Outcome>(
  reconciler: Reconciler<Effect, Outcome>,
  { store, clock, stop, onError }: Drive,
): Promise<void> {
  const wakeup = new Wakeup()
  let places = new Set<string>()
  let fullAt = clock.now()
  const deadlines = new Map<string, { at: number; cancel: () => void }>()
  const note = (place: string): void => {
    places.add(place)
    wakeup.wake()
  }
  const unwatch = store.watch((changes) => noteChanges(reconciler, changes, note))
  const onStop = (): void => wakeup.wake()
  stop.addEventListener('abort', onStop)

  const remember = (place: string, at: number): void => {
    const known = deadlines.get(place)
    if (known && known.at <= at) return
    known?.cancel()
    const cancel = clock.at(at, () => {
      deadlines.delete(place)
      note(place)
    })
    deadlines.set(place, { at, cancel })
  }
  const act = async (effect: Effect): Promise<void> => {
    try {
      const outcome = (await reconciler.perform?.(effect)) as Outcome
      if (reconciler.settle)
        store.update((tx) => reconciler.settle?.(tx, clock.now(), effect, outcome) as undefined)
    } catch (error) {
      onError(reconciler.name, error)
    }
  }

  while (!stop.aborted) {
    await wakeup.wait(clock, fullAt)
    if (stop.aborted) break
    const now = clock.now()
    const full = now >= fullAt
    if (full) fullAt = now + reconciler.periodMs
    const looked = full ? undefined : places
    places = new Set()
    try {
      const look = store.update((tx) => reconciler.reconcile(tx, now, looked))
      for (const { place, at } of look.again ?? []) remember(place, at)
      if (look.effects && look.effects.length > 0) {
        await store.durable()
        await Promise.all(look.effects.map(act))
      }
    } catch (error) {
      onError(reconciler.name, error)
    }
  }
  unwatch()
  stop.removeEventListener('abort', onStop)
  for (const { cancel } of deadlines.values()) cancel()
}

function noteChanges<Effect, Outcome>(
  { watches }: Reconciler<Effect, Outcome>,
  changes: readonly Change[],
  note: (place: string) => void,
): void {
  for (const { table, before, after } of changes) {
    const placesOf = watches[table] as
      | ((row: Tables[TableName]) => string | readonly string[] | undefined)
      | undefined
    if (!placesOf) continue
    for (const row of [before, after]) {
      const found = row && placesOf(row)
      if (typeof found === 'string') note(found)
      else for (const place of found ?? []) note(place)
    }
  }
}
