import type { LaunchType, NetworkBinding, TaskOverride, TaskStopCode } from '@aws-sdk/client-ecs'
import type { Scope } from './arn.ts'
import type { Demand } from './resources.ts'

/** The states a task passes through, in order. A task never goes back: a stopped task is replaced, not restarted. */
export const taskStatuses = [
  'PROVISIONING',
  'PENDING',
  'ACTIVATING',
  'RUNNING',
  'DEACTIVATING',
  'STOPPING',
  'DEPROVISIONING',
  'STOPPED',
] as const
export type TaskStatus = (typeof taskStatuses)[number]
export type ContainerStatus = 'PENDING' | 'RUNNING' | 'STOPPED'
export type DesiredStatus = 'RUNNING' | 'STOPPED'
export type HealthStatus = 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN'

/** A container of a task, as its agent reports it. */
export interface TaskContainer {
  readonly containerArn: string
  readonly name: string
  readonly image: string
  readonly imageDigest?: string
  readonly runtimeId?: string
  readonly lastStatus: ContainerStatus
  readonly exitCode?: number
  readonly reason?: string
  readonly networkBindings: readonly NetworkBinding[]
  readonly healthStatus: HealthStatus
  /** As shown: CPU units, MiB. */
  readonly cpu: string
  readonly memory?: string
  readonly memoryReservation?: string
}

export interface Task extends Scope {
  readonly taskArn: string
  readonly clusterArn: string
  readonly taskDefinitionArn: string
  /** Set once, by placement: a task runs there or stops. Absent while PROVISIONING waits for an instance. */
  readonly containerInstanceArn?: string
  readonly availabilityZone?: string
  /** `service:NAME`, `family:NAME` or what the caller said. */
  readonly group: string
  readonly startedBy?: string
  /** Set when a service started it; it belongs to that deployment for life. */
  readonly serviceArn?: string
  readonly deploymentId?: string
  readonly launchType: LaunchType
  readonly capacityProviderName?: string
  readonly platformVersion?: string
  readonly platformFamily?: string
  readonly enableExecuteCommand: boolean
  readonly cpuArchitecture: 'x86_64' | 'arm64'
  /** As shown; the sum that counts is in `demand`. */
  readonly cpu: string
  readonly memory: string
  readonly demand: Demand
  readonly overrides: TaskOverride

  /** Written by operations and engines, and only from RUNNING to STOPPED, together with the next four. */
  readonly desiredStatus: DesiredStatus
  readonly stopCode?: TaskStopCode
  readonly stoppedReason?: string
  readonly stoppingAt?: number
  /** The agent is asked to stop the task; when it never answers, its instance is gone: see instance-liveness. */

  /** Written from what the agent reports, by `observe*` below; never goes back. */
  readonly lastStatus: TaskStatus
  readonly containers: readonly TaskContainer[]
  readonly healthStatus: HealthStatus
  readonly pullStartedAt?: number
  readonly pullStoppedAt?: number
  readonly startedAt?: number
  readonly executionStoppedAt?: number
  readonly stoppedAt?: number

  readonly connectivity: 'CONNECTED' | 'DISCONNECTED'
  readonly connectivityAt?: number
  readonly createdAt: number
  /** Moves one way: +1 with every change that would emit a task state change event. */
  readonly version: number
}
