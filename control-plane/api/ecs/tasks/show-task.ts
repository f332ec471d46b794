import type { Container, Task as TaskShape } from '@aws-sdk/client-ecs'
import type { Task, TaskContainer } from '#domain/task.ts'
import type { View } from '#state/store.ts'
import { showTags } from '#api/ecs/tag.ts'

/**
 * A task as AWS shows it; its tags only where they are asked for, from `tagsFrom`, else an empty list. What it does not
 * have is undefined, and so is not sent.
 */
export function showTask(task: Task, tagsFrom?: View): TaskShape {
  return {
    attachments: [],
    attributes: [{ name: 'ecs.cpu-architecture', value: task.cpuArchitecture }],
    availabilityZone: task.availabilityZone,
    capacityProviderName: task.capacityProviderName,
    clusterArn: task.clusterArn,
    connectivity: task.connectivityAt === undefined ? undefined : task.connectivity,
    connectivityAt: dateOf(task.connectivityAt),
    containerInstanceArn: task.containerInstanceArn,
    containers: task.containers.map((container) => showContainer(task, container)),
    cpu: task.cpu,
    createdAt: dateOf(task.createdAt),
    desiredStatus: task.desiredStatus,
    enableExecuteCommand: task.enableExecuteCommand,
    executionStoppedAt: dateOf(task.executionStoppedAt),
    group: task.group,
    healthStatus: task.healthStatus,
    lastStatus: task.lastStatus,
    launchType: task.launchType,
    memory: task.memory,
    overrides: task.overrides,
    platformFamily: task.platformFamily,
    platformVersion: task.platformVersion,
    pullStartedAt: dateOf(task.pullStartedAt),
    pullStoppedAt: dateOf(task.pullStoppedAt),
    startedAt: dateOf(task.startedAt),
    startedBy: task.startedBy,
    stopCode: task.stopCode,
    stoppedAt: dateOf(task.stoppedAt),
    stoppedReason: task.stoppedReason,
    stoppingAt: dateOf(task.stoppingAt),
    tags: tagsFrom ? showTags(tagsFrom, task.taskArn) : [],
    taskArn: task.taskArn,
    taskDefinitionArn: task.taskDefinitionArn,
    version: task.version,
  }
}

function dateOf(timeMs: number | undefined): Date | undefined {
  return timeMs === undefined ? undefined : new Date(timeMs)
}

function showContainer(task: Task, container: TaskContainer): Container {
  return {
    containerArn: container.containerArn,
    taskArn: task.taskArn,
    name: container.name,
    image: container.image,
    imageDigest: container.imageDigest,
    runtimeId: container.runtimeId,
    lastStatus: container.lastStatus,
    exitCode: container.exitCode,
    reason: container.reason,
    networkBindings: [...container.networkBindings],
    networkInterfaces: [],
    healthStatus: container.healthStatus,
    cpu: container.cpu,
    memory: container.memory,
    memoryReservation: container.memoryReservation,
    // The one of ECS Exec. No agent runs it yet, so that it is waited for as long as its container lives.
    managedAgents: task.enableExecuteCommand
      ? [
          {
            name: 'ExecuteCommandAgent',
            lastStatus: container.lastStatus === 'STOPPED' ? 'STOPPED' : 'PENDING',
          },
        ]
      : undefined,
  }
}
