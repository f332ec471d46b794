import type { PlacementStrategy } from '@aws-sdk/client-ecs'
import { type Requirements, isCandidate, refusalOf } from './admission.ts'
import type { InstanceLoad } from './instance-load.ts'
import { type Counts, type Rank, Ranking } from './ranking.ts'

interface Entry {
  readonly load: InstanceLoad
  readonly admitted: boolean
  readonly path: readonly Rank[]
  /** Tasks of the group on it. */
  readonly count: number
}

/** How instances rank under one strategy. */
interface Rule {
  readonly rankOf: (load: InstanceLoad) => Rank
  /** For a spread over an attribute: the group's tasks by the attribute's value, over all instances of the cluster. */
  readonly counts?: Map<Rank, number>
}

/**
 * The instances of a cluster that admit a certain kind of task, ranked by its strategies. A service asks for the same
 * kind again and again; between two placements only a few instances change, and only those are looked at again.
 */
export class Plan {
  /** How much of the cluster's changes it has caught up with. */
  seen = 0
  readonly #task: Requirements
  readonly #refusal: (load: InstanceLoad) => string | undefined
  readonly #rules: readonly Rule[]
  readonly #counts: readonly Counts[]
  readonly #entries: Array<Entry | undefined> = []
  readonly #ranking = new Ranking()

  constructor(task: Requirements, strategies: readonly PlacementStrategy[]) {
    this.#task = task
    this.#refusal = refusalOf(task)
    const random = strategies.findIndex(({ type }) => type === 'random')
    const chain = random === -1 ? strategies : strategies.slice(0, random)
    this.#rules = chain.map((strategy) => ruleOf(strategy, task.group))
    this.#counts = this.#rules.map(({ counts }) => counts)
  }

  /** Looks at the instance of a slot again; undefined: there is none any more. */
  update(slot: number, load: InstanceLoad | undefined): void {
    const before = this.#entries[slot]
    const after = load?.instance && this.#enter(load)
    if (before && after && same(before, after)) return
    if (before) {
      if (before.admitted) this.#ranking.remove(before.load, before.path)
      this.#count(before, -1)
    }
    if (after) {
      if (after.admitted) this.#ranking.add(after.load, after.path)
      this.#count(after, 1)
    }
    this.#entries[slot] = after
  }

  /** One of the best instances for the next task. */
  pick(fraction: () => number): InstanceLoad | undefined {
    return this.#ranking.pick(this.#counts, fraction)
  }

  #enter(load: InstanceLoad): Entry {
    const { launchType, group } = this.#task
    return {
      load,
      admitted: isCandidate(load, launchType) && this.#refusal(load) === undefined,
      path: this.#rules.map(({ rankOf }) => rankOf(load)),
      count: load.groups.get(group) ?? 0,
    }
  }

  #count({ path, count }: Entry, sign: 1 | -1): void {
    if (count === 0) return
    for (const [depth, { counts }] of this.#rules.entries())
      counts?.set(path[depth], (counts.get(path[depth]) ?? 0) + sign * count)
  }
}

function ruleOf({ type, field = '' }: PlacementStrategy, group: string): Rule {
  if (type === 'binpack') {
    const kind = field.toLowerCase() === 'cpu' ? 'cpu' : 'memory'
    return { rankOf: (load) => load.free[kind] }
  }
  if (!field.startsWith('attribute:')) return { rankOf: (load) => load.groups.get(group) ?? 0 }
  const name = field.slice('attribute:'.length)
  return { rankOf: (load) => load.attributes.get(name), counts: new Map() }
}

function same(one: Entry, other: Entry): boolean {
  return (
    one.load === other.load &&
    one.admitted === other.admitted &&
    one.count === other.count &&
    one.path.every((rank, depth) => rank === other.path[depth])
  )
}
