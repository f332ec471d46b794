import type { PlacementStrategy } from '@aws-sdk/client-ecs'
import type { ContainerInstance } from '#domain/container-instance.ts'
import { type Requirements, type Rule, isCandidate, rulesOf } from './admission.ts'
import type { InstanceLoad } from './instance-load.ts'
import type { PlacementFailure } from './place.ts'
import { type Counts, type Rank, Ranking } from './ranking.ts'
import { type Preference, preferencesOf } from './strategy.ts'

/** Verdicts on an instance; from 0 on it is the number of the rule that refused it. */
const notAsked = -2
const admitted = -1
/** No rule refuses: past the number of every rule. */
const none = 127

/**
 * The instances of a cluster that admit a certain kind of task, ranked by its strategies, and why the others do not. A
 * service asks for the same kind again and again; between two placements only a few instances change, and only those
 * are looked at again. What depends on an instance's row alone is asked once for each row.
 */
export class Plan {
  /** How much of the cluster's changes it has caught up with. */
  seen = 0
  readonly #task: Requirements
  readonly #rules: readonly Rule[]
  readonly #preferences: readonly Preference[]
  readonly #tallies: ReadonlyArray<Map<Rank, number> | undefined>
  readonly #ranking: Ranking
  /** The ranks of the instance that is looked at; one array for all, as it is read at once. */
  readonly #path: Rank[]
  // By slot: the row that `settled` and `values` are of, the first rule that it fails by its row alone, the verdict,
  // the tasks of the group on it, and by preference its value of the attribute that is spread over.
  readonly #rows: Array<ContainerInstance | undefined> = []
  readonly #values: ReadonlyArray<Rank[] | undefined>
  #settled = new Int8Array(64)
  #verdicts = new Int8Array(64).fill(notAsked)
  #counts = new Int32Array(64)
  /** By rule, how many instances it refused. */
  readonly #refused: number[]
  #failures: readonly PlacementFailure[] | undefined

  constructor(task: Requirements, strategies: readonly PlacementStrategy[]) {
    this.#task = task
    this.#rules = rulesOf(task)
    this.#refused = this.#rules.map(() => 0)
    this.#preferences = preferencesOf(strategies, task.group)
    this.#tallies = this.#preferences.map(({ attribute }) =>
      attribute === undefined ? undefined : new Map(),
    )
    this.#values = this.#preferences.map(({ attribute }) => (attribute === undefined ? undefined : []))
    this.#ranking = new Ranking(this.#preferences.length)
    this.#path = this.#preferences.map(() => undefined)
  }

  /** Looks at the instance of a slot again; undefined: there is none any more. */
  update(slot: number, load: InstanceLoad | undefined): void {
    if (slot >= this.#verdicts.length) this.#grow(slot)
    const row = load?.instance
    if (row !== this.#rows[slot]) this.#enter(slot, load)
    if (!load || !row) return
    if (this.#preferences.length > 0) this.#rank(slot, load)
    const verdict = this.#verdictOf(slot, load)
    const before = this.#verdicts[slot]
    if (before !== verdict) this.#setVerdict(slot, verdict)
    if (verdict !== admitted) return
    if (before === admitted) {
      if (this.#path.length === 0 || this.#ranking.isAt(slot, this.#path)) return
      this.#ranking.remove(slot)
    }
    this.#ranking.add(slot, this.#path)
  }

  /** The slot of one of the best instances for the next task; -1 when none admits it. */
  pick(fraction: () => number): number {
    return this.#ranking.pick(this.#tallies satisfies readonly Counts[], fraction)
  }

  /** Why each candidate refused, in the order of their slots; made once for each change of that. */
  get failures(): readonly PlacementFailure[] {
    if (this.#failures) return this.#failures
    const failures: PlacementFailure[] = []
    for (let slot = 0; slot < this.#rows.length; slot++) {
      const row = this.#rows[slot]
      const rule = this.#rules[this.#verdicts[slot] ?? notAsked]
      if (row && rule) failures.push({ arn: row.containerInstanceArn, reason: rule.reason })
    }
    return (this.#failures = failures)
  }

  /** The first of the instances that met most of the requirements and yet refused. */
  get closest(): PlacementFailure | undefined {
    const last = this.#refused.findLastIndex((count) => count > 0)
    const rule = this.#rules[last]
    const row = this.#rows[this.#verdicts.indexOf(last)]
    return rule && row && { arn: row.containerInstanceArn, reason: rule.reason }
  }

  /** Notes the instance's new row, of which nothing is known yet. */
  #enter(slot: number, load: InstanceLoad | undefined): void {
    this.#setVerdict(slot, notAsked)
    this.#tally(slot, 0)
    this.#rows[slot] = load?.instance
    for (let depth = 0; depth < this.#values.length; depth++) {
      const values = this.#values[depth]
      if (values) values[slot] = load?.attributes.get(this.#preferences[depth]?.attribute ?? '')
    }
    if (!load?.instance) return
    const first = this.#rules.findIndex(({ settled, admits }) => settled && !admits(load))
    this.#settled[slot] = !isCandidate(load, this.#task) ? notAsked : first === -1 ? none : first
  }

  #setVerdict(slot: number, verdict: number): void {
    const before = this.#verdicts[slot] ?? notAsked
    if (before === verdict) return
    if (before === admitted) this.#ranking.remove(slot)
    else if (before >= 0) this.#refused[before] = (this.#refused[before] ?? 0) - 1
    if (verdict >= 0) this.#refused[verdict] = (this.#refused[verdict] ?? 0) + 1
    this.#verdicts[slot] = verdict
    this.#failures = undefined
  }

  #verdictOf(slot: number, load: InstanceLoad): number {
    const settled = this.#settled[slot] ?? notAsked
    if (settled === notAsked) return notAsked
    for (let number = 0; number < this.#rules.length && number < settled; number++) {
      const rule = this.#rules[number]
      if (rule && !rule.settled && !rule.admits(load)) return number
    }
    return settled === none ? admitted : settled
  }

  /** Reads how the strategies rank the instance, and counts its tasks for those that spread. */
  #rank(slot: number, load: InstanceLoad): void {
    this.#tally(slot, load.groups.get(this.#task.group) ?? 0)
    for (let depth = 0; depth < this.#path.length; depth++) {
      const values = this.#values[depth]
      this.#path[depth] = values ? values[slot] : this.#preferences[depth]?.rankOf(load)
    }
  }

  #tally(slot: number, count: number): void {
    const more = count - (this.#counts[slot] ?? 0)
    if (more === 0) return
    this.#counts[slot] = count
    for (let depth = 0; depth < this.#tallies.length; depth++) {
      const tally = this.#tallies[depth]
      const value = this.#values[depth]?.[slot]
      tally?.set(value, (tally.get(value) ?? 0) + more)
    }
  }

  #grow(slot: number): void {
    const length = 2 * (slot + 1)
    const verdicts = new Int8Array(length).fill(notAsked)
    const settled = new Int8Array(length)
    const counts = new Int32Array(length)
    verdicts.set(this.#verdicts)
    settled.set(this.#settled)
    counts.set(this.#counts)
    this.#verdicts = verdicts
    this.#settled = settled
    this.#counts = counts
  }
}
