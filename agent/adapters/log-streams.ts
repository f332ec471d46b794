import { LogStreamRefused, type MakeLogStream } from '#runtime/fargate-logs.ts'
import { type AwsApiOptions, awsJson, roleSource, ServiceError } from './aws-api.ts'

/** Makes log streams as a task's role. */
export function logStreamMaker({ userAgent }: Pick<AwsApiOptions, 'userAgent'>): MakeLogStream {
  return async ({ logGroupName, logStreamName, region, endpoint }, role) => {
    const call = awsJson(
      { endpoint, region, credentials: roleSource(role), userAgent },
      'logs',
      'Logs_20140328',
    )
    await call('CreateLogStream', { logGroupName, logStreamName }).catch((error: unknown) => {
      if (!(error instanceof ServiceError) || error.status >= 500) throw error
      if (error.name !== 'ResourceAlreadyExistsException')
        throw new LogStreamRefused(`${error.name}: ${error.message}`)
    })
  }
}
