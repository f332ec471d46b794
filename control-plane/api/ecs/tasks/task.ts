import type {
  DescribeTasksRequest,
  DescribeTasksResponse,
  StopTaskRequest,
  StopTaskResponse,
} from '@aws-sdk/client-ecs'
import type { Operation } from '#api/operation.ts'
import { requestStop } from '#domain/task.ts'
import { checkOneOf, refuse } from './placement-checks.ts'
import { resolveCluster } from '#api/ecs/resolve.ts'
import { showTask } from './show-task.ts'
import { taskArnOf, taskResources } from './task-reference.ts'

const describedTasksMax = 100
const reasonLengthMax = 255

/**
 * Asks for a task to be stopped, protected or not. Its agent does it, and reports it; a stopped task is answered as it
 * is.
 */
export const stopTask: Operation<StopTaskRequest, StopTaskResponse> = {
  resources: (context, input) => taskResources(context, input.cluster, [input.task ?? '']),
  run: (context, input) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const { reason = '' } = input
      if (reason.length > reasonLengthMax) refuse(`reason longer than ${reasonLengthMax}.`)
      const task = tx.find('task', taskArnOf(cluster, input.task ?? ''))
      if (!task) return refuse('The referenced task was not found.')
      const stopping = requestStop(task, {
        stopCode: 'UserInitiated',
        stoppedReason: reason || 'Task stopped by user',
        now: context.clock.now(),
      })
      tx.put('task', stopping)
      // https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html: its tags go at once.
      tx.delete('resourceTags', task.taskArn)
      return { task: showTask(stopping, tx) }
    }),
}

export const describeTasks: Operation<DescribeTasksRequest, DescribeTasksResponse> = {
  resources: (context, input) => taskResources(context, input.cluster, input.tasks ?? []),
  run: (context, input) => {
    const { store } = context
    const cluster = resolveCluster(store, context, input.cluster)
    const { tasks: refs = [], include = [] } = input
    if (refs.length === 0) refuse('Tasks cannot be empty.')
    if (refs.length > describedTasksMax) refuse(`taskIds can have at most ${describedTasksMax} items.`)
    for (const field of include) checkOneOf('include', field, ['TAGS'])
    const arns = [...new Set(refs.map((ref) => taskArnOf(cluster, ref)))]
    const tagsFrom = include.includes('TAGS') ? store : undefined
    return {
      tasks: arns.flatMap((arn) => {
        const task = store.find('task', arn)
        return task ? [showTask(task, tagsFrom)] : []
      }),
      failures: arns.filter((arn) => !store.find('task', arn)).map((arn) => ({ arn, reason: 'MISSING' })),
    }
  },
}
