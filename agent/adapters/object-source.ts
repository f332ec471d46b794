import { createHash } from 'node:crypto'
import { type GetObject, ObjectError } from '#runtime/environment-files.ts'
import { roleSource } from './aws-api.ts'
import type { Environment } from './environment.ts'
import { exchange } from './http.ts'
import { sign } from './sign.ts'

export interface ObjectSourceOptions {
  /** Where the ECS API is: the same port serves objects, unless it is AWS's own. */
  readonly backend: string
  readonly region: string
  readonly environment: Environment
  readonly userAgent: string
}

/** The official agent's limit for one download. */
const silenceMs = 30_000
const emptyHash = createHash('sha256').update('').digest('hex')
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )

/** S3 where AWS's SDKs would look for it, or beside the ECS API; by path-style addresses. */
export function objectSource(options: ObjectSourceOptions): GetObject {
  return async ({ bucket, key }, role) => {
    const path = [bucket, ...key.split('/')].map(encode).join('/')
    const url = new URL(`${endpointOf(options).replace(/\/$/, '')}/${path}`)
    const headers = sign(
      { method: 'GET', url, headers: { 'x-amz-content-sha256': emptyHash }, body: '' },
      await roleSource(role)(),
      { region: options.region, service: 's3', nowMs: Date.now() },
    )
    const answer = await exchange({
      url,
      headers: { ...headers, 'user-agent': options.userAgent },
      silenceMs,
    })
    if (answer.status < 300) return answer.body
    const code = /<Code>([^<]*)/.exec(answer.body)?.[1]
    const message = /<Message>([^<]*)/.exec(answer.body)?.[1] ?? ''
    if (code === undefined || answer.status >= 500 || code === 'SlowDown')
      throw new Error(`S3 answered ${answer.status}: ${answer.body.slice(0, 200)}`)
    const what = code === 'NoSuchKey' || code === 'NoSuchBucket' ? code : `api error ${code}`
    throw new ObjectError(
      `operation error S3: GetObject, https response error StatusCode: ${answer.status}, RequestID: ${String(answer.headers['x-amz-request-id'] ?? '')}, ${what}: ${message}`,
    )
  }
}

function endpointOf({ backend, region, environment }: ObjectSourceOptions): string {
  const given = environment['AWS_ENDPOINT_URL_S3'] || environment['AWS_ENDPOINT_URL']
  if (given) return given
  return new URL(backend).hostname.endsWith('.amazonaws.com') ? `https://s3.${region}.amazonaws.com` : backend
}
