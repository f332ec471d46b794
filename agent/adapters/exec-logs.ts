import type { ExecPorts } from '#runtime/exec-ports.ts'
import { type AwsApiOptions, awsJson, roleSource } from './aws-api.ts'

/**
 * Puts what a session prints into CloudWatch Logs: a stream of the session's id, made with the first event, as the task's
 * role or, where it has none, as the instance.
 */
export function sessionLogs(
  options: Omit<AwsApiOptions, 'endpoint' | 'region'>,
): NonNullable<ExecPorts['putLog']> {
  return ({ logGroupName, region, endpoint }, logStreamName, role) => {
    const credentials = role ? roleSource(role) : options.credentials
    const call = awsJson({ ...options, credentials, region, endpoint }, 'logs', 'Logs_20140328')
    let made: Promise<unknown> | undefined
    return async (message, timestamp) => {
      made ??= call('CreateLogStream', { logGroupName, logStreamName }).catch((error: unknown) => {
        if (!(error instanceof Error && error.name === 'ResourceAlreadyExistsException')) throw error
      })
      await made
      await call('PutLogEvents', { logGroupName, logStreamName, logEvents: [{ timestamp, message }] })
    }
  }
}
