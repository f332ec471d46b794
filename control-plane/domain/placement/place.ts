import type { PlacementStrategy } from '@aws-sdk/client-ecs'
import type { Task } from '#domain/task.ts'
import { type Requirements, isCandidate, refusalOf, refusalRank } from './admission.ts'
import type { ClusterView } from './cluster-view.ts'
import type { InstanceLoad } from './instance-load.ts'
import { Plan } from './plan.ts'

export interface PlacementRequest extends Requirements {
  /** Applied in order; [] chooses at random, as RunTask does. Services pass `defaultServiceStrategy`. */
  readonly strategies: readonly PlacementStrategy[]
  /** A number in [0, 1): the only chance there is, used among instances that are equally good. */
  readonly fraction: () => number
}

export type Placement =
  | { readonly containerInstanceArn: string; readonly availabilityZone?: string }
  | { readonly failures: readonly PlacementFailure[] }

/** Why an instance was not chosen, as RunTask shows it. */
export interface PlacementFailure {
  readonly arn: string
  readonly reason: string
  readonly detail?: string
}

/** How a service without strategies is spread: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_UpdateService.html */
export const defaultServiceStrategy: readonly PlacementStrategy[] = [
  { type: 'spread', field: 'attribute:ecs.availability-zone' },
  { type: 'spread', field: 'instanceId' },
]

const zoneOf = (load: InstanceLoad): string | undefined => load.attributes.get('ecs.availability-zone')

/**
 * Finds the instance for one more task, or says of each candidate why not: no failures at all means that the cluster
 * has no candidate. Put the task before placing the next. Throws QueryError when an expression does not parse.
 */
export function placeTask(view: ClusterView, request: PlacementRequest): Placement {
  const plan = view.plan(planKey(request), () => new Plan(request, request.strategies))
  const load = plan.pick(request.fraction)
  if (!load) return { failures: explain(view, request) }
  const availabilityZone = zoneOf(load)
  return { containerInstanceArn: load.arn, ...(availabilityZone !== undefined && { availabilityZone }) }
}

/**
 * Why the task cannot run on the one instance, which StartTask names; undefined when it can. Agent, resources and
 * attributes are asked, and the constraints given.
 */
export function refusal(
  view: ClusterView,
  containerInstanceArn: string,
  request: Requirements,
): PlacementFailure | undefined {
  const load = view.find(containerInstanceArn)
  const reason = load ? refusalOf(request)(load) : 'MISSING'
  return reason === undefined ? undefined : { arn: containerInstanceArn, reason }
}

function explain(view: ClusterView, request: Requirements): PlacementFailure[] {
  const reasonFor = refusalOf(request)
  const failures: PlacementFailure[] = []
  for (const load of view.instances()) {
    const reason = isCandidate(load, request.launchType) ? reasonFor(load) : undefined
    if (reason !== undefined) failures.push({ arn: load.arn, reason })
  }
  return failures
}

/** The failure of the instance that met most of the requirements: the one a service's event names. */
export function closestMatch(failures: readonly PlacementFailure[]): PlacementFailure | undefined {
  let closest: PlacementFailure | undefined
  for (const failure of failures)
    if (!closest || refusalRank(failure.reason) > refusalRank(closest.reason)) closest = failure
  return closest
}

/** Two requests of the same key are met by the same instances in the same order. */
function planKey(request: PlacementRequest): string {
  const { demand, launchType, requiresAttributes, constraints, strategies } = request
  const byGroup =
    strategies.some(({ type }) => type === 'spread') ||
    constraints.some(({ type }) => type === 'distinctInstance')
  return JSON.stringify([
    byGroup ? request.group : '',
    launchType,
    demand,
    requiresAttributes,
    constraints,
    strategies,
  ])
}

/** One row a preference: the candidates with the highest score stay. */
type Score = (task: Task, load: InstanceLoad | undefined) => number

/**
 * Which of a service's tasks to stop first: one that does not run yet, then an unhealthy one, then one on a draining
 * instance, then by the strategies turned round; among equals the first given. Whoever asks leaves out protected tasks
 * and gives the tasks of the oldest deployment only. `candidates` must not be empty.
 */
export function chooseTaskToStop(
  view: ClusterView,
  candidates: readonly [Task, ...Task[]] | readonly Task[],
  strategies: readonly PlacementStrategy[],
): Task {
  const scores: Score[] = [
    (task) => Number(['PROVISIONING', 'PENDING', 'ACTIVATING'].includes(task.lastStatus)),
    (task) => Number(task.healthStatus === 'UNHEALTHY'),
    (_, load) => Number(load?.instance?.status === 'DRAINING'),
    ...strategies.map((strategy) => stopScore(view, strategy)),
  ]
  let left = candidates
  for (const score of scores) {
    if (left.length === 1) break
    const scored = left.map((task) => score(task, view.find(task.containerInstanceArn ?? '')))
    const best = scored.reduce((one, other) => Math.max(one, other), -Infinity)
    left = left.filter((_, index) => scored[index] === best)
  }
  const [chosen] = left
  if (!chosen) throw new Error('assertion failed: there is no task to choose from')
  return chosen
}

function stopScore(view: ClusterView, { type, field = '' }: PlacementStrategy): Score {
  if (type === 'binpack') {
    const kind = field.toLowerCase() === 'cpu' ? 'cpu' : 'memory'
    return ({ demand }, load) => (load?.free[kind] ?? 0) + (kind === 'cpu' ? demand.cpu : demand.memoryMiB)
  }
  if (type !== 'spread') return () => 0
  if (!field.startsWith('attribute:')) return ({ group }, load) => load?.groups.get(group) ?? 0
  const name = field.slice('attribute:'.length)
  const counts = new Map<string, Map<string | undefined, number>>()
  const countsOf = (group: string): Map<string | undefined, number> => {
    const known = counts.get(group)
    if (known) return known
    const byValue = new Map<string | undefined, number>()
    for (const load of view.instancesOfGroup(group)) {
      const value = load.attributes.get(name)
      byValue.set(value, (byValue.get(value) ?? 0) + (load.groups.get(group) ?? 0))
    }
    counts.set(group, byValue)
    return byValue
  }
  return ({ group }, load) => countsOf(group).get(load?.attributes.get(name)) ?? 0
}
