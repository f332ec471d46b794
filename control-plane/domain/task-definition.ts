import type {
  Compatibility,
  ContainerDefinition,
  EphemeralStorage,
  IpcMode,
  NetworkMode,
  PidMode,
  ProxyConfiguration,
  RuntimePlatform,
  TaskDefinitionPlacementConstraint,
  Volume,
} from '@aws-sdk/client-ecs'
import type { Scope } from './arn.ts'

/** One revision of a family. The nested shapes are AWS's own, with its defaults already filled in. */
export interface TaskDefinition extends Scope {
  readonly taskDefinitionArn: string
  readonly family: string
  readonly revision: number
  readonly status: 'ACTIVE' | 'INACTIVE' | 'DELETE_IN_PROGRESS'
  readonly containerDefinitions: readonly ContainerDefinition[]
  readonly volumes: readonly Volume[]
  readonly placementConstraints: readonly TaskDefinitionPlacementConstraint[]
  readonly requiresAttributes: readonly string[]
  readonly compatibilities: readonly Compatibility[]
  readonly requiresCompatibilities?: readonly Compatibility[]
  readonly networkMode?: NetworkMode
  readonly taskRoleArn?: string
  readonly executionRoleArn?: string
  /** CPU units as AWS shows them: a decimal string. */
  readonly cpu?: string
  /** MiB as AWS shows them: a decimal string. */
  readonly memory?: string
  readonly pidMode?: PidMode
  readonly ipcMode?: IpcMode
  readonly proxyConfiguration?: ProxyConfiguration
  readonly runtimePlatform?: RuntimePlatform
  readonly ephemeralStorage?: EphemeralStorage
  readonly enableFaultInjection: boolean
  readonly registeredAt: number
  readonly registeredBy: string
  readonly deregisteredAt?: number
  readonly deleteRequestedAt?: number
}

/** Remembers the highest revision a family ever had, so that no number is used twice. */
export interface TaskDefinitionFamily extends Scope {
  readonly family: string
  readonly lastRevision: number
}
