/** One task on each instance: which to stop and where to start, now. For DAEMON services and for managed daemons. */
import type { Standing } from './rollout.ts'

/**
 * An instance, as the plan sees it. `open` takes a task. `away` keeps the task that serves there, and takes none: nobody
 * can be told to start one. `closing` is being emptied of everything. `closed` is not, or no longer, for these tasks.
 */
type PlaceState = 'open' | 'away' | 'closing' | 'closed'

export interface DaemonPlace {
  readonly containerInstanceArn: string
  readonly state: PlaceState
  /** Its tasks that are to run. */
  readonly tasks: readonly Standing[]
  /** Some task there has still to stop. */
  readonly leaving: boolean
  /** Nothing else runs there: of an instance that is being emptied, these tasks go last. */
  readonly alone: boolean
}

export interface DaemonState {
  /** What the tasks should be of: the id of a deployment or revision. */
  readonly current: string
  /** It has failed and starts nothing more; what came before it stays. */
  readonly failed: boolean
  /** What tasks are started of while it has failed, if there is something. */
  readonly fallback?: string
  /** Of the instances that should have a task, so many may be without a healthy one by what is stopped here. */
  readonly unavailableMax: number
  /** So many instances may have a second task, started before the first is stopped. */
  readonly surplusMax: number
  /** No task that serves is stopped now. */
  readonly held: boolean
  readonly places: readonly DaemonPlace[]
}

export interface DaemonStart {
  readonly containerInstanceArn: string
  readonly of: string
}

export interface DaemonPlan {
  /** How many instances should have a task. */
  readonly desiredCount: number
  readonly stops: ReadonlyArray<{ readonly task: Standing; readonly why: 'scaling' | 'unhealthy' }>
  readonly starts: readonly DaemonStart[]
  /** Tasks that would be stopped now, were they not protected. */
  readonly withheld: readonly Standing[]
  /** Something should be replaced, nothing may be, and nothing is under way that would change it. */
  readonly blocked: boolean
}

/** How many instances of `count` may be without a healthy task: what the minimum, rounded up, leaves. */
export function unavailableBy(count: number, minimumHealthyPercent: number): number {
  return count - Math.ceil((count * minimumHealthyPercent) / 100)
}

/** How many instances of `count` are replaced at once: their share, but one at least, or nothing would ever move. */
export function batchOf(count: number, drainPercent: number): number {
  return Math.max(1, Math.floor((count * drainPercent) / 100))
}

/** Whether an instance counts among those that should have a task. */
export function isDesired({ state, tasks }: DaemonPlace): boolean {
  return state === 'open' || (state === 'away' && tasks.some(serves))
}

/**
 * Plans one step. On each instance the old task goes first and the new one comes when it has stopped, unless a surplus is
 * allowed. A task that serves is stopped only while the share of healthy instances allows; one that does not, at once.
 */
export function planDaemon(state: DaemonState): DaemonPlan {
  const { places } = state
  const desired = places.filter(isDesired)
  const stops: Array<DaemonPlan['stops'][number]> = []
  const withheld: Standing[] = []
  const stop = (task: Standing, why: 'scaling' | 'unhealthy' = 'scaling'): void => {
    if (isProtected(task)) withheld.push(task)
    else stops.push({ task, why })
  }

  for (const place of places) {
    if (place.state === 'closed') for (const task of place.tasks) stop(task)
    if (place.state === 'closing')
      for (const task of place.tasks) if (place.alone || task.phase === 'pending') stop(task)
    if (place.state === 'away') for (const task of place.tasks) if (!serves(task)) stop(task)
  }

  const budget = new Availability(desired, state.unavailableMax)
  const kept = new Map<DaemonPlace, readonly Standing[]>()
  for (const place of places)
    if (place.state === 'open') kept.set(place, replaceOn(place, state, budget, stop))
  const starts = startsOn(kept, state)
  return {
    desiredCount: desired.length,
    stops,
    starts,
    withheld,
    blocked:
      !state.failed &&
      withheld.length === 0 &&
      !state.held &&
      stops.length + starts.length === 0 &&
      [...kept.values()].some((tasks) => tasks.some(({ deploymentId }) => deploymentId !== state.current)) &&
      desired.every(({ tasks, leaving }) => !leaving && tasks.every(({ phase }) => phase === 'healthy')),
  }
}

/** Stops what must go of an instance that stays, and returns what is left. */
function replaceOn(
  { tasks }: DaemonPlace,
  state: DaemonState,
  budget: Availability,
  stop: (task: Standing, why?: 'unhealthy') => void,
): readonly Standing[] {
  const kept: Standing[] = []
  for (const task of tasks.toSorted((one, other) => worth(one, state) - worth(other, state))) {
    const free =
      task.phase === 'pending' || isProtected(task) || kept.some(({ phase }) => phase === 'healthy')
    const stays =
      kept.length > 0
        ? !free && (awaitsSuccessor(task, state) || !budget.take(task))
        : task.deploymentId === state.current ||
          state.failed ||
          (!free && (state.held || awaitsSuccessor(task, state) || !budget.take(task)))
    if (task.phase === 'unhealthy') stop(task, 'unhealthy')
    else if (stays) kept.push(task)
    else {
      stop(task)
      if (isProtected(task)) kept.push(task)
    }
  }
  return kept
}

/** The lower, the sooner it is kept. What serves is worth more than what does not yet, and what is wanted more than what was. */
function worth({ deploymentId, phase }: Standing, { current }: DaemonState): number {
  return (deploymentId === current ? 0 : 4) + ['healthy', 'settling', 'pending', 'unhealthy'].indexOf(phase)
}

/** Whether an old task stays until the new one beside it is healthy. */
function awaitsSuccessor({ deploymentId }: Standing, { surplusMax, current }: DaemonState): boolean {
  return surplusMax > 0 && deploymentId !== current
}

function startsOn(
  kept: ReadonlyMap<DaemonPlace, readonly Standing[]>,
  { failed, current, fallback, surplusMax, held }: DaemonState,
): DaemonStart[] {
  const of = failed ? fallback : current
  if (of === undefined) return []
  const starts: DaemonStart[] = []
  let surplus = surplusMax - [...kept.values()].filter((tasks) => tasks.length > 1).length
  for (const [{ containerInstanceArn, tasks, leaving }, left] of kept) {
    const [only] = left
    const stopping = leaving || left.length < tasks.length
    const beside = left.length === 1 && only?.deploymentId !== of && !failed && !held && surplus > 0
    if (stopping || (left.length > 0 && !beside)) continue
    if (beside) surplus--
    starts.push({ containerInstanceArn, of })
  }
  return starts
}

/** Protection is for what serves: a task that fails its health checks goes. */
function isProtected(task: Standing): boolean {
  return task.protected === true && serves(task)
}

function serves({ phase }: Standing): boolean {
  return phase === 'settling' || phase === 'healthy'
}

/** Lets tasks that serve go while enough instances stay with one. */
class Availability {
  readonly #least: number
  #healthy: number
  #serving: number

  constructor(desired: readonly DaemonPlace[], unavailableMax: number) {
    const having = (is: (task: Standing) => boolean): number =>
      desired.filter(({ tasks }) => tasks.some(is)).length
    this.#least = desired.length - unavailableMax
    this.#healthy = having(({ phase }) => phase === 'healthy')
    this.#serving = having(serves)
  }

  take({ phase }: Standing): boolean {
    if (phase === 'healthy') {
      if (this.#healthy <= this.#least) return false
      this.#healthy--
    } else if (this.#serving <= this.#least) return false
    this.#serving--
    return true
  }
}
