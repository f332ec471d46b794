/** What RunTask and StartTask check alike, and the making of a task that both have placed. */
import type { LaunchType, PlacementConstraint, RunTaskRequest, StartTaskRequest } from '@aws-sdk/client-ecs'
import type { Context } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { Requirements } from '#domain/placement/admission.ts'
import type { Demand } from '#domain/resources.ts'
import type { ResourceTag } from '#domain/tags.ts'
import { demandOf, type TaskDefinition } from '#domain/task-definition.ts'
import { completeOverrides, overridesFault } from '#domain/task-overrides.ts'
import { requirementsOf } from '#domain/task-requirements.ts'
import { taskTags } from '#domain/task-tags.ts'
import { newTask, type Task } from '#domain/task.ts'
import type { Transaction, View } from '#state/store.ts'
import { placementOn } from '#state/task-placement.ts'
import { zonesOfSubnets } from '#state/subnet-zones.ts'
import { taskNetwork } from '#state/task-network.ts'
import { checkNetwork, checkOneOf, refuse, unsupported } from './placement-checks.ts'
import { checkTaskRoles } from './task-role-checks.ts'
import { findTaskDefinition, resolveTaskDefinition } from '#api/ecs/resolve.ts'
import { checkedTags, putTags } from '#api/ecs/tag.ts'
import { checkVolumeConfigurations } from '#api/ecs/task-definitions/volume-checks.ts'

const groupLengthMax = 255
/** Groups that only ECS itself gives to tasks: whoever is in one counts as a task of that service. */
const ownGroups = /^(?:service|daemon):/

type Input = RunTaskRequest | StartTaskRequest

/** A request that has been found good, up to where its tasks run. */
export interface Launch {
  readonly cluster: Cluster
  readonly taskDefinition: TaskDefinition
  readonly group: string
  readonly tags: readonly ResourceTag[]
  /** Where the subnets are that its tasks may be in. */
  readonly zones: readonly string[] | undefined
  readonly input: Input
}

/** Where the tasks of a launch are to run: on instances of a launch type, or of one capacity provider. */
export interface LaunchCapacity {
  readonly launchType: LaunchType
  readonly capacityProviderName?: string | undefined
}

/** Throws what AWS answers for a request that cannot be run, wherever there may be room. */
export function checkLaunch(
  view: View,
  context: Context,
  cluster: Cluster,
  input: Input,
  { startedByLengthMax, launchType }: { startedByLengthMax: number; launchType: LaunchType },
): Launch {
  const { startedBy = '', group = '', propagateTags } = input
  if (startedBy.length > startedByLengthMax) refuse(`startedBy longer than ${startedByLengthMax}.`)
  if (!/^[\w/-]*$/.test(startedBy)) refuse('startedBy contains invalid characters.')
  if (group.length > groupLengthMax) refuse(`group longer than ${groupLengthMax}.`)
  if (ownGroups.test(group)) refuse('Invalid namespace in group.')
  checkOneOf('propagateTags', propagateTags, ['TASK_DEFINITION', 'NONE'])
  const given = checkedTags(input.tags)
  const taskDefinition = resolveTaskDefinition(view, context, input.taskDefinition ?? '')
  checkNetwork(taskDefinition, input.networkConfiguration, launchType)
  if (!taskDefinition.compatibilities.includes(launchType))
    refuse(`Task definition does not support launch_type ${launchType}.`)
  const fault = overridesFault(taskDefinition, input.overrides, launchType)
  if (fault !== undefined) refuse(fault)
  checkTaskRoles(view, context, taskDefinition, input.overrides)
  if (input.enableExecuteCommand) requireTaskRole(taskDefinition, input)
  checkVolumeConfigurations(taskDefinition, input.volumeConfigurations)
  if ((input.volumeConfigurations ?? []).length > 0)
    unsupported('volumes configured at launch', 'Configure the volume in the task definition.')
  const tags = taskTags({
    given,
    propagated:
      propagateTags === 'TASK_DEFINITION'
        ? (view.find('resourceTags', taskDefinition.taskDefinitionArn)?.tags ?? [])
        : [],
    ...(input.enableECSManagedTags && { managed: { clusterName: cluster.clusterName } }),
  })
  const zones = zonesOfSubnets(view, input.networkConfiguration)
  return { cluster, taskDefinition, group: group || `family:${taskDefinition.family}`, tags, zones, input }
}

function requireTaskRole({ taskRoleArn }: TaskDefinition, { overrides }: Input): void {
  if (!(overrides?.taskRoleArn || taskRoleArn))
    refuse(
      'The execute command failed because a valid task role is not being used. Specify a valid task role in your task definition or as a task override and try again.',
    )
}

export function demandOfLaunch({ taskDefinition, input: { overrides } }: Launch): Demand {
  return demandOf(taskDefinition, overrides && completeOverrides(taskDefinition, overrides))
}

/** What the tasks of the launch ask of an instance. */
export function requirementsOfLaunch(
  launch: Launch,
  { launchType, capacityProviderName }: LaunchCapacity,
  constraints: readonly PlacementConstraint[] = [],
): Requirements {
  const { taskDefinition, group, zones, input } = launch
  const { overrides } = input
  return requirementsOf(taskDefinition, {
    demand: demandOfLaunch(launch),
    group,
    launchType: launchType === 'EXTERNAL' ? 'EXTERNAL' : 'EC2',
    capacityProviderName,
    constraints,
    overrides,
    enableExecuteCommand: input.enableExecuteCommand,
    zones,
  })
}

/** Puts a task on the instance, with its tags; without an instance it waits for one. */
export function putTask(
  tx: Transaction,
  { scope, ids, clock }: Context,
  { cluster, taskDefinition, group, tags, input }: Launch,
  {
    launchType,
    capacityProviderName,
    platformVersion,
    containerInstanceArn,
  }: LaunchCapacity & { platformVersion?: string | undefined; containerInstanceArn?: string },
): Task {
  const instance = tx.find('containerInstance', containerInstanceArn ?? '')
  const placement = instance ? placementOn(tx, instance) : containerInstanceArn && { containerInstanceArn }
  const task = newTask({
    scope,
    cluster,
    taskDefinition,
    ids,
    now: clock.now(),
    ...(placement && { placement }),
    group,
    ...(input.startedBy && { startedBy: input.startedBy }),
    launchType,
    capacityProviderName,
    platformVersion,
    ...(input.overrides && { overrides: input.overrides }),
    enableExecuteCommand: input.enableExecuteCommand ?? false,
    network: taskNetwork(tx, taskDefinition, input.networkConfiguration, {
      clusterArn: cluster.clusterArn,
      group,
      launchType,
      availabilityZone: placement ? placement.availabilityZone : undefined,
      fraction: () => ids.fraction(),
    }),
  })
  tx.put('task', task)
  if (tags.length > 0) putTags(tx, task.taskArn, tags)
  return task
}

/** What RunTask and StartTask are authorized against: the revision that the request resolves to. */
export function launchResources(context: Context, { taskDefinition = '' }: Input): string[] {
  return [findTaskDefinition(context.store, context, taskDefinition)?.taskDefinitionArn ?? '*']
}
