import { type Clock, sleep } from '@berth/std/clock.ts'
import { Wakeup } from '@berth/std/wakeup.ts'
import type { Change, Store, Transaction, View } from '#state/store.ts'
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
  /**
   * Every place there is. An engine that says so gets a full look as a set of places too, some of them at a time, and a
   * place that makes it throw does not keep it from the others.
   */
  everywhere?(view: View): Iterable<string>
  /** Looks are at least so far apart, in milliseconds: what changes meanwhile is looked at once. Default 0. */
  readonly paceMs?: number
  /** Writes rows and returns what to do in the world once they are durable. `places` undefined: look everywhere. */
  reconcile(tx: Transaction, now: number, places: ReadonlySet<string> | undefined): Look<Effect>
  /** Acts. A failure is reported, and the next look is the retry. Effects of one look are performed together. */
  perform?(effect: Effect): Promise<Outcome>
  /**
   * The place an effect belongs to. Where it is given, places do not wait for each other's effects; a place whose own are
   * under way is looked at again when they have ended. Without it, nothing is looked at until all effects have ended.
   */
  placeOf?(effect: Effect): string
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

/** So that a look at many places does not keep the process from everything else. */
const placesPerLookMax = 250

/** Runs an engine until `stop` aborts: the only loop there is. Resolves when the engine and its effects have ended. */
export async function drive<Effect, Outcome>(
  reconciler: Reconciler<Effect, Outcome>,
  drive: Drive,
): Promise<void> {
  const { store, clock, stop } = drive
  const agenda = new Agenda(clock)
  const unwatch = store.watch((changes) => noteChanges(reconciler, changes, (place) => agenda.note(place)))
  const onStop = (): void => agenda.wakeup.wake()
  stop.addEventListener('abort', onStop)

  let fullAt = clock.now()
  const underWay = new Set<Promise<unknown>>()
  while (!stop.aborted) {
    await agenda.wakeup.wait(clock, fullAt)
    if (stop.aborted) break
    const now = clock.now()
    const full = now >= fullAt
    if (full) fullAt = now + reconciler.periodMs
    if (full && reconciler.everywhere) for (const place of reconciler.everywhere(store)) agenda.note(place)
    const places = full && !reconciler.everywhere ? agenda.takeAll() : agenda.take(placesPerLookMax)
    const effects = look(reconciler, drive, agenda, places)
    if (reconciler.placeOf) {
      for (const [place, own] of Map.groupBy(effects, (effect) => reconciler.placeOf?.(effect) ?? '')) {
        agenda.begin(place)
        const ended = performAll(reconciler, drive, own).then(() => agenda.end(place))
        underWay.add(ended)
        void ended.then(() => underWay.delete(ended))
      }
    } else await performAll(reconciler, drive, effects)
    if (reconciler.paceMs || agenda.due)
      await sleep(clock, reconciler.paceMs ?? 0, stop).catch(() => undefined)
  }
  unwatch()
  stop.removeEventListener('abort', onStop)
  agenda.close()
  await Promise.all(underWay)
}

/** Looks at the places together; when that throws, at each alone, so that only what is broken stays undone. */
function look<Effect, Outcome>(
  reconciler: Reconciler<Effect, Outcome>,
  { store, clock, onError }: Drive,
  agenda: Agenda,
  places: ReadonlySet<string> | undefined,
): readonly Effect[] {
  const now = clock.now()
  const lookAt = (some: ReadonlySet<string> | undefined): readonly Effect[] => {
    const { effects = [], again = [] } = store.update((tx) => reconciler.reconcile(tx, now, some))
    for (const { place, at } of again) agenda.remember(place, at)
    return effects
  }
  const attempt = (some: ReadonlySet<string> | undefined, failed: (error: unknown) => readonly Effect[]) => {
    try {
      return lookAt(some)
    } catch (error) {
      return failed(error)
    }
  }
  const report = (error: unknown): readonly Effect[] => {
    onError(reconciler.name, error)
    return []
  }
  if (places?.size === 0) return []
  if (places === undefined || places.size === 1) return attempt(places, report)
  return attempt(places, () => [...places].flatMap((place) => attempt(new Set([place]), report)))
}

/** Performs the effects once what they rest on is durable. Failures are reported, never thrown. */
async function performAll<Effect, Outcome>(
  reconciler: Reconciler<Effect, Outcome>,
  { store, clock, onError }: Drive,
  effects: readonly Effect[],
): Promise<void> {
  const act = async (effect: Effect): Promise<void> => {
    try {
      const outcome = (await reconciler.perform?.(effect)) as Outcome
      if (reconciler.settle)
        store.update((tx) => reconciler.settle?.(tx, clock.now(), effect, outcome) as undefined)
    } catch (error) {
      onError(reconciler.name, error)
    }
  }
  if (effects.length === 0) return
  try {
    await store.durable()
    await Promise.all(effects.map(act))
  } catch (error) {
    onError(reconciler.name, error)
  }
}

/** Where an engine has still to look, and when. */
class Agenda {
  readonly wakeup = new Wakeup()
  readonly #clock: Clock
  #places = new Set<string>()
  /** Places with effects under way. */
  readonly #busy = new Set<string>()
  readonly #deadlines = new Map<string, { readonly at: number; readonly cancel: () => void }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Something can be looked at now. */
  get due(): boolean {
    for (const place of this.#places) if (!this.#busy.has(place)) return true
    return false
  }

  note(place: string): void {
    this.#places.add(place)
    if (!this.#busy.has(place)) this.wakeup.wake()
  }

  remember(place: string, at: number): void {
    const known = this.#deadlines.get(place)
    if (known && known.at <= at) return
    known?.cancel()
    const cancel = this.#clock.at(at, () => {
      this.#deadlines.delete(place)
      this.note(place)
    })
    this.#deadlines.set(place, { at, cancel })
  }

  /** Up to `most` places that have no effects under way. */
  take(most: number): ReadonlySet<string> {
    const taken = new Set<string>()
    for (const place of this.#places) {
      if (taken.size >= most) break
      if (!this.#busy.has(place)) taken.add(place)
    }
    for (const place of taken) this.#places.delete(place)
    if (this.due) this.wakeup.wake()
    return taken
  }

  /** Everything: no single place needs to be remembered. */
  takeAll(): undefined {
    this.#places = new Set()
  }

  begin(place: string): void {
    this.#busy.add(place)
  }

  end(place: string): void {
    this.#busy.delete(place)
    if (this.#places.has(place)) this.wakeup.wake()
  }

  close(): void {
    for (const { cancel } of this.#deadlines.values()) cancel()
  }
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
