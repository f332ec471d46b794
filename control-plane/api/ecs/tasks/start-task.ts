import type { Failure, StartTaskRequest, StartTaskResponse } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Operation } from '#api/operation.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import { refusal } from '#domain/placement/place.ts'
import type { Task } from '#domain/task.ts'
import { checkNetworkParts } from './network-checks.ts'
import { refuse } from './placement-checks.ts'
import { resolveCluster } from '#api/ecs/resolve.ts'
import { showTask } from './show-task.ts'
import { checkLaunch, launchResources, putTask, requirementsOfLaunch } from './start-task-checks.ts'
import { containerInstanceArnOf } from './task-reference.ts'

const containerInstancesMax = 10
const startedByLengthMax = 36

/**
 * Starts a task on each instance named, once on an instance named twice. Nothing is chosen: constraints are those of
 * the task definition, and what does not fit is a failure in the answer. A DRAINING instance takes tasks too, as
 * whoever names it has chosen it.
 */
export const startTask: Operation<StartTaskRequest, StartTaskResponse> = {
  resources: launchResources,
  run: (context, input) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const refs = input.containerInstances ?? []
      if (refs.length === 0) throw new AwsError('ClientException', 'Container Instances cannot be empty.')
      if (refs.length > containerInstancesMax)
        refuse(`instanceIds can have at most ${containerInstancesMax} items.`)
      const arns = new Set(refs.map((ref) => containerInstanceArnOf(cluster, ref)))
      const launch = checkLaunch(tx, context, cluster, input, { startedByLengthMax, launchType: 'EC2' })
      checkNetworkParts(tx, context.scope, input.networkConfiguration)
      const view = context.fleet.cluster(cluster.clusterArn)
      const tasks: Task[] = []
      const failures: Failure[] = []
      for (const arn of arns) {
        const instance = tx.find('containerInstance', arn)
        const launchType = instance?.external ? 'EXTERNAL' : 'EC2'
        const failure =
          absence(arn, instance) ??
          (launch.taskDefinition.compatibilities.includes(launchType)
            ? refusal(view, arn, requirementsOfLaunch(launch, { launchType }))
            : { arn, reason: 'ATTRIBUTE' })
        if (failure) failures.push(failure)
        else tasks.push(putTask(tx, context, launch, { launchType, containerInstanceArn: arn }))
      }
      return { tasks: tasks.map((task) => showTask(task, tx)), failures }
    }),
}

function absence(arn: string, instance: ContainerInstance | undefined): Failure | undefined {
  if (!instance) return { arn, reason: 'MISSING' }
  return instance.status === 'INACTIVE' ? { arn, reason: 'INACTIVE' } : undefined
}
