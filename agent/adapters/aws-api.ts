import { Agent as HttpAgent } from '@berth/wire/node-http.ts'
import type { EcsApi, RegistryLogin } from '#runtime/ports.ts'
import type { CredentialSource } from './credentials.ts'
import { exchange } from './http.ts'
import { sign } from './sign.ts'

/** The official agent's limit for one attempt. */
const silenceMs = 42_000

export interface AwsApiOptions {
  readonly endpoint: string
  readonly region: string
  readonly credentials: CredentialSource
  readonly userAgent: string
}

/** An error of the service, by its own name. */
class ServiceError extends Error {
  constructor(name: string, message: string) {
    super(message)
    this.name = name
  }
}

type Call = <Output>(operation: string, input: object) => Promise<Output>

/** Calls a service by AWS JSON 1.1, signed. Times go out and come in as epoch seconds. */
function awsJson(options: AwsApiOptions, service: string, target: string): Call {
  const agent = new HttpAgent({ keepAlive: true })
  return async <Output>(operation: string, input: object): Promise<Output> => {
    const url = new URL(options.endpoint)
    const body = JSON.stringify(input, function (this: Record<string, unknown>, key, value: unknown) {
      const original = this[key]
      return original instanceof Date ? original.getTime() / 1000 : value
    })
    const headers = sign(
      {
        method: 'POST',
        url,
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `${target}.${operation}` },
        body,
      },
      await options.credentials(),
      { region: options.region, service, nowMs: Date.now() },
    )
    const answer = await exchange({
      url,
      method: 'POST',
      headers: { ...headers, 'user-agent': options.userAgent },
      body,
      silenceMs,
      ...(url.protocol === 'http:' && { agent }),
    })
    if (answer.status >= 300) throw serviceError(answer.status, answer.body)
    return JSON.parse(answer.body) as Output
  }
}

function serviceError(status: number, body: string): Error {
  try {
    const answer = JSON.parse(body) as {
      readonly __type?: string
      readonly message?: string
      readonly Message?: string
    }
    const name = answer.__type?.split('#').at(-1)?.split(':')[0]
    if (name) return new ServiceError(name, answer.message ?? answer.Message ?? name)
  } catch {
    // Not the service itself, but something on the way to it.
  }
  return status >= 500
    ? new ServiceError('ServerException', `the control plane answered ${status}`)
    : new Error(`the control plane answered ${status}: ${body.slice(0, 200)}`)
}

export function ecsApi(options: AwsApiOptions): EcsApi {
  const call = awsJson(options, 'ecs', 'AmazonEC2ContainerServiceV20141113')
  return {
    registerContainerInstance: (input) => call('RegisterContainerInstance', input),
    createCluster: (input) => call('CreateCluster', input),
    discoverPollEndpoint: (input) => call('DiscoverPollEndpoint', input),
    submitTaskStateChange: (input) => call('SubmitTaskStateChange', input),
  }
}

/** Signs in to ECR at the endpoint the payload names, or at the region's own. */
export function ecrLogin(options: Omit<AwsApiOptions, 'endpoint'>): RegistryLogin {
  return async ({ registryId, region, endpointOverride }) => {
    const given = endpointOverride || `https://api.ecr.${region}.amazonaws.com`
    const endpoint = given.includes('://') ? given : `https://${given}`
    const call = awsJson({ ...options, region, endpoint }, 'ecr', 'AmazonEC2ContainerRegistry_V20150921')
    const output = await call<{
      readonly authorizationData?: ReadonlyArray<{ authorizationToken?: string; expiresAt?: number }>
    }>('GetAuthorizationToken', { registryIds: [registryId] })
    const [data] = output.authorizationData ?? []
    const token = Buffer.from(data?.authorizationToken ?? '', 'base64').toString()
    const colon = token.indexOf(':')
    if (colon < 0) throw new Error('ECR gave no authorization token')
    return {
      username: token.slice(0, colon),
      password: token.slice(colon + 1),
      expiresAt: (data?.expiresAt ?? 0) * 1000,
    }
  }
}
