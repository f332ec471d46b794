import type { ExecuteCommandRequest, ExecuteCommandResponse } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Operation } from '#api/operation.ts'
import { refuse } from './placement-checks.ts'
import { resolveCluster } from '#api/ecs/resolve.ts'
import { taskArnOf, taskResources } from './task-reference.ts'

/**
 * Runs a command in a container. The agents that would run it are not there yet, so that every request that AWS would
 * take ends with what it says of a task whose execute command agent is not running. The words about containers are
 * ours, in AWS's manner.
 */
export const executeCommand: Operation<ExecuteCommandRequest, ExecuteCommandResponse> = {
  resources: (context, input) => taskResources(context, input.cluster, [input.task ?? '']),
  run: (context, input) => {
    const { store } = context
    const cluster = resolveCluster(store, context, input.cluster)
    if (!input.interactive) refuse('Interactive is the only mode supported currently.')
    if (!input.command) refuse('command should not be null or empty.')
    const task = store.find('task', taskArnOf(cluster, input.task ?? '', 'task'))
    if (!task) return refuse('The referenced task was not found.')
    const name = input.container || (task.containers.length === 1 ? task.containers[0]?.name : undefined)
    if (name === undefined)
      refuse('Container name must be specified for a task with more than one container.')
    const container = task.containers.find((candidate) => candidate.name === name)
    if (!container) refuse(`The container ${name} does not exist in the task.`)
    if (task.enableExecuteCommand && task.connectivity === 'DISCONNECTED')
      throw new AwsError(
        'TargetNotConnectedException',
        'The execute command failed due to an internal error. Try again later.',
      )
    return refuse(
      'The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.',
    )
  },
}
