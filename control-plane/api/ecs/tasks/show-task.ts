import type { Container, ManagedAgent, Task as TaskShape } from '@aws-sdk/client-ecs'
import { executeCommandAgent } from '#domain/managed-agent.ts'
import { attachmentDetail } from '#domain/network-interface.ts'
import type { Task, TaskContainer } from '#domain/task.ts'
import type { View } from '#state/store.ts'
import { showTags } from '#api/ecs/tag.ts'

/**
 * A task as AWS shows it; its tags only where they are asked for, from `tagsFrom`, else an empty list. What it does not
 * have is undefined, and so is not sent.
 */
export function showTask(task: Task, tagsFrom?: View): TaskShape {
  const { ephemeralStorageGiB } = task
  const storage = ephemeralStorageGiB === undefined ? undefined : { sizeInGiB: ephemeralStorageGiB }
  return {
    attachments: (task.attachments ?? []).map(({ details, ...attachment }) => ({
      ...attachment,
      details: [...details],
    })),
    attributes: [{ name: 'ecs.cpu-architecture', value: task.cpuArchitecture }],
    availabilityZone: task.availabilityZone,
    capacityProviderName: task.capacityProviderName,
    clusterArn: task.clusterArn,
    connectivity: task.connectivityAt === undefined ? undefined : task.connectivity,
    connectivityAt: dateOf(task.connectivityAt),
    // The hosts of Fargate are nobody's to see.
    containerInstanceArn: task.launchType === 'FARGATE' ? undefined : task.containerInstanceArn,
    containers: task.containers.map((container) => showContainer(task, container)),
    cpu: task.cpu,
    createdAt: dateOf(task.createdAt),
    desiredStatus: task.desiredStatus,
    enableExecuteCommand: task.enableExecuteCommand,
    ephemeralStorage: storage,
    executionStoppedAt: dateOf(task.executionStoppedAt),
    fargateEphemeralStorage: storage,
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

/** It is waited for until it is heard of, and is gone with its container whether that was reported or not. */
function showManagedAgent({ managedAgent, lastStatus }: TaskContainer): ManagedAgent {
  return {
    name: executeCommandAgent,
    lastStatus: lastStatus === 'STOPPED' ? 'STOPPED' : (managedAgent?.lastStatus ?? 'PENDING'),
    lastStartedAt: dateOf(managedAgent?.lastStartedAt),
    reason: managedAgent?.reason,
  }
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
    networkInterfaces: (task.attachments ?? []).flatMap((attachment) => {
      const privateIpv4Address = attachmentDetail(attachment, 'privateIPv4Address')
      return privateIpv4Address === undefined ? [] : [{ attachmentId: attachment.id, privateIpv4Address }]
    }),
    healthStatus: container.healthStatus,
    cpu: container.cpu,
    memory: container.memory,
    memoryReservation: container.memoryReservation,
    gpuIds: container.gpuIds && [...container.gpuIds],
    managedAgents: task.enableExecuteCommand ? [showManagedAgent(container)] : undefined,
  }
}
