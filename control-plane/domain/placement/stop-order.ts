import type { PlacementStrategy } from '@aws-sdk/client-ecs'
import { present } from '@berth/std/assert.ts'
import type { Task } from '#domain/task.ts'
import type { ClusterView } from './cluster-view.ts'
import type { Free, InstanceLoad } from './instance-load.ts'
import { type Counts, type Rank, Ranking } from './ranking.ts'
import { binpackKind, spreadAttribute } from './strategy.ts'

/** An instance of the tasks to choose from, as it will be once those chosen are gone. */
interface Place {
  readonly load: InstanceLoad | undefined
  /** The group's tasks on it that are to run. */
  count: number
  readonly free: Pick<Free, 'cpu' | 'memory'>
  /** The tasks on it that are still to choose from, by their numbers. */
  readonly left: Set<number>
}

/** How places rank under one strategy turned round, the first to lose a task with the least; or what is counted for it. */
interface Rule {
  readonly rankOf: (place: Place, task: Task) => Rank
  /** For a spread over an attribute: the group's tasks by its value, as negative numbers. */
  readonly tally?: Map<Rank, number>
}

interface StopOptions {
  readonly strategies: readonly PlacementStrategy[]
  /** A number in [0, 1): decides among tasks that are equally good to stop. */
  readonly fraction: () => number
  /** The part of the tasks that a task belongs to, such as its capacity provider; without it there is one, ''. */
  readonly partOf?: (task: Task) => string
}

const starting = new Set(['PROVISIONING', 'PENDING', 'ACTIVATING'])

/**
 * In which order the tasks of a service are to be stopped: first those that do not run yet, then the unhealthy, then
 * those on draining instances, then by the strategies turned round; among equals chance decides. Each choice reckons
 * with those before it. Whoever asks leaves out protected tasks, and gives tasks of one group and the oldest deployment.
 */
export class StopOrder {
  readonly #fraction: () => number
  readonly #tasks: readonly Task[]
  readonly #places = new Map<string, Place>()
  readonly #rules: readonly Rule[]
  readonly #counts: readonly Counts[]
  readonly #partOf: (task: Task) => string
  readonly #parts = new Map<string, Ranking>()

  constructor(view: ClusterView, tasks: readonly Task[], options: StopOptions) {
    const { strategies, fraction, partOf = () => '' } = options
    this.#fraction = fraction
    this.#partOf = partOf
    this.#tasks = tasks
    const group = tasks[0]?.group ?? ''
    for (const [number, task] of tasks.entries()) this.#placeOf(view, task, group).left.add(number)
    const random = strategies.findIndex(({ type }) => type === 'random')
    const chain = random === -1 ? strategies : strategies.slice(0, random)
    this.#rules = chain.map((strategy) => stopRule(view, strategy, tasks))
    this.#counts = [undefined, ...this.#rules.map(({ tally }) => tally)]
    for (const [number, task] of tasks.entries()) this.#rankingOf(task).add(number, this.#path(number))
  }

  /** The next task of a part to stop; undefined when none is left. */
  next(part = ''): Task | undefined {
    const ranking = this.#parts.get(part)
    const number = ranking?.pick(this.#counts, this.#fraction) ?? -1
    const task = this.#tasks[number]
    if (!task || !ranking) return undefined
    ranking.remove(number)
    this.#leave(task, number)
    return task
  }

  #leave(task: Task, number: number): void {
    const place = this.#place(task)
    place.left.delete(number)
    if (task.desiredStatus === 'RUNNING') {
      for (const { rankOf, tally } of this.#rules) {
        const value = rankOf(place, task)
        tally?.set(value, (tally.get(value) ?? 0) + 1)
      }
      place.count--
    }
    place.free.cpu += task.demand.cpu
    place.free.memory += task.demand.memoryMiB
    for (const other of place.left) {
      const path = this.#path(other)
      const ranking = this.#rankingOf(present(this.#tasks[other], 'a task by its number'))
      if (ranking.isAt(other, path)) continue
      ranking.remove(other)
      ranking.add(other, path)
    }
  }

  #path(number: number): Rank[] {
    const task = present(this.#tasks[number], 'a task by its number')
    const place = this.#place(task)
    const urgency =
      (starting.has(task.lastStatus) ? 4 : 0) +
      (task.healthStatus === 'UNHEALTHY' ? 2 : 0) +
      (place.load?.instance?.status === 'DRAINING' ? 1 : 0)
    return [-urgency, ...this.#rules.map(({ rankOf }) => rankOf(place, task))]
  }

  #rankingOf(task: Task): Ranking {
    const part = this.#partOf(task)
    const ranking = this.#parts.get(part) ?? new Ranking(this.#counts.length)
    this.#parts.set(part, ranking)
    return ranking
  }

  #place({ containerInstanceArn = '' }: Task): Place {
    return present(this.#places.get(containerInstanceArn), 'the place of a task')
  }

  #placeOf(view: ClusterView, { containerInstanceArn = '' }: Task, group: string): Place {
    const known = this.#places.get(containerInstanceArn)
    if (known) return known
    const load = view.find(containerInstanceArn)
    const { cpu = 0, memory = 0 } = load?.free ?? {}
    const place = {
      load,
      count: load?.groups.get(group) ?? 0,
      free: { cpu, memory },
      left: new Set<number>(),
    }
    this.#places.set(containerInstanceArn, place)
    return place
  }
}

function stopRule(view: ClusterView, { type, field = '' }: PlacementStrategy, tasks: readonly Task[]): Rule {
  if (type === 'binpack') {
    const kind = binpackKind(field)
    return {
      rankOf: ({ free }, { demand }) => -(free[kind] + (kind === 'cpu' ? demand.cpu : demand.memoryMiB)),
    }
  }
  const attribute = spreadAttribute(field)
  if (attribute === undefined) return { rankOf: ({ count }) => -count }
  const tally = new Map<Rank, number>()
  const group = tasks[0]?.group ?? ''
  for (const load of view.instancesOfGroup(group)) {
    const value = load.attributes.get(attribute)
    tally.set(value, (tally.get(value) ?? 0) - (load.groups.get(group) ?? 0))
  }
  // Hosts of Fargate are in nobody's cluster: its tasks have a zone of their own.
  const zoneOf = ({ launchType, availabilityZone }: Task): string | undefined =>
    launchType === 'FARGATE' && attribute === 'ecs.availability-zone' ? availabilityZone : undefined
  for (const zone of tasks.filter(({ desiredStatus }) => desiredStatus === 'RUNNING').map(zoneOf))
    if (zone !== undefined) tally.set(zone, (tally.get(zone) ?? 0) - 1)
  return { rankOf: ({ load }, task) => zoneOf(task) ?? load?.attributes.get(attribute), tally }
}
