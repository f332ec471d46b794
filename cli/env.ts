import { directoryOf } from './data-directory.ts'
import { readCredentials } from './endpoint.ts'
import { Failure } from './failure.ts'
import { runningOn } from './running.ts'

/**
 * Prints shell lines for the control plane that runs on this data directory. AWS CLI versions before 2.13 do not read
 * AWS_ENDPOINT_URL, so `aws` becomes a function that passes it on.
 */
export function env(options: {
  readonly data?: string
  readonly port?: number
  readonly region: string
}): void {
  const directory = directoryOf(options)
  const running = runningOn(directory)
  if (!running)
    throw new Failure(
      `no control plane runs on ${directory}: start one with "berth up", or name its --data directory (its --port, if it was started with --memory)`,
    )
  const { accessKeyId, secretAccessKey } = readCredentials(directory)
  console.log(
    [
      `export AWS_ENDPOINT_URL=${running.url}`,
      `export AWS_ACCESS_KEY_ID=${accessKeyId}`,
      `export AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
      `export AWS_DEFAULT_REGION=${options.region}`,
      `export AWS_REGION=${options.region}`,
      'export AWS_PAGER=',
      'unset AWS_PROFILE AWS_SESSION_TOKEN',
      'aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }',
      '[ -z "$BASH_VERSION" ] || export -f aws',
    ].join('\n'),
  )
}
