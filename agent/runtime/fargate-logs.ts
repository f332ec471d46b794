import type { RoleCredentials } from '@berth/agent-protocol/payload.ts'
import { parseDockerConfig, type TaskRecord } from '#engine/task-record.ts'
import type { TaskCredentials } from './credentials.ts'
import { ResourceError, type TaskResource } from './task-resources.ts'

export interface LogStreamPlace {
  readonly logGroupName: string
  readonly logStreamName: string
  readonly region: string
  /** Where CloudWatch Logs is. */
  readonly endpoint: string
}

/** What CloudWatch Logs says no to. */
export class LogStreamRefused extends Error {}

/**
 * Makes a log stream, or finds it made. A refusal is thrown as a LogStreamRefused, `<ErrorName>: <text>`; anything else
 * thrown is a failure of the way there and may be tried again.
 */
export type MakeLogStream = (place: LogStreamPlace, role: RoleCredentials) => Promise<void>

/**
 * Fargate makes a task's log streams before its containers, so that a group which is not there stops the task whatever
 * the log driver's mode; on instances the driver itself says so, and only in blocking mode.
 */
export function fargateLogs(makeLogStream: MakeLogStream, credentials: TaskCredentials): TaskResource {
  return {
    name: 'log streams',
    isNeeded: ({ task }) => task.launchType === 'FARGATE',
    async provide(record) {
      const places = logStreams(record)
      if (places.length === 0 || record.executionCredentialsId === undefined) return {}
      const role = await credentials.credentialsFor(record.task.arn, 'execution')
      for (const place of places)
        await makeLogStream(place, role).catch((error: unknown) => {
          if (!(error instanceof LogStreamRefused)) throw error
          throw new ResourceError(
            `failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ${error.message} : exit status 1`,
          )
        })
      return {}
    },
  }
}

/** The streams of the task's containers, but of those whose driver is to make their group. */
function logStreams({ task }: TaskRecord): readonly LogStreamPlace[] {
  return (task.containers ?? []).flatMap((container) => {
    const { Type, Config = {} } = (parseDockerConfig(container).hostConfig['LogConfig'] ?? {}) as {
      readonly Type?: string
      readonly Config?: Readonly<Record<string, string>>
    }
    const logGroupName = Config['awslogs-group']
    const logStreamName = Config['awslogs-stream']
    const region = Config['awslogs-region']
    const endpoint = Config['awslogs-endpoint']
    if (Type !== 'awslogs' || Config['awslogs-create-group'] === 'true') return []
    if (!logGroupName || !logStreamName || !region || !endpoint) return []
    return [{ logGroupName, logStreamName, region, endpoint }]
  })
}
