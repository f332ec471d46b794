import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Credentials, sign } from '@berth/agent/adapters/sign.ts'
import { directoryOf } from './data-directory.ts'
import { Failure } from './failure.ts'
import { runningOn } from './running.ts'

export interface EndpointOptions {
  readonly data?: string
  readonly port?: number
}

/** A control plane and who asks it. */
export interface Endpoint {
  readonly url: string
  readonly credentials: Credentials
  readonly region: string
}

/** The root's keys of a data directory; a control plane with `--dev` has none and takes any. */
export function readCredentials(directory: string): Credentials {
  try {
    const lines = readFileSync(join(directory, 'credentials'), 'utf8').split('\n')
    const value = (name: string): string =>
      lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
    return { accessKeyId: value('aws_access_key_id'), secretAccessKey: value('aws_secret_access_key') }
  } catch {
    return { accessKeyId: 'test', secretAccessKey: 'test' }
  }
}

/** The control plane that the environment points the AWS CLI at, else the one of the data directory. Throws Failure. */
export function endpointOf(options: EndpointOptions): Endpoint {
  const { env } = process
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1'
  const url = env['AWS_ENDPOINT_URL']
  const accessKeyId = env['AWS_ACCESS_KEY_ID']
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY']
  const sessionToken = env['AWS_SESSION_TOKEN']
  const isNamed = options.data !== undefined || options.port !== undefined
  if (!isNamed && url !== undefined && accessKeyId !== undefined && secretAccessKey !== undefined)
    return {
      url,
      region,
      credentials: { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) },
    }
  const directory = directoryOf(options)
  const running = runningOn(directory)
  if (!running)
    throw new Failure(
      `no control plane runs on ${directory}: start one with "berth up", or say which with eval "$(berth env)", --data or --port`,
    )
  return { url: running.url, region, credentials: readCredentials(directory) }
}

/** Posts JSON to Berth's own API, signed as a request of ECS; gives the answer. Throws Failure with what went wrong. */
export async function post(options: EndpointOptions, path: string, message: object): Promise<unknown> {
  const { url, credentials, region } = endpointOf(options)
  const body = JSON.stringify(message)
  const target = new URL(path, url)
  const headers = sign(
    { method: 'POST', url: target, headers: { 'content-type': 'application/json' }, body },
    credentials,
    { region, service: 'ecs', nowMs: Date.now() },
  )
  const response = await fetch(target, { method: 'POST', headers, body }).catch((error: unknown) => {
    const { cause } = error as { cause?: { code?: string } }
    throw new Failure(`nothing answers at ${url}${cause?.code === undefined ? '' : ` (${cause.code})`}`)
  })
  const answer: unknown = await response.json().catch(() => ({}))
  if (response.ok) return answer
  const { __type: type = response.status, message: why = '' } = answer as {
    __type?: string
    message?: string
  }
  throw new Failure(`${type}: ${why}`)
}
