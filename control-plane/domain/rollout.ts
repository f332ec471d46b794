/** The arithmetic of a service's tasks: how many to start and which may be stopped, now. */

/**
 * What a task is worth to its service. `settling` runs, but not for long enough, or its health check has not spoken yet.
 */
export type Phase = 'pending' | 'settling' | 'healthy' | 'unhealthy'

/** A task that is to run (its desiredStatus is RUNNING). */
export interface Standing {
  readonly taskArn: string
  readonly deploymentId: string
  readonly phase: Phase
  /** It must leave its instance. */
  readonly draining: boolean
  /** Nothing but bad health stops it: it stays until its protection ends. */
  readonly protected?: boolean
}

export interface RolloutState {
  readonly desiredCount: number
  readonly minimumHealthyPercent: number
  readonly maximumPercent: number
  /** The PRIMARY deployment. */
  readonly primary: string
  /** The PRIMARY has failed and launches nothing more: what came before it goes on serving. */
  readonly failed: boolean
  /** The deployment before it that completed, if there is one: its tasks are replaced while they are needed. */
  readonly fallback?: string
  readonly tasks: readonly Standing[]
  /** So many tasks beyond the desired count are no surplus, for now. */
  readonly extra?: number
}

/** Stop `count` of these tasks, whichever the placement strategies like best. */
export interface Stops {
  readonly from: readonly Standing[]
  readonly count: number
  readonly why: 'scaling' | 'unhealthy'
}

export interface RolloutPlan {
  readonly stops: readonly Stops[]
  /** Tasks to start in the PRIMARY deployment, once the stops are made. */
  readonly start: number
  /** Tasks to start in the fallback deployment. */
  readonly startFallback: number
  /** Something should be started, nothing may be stopped or started, and no task is under way that would change it. */
  readonly blocked: boolean
  /** Tasks that would be stopped now, were they not protected. */
  readonly held: readonly Standing[]
}

/** The fewest healthy tasks and the most tasks in all that the percentages allow: up for the one, down for the other. */
export function rolloutBounds({
  desiredCount,
  minimumHealthyPercent,
  maximumPercent,
}: Pick<RolloutState, 'desiredCount' | 'minimumHealthyPercent' | 'maximumPercent'>): {
  readonly healthyMin: number
  readonly totalMax: number
} {
  return {
    healthyMin: Math.ceil((desiredCount * minimumHealthyPercent) / 100),
    totalMax: Math.floor((desiredCount * maximumPercent) / 100),
  }
}

/**
 * Plans one step. A healthy task is stopped only while more than the healthy minimum are there; a task is started only
 * while fewer than the maximum are to run. Tasks that are being stopped already count for neither.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
 */
export function planRollout(state: RolloutState): RolloutPlan {
  const { desiredCount, primary, failed, fallback, tasks } = state
  const { healthyMin, totalMax } = rolloutBounds(state)
  const own = tasks.filter((task) => task.deploymentId === primary)
  const old = tasks.filter((task) => task.deploymentId !== primary)
  const kept = own.filter(isGood)
  const spare = old.filter((task) => task.deploymentId === fallback && isGood(task))
  const ownHealthy = healthyIn(kept)

  // What is lacking now is made up for by what served before, not by what has yet to prove itself.
  const serving = healthyIn(tasks) + (failed ? kept.length - ownHealthy : 0)
  const shortfall = Math.max(0, (failed ? desiredCount : healthyMin) - serving)
  const coming = spare.filter((task) => task.phase !== 'healthy')
  const lacking = fallback === undefined ? 0 : Math.max(0, shortfall - coming.length)
  const want = failed ? 0 : Math.max(0, desiredCount - kept.length)

  const budget = new StopBudget(tasks, healthyMin)
  budget.stop(
    tasks.filter((task) => task.phase === 'pending' && task.draining),
    Infinity,
  )
  stopOld(budget, old, {
    needed: new Set(preferred(coming).slice(0, shortfall)),
    // While this deployment has failed the older ones are the service: they keep what it has not taken over.
    kept: failed ? Math.max(0, desiredCount - kept.length) : 0,
  })
  stopSurplus(budget, kept, kept.length - desiredCount - (state.extra ?? 0))
  budget.stop(
    own.filter((task) => task.draining && task.phase !== 'unhealthy'),
    Infinity,
  )
  const room = totalMax - (tasks.length - budget.stopped)
  stopUnhealthy(budget, own, { desiredCount, ownHealthy, crowded: want + lacking - Math.max(0, room) })

  const free = Math.max(0, totalMax - (tasks.length - budget.stopped))
  // What keeps the service served goes before what renews it.
  const startFallback = Math.min(lacking, free)
  const start = Math.min(want, free - startFallback)
  return {
    stops: budget.stops,
    start,
    startFallback,
    blocked:
      want > 0 &&
      start + startFallback + budget.stopped === 0 &&
      budget.held.length === 0 &&
      tasks.every((task) => task.phase === 'healthy'),
    held: budget.held,
  }
}

function healthyIn(tasks: readonly Standing[]): number {
  return tasks.filter((task) => task.phase === 'healthy').length
}

function mayStop(task: Standing): boolean {
  return !task.protected || task.phase === 'unhealthy'
}

function isGood({ phase, draining }: Standing): boolean {
  return phase !== 'unhealthy' && !draining
}

/** Older deployments make way as far as the healthy minimum allows; unhealthy and pending tasks cost nothing. */
function stopOld(
  budget: StopBudget,
  old: readonly Standing[],
  { needed, kept }: { readonly needed: ReadonlySet<Standing>; readonly kept: number },
): void {
  const unhealthy = old.filter((task) => task.phase === 'unhealthy')
  budget.stop(unhealthy, Infinity, 'unhealthy')
  budget.stop(
    old.filter((task) => task.phase === 'pending' && !needed.has(task)),
    Infinity,
  )
  const settled = old.filter((task) => task.phase === 'settling' || task.phase === 'healthy')
  budget.stop(settled, kept === 0 ? Infinity : settled.length - kept)
}

/** The most valuable first. */
function preferred(tasks: readonly Standing[]): readonly Standing[] {
  const worth = { healthy: 0, settling: 1, pending: 2, unhealthy: 3 }
  return tasks.toSorted((one, other) => worth[one.phase] - worth[other.phase])
}

function stopSurplus(budget: StopBudget, kept: readonly Standing[], surplus: number): void {
  if (surplus <= 0) return
  const pending = kept.filter((task) => task.phase === 'pending')
  const left = surplus - budget.stop(pending, surplus)
  budget.stop(
    kept.filter((task) => task.phase !== 'pending'),
    left,
  )
}

/**
 * An unhealthy task goes when a replacement is healthy, or when there is no room to start the replacement first.
 * https://aws.amazon.com/blogs/containers/a-deep-dive-into-amazon-ecs-task-health-and-task-replacement/
 */
function stopUnhealthy(
  budget: StopBudget,
  own: readonly Standing[],
  {
    desiredCount,
    ownHealthy,
    crowded,
  }: { readonly desiredCount: number; readonly ownHealthy: number; readonly crowded: number },
): void {
  const unhealthy = own.filter((task) => task.phase === 'unhealthy')
  const replaced = ownHealthy + unhealthy.length - desiredCount
  budget.stop(unhealthy, Math.max(replaced, crowded), 'unhealthy')
}

/** Collects stops, and lets a serving task go only while enough others serve, and a protected one never. */
class StopBudget {
  readonly stops: Stops[] = []
  readonly held: Standing[] = []
  stopped = 0
  readonly #taken = new Set<Standing>()
  /** How many healthy tasks may still be stopped. */
  #healthy: number
  /** How many tasks that serve, healthy or settling, may still be stopped. */
  #serving: number

  constructor(tasks: readonly Standing[], healthyMin: number) {
    const healthy = healthyIn(tasks)
    const settling = tasks.filter((task) => task.phase === 'settling').length
    this.#healthy = Math.max(0, healthy - healthyMin)
    this.#serving = Math.max(0, healthy + settling - healthyMin)
  }

  /** Plans to stop up to `most` of the tasks, as many as may be; returns how many. */
  stop(tasks: readonly Standing[], most: number, why: Stops['why'] = 'scaling'): number {
    const open = tasks.filter((task) => !this.#taken.has(task) && mayStop(task))
    const costless = open.filter((task) => task.phase === 'pending' || task.phase === 'unhealthy')
    let stopped = this.#take(costless, Math.min(most, costless.length), why)
    const serving = open.filter((task) => task.phase === 'settling' || task.phase === 'healthy')
    const wanted = Math.min(most - stopped, serving.length, this.#serving)
    if (wanted <= this.#healthy) stopped += this.#take(serving, wanted, why)
    else {
      const settling = serving.filter((task) => task.phase === 'settling')
      const healthy = serving.filter((task) => task.phase === 'healthy')
      const first = this.#take(settling, Math.min(wanted, settling.length), why)
      stopped += first + this.#take(healthy, Math.min(wanted - first, this.#healthy), why)
    }
    this.#hold(tasks, most - stopped)
    return stopped
  }

  /** Notes which of the tasks would have gone too, up to so many, had they not been protected. */
  #hold(tasks: readonly Standing[], most: number): void {
    const closed = tasks.filter((task) => !mayStop(task) && !this.held.includes(task))
    const some = (phase: Phase, limit: number): Standing[] =>
      closed.filter((task) => task.phase === phase).slice(0, limit)
    const stoppable = [
      ...some('pending', Infinity),
      ...some('settling', this.#serving),
      ...some('healthy', this.#healthy),
    ]
    this.held.push(...stoppable.slice(0, Math.max(0, most)))
  }

  #take(from: readonly Standing[], count: number, why: Stops['why']): number {
    if (count <= 0) return 0
    this.stops.push({ from, count, why })
    this.stopped += count
    for (const task of from) this.#taken.add(task)
    // Whichever are chosen, no more healthy ones than this can be among them.
    const healthy = Math.min(count, healthyIn(from))
    this.#healthy -= healthy
    if (from.some((task) => task.phase === 'healthy' || task.phase === 'settling')) this.#serving -= count
    return count
  }
}
