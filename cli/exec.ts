import {
  DescribeTasksCommand,
  ECSClient,
  ECSServiceException,
  ExecuteCommandCommand,
  type ExecuteCommandResponse,
  ListTasksCommand,
  type Task,
} from '@aws-sdk/client-ecs'
import { type EndpointOptions, endpointOf } from './endpoint.ts'
import { quoted } from './exec-quote.ts'
import { runSession } from './exec-session.ts'
import { Failure } from './failure.ts'

export interface ExecFlags extends EndpointOptions {
  readonly cluster?: string
  readonly container?: string
}

/**
 * Runs a command in a container, with this terminal as its own; where the standard input or output is no terminal, with
 * them as they are. Ends with the command's exit status.
 */
export async function exec(target: string, command: readonly string[], flags: ExecFlags): Promise<void> {
  const { url, region, credentials } = endpointOf(flags)
  const ecs = new ECSClient({ endpoint: url, region, credentials, maxAttempts: 2 })
  try {
    const session = await open(ecs, target, command, flags)
    const { streamUrl = '', tokenValue = '', sessionId = '' } = session.session ?? {}
    process.exitCode = await runSession({ streamUrl, tokenValue, sessionId })
  } catch (error) {
    throw failureOf(error, url)
  } finally {
    ecs.destroy()
  }
}

function failureOf(error: unknown, url: string): unknown {
  if (error instanceof ECSServiceException) return new Failure(`${error.name}: ${error.message}`)
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  return code === undefined ? error : new Failure(`nothing answers at ${url} (${code})`)
}

async function open(
  ecs: ECSClient,
  target: string,
  command: readonly string[],
  { cluster: named, container }: ExecFlags,
): Promise<ExecuteCommandResponse> {
  const cluster = named ?? clusterOf(target)
  const task = isTask(target) ? target : await taskOf(ecs, cluster, serviceName(target), container)
  return ecs.send(
    new ExecuteCommandCommand({
      cluster,
      task,
      container,
      interactive: true,
      command: command.length > 0 ? command.map(quoted).join(' ') : '/bin/sh',
    }),
  )
}

const isTask = (target: string): boolean =>
  /^[0-9a-f]{32}$/.test(target) || /^arn:[^:]*:ecs:[^:]*:\d*:task\//.test(target)

const serviceName = (target: string): string => target.split('/').at(-1) ?? target

/** Long ARNs of tasks and services name their cluster. */
function clusterOf(target: string): string | undefined {
  const parts = /^arn:[^:]*:ecs:[^:]*:\d*:(?:task|service)\/(.+)$/.exec(target)?.[1]?.split('/')
  return parts?.length === 2 ? parts[0] : undefined
}

/** A task of the service in which a command can be run now. */
async function taskOf(
  ecs: ECSClient,
  cluster: string | undefined,
  name: string,
  container: string | undefined,
): Promise<string> {
  const { taskArns = [] } = await ecs.send(new ListTasksCommand({ cluster, serviceName: name }))
  if (taskArns.length === 0) throw new Failure(`the service ${name} has no running tasks`)
  const { tasks = [] } = await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }))
  const task = tasks.find((candidate) => isReady(candidate, container))
  if (task?.taskArn !== undefined) return task.taskArn
  throw new Failure(
    tasks.some(({ enableExecuteCommand }) => enableExecuteCommand)
      ? `no task of the service ${name} can run commands yet; try again in a moment`
      : `the tasks of the service ${name} were started without execute command: update the service with --enable-execute-command --force-new-deployment`,
  )
}

function isReady({ enableExecuteCommand, containers = [] }: Task, container: string | undefined): boolean {
  const asked = containers.filter(({ name }) => container === undefined || name === container)
  return (
    enableExecuteCommand === true &&
    asked.some(({ managedAgents = [] }) => managedAgents.some(({ lastStatus }) => lastStatus === 'RUNNING'))
  )
}
