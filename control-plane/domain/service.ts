import type {
  CapacityProviderStrategyItem,
  DeploymentConfiguration,
  DeploymentController,
  LaunchType,
  LoadBalancer,
  NetworkConfiguration,
  PlacementConstraint,
  PlacementStrategy,
  PropagateTags,
  ServiceConnectConfiguration,
  ServiceRegistry,
  ServiceVolumeConfiguration,
  SchedulingStrategy,
} from '@aws-sdk/client-ecs'
import type { Ids } from '@berth/std/id.ts'
import type { Scope } from './arn.ts'

/** What a service should be. Written by operations; the engines write only `status`, `steadyAt` and `trouble`. */
export interface Service extends Scope {
  readonly serviceArn: string
  readonly serviceName: string
  readonly clusterArn: string
  readonly status: 'ACTIVE' | 'DRAINING' | 'INACTIVE'
  readonly schedulingStrategy: SchedulingStrategy
  readonly desiredCount: number
  /** The one of the PRIMARY deployment or task set; empty while an EXTERNAL service has no primary task set. */
  readonly taskDefinitionArn: string
  readonly launchType?: LaunchType
  readonly capacityProviderStrategy?: readonly CapacityProviderStrategyItem[]
  readonly platformVersion?: string
  readonly deploymentController?: DeploymentController
  readonly deploymentConfiguration: DeploymentConfiguration
  readonly placementConstraints: readonly PlacementConstraint[]
  readonly placementStrategy: readonly PlacementStrategy[]
  readonly availabilityZoneRebalancing: 'ENABLED' | 'DISABLED'
  readonly networkConfiguration?: NetworkConfiguration
  readonly loadBalancers: readonly LoadBalancer[]
  readonly serviceRegistries: readonly ServiceRegistry[]
  readonly serviceConnectConfiguration?: ServiceConnectConfiguration
  readonly volumeConfigurations?: readonly ServiceVolumeConfiguration[]
  readonly healthCheckGracePeriodSeconds?: number
  readonly propagateTags: PropagateTags
  readonly enableECSManagedTags: boolean
  readonly enableExecuteCommand: boolean
  readonly roleArn?: string
  readonly createdAt: number
  readonly createdBy: string
  readonly clientToken?: string
  /** When the scheduler last said "has reached a steady state"; absent while it has not since the last change. */
  readonly steadyAt?: number
  /** The last trouble said in an event, so that it is not said again until its cause clears or six hours pass. */
  readonly trouble?: { readonly message: string; readonly at: number }
  /** Tasks are being moved between Availability Zones; absent: there is nothing to even out. */
  readonly rebalancing?: Rebalancing
  /** When the last task of a deleted service stopped; an hour later it is forgotten. */
  readonly inactiveAt?: number
}

export interface Rebalancing {
  /** What it began with: another deployment or desired count ends it. */
  readonly deploymentId: string
  readonly desiredCount: number
  /** Started beyond the desired count, for as many to be stopped elsewhere; none once those have been. */
  readonly tasks: readonly string[]
  /** It was given up, and is not tried again before. */
  readonly pausedUntil?: number
}

/** What a service's tasks are started by, and name as their deployment: a deployment, or a task set. */
export interface TaskSource extends Scope {
  /** `ecs-svc/` and 19 digits. */
  readonly deploymentId: string
  readonly taskDefinitionArn: string
  readonly launchType?: LaunchType
  readonly capacityProviderStrategy?: readonly CapacityProviderStrategyItem[]
  readonly platformVersion?: string
  readonly networkConfiguration?: NetworkConfiguration
  /** Its tasks that failed since one last ran well. */
  readonly failedTasks: number
  /** After failed launches: no further launch before this time. */
  readonly retryAt?: number
  /** Why the last launches went wrong and how many in a row: sets the next delay. Freed capacity ends a wait for PLACEMENT. */
  readonly retry?: { readonly cause: 'PLACEMENT' | 'TASKS'; readonly attempts: number }
  /** How many of its tasks were healthy at the scheduler's last look: more than that ends a row of failed tasks. */
  readonly healthyTasks?: number
}

/** One rollout of a service: a revision and how far it has come. Counts of tasks are derived from the tasks. */
export interface Deployment extends TaskSource {
  readonly serviceArn: string
  readonly clusterArn: string
  /** PRIMARY: what the service goes to. ACTIVE: what it comes from. INACTIVE: over, about to be removed. */
  readonly status: 'PRIMARY' | 'ACTIVE' | 'INACTIVE'
  readonly rolloutState: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED'
  readonly rolloutStateReason: string
  /** What it rolls out, and the service deployment it is part of; journals of older versions lack both. */
  readonly serviceRevisionArn?: string
  readonly serviceDeploymentArn?: string
  readonly createdAt: number
  readonly updatedAt: number
}

/** A line of a service's history; the newest hundred are kept. */
export interface ServiceEvent {
  readonly serviceArn: string
  /** Counts up within a service. */
  readonly sequence: number
  readonly id: string
  readonly createdAt: number
  readonly message: string
}

/** Who deploys the service; ECS itself unless it says otherwise. */
export function controllerOf({ deploymentController }: Pick<Service, 'deploymentController'>): string {
  return deploymentController?.type ?? 'ECS'
}

/** A rollout that takes a service to what it now says it should be. The one before must become ACTIVE with it. */
export function newDeployment(service: Service, { ids, now }: { ids: Ids; now: number }): Deployment {
  const deploymentId = `ecs-svc/${ids.digits(19)}`
  const { launchType, capacityProviderStrategy, platformVersion, networkConfiguration } = service
  return {
    accountId: service.accountId,
    region: service.region,
    deploymentId,
    serviceArn: service.serviceArn,
    clusterArn: service.clusterArn,
    status: 'PRIMARY',
    taskDefinitionArn: service.taskDefinitionArn,
    ...(launchType !== undefined && { launchType }),
    ...(capacityProviderStrategy !== undefined && { capacityProviderStrategy }),
    ...(platformVersion !== undefined && { platformVersion }),
    ...(networkConfiguration !== undefined && { networkConfiguration }),
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: `ECS deployment ${deploymentId} in progress.`,
    failedTasks: 0,
    createdAt: now,
    updatedAt: now,
  }
}

/** A deployment configuration with nothing left out: what is given, else what stands, else AWS's defaults. */
export function completeDeploymentConfiguration(
  given: DeploymentConfiguration = {},
  standing: DeploymentConfiguration = {},
): DeploymentConfiguration {
  // What belongs to another strategy goes with it.
  const { linearConfiguration, canaryConfiguration, ...others } = standing
  const strategy = given.strategy ?? standing.strategy ?? 'ROLLING'
  return {
    deploymentCircuitBreaker: { enable: false, rollback: false },
    maximumPercent: 200,
    minimumHealthyPercent: 100,
    bakeTimeInMinutes: 0,
    ...others,
    ...given,
    ...(strategy === 'LINEAR' && {
      linearConfiguration: {
        stepPercent: 10,
        stepBakeTimeInMinutes: 6,
        ...linearConfiguration,
        ...given.linearConfiguration,
      },
    }),
    ...(strategy === 'CANARY' && {
      canaryConfiguration: {
        canaryPercent: 5,
        canaryBakeTimeInMinutes: 10,
        ...canaryConfiguration,
        ...given.canaryConfiguration,
      },
    }),
    strategy,
  }
}

/**
 * Why Availability Zone rebalancing cannot serve such a service, in words that go on from "Availability Zone Rebalancing";
 * undefined when it can. Those of the scheduling strategy, the placement strategy and the percentage are AWS's.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-rebalancing.html
 */
export function rebalancingObstacle(
  service: Pick<
    Service,
    | 'schedulingStrategy'
    | 'launchType'
    | 'loadBalancers'
    | 'placementStrategy'
    | 'placementConstraints'
    | 'deploymentConfiguration'
  >,
): string | undefined {
  const zone = 'attribute:ecs.availability-zone'
  const [first] = service.placementStrategy
  if (service.schedulingStrategy === 'DAEMON')
    return 'does not support DAEMON as scheduling strategy. Update scheduling strategy and try again.'
  if (service.launchType === 'EXTERNAL') return 'does not support EXTERNAL as launch type.'
  if (service.loadBalancers.some(({ loadBalancerName }) => loadBalancerName !== undefined))
    return 'does not support Classic Load Balancers.'
  if (first && !(first.type === 'spread' && first.field === zone))
    return 'only supports availability zone spread as task placement strategy.'
  if ((service.deploymentConfiguration.maximumPercent ?? 200) <= 100)
    return 'does not support maximumPercent <= 100 % as deployment configuration.'
  if (service.placementConstraints.some(({ expression }) => expression?.includes(zone)))
    return `does not support ${zone} as task placement constraint.`
  return undefined
}

/**
 * The members of which a change starts a new deployment, and which revisions record; the others bear on tasks launched
 * later.
 */
export const deployedMembers = [
  'taskDefinitionArn',
  'networkConfiguration',
  'platformVersion',
  'loadBalancers',
  'serviceRegistries',
  'serviceConnectConfiguration',
  'volumeConfigurations',
] as const

/** Whether an update of a service needs a new deployment. Identical values do not. */
export function needsDeployment(before: Service, after: Service): boolean {
  return deployedMembers.some((member) => JSON.stringify(before[member]) !== JSON.stringify(after[member]))
}
