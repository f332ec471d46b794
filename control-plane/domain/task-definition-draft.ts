import type {
  ContainerDefinition,
  HealthCheck,
  PortMapping,
  RegisterTaskDefinitionRequest,
  Volume,
} from '@aws-sdk/client-ecs'
import type { Scope } from './arn.ts'
import { cpuUnitsOf, memoryMiBOf, type TaskDefinition } from './task-definition.ts'

/** A task definition before it is a revision: as sent, with AWS's defaults filled in. */
export type TaskDefinitionDraft = Omit<
  TaskDefinition,
  | keyof Scope
  | 'taskDefinitionArn'
  | 'revision'
  | 'status'
  | 'requiresAttributes'
  | 'compatibilities'
  | 'registeredAt'
  | 'registeredBy'
  | 'deregisteredAt'
  | 'deleteRequestedAt'
>

/**
 * Fills in what AWS fills in, and no more: network mode, platform and memory stay absent, empty lists stay empty lists.
 * A cpu or memory text that cannot be read stays as it is, for the rules to refuse.
 */
export function draftOf(input: RegisterTaskDefinitionRequest): TaskDefinitionDraft {
  const { networkMode } = input
  return {
    family: input.family ?? '',
    containerDefinitions: (input.containerDefinitions ?? []).map((container) =>
      filledContainer(container, networkMode),
    ),
    volumes: (input.volumes ?? []).map(filledVolume),
    placementConstraints: input.placementConstraints ?? [],
    ...(input.requiresCompatibilities && { requiresCompatibilities: input.requiresCompatibilities }),
    ...(networkMode !== undefined && { networkMode }),
    // An empty text is what scripts send that have no role.
    ...(input.taskRoleArn && { taskRoleArn: input.taskRoleArn }),
    ...(input.executionRoleArn && { executionRoleArn: input.executionRoleArn }),
    ...(input.cpu !== undefined && { cpu: String(cpuUnitsOf(input.cpu) ?? input.cpu) }),
    ...(input.memory !== undefined && { memory: String(memoryMiBOf(input.memory) ?? input.memory) }),
    ...(input.pidMode !== undefined && { pidMode: input.pidMode }),
    ...(input.ipcMode !== undefined && { ipcMode: input.ipcMode }),
    ...(input.proxyConfiguration && { proxyConfiguration: input.proxyConfiguration }),
    ...(input.runtimePlatform && { runtimePlatform: input.runtimePlatform }),
    ...(input.ephemeralStorage && { ephemeralStorage: input.ephemeralStorage }),
    enableFaultInjection: input.enableFaultInjection ?? false,
  }
}

function filledContainer(
  container: ContainerDefinition,
  networkMode: RegisterTaskDefinitionRequest['networkMode'],
): ContainerDefinition {
  return {
    ...container,
    cpu: container.cpu ?? 0,
    portMappings: (container.portMappings ?? []).map((mapping) => filledPortMapping(mapping, networkMode)),
    essential: container.essential ?? true,
    environment: container.environment ?? [],
    mountPoints: container.mountPoints ?? [],
    volumesFrom: container.volumesFrom ?? [],
    systemControls: container.systemControls ?? [],
    ...(container.healthCheck && { healthCheck: filledHealthCheck(container.healthCheck) }),
  }
}

function filledPortMapping(
  mapping: PortMapping,
  networkMode: RegisterTaskDefinitionRequest['networkMode'],
): PortMapping {
  // AWS takes whatever else is said here for tcp.
  const protocol = mapping.protocol === 'udp' ? 'udp' : 'tcp'
  if (mapping.containerPortRange !== undefined) return { ...mapping, protocol }
  const same = networkMode === 'awsvpc' || networkMode === 'host'
  const hostPort = same ? mapping.hostPort || mapping.containerPort : (mapping.hostPort ?? 0)
  return { ...mapping, ...(hostPort !== undefined && { hostPort }), protocol }
}

function filledHealthCheck(healthCheck: HealthCheck): HealthCheck {
  return {
    ...healthCheck,
    interval: healthCheck.interval ?? 30,
    timeout: healthCheck.timeout ?? 5,
    retries: healthCheck.retries ?? 3,
  }
}

function filledVolume(volume: Volume): Volume {
  if (volume.efsVolumeConfiguration) {
    const { rootDirectory = '/' } = volume.efsVolumeConfiguration
    return { ...volume, efsVolumeConfiguration: { ...volume.efsVolumeConfiguration, rootDirectory } }
  }
  const { name: _, configuredAtLaunch = false, ...kinds } = volume
  const none = !configuredAtLaunch && Object.values(kinds).every((kind) => kind === undefined)
  return none ? { ...volume, host: {} } : volume
}
