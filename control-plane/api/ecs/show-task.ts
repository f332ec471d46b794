import type { Container, Task as TaskShape } from '@aws-sdk/client-ecs'
import type { Task, TaskContainer } from '#domain/task.ts'
import type { View } from '#state/store.ts'
import { showTags } from './tag.ts'

const dateMembers = [
  'connectivityAt',
  'createdAt',
  'executionStoppedAt',
  'pullStartedAt',
  'pullStoppedAt',
  'startedAt',
  'stoppedAt',
  'stoppingAt',
] as const
const optionalMembers = [
  'availabilityZone',
  'capacityProviderName',
  'containerInstanceArn',
  'platformFamily',
  'platformVersion',
  'startedBy',
  'stopCode',
  'stoppedReason',
] as const

/** A task as AWS shows it; its tags only where they are asked for, from `tagsFrom`, else an empty list. */
export function showTask(task: Task, tagsFrom?: View): TaskShape {
  return {
    attachments: [],
    attributes: [{ name: 'ecs.cpu-architecture', value: task.cpuArchitecture }],
    clusterArn: task.clusterArn,
    ...(task.connectivityAt !== undefined && { connectivity: task.connectivity }),
    containers: task.containers.map((container) => showContainer(task, container)),
    cpu: task.cpu,
    desiredStatus: task.desiredStatus,
    enableExecuteCommand: task.enableExecuteCommand,
    group: task.group,
    healthStatus: task.healthStatus,
    lastStatus: task.lastStatus,
    launchType: task.launchType,
    memory: task.memory,
    overrides: task.overrides,
    tags: tagsFrom ? showTags(tagsFrom, task.taskArn) : [],
    taskArn: task.taskArn,
    taskDefinitionArn: task.taskDefinitionArn,
    version: task.version,
    ...Object.fromEntries(
      optionalMembers.filter((name) => task[name] !== undefined).map((name) => [name, task[name]]),
    ),
    ...Object.fromEntries(
      dateMembers.flatMap((name) => {
        const time = task[name]
        return time === undefined ? [] : [[name, new Date(time)]]
      }),
    ),
  }
}

function showContainer(task: Task, container: TaskContainer): Container {
  const { imageDigest, runtimeId, exitCode, reason, memory, memoryReservation } = container
  return {
    containerArn: container.containerArn,
    taskArn: task.taskArn,
    name: container.name,
    image: container.image,
    ...(imageDigest !== undefined && { imageDigest }),
    ...(runtimeId !== undefined && { runtimeId }),
    lastStatus: container.lastStatus,
    ...(exitCode !== undefined && { exitCode }),
    ...(reason !== undefined && { reason }),
    networkBindings: [...container.networkBindings],
    networkInterfaces: [],
    healthStatus: container.healthStatus,
    cpu: container.cpu,
    ...(memory !== undefined && { memory }),
    ...(memoryReservation !== undefined && { memoryReservation }),
  }
}
