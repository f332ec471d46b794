import type {
  ContainerInstance as ShownContainerInstance,
  ContainerInstanceField,
  ContainerInstanceHealthStatus,
  InstanceHealthCheckState,
} from '@aws-sdk/client-ecs'
import type { Context } from '#api/operation.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { View } from '#state/store.ts'
import { showTags } from '#api/ecs/tag.ts'

export function showContainerInstance(
  view: View,
  { fleet }: Pick<Context, 'fleet'>,
  row: ContainerInstance,
  include: readonly ContainerInstanceField[] = [],
): ShownContainerInstance {
  const { containerInstanceArn } = row
  const { runningTasksCount, pendingTasksCount } = fleet.counts(containerInstanceArn)
  return {
    containerInstanceArn,
    ...(row.ec2InstanceId !== undefined && { ec2InstanceId: row.ec2InstanceId }),
    ...(row.capacityProviderName !== undefined && { capacityProviderName: row.capacityProviderName }),
    version: row.version,
    versionInfo: { ...row.versionInfo },
    remainingResources: fleet.remainingResources(containerInstanceArn),
    registeredResources: row.registeredResources.map((resource) => ({ ...resource })),
    status: row.status,
    ...(row.statusReason !== undefined && { statusReason: row.statusReason }),
    agentConnected: row.agentConnected,
    runningTasksCount,
    pendingTasksCount,
    attributes: row.attributes.map(({ name, value }) => ({
      name,
      ...(value !== undefined && { value }),
    })),
    registeredAt: new Date(row.registeredAt),
    attachments: [],
    tags: include.includes('TAGS') ? showTags(view, containerInstanceArn) : [],
    ...(include.includes('CONTAINER_INSTANCE_HEALTH') && { healthStatus: health(row) }),
  }
}

const healthStates: ReadonlySet<string> = new Set<InstanceHealthCheckState>([
  'OK',
  'IMPAIRED',
  'INITIALIZING',
  'INSUFFICIENT_DATA',
])

function health({ runtimeHealth }: ContainerInstance): ContainerInstanceHealthStatus {
  if (!runtimeHealth || !healthStates.has(runtimeHealth.status))
    return { overallStatus: 'INSUFFICIENT_DATA', details: [] }
  const status = runtimeHealth.status as InstanceHealthCheckState
  return {
    overallStatus: status,
    details: [
      {
        type: 'CONTAINER_RUNTIME',
        status,
        lastUpdated: new Date(runtimeHealth.lastUpdated),
        lastStatusChange: new Date(runtimeHealth.lastStatusChange),
      },
    ],
  }
}
