import type { Attribute, Resource, VersionInfo } from '@aws-sdk/client-ecs'
import type { Scope } from './arn.ts'

export interface ContainerInstance extends Scope {
  readonly containerInstanceArn: string
  readonly clusterArn: string
  /** `i-…`, or `mi-…` of an external instance; absent when the agent gave no identity. */
  readonly ec2InstanceId?: string
  readonly external: boolean
  /** The capacity provider it belongs to; absent when to none. */
  readonly capacityProviderName?: string
  /** It is a managed instance: only strategies of its provider bring tasks there, launch types do not. */
  readonly managed?: true
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
  /** How many tasks with a network interface of their own it takes; absent: what it registered as ENI, else any number. */
  readonly taskInterfacesMax?: number
  readonly registeredAt: number
  /** When it became INACTIVE; it is forgotten an hour later. */
  readonly inactiveAt?: number
  readonly clientToken?: string
  /** The control plane as its agent reached it, where that is not as embedded instances do. */
  readonly controlPlaneUrl?: string
  /** Health of the container runtime as the agent last told it. */
  readonly runtimeHealth?: {
    readonly status: string
    readonly lastUpdated: number
    readonly lastStatusChange: number
  }
  /** Moves one way: bumped by every change that would emit an instance state change event. */
  readonly version: number
}

/** Whether its tasks may stay on it: it is neither drained nor gone. */
export function isStaying({ status }: ContainerInstance): boolean {
  return status === 'ACTIVE' || status === 'REGISTERING'
}

/** The row once its agent has opened a session. Always a new row, so that whoever has something to tell it wakes. */
export function observeAgentConnected(
  instance: ContainerInstance,
  versionInfo: VersionInfo,
): ContainerInstance {
  const { agentLostBy: _, ...rest } = instance
  const same =
    instance.agentConnected &&
    instance.versionInfo.agentVersion === versionInfo.agentVersion &&
    instance.versionInfo.agentHash === versionInfo.agentHash &&
    instance.versionInfo.dockerVersion === versionInfo.dockerVersion
  return { ...rest, agentConnected: true, versionInfo, version: instance.version + (same ? 0 : 1) }
}

/**
 * The row once its agent's session is gone. The agent counts as connected until `lostBy`, because agents change
 * their connection all the time; instance-liveness gives it up then. That of a deregistered instance is not expected back.
 */
export function observeAgentLost(instance: ContainerInstance, lostBy: number): ContainerInstance {
  if (!instance.agentConnected) return instance
  if (instance.status !== 'INACTIVE') return { ...instance, agentLostBy: lostBy }
  const { agentLostBy: _, ...rest } = instance
  return { ...rest, agentConnected: false, version: instance.version + 1 }
}

/** How old the time of the last look at the runtime may be before a look that changed nothing is written. */
const runtimeHealthAgeMsMax = 300_000

/** The row after its agent told the health of the container runtime. No event carries it, so the version stays. */
export function observeRuntimeHealth(
  instance: ContainerInstance,
  health: NonNullable<ContainerInstance['runtimeHealth']>,
): ContainerInstance {
  const known = instance.runtimeHealth
  const same =
    known?.status === health.status &&
    known.lastStatusChange === health.lastStatusChange &&
    health.lastUpdated - known.lastUpdated < runtimeHealthAgeMsMax
  return same ? instance : { ...instance, runtimeHealth: health }
}
