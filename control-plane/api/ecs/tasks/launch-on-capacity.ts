import { capacityProviderArn } from '#domain/capacity-provider.ts'
import { providerForNext } from '#domain/capacity-provider-strategy.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { ClusterView } from '#domain/placement/cluster-view.ts'
import { type PlacementRequest, placeTask } from '#domain/placement/place.ts'
import type { Task } from '#domain/task.ts'
import type { Capacity } from '#api/ecs/capacity/capacity-choice.ts'
import { refuse } from './placement-checks.ts'

/** Why tasks were not started; without an ARN where no single thing is to blame. */
export interface LaunchFailure {
  readonly arn?: string
  readonly reason: string
  readonly detail?: string
}

export interface Launching {
  readonly view: ClusterView
  readonly cluster: Cluster
  /** How many tasks are asked for. */
  readonly count: number
  /** What a task asks of an instance of that provider; undefined: of any. */
  readonly request: (capacityProviderName: string | undefined) => PlacementRequest
  /** Without an instance the task waits for one. */
  readonly put: (place: {
    readonly containerInstanceArn?: string
    readonly capacityProviderName?: string | undefined
  }) => Task
  /** Whether Fargate has capacity for one more of the tasks. */
  readonly admits: (capacityProviderName: string | undefined) => boolean
}

/**
 * Starts the tasks of one RunTask. A strategy shares all tasks that are asked for; none goes to another provider because
 * the one chosen has no room. Throws InvalidParameterException when launch type EC2 or EXTERNAL finds no instance at all.
 */
export function launchOn(
  { launchType, strategy }: Capacity,
  launching: Launching,
): { readonly tasks: Task[]; readonly failures: readonly LaunchFailure[] } {
  const tasks: Task[] = []
  const failures: LaunchFailure[] = []
  const counts = new Map<string, number>()
  const full = new Set<string | undefined>()
  for (let task = 0; task < launching.count; task++) {
    const provider = strategy && providerForNext(strategy, counts)
    if (provider !== undefined) counts.set(provider, (counts.get(provider) ?? 0) + 1)
    if (launchType === 'FARGATE') {
      if (launching.admits(provider))
        tasks.push(launching.put(provider === undefined ? {} : { capacityProviderName: provider }))
      else failures.push(noFargate)
      continue
    }
    if (full.has(provider)) continue
    const placement = placeTask(launching.view, launching.request(provider))
    if ('failures' in placement) {
      full.add(provider)
      failures.push(
        ...(placement.failures.length > 0 ? placement.failures : [noCandidate(launching, provider)]),
      )
    } else
      tasks.push(
        launching.put({
          containerInstanceArn: placement.containerInstanceArn,
          ...(provider !== undefined && { capacityProviderName: provider }),
        }),
      )
  }
  return { tasks, failures }
}

/** Each task that finds no capacity is a failure of its own. */
const noFargate: LaunchFailure = {
  reason: 'RESOURCE:FARGATE',
  detail: 'Capacity is unavailable at this time. Please try again later or in a different availability zone',
}

function noCandidate({ view, cluster }: Launching, provider: string | undefined): LaunchFailure {
  if (provider === undefined) return refuse('No Container Instances were found in your cluster.')
  for (const { instance } of view.instances())
    if (instance.capacityProviderName === provider && instance.status !== 'INACTIVE')
      return { arn: capacityProviderArn(cluster, provider), reason: 'NO ACTIVE INSTANCES' }
  return { arn: capacityProviderArn(cluster, provider), reason: 'EMPTY CAPACITY PROVIDER' }
}
