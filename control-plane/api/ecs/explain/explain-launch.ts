/** What placing tasks would come to, told to a person: where each would go, or why there is no place for it. */
import { AwsError } from '@berth/wire/error.ts'
import { arnName } from '#domain/arn.ts'
import {
  explainPlacement,
  type InstanceVerdict,
  type PlacementExplanation,
} from '#domain/placement/explain.ts'
import type { PlacementRequest } from '#domain/placement/place.ts'
import type { Capacity } from '#api/ecs/capacity/capacity-choice.ts'
import { type LaunchFailure, type Launching, launchOn } from '#api/ecs/tasks/launch-on-capacity.ts'

/** How one task would be placed on the instances of one capacity provider, or on all of them. */
interface ExplainedPlacement extends PlacementExplanation {
  readonly capacityProvider?: string
  /** When the cluster is looked at: before any of the tasks is placed, or when the first finds no place. */
  readonly when: 'NOW' | 'WHEN FULL'
  readonly task: Pick<PlacementRequest, 'demand' | 'group' | 'launchType' | 'requiresAttributes'>
  readonly placementConstraints: PlacementRequest['constraints']
  readonly placementStrategy: PlacementRequest['strategies']
}

export interface ExplainedLaunch {
  /** The tasks that would be started, in order. Among equally good instances the real choice may be another. */
  readonly tasks: ReadonlyArray<{
    readonly containerInstanceArn: string
    readonly capacityProviderName?: string
  }>
  readonly failures: readonly LaunchFailure[]
  readonly placements: readonly ExplainedPlacement[]
}

/** Starts the tasks, in a transaction that is to be undone, and explains. */
export function explainLaunch(capacity: Capacity, launching: Launching): ExplainedLaunch {
  const providers = providersOf(capacity)
  const now = providers.map((provider) => explainOn(launching, provider, 'NOW'))
  const { tasks, failures } = launched(capacity, launching)
  const full = providers.flatMap((provider) => {
    const placement = explainOn(launching, provider, 'WHEN FULL')
    return placement.eligibleCount === 0 && failures.length > 0 ? [placement] : []
  })
  return {
    tasks: tasks.map(({ containerInstanceArn = '', capacityProviderName }) => ({
      containerInstanceArn,
      ...(capacityProviderName !== undefined && { capacityProviderName }),
    })),
    failures,
    placements: now.map(
      (one) => (one.eligibleCount > 0 && full.find((other) => sameProvider(one, other))) || one,
    ),
  }
}

/** Those that tasks may go to; undefined stands for all instances of the launch type. Fargate has no instances. */
function providersOf({ launchType, strategy }: Capacity): ReadonlyArray<string | undefined> {
  if (launchType === 'FARGATE') return []
  if (!strategy) return [undefined]
  return strategy
    .filter(({ base = 0, weight = 0 }) => base > 0 || weight > 0)
    .map(({ capacityProvider }) => capacityProvider)
}

function explainOn(
  { view, request }: Launching,
  capacityProvider: string | undefined,
  when: ExplainedPlacement['when'],
): ExplainedPlacement {
  const asked = request(capacityProvider)
  const { demand, group, launchType, requiresAttributes, constraints, strategies } = asked
  return {
    ...(capacityProvider !== undefined && { capacityProvider }),
    when,
    task: { demand, group, launchType, requiresAttributes },
    placementConstraints: constraints,
    placementStrategy: strategies,
    ...explainPlacement(view, asked),
  }
}

/** An empty cluster is an error of RunTask; here it is one more reason why there is no place. */
function launched(capacity: Capacity, launching: Launching): ReturnType<typeof launchOn> {
  try {
    return launchOn(capacity, launching)
  } catch (error) {
    if (!(error instanceof AwsError)) throw error
    return { tasks: [], failures: [{ reason: error.message }] }
  }
}

function sameProvider(one: ExplainedPlacement, other: ExplainedPlacement): boolean {
  return one.capacityProvider === other.capacityProvider
}

/** The whole in a sentence or two. `what` is who asks: `RunTask`, `The service web`. */
export function verdictOf(what: string, count: number, capacity: Capacity, launch: ExplainedLaunch): string {
  const { tasks, placements } = launch
  const wanted = count === 1 ? 'the task' : `${count} tasks`
  if (capacity.launchType === 'FARGATE' && tasks.length < count) {
    const failing = tasks.length === 0 ? wanted : `${count - tasks.length} of ${wanted}`
    return `${what} is valid, but Fargate has too little capacity here: ${failing} would fail with RESOURCE:FARGATE. Stop other Fargate tasks, give Fargate more of this machine (berth up --fargate-memory, --fargate-cpu), or use launch type EC2.`
  }
  if (capacity.launchType === 'FARGATE') return `${what} would start ${wanted} on Fargate.`
  if (tasks.length === count) {
    const [placement] = placements
    return `${what} would place ${wanted}${count === 1 && placement ? ` ${choiceText(tasks[0], placement)}` : ''}.`
  }
  const placed =
    tasks.length === 0
      ? `${what} would find no place for ${wanted}`
      : `${what} would place ${tasks.length} of ${wanted}`
  return `${placed}. ${reasonsText(launch)}`
}

/** Why there is no place, of each capacity provider that has none. */
export function reasonsText({ placements }: ExplainedLaunch): string {
  return placements
    .filter(({ eligibleCount }) => eligibleCount === 0)
    .map(noPlaceText)
    .join(' ')
}

function choiceText(
  task: ExplainedLaunch['tasks'][number] | undefined,
  { instances, eligibleCount }: PlacementExplanation,
): string {
  const best = instances.filter(({ place }) => place === 1).length
  const where = `on ${arnName(task?.containerInstanceArn ?? '')}`
  if (eligibleCount === 1) return `${where}, the only instance that can take it`
  return best === 1
    ? `${where}, the best of ${eligibleCount} that can take it`
    : `by chance on one of ${best} equally good instances, of ${eligibleCount} that can take it`
}

function noPlaceText(placement: ExplainedPlacement): string {
  const { capacityProvider, closest, candidatesCount, instancesCount, instances } = placement
  const of = capacityProvider === undefined ? 'The cluster' : `Capacity provider ${capacityProvider}`
  if (instancesCount === 0) return 'The cluster has no container instances.'
  if (candidatesCount === 0) {
    const [first] = instances
    return `${of} has no instance that is asked: ${instanceName(first)} ${first?.detail ?? ''}${instancesCount > 1 ? `, and ${instancesCount - 1} more are ruled out alike` : ''}.`
  }
  const contradiction = contradictionText(placement)
  if (contradiction !== undefined) return contradiction
  const who = capacityProvider === undefined ? 'Closest' : `Closest of ${capacityProvider}`
  return `${who} is ${instanceName(closest)}: ${closest?.detail ?? ''}.`
}

/** An expression that no instance can ever match, although each of its parts is true of some. */
function contradictionText({ expressions, candidatesCount }: PlacementExplanation): string | undefined {
  const impossible = expressions.find(
    ({ matched, terms }) => matched === 0 && terms.length > 1 && terms.every((term) => term.matched > 0),
  )
  if (!impossible) return undefined
  const parts = impossible.terms.map(({ term, matched }) => `"${term}" (${matched} of ${candidatesCount})`)
  return `No instance matches all of ${parts.join(' and ')} at once.`
}

function instanceName(verdict: InstanceVerdict | undefined): string {
  return arnName(verdict?.containerInstanceArn ?? '')
}
