import type { PlacementStrategy } from '@aws-sdk/client-ecs'
import { type Requirements, refusalOf, refusalRank } from './admission.ts'
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
  | Unplaced

/** Why there is no place; what it says is of the moment at which it is first read, so read it before the next change. */
interface Unplaced {
  /** Why each candidate refused; none at all means that the cluster has no candidate. */
  readonly failures: readonly PlacementFailure[]
  /** The failure of the first instance that met most of the requirements: the one a service's event names. */
  readonly closest: PlacementFailure | undefined
}

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
  const load = view.at(plan.pick(request.fraction))
  // The plan keeps the reasons of all: a retry that finds nothing changed costs no look at the instances.
  if (!load)
    return {
      get failures() {
        return plan.failures
      },
      closest: plan.closest,
    }
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

/** The first of the failures whose instance met most of the requirements. */
export function closestMatch(failures: readonly PlacementFailure[]): PlacementFailure | undefined {
  let closest: PlacementFailure | undefined
  for (const failure of failures)
    if (!closest || refusalRank(failure.reason) > refusalRank(closest.reason)) closest = failure
  return closest
}

/** Two requests of the same key are met by the same instances in the same order. Only where a group counts is it told apart. */
function planKey(request: PlacementRequest): string {
  const { fraction: _, group, ...task } = request
  const counts =
    task.strategies.some(({ type }) => type === 'spread') ||
    task.constraints.some(({ type }) => type === 'distinctInstance')
  return JSON.stringify([counts ? group : '', task])
}
