import type { TaskDefinition as ShownTaskDefinition } from '@aws-sdk/client-ecs'
import type { TaskDefinition } from '#domain/task-definition.ts'

export function showTaskDefinition(row: TaskDefinition): ShownTaskDefinition {
  return {
    taskDefinitionArn: row.taskDefinitionArn,
    containerDefinitions: [...row.containerDefinitions],
    family: row.family,
    ...(row.taskRoleArn !== undefined && { taskRoleArn: row.taskRoleArn }),
    ...(row.executionRoleArn !== undefined && { executionRoleArn: row.executionRoleArn }),
    ...(row.networkMode !== undefined && { networkMode: row.networkMode }),
    revision: row.revision,
    volumes: [...row.volumes],
    status: row.status,
    requiresAttributes: row.requiresAttributes.map((name) => ({ name })),
    placementConstraints: [...row.placementConstraints],
    compatibilities: [...row.compatibilities],
    ...(row.runtimePlatform && { runtimePlatform: row.runtimePlatform }),
    ...(row.requiresCompatibilities && { requiresCompatibilities: [...row.requiresCompatibilities] }),
    ...(row.cpu !== undefined && { cpu: row.cpu }),
    ...(row.memory !== undefined && { memory: row.memory }),
    ...(row.pidMode !== undefined && { pidMode: row.pidMode }),
    ...(row.ipcMode !== undefined && { ipcMode: row.ipcMode }),
    ...(row.proxyConfiguration && { proxyConfiguration: row.proxyConfiguration }),
    ...(row.ephemeralStorage && { ephemeralStorage: row.ephemeralStorage }),
    registeredAt: new Date(row.registeredAt),
    ...(row.deregisteredAt !== undefined && { deregisteredAt: new Date(row.deregisteredAt) }),
    ...(row.deleteRequestedAt !== undefined && { deleteRequestedAt: new Date(row.deleteRequestedAt) }),
    registeredBy: row.registeredBy,
    enableFaultInjection: row.enableFaultInjection,
  }
}
