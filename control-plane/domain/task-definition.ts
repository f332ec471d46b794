import type {
  Compatibility,
  ContainerDefinition,
  ContainerOverride,
  EphemeralStorage,
  IpcMode,
  NetworkMode,
  PidMode,
  ProxyConfiguration,
  RuntimePlatform,
  TaskDefinitionPlacementConstraint,
  TaskOverride,
  Volume,
} from '@aws-sdk/client-ecs'
import type { Scope } from './arn.ts'
import { gpuCountOf } from './gpus.ts'
import type { Demand, HostPort } from './resources.ts'

/** One revision of a family. The nested shapes are AWS's own, with its defaults already filled in. */
export interface TaskDefinition extends Scope {
  readonly taskDefinitionArn: string
  /** It stands for a daemon task definition, under whose ARN it is found and nowhere else. */
  readonly daemon?: true
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

/** CPU units that a task size says: `512`, `.5 vCPU`, `1 vcpu`; undefined when it cannot be read. */
export function cpuUnitsOf(text: string): number | undefined {
  return quantityOf(text, /^(\d*\.?\d+)\s*vcpu$/i)
}

/** MiB that a task size says: `512`, `.5 GB`, `2gb`; undefined when it cannot be read. */
export function memoryMiBOf(text: string): number | undefined {
  return quantityOf(text, /^(\d*\.?\d+)\s*gb$/i)
}

function quantityOf(text: string, inThousands: RegExp): number | undefined {
  const said = text.trim()
  if (/^\d+$/.test(said)) return Number(said)
  const large = inThousands.exec(said)?.[1]
  const small = large === undefined ? undefined : Number(large) * 1024
  return Number.isInteger(small) ? small : undefined
}

/**
 * What a task of this definition takes from its instance. Task size where it is given, else what the containers ask
 * for; of memory the reservation where there is one. Static host ports count in bridge and host mode only: with awsvpc
 * the task has an address of its own.
 */
export function demandOf(
  taskDefinition: Pick<TaskDefinition, 'containerDefinitions' | 'cpu' | 'memory' | 'networkMode'>,
  overrides: TaskOverride = {},
): Demand {
  const containers = taskDefinition.containerDefinitions.map((container) => ({
    ...container,
    ...given(overrides.containerOverrides?.find(({ name }) => name === container.name)),
  }))
  const cpu = overrides.cpu ?? taskDefinition.cpu
  const memory = overrides.memory ?? taskDefinition.memory
  return {
    cpu: cpu === undefined ? sum(containers.map((container) => container.cpu ?? 0)) : (cpuUnitsOf(cpu) ?? 0),
    memoryMiB:
      memory === undefined
        ? sum(containers.map((container) => container.memoryReservation ?? container.memory ?? 0))
        : (memoryMiBOf(memory) ?? 0),
    ports: holdsHostPorts(taskDefinition.networkMode) ? containers.flatMap(staticPorts) : [],
    gpu: sum(containers.map(gpuCountOf)),
    // Each task of this mode has a network interface of its own.
    ...(taskDefinition.networkMode === 'awsvpc' && { eni: 1 }),
  }
}

/** What of an override bears on a container's demand, without the members it leaves alone. */
function given(
  override: ContainerOverride = {},
): Pick<ContainerDefinition, 'cpu' | 'memory' | 'memoryReservation' | 'resourceRequirements'> {
  const { cpu, memory, memoryReservation, resourceRequirements } = override
  return {
    ...(cpu !== undefined && { cpu }),
    ...(memory !== undefined && { memory }),
    ...(memoryReservation !== undefined && { memoryReservation }),
    ...(resourceRequirements !== undefined && { resourceRequirements }),
  }
}

function holdsHostPorts(networkMode: NetworkMode | undefined): boolean {
  return networkMode === undefined || networkMode === 'bridge' || networkMode === 'host'
}

function staticPorts({ portMappings = [] }: Pick<ContainerDefinition, 'portMappings'>): HostPort[] {
  return portMappings
    .filter(({ hostPort = 0 }) => hostPort > 0)
    .map(({ hostPort = 0, protocol = 'tcp' }) => ({ protocol, port: hostPort }))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
