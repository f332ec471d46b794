/** What RunTask and StartTask check alike, and the making of a task that both have placed. */
import type { LaunchType, PlacementConstraint, RunTaskRequest, StartTaskRequest } from '@aws-sdk/client-ecs'
import type { Context } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { Requirements } from '#domain/placement/admission.ts'
import type { ResourceTag } from '#domain/tags.ts'
import { demandOf, type TaskDefinition } from '#domain/task-definition.ts'
import { completeOverrides, overridesFault } from '#domain/task-overrides.ts'
import { requirementsOf } from '#domain/task-requirements.ts'
import { taskTags } from '#domain/task-tags.ts'
import { newTask, placedOn, type Task } from '#domain/task.ts'
import type { Transaction, View } from '#state/store.ts'
import { checkNetwork, checkOneOf, refuse, requireHostNetwork, unsupported } from './placement-checks.ts'
import { findTaskDefinition, resolveTaskDefinition } from './resolve.ts'
import { checkedTags, putTags } from './tag.ts'

const groupLengthMax = 255
/** Groups that only ECS itself gives to tasks: whoever is in one counts as a task of that service. */
const ownGroups = /^(?:service|daemon):/

/** A request that has been found good, up to where its tasks run. */
export interface Launch {
  readonly cluster: Cluster
  readonly taskDefinition: TaskDefinition
  readonly group: string
  readonly tags: readonly ResourceTag[]
  readonly input: RunTaskRequest | StartTaskRequest
}

/** Throws what AWS answers for a request that cannot be run, wherever there may be room. */
export function checkLaunch(
  view: View,
  context: Context,
  cluster: Cluster,
  input: RunTaskRequest | StartTaskRequest,
  { startedByLengthMax, launchType }: { startedByLengthMax: number; launchType: LaunchType },
): Launch {
  const taskDefinition = resolveTaskDefinition(view, context, input.taskDefinition ?? '')
  const { startedBy, group = `family:${taskDefinition.family}`, propagateTags } = input
  if (startedBy !== undefined && startedBy.length > startedByLengthMax)
    refuse(`startedBy must have at most ${startedByLengthMax} characters.`)
  if (group.length > groupLengthMax) refuse(`group must have at most ${groupLengthMax} characters.`)
  if (ownGroups.test(group)) refuse('Invalid namespace in group.')
  checkOneOf('propagateTags', propagateTags, ['TASK_DEFINITION', 'NONE'])
  const fault = overridesFault(taskDefinition, input.overrides)
  if (fault !== undefined) refuse(fault)
  checkNetwork(taskDefinition, input.networkConfiguration, launchType)
  if ((input.volumeConfigurations ?? []).length > 0)
    unsupported('volumes configured at launch', 'Configure the volume in the task definition.')
  const tags = taskTags({
    given: checkedTags(input.tags),
    propagated:
      propagateTags === 'TASK_DEFINITION'
        ? (view.find('resourceTags', taskDefinition.taskDefinitionArn)?.tags ?? [])
        : [],
    ...(input.enableECSManagedTags && { managed: { clusterName: cluster.clusterName } }),
  })
  return { cluster, taskDefinition, group, tags, input }
}

/** What the tasks of the launch ask of an instance. Throws where Berth cannot run them on any. */
export function requirementsOfLaunch(
  { taskDefinition, group, input }: Launch,
  launchType: 'EC2' | 'EXTERNAL',
  constraints: readonly PlacementConstraint[] = [],
): Requirements {
  if (!taskDefinition.compatibilities.includes(launchType))
    refuse(`Task definition does not support launch_type ${launchType}.`)
  requireHostNetwork(taskDefinition)
  const demand = demandOf(taskDefinition, completeOverrides(taskDefinition, input.overrides))
  return requirementsOf(taskDefinition, {
    demand,
    group,
    launchType,
    constraints,
    overrides: input.overrides,
  })
}

/** Puts a task on the instance, with its tags. */
export function putTask(
  tx: Transaction,
  { scope, ids, clock }: Context,
  { cluster, taskDefinition, group, tags, input }: Launch,
  { launchType, containerInstanceArn }: { launchType: 'EC2' | 'EXTERNAL'; containerInstanceArn: string },
): Task {
  const instance = tx.find('containerInstance', containerInstanceArn)
  const task = newTask({
    scope,
    cluster,
    taskDefinition,
    ids,
    now: clock.now(),
    placement: instance ? placedOn(instance) : { containerInstanceArn },
    group,
    ...(input.startedBy !== undefined && { startedBy: input.startedBy }),
    launchType,
    ...(input.overrides && { overrides: input.overrides }),
    enableExecuteCommand: input.enableExecuteCommand ?? false,
  })
  tx.put('task', task)
  if (tags.length > 0) putTags(tx, task.taskArn, tags)
  return task
}

/** What RunTask and StartTask are authorized against: the revision that the request resolves to. */
export function launchResources(
  context: Context,
  { taskDefinition = '' }: RunTaskRequest | StartTaskRequest,
): string[] {
  return [findTaskDefinition(context.store, context, taskDefinition)?.taskDefinitionArn ?? '*']
}
