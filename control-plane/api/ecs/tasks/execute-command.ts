import type { ContainerDefinition, ExecuteCommandRequest, ExecuteCommandResponse } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { SessionCommand } from '#api/data-planes.ts'
import type { Context, Operation } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { Task, TaskContainer } from '#domain/task.ts'
import { taskRoleMay } from '#state/task-role-permissions.ts'
import { refuse } from './placement-checks.ts'
import { resolveCluster } from '#api/ecs/resolve.ts'
import { taskArnOf, taskResources } from './task-reference.ts'

/**
 * Opens a session that runs a command in a container. Its agent is told once the client has shown the session's token
 * at the address that is answered. The words about containers and about what Berth lacks are ours, in AWS's manner.
 */
export const executeCommand: Operation<ExecuteCommandRequest, ExecuteCommandResponse> = {
  resources: (context, input) => taskResources(context, input.cluster, [input.task ?? '']),
  run: (context, input) => {
    const { store, dataPlanes } = context
    const cluster = resolveCluster(store, context, input.cluster)
    if (!input.interactive) refuse('Interactive is the only mode supported currently.')
    if (!input.command) return refuse('command should not be null or empty.')
    const task = store.find('task', taskArnOf(cluster, input.task ?? '', 'task'))
    if (!task) return refuse('The referenced task was not found.')
    const container = containerOf(task, input.container)
    if (task.enableExecuteCommand && task.connectivity === 'DISCONNECTED') throw notConnected()
    if (!isExecutable(task, container))
      return refuse(
        'The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.',
      )
    // The agent that AWS runs in the container opens its channel in the task's role: without them nobody answers.
    if (context.installation.enforcesIam && !taskRoleMay(store, task, channelActions, context.clock.now()))
      throw notConnected()
    const log = sessionLogOf(context, cluster, task, container)
    const session = dataPlanes.commands.openSession({
      containerInstanceArn: task.containerInstanceArn ?? '',
      taskArn: task.taskArn,
      containerName: container.name,
      command: input.command,
      ...(log && { log }),
    })
    if (!session) throw notConnected()
    return {
      clusterArn: cluster.clusterArn,
      containerArn: container.containerArn,
      containerName: container.name,
      interactive: true,
      session,
      taskArn: task.taskArn,
    }
  },
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html#ecs-exec-required-iam-permissions */
const channelActions = [
  'ssmmessages:CreateControlChannel',
  'ssmmessages:CreateDataChannel',
  'ssmmessages:OpenControlChannel',
  'ssmmessages:OpenDataChannel',
] as const

function containerOf(task: Task, named: string | undefined): TaskContainer {
  const name = named || (task.containers.length === 1 ? task.containers[0]?.name : undefined)
  if (name === undefined)
    return refuse('Container name must be specified for a task with more than one container.')
  return (
    task.containers.find((candidate) => candidate.name === name) ??
    refuse(`The container ${name} does not exist in the task.`)
  )
}

function isExecutable(task: Task, { lastStatus, managedAgent }: TaskContainer): boolean {
  const isRunning = lastStatus === 'RUNNING' && task.lastStatus !== 'STOPPED'
  return task.enableExecuteCommand && isRunning && managedAgent?.lastStatus === 'RUNNING'
}

function notConnected(): AwsError {
  return new AwsError(
    'TargetNotConnectedException',
    'The execute command failed due to an internal error. Try again later.',
  )
}

/**
 * Where the session is logged, by the cluster's executeCommandConfiguration. By default it goes where the container's
 * awslogs driver sends its output. What asks for more than Berth has is refused: the user is promised encryption, or a
 * record, that there would not be.
 */
function sessionLogOf(
  { store, installation }: Context,
  { configuration }: Cluster,
  task: Task,
  { name }: TaskContainer,
): SessionCommand['log'] {
  const { kmsKeyId, logging = 'DEFAULT', logConfiguration } = configuration?.executeCommandConfiguration ?? {}
  if (kmsKeyId)
    refuse(
      'The execute command failed because Berth cannot encrypt the session with the KMS key of the cluster. Remove kmsKeyId from its executeCommandConfiguration and try again.',
    )
  if (logging === 'NONE') return undefined
  const endpoint = installation.agentUrl(task.containerInstanceArn ?? '')
  if (logging === 'OVERRIDE') {
    const { cloudWatchLogGroupName, cloudWatchEncryptionEnabled, s3BucketName } = logConfiguration ?? {}
    if (s3BucketName || cloudWatchEncryptionEnabled)
      refuse(
        'The execute command failed because Berth logs sessions to unencrypted CloudWatch log groups only. Change the executeCommandConfiguration of the cluster and try again.',
      )
    return cloudWatchLogGroupName
      ? { logGroupName: cloudWatchLogGroupName, region: task.region, endpoint }
      : undefined
  }
  const options = awslogsOptions(
    store
      .find('taskDefinition', task.taskDefinitionArn)
      ?.containerDefinitions.find((definition) => definition.name === name),
  )
  const logGroupName = options?.['awslogs-group']
  return logGroupName === undefined
    ? undefined
    : { logGroupName, region: options?.['awslogs-region'] ?? task.region, endpoint }
}

function awslogsOptions(
  definition: ContainerDefinition | undefined,
): Readonly<Record<string, string>> | undefined {
  const { logDriver, options } = definition?.logConfiguration ?? {}
  return logDriver === 'awslogs' ? options : undefined
}
