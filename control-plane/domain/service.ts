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
import type { Scope } from './arn.ts'

/** What a service should be. Written by operations; the engines write only `status`, `steadyAt` and `trouble`. */
export interface Service extends Scope {
  readonly serviceArn: string
  readonly serviceName: string
  readonly clusterArn: string
  readonly status: 'ACTIVE' | 'DRAINING' | 'INACTIVE'
  readonly schedulingStrategy: SchedulingStrategy
  readonly desiredCount: number
  /** The one of the PRIMARY deployment. */
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
}

/** One rollout of a service: a revision and how far it has come. Counts of tasks are derived from the tasks. */
export interface Deployment extends Scope {
  /** `ecs-svc/` and 19 digits. */
  readonly deploymentId: string
  readonly serviceArn: string
  readonly clusterArn: string
  /** PRIMARY: what the service goes to. ACTIVE: what it comes from. INACTIVE: over, about to be removed. */
  readonly status: 'PRIMARY' | 'ACTIVE' | 'INACTIVE'
  readonly taskDefinitionArn: string
  readonly launchType?: LaunchType
  readonly capacityProviderStrategy?: readonly CapacityProviderStrategyItem[]
  readonly platformVersion?: string
  readonly networkConfiguration?: NetworkConfiguration
  readonly rolloutState: 'IN_PROGRESS' | 'COMPLETED' | 'FAILED'
  readonly rolloutStateReason: string
  /** Tasks of this deployment that failed since one last ran well. */
  readonly failedTasks: number
  /** After failed launches: no further launch before this time. */
  readonly retryAt?: number
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
