import type { Attribute, Resource, VersionInfo } from '@aws-sdk/client-ecs'
import type { Scope } from './arn.ts'

export interface ContainerInstance extends Scope {
  readonly containerInstanceArn: string
  readonly clusterArn: string
  /** `i-…`, or `mi-…` of an external instance; absent when the agent gave no identity. */
  readonly ec2InstanceId?: string
  readonly external: boolean
  readonly status: 'REGISTERING' | 'ACTIVE' | 'DRAINING' | 'DEREGISTERING' | 'INACTIVE'
  readonly statusReason?: string
  /** Written only by agent-gateway and instance-liveness: whether an ACS session is open. */
  readonly agentConnected: boolean
  /** When a control plane that has just started, or lost the session, gives the agent up; absent while connected. */
  readonly agentLostBy?: number
  readonly versionInfo: VersionInfo
  /** What the host has, as its agent registered it. What is free is derived from the tasks on it. */
  readonly registeredResources: readonly Resource[]
  readonly attributes: readonly Attribute[]
  readonly registeredAt: number
  readonly clientToken?: string
  /** Health of the container runtime as the agent last told it. */
  readonly runtimeHealth?: {
    readonly status: string
    readonly lastUpdated: number
    readonly lastStatusChange: number
  }
  /** Moves one way: bumped by every change that would emit an instance state change event. */
  readonly version: number
}
