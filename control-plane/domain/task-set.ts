/** Task sets: how a deployment controller other than ECS divides a service among revisions. */
import type {
  CapacityProviderStrategyItem,
  LaunchType,
  LoadBalancer,
  NetworkConfiguration,
  ServiceRegistry,
  StabilityStatus,
} from '@aws-sdk/client-ecs'
import { formatArn, type Scope } from './arn.ts'
import type { ContainerInstance } from './container-instance.ts'
import type { Service, TaskSource } from './service.ts'
import { countTasks } from './task-counts.ts'
import type { Task } from './task.ts'

/** A part of a service that runs one revision. Its tasks name it as their deployment. */
export interface TaskSet extends Scope {
  readonly taskSetArn: string
  /** `ecs-svc/` and 19 digits. */
  readonly id: string
  readonly serviceArn: string
  readonly clusterArn: string
  /** PRIMARY: the one that serves. DRAINING: deleted, its tasks are being stopped. */
  readonly status: 'PRIMARY' | 'ACTIVE' | 'DRAINING'
  readonly taskDefinitionArn: string
  /** How much of the service's desired count it runs, in percent. */
  readonly scalePercent: number
  readonly launchType?: LaunchType
  readonly capacityProviderStrategy?: readonly CapacityProviderStrategyItem[]
  readonly platformVersion?: string
  readonly networkConfiguration?: NetworkConfiguration
  readonly loadBalancers: readonly LoadBalancer[]
  readonly serviceRegistries: readonly ServiceRegistry[]
  readonly externalId?: string
  /** How its launches go: as of a deployment. Absent: nothing has gone wrong. */
  readonly launches?: LaunchState
  /** What the scheduler saw last, and since when. */
  readonly stability?: { readonly status: StabilityStatus; readonly at: number }
  readonly createdAt: number
  readonly updatedAt: number
}

type LaunchState = Pick<TaskSource, 'failedTasks' | 'retry' | 'retryAt' | 'healthyTasks'>

/** The task set as what tasks are started by. */
export function sourceOf({ id, launches, ...taskSet }: TaskSet): TaskSource {
  const { accountId, region, taskDefinitionArn } = taskSet
  const { launchType, capacityProviderStrategy, platformVersion, networkConfiguration } = taskSet
  return {
    accountId,
    region,
    deploymentId: id,
    taskDefinitionArn,
    ...(launchType !== undefined && { launchType }),
    ...(capacityProviderStrategy !== undefined && { capacityProviderStrategy }),
    ...(platformVersion !== undefined && { platformVersion }),
    ...(networkConfiguration !== undefined && { networkConfiguration }),
    failedTasks: 0,
    ...launches,
  }
}

/** The task set with how launches have gone. */
export function withLaunches(taskSet: TaskSet, source: LaunchState): TaskSet {
  const { failedTasks, retry, retryAt, healthyTasks } = source
  const launches = {
    failedTasks,
    ...(retry !== undefined && { retry }),
    ...(retryAt !== undefined && { retryAt }),
    ...(healthyTasks !== undefined && { healthyTasks }),
  }
  return { ...taskSet, launches }
}

/** Where a task set of that id is in a service, whether there is one or not. */
export function taskSetArnOf(
  scope: Scope,
  { clusterName, serviceName }: { readonly clusterName: string; readonly serviceName: string },
  id: string,
): string {
  return formatArn(scope, 'ecs', `task-set/${clusterName}/${serviceName}/${id}`)
}

/** How many tasks a task set is to run: its share, rounded up. One that drains runs none. */
export function computedDesiredCount(
  { status, scalePercent }: Pick<TaskSet, 'status' | 'scalePercent'>,
  desiredCount: number,
): number {
  // Tenths of a percent may not be exact in binary: what is a whole number but for that is not rounded up.
  return status === 'DRAINING' ? 0 : Math.ceil(Number(((desiredCount * scalePercent) / 100).toFixed(6)))
}

/**
 * Whether a task set has come to rest: it runs what it should, nothing is pending, and no task is unhealthy or on an
 * instance that drains.
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskSet.html
 */
export function stabilityOf(
  computed: number,
  tasks: readonly Task[],
  instanceOf: (containerInstanceArn: string) => ContainerInstance | undefined,
): StabilityStatus {
  const { runningCount, pendingCount } = countTasks(tasks)
  const settled = tasks.every(
    ({ lastStatus, healthStatus, containerInstanceArn }) =>
      lastStatus !== 'RUNNING' ||
      (healthStatus !== 'UNHEALTHY' && instanceOf(containerInstanceArn ?? '')?.status !== 'DRAINING'),
  )
  return runningCount === computed && pendingCount === 0 && settled ? 'STEADY_STATE' : 'STABILIZING'
}

/** The service with what its primary task set says of how its tasks are run. */
export function withPrimary(service: Service, taskSet: TaskSet): Service {
  const {
    launchType: _launchType,
    capacityProviderStrategy: _strategy,
    platformVersion: _platform,
    networkConfiguration: _network,
    ...others
  } = service
  const { launchType, capacityProviderStrategy, platformVersion, networkConfiguration } = taskSet
  return {
    ...others,
    taskDefinitionArn: taskSet.taskDefinitionArn,
    ...(launchType !== undefined && { launchType }),
    ...(capacityProviderStrategy !== undefined && { capacityProviderStrategy }),
    ...(platformVersion !== undefined && { platformVersion }),
    ...(networkConfiguration !== undefined && { networkConfiguration }),
    loadBalancers: taskSet.loadBalancers,
    serviceRegistries: taskSet.serviceRegistries,
  }
}
