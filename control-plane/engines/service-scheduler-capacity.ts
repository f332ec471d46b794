/** How a service's tasks are shared among the capacity providers of its strategy. */
import type { CapacityProviderStrategyItem, LaunchType } from '@aws-sdk/client-ecs'
import { launchTypeOf } from '#domain/capacity-provider.ts'
import { providerForNext, providerToStopFrom } from '#domain/capacity-provider-strategy.ts'
import { isStaying } from '#domain/container-instance.ts'
import { waitsForFargate } from '#domain/fargate.ts'
import type { TaskSource } from '#domain/service.ts'
import type { Task } from '#domain/task.ts'
import { findProviderType } from '#state/capacity-providers.ts'
import type { ServiceLook } from './service-scheduler-look.ts'

interface Capacity {
  readonly launchType: LaunchType
  readonly strategy?: readonly CapacityProviderStrategyItem[]
}

/** What tasks of the deployment are started on. */
export function capacityOf({ tx }: ServiceLook, deployment: TaskSource): Capacity {
  const { launchType = 'EC2', capacityProviderStrategy: strategy = [] } = deployment
  const [first] = strategy
  if (!first) return { launchType }
  const type = findProviderType(tx, deployment, first.capacityProvider ?? '')
  return { launchType: type === undefined ? 'EC2' : launchTypeOf(type), strategy }
}

/**
 * Says for one task after the other on which provider it goes, undefined where there is no strategy. Tasks that must
 * leave, because they are unhealthy or their instance is, make room for another on the same provider. The deployment is
 * counted by itself, so that a new revision has its base and its shares as the service has them.
 */
export function turnsOf(
  { tx }: ServiceLook,
  deployment: TaskSource,
  { strategy }: Capacity,
): () => string | undefined {
  if (!strategy) return () => undefined
  const staying = tx.by('task', 'deployment', deployment.deploymentId).filter((task) => {
    if (task.desiredStatus !== 'RUNNING' || task.healthStatus === 'UNHEALTHY') return false
    if (waitsForFargate(task)) return true
    const instance = tx.find('containerInstance', task.containerInstanceArn ?? '')
    return instance && isStaying(instance)
  })
  const counts = countsOf(staying)
  return () => {
    const name = providerForNext(strategy, counts)
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
    return name
  }
}

/**
 * Says for one task after the other from which provider it is to be stopped, undefined where there is no strategy.
 * `tasks` are those to choose from, all of one deployment or task set.
 */
export function stopTurnsOf(look: ServiceLook, tasks: readonly Task[]): StopTurns {
  const from = look.taskSet(tasks[0]?.deploymentId ?? '') ?? look.service
  const { capacityProviderStrategy: strategy = [] } = from
  if (strategy.length === 0) return { next: () => undefined }
  const counts = countsOf(tasks)
  return {
    partOf: nameOf,
    next: () => {
      const name = providerToStopFrom(strategy, counts)
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) - 1)
      return name
    },
  }
}

interface StopTurns {
  /** The provider of a task, where there is a strategy. */
  readonly partOf?: (task: Task) => string
  readonly next: () => string | undefined
}

/** A task that a launch type started before there was a strategy is on no provider: it counts as on one that is gone. */
const nameOf = ({ capacityProviderName = '' }: Task): string => capacityProviderName

function countsOf(tasks: readonly Task[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const task of tasks) counts.set(nameOf(task), (counts.get(nameOf(task)) ?? 0) + 1)
  return counts
}
