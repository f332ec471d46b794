import type { RoleCredentials } from '@berth/agent-protocol/acs.ts'
import { Agent as HttpAgent } from '@berth/wire/node-http.ts'
import type { EcsApi, RegistryLogin } from '#runtime/ports.ts'
import type { CredentialSource } from './credentials.ts'
import { exchange } from './http.ts'
import { sign } from './sign.ts'

/** The official agent's limit for one attempt. */
const silenceMs = 42_000

const ecsTarget = 'AmazonEC2ContainerServiceV20141113'

export interface AwsApiOptions {
  readonly endpoint: string
  readonly region: string
  readonly credentials: CredentialSource
  readonly userAgent: string
}

/** An error of the service, by its own name. */
export class ServiceError extends Error {
  readonly status: number
  readonly requestId: string
  constructor(name: string, message: string, status: number, requestId: string) {
    super(message)
    this.name = name
    this.status = status
    this.requestId = requestId
  }
}

type Call = <Output>(operation: string, input: object) => Promise<Output>

/** Calls a service by AWS JSON 1.1, signed. Times go out and come in as epoch seconds. */
export function awsJson(options: AwsApiOptions, service: string, target: string): Call {
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
    if (answer.status >= 300) {
      const requestId = answer.headers['x-amzn-requestid']
      throw serviceError(answer.status, answer.body, typeof requestId === 'string' ? requestId : '')
    }
    return JSON.parse(answer.body) as Output
  }
}

function serviceError(status: number, body: string, requestId: string): Error {
  try {
    const answer = JSON.parse(body) as {
      readonly __type?: string
      readonly message?: string
      readonly Message?: string
    }
    const name = answer.__type?.split('#').at(-1)?.split(':')[0]
    if (name) return new ServiceError(name, answer.message ?? answer.Message ?? name, status, requestId)
  } catch {
    // Not the service itself, but something on the way to it.
  }
  return status >= 500
    ? new ServiceError('ServerException', `the control plane answered ${status}`, status, requestId)
    : new Error(`the control plane answered ${status}: ${body.slice(0, 200)}`)
}

export function ecsApi(options: AwsApiOptions): EcsApi {
  const call = awsJson(options, 'ecs', ecsTarget)
  return {
    registerContainerInstance: (input) => call('RegisterContainerInstance', input),
    createCluster: (input) => call('CreateCluster', input),
    discoverPollEndpoint: (input) => call('DiscoverPollEndpoint', input),
    submitTaskStateChange: (input) => call('SubmitTaskStateChange', input),
  }
}

/** The credentials of a task's role, to sign with. */
export function roleSource({
  accessKeyId = '',
  secretAccessKey = '',
  sessionToken,
}: RoleCredentials): CredentialSource {
  return () =>
    Promise.resolve({ accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) })
}

/** Signs in to ECR at the endpoint the payload names, or at the region's own. */
export function ecrLogin(options: Omit<AwsApiOptions, 'endpoint'>): RegistryLogin {
  return async ({ registryId, region, endpointOverride }, role) => {
    const given = endpointOverride || `https://api.ecr.${region}.amazonaws.com`
    const endpoint = given.includes('://') ? given : `https://${given}`
    const credentials = role ? roleSource(role) : options.credentials
    const call = awsJson(
      { ...options, credentials, region, endpoint },
      'ecr',
      'AmazonEC2ContainerRegistry_V20150921',
    )
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

/** What GetTaskProtection and UpdateTaskProtection answer; times are epoch seconds. */
export interface ShownProtection {
  readonly protectedTasks?: ReadonlyArray<{
    readonly taskArn?: string
    readonly protectionEnabled?: boolean
    readonly expirationDate?: number
  }>
  readonly failures?: ReadonlyArray<{
    readonly arn?: string
    readonly reason?: string
    readonly detail?: string
  }>
}

interface AskedProtection {
  readonly cluster: string
  readonly tasks: readonly string[]
}

/** The tags of a resource, or why they could not be had, as the metadata endpoint shows it. */
type ShownTags =
  | { readonly tags: Readonly<Record<string, string>>; readonly error?: undefined }
  | {
      readonly tags?: undefined
      readonly error: {
        readonly ErrorCode?: string
        readonly ErrorMessage: string
        readonly StatusCode?: number
        readonly RequestId?: string
        readonly ResourceARN: string
      }
    }

/** What the agent asks the control plane for when a task asks it. */
export interface TaskApi {
  /** Never throws. The container that asks is named in the request's user agent. */
  listTags(resourceArn: string, containerName: string): Promise<ShownTags>
  getTaskProtection(role: RoleCredentials, input: AskedProtection): Promise<ShownProtection>
  updateTaskProtection(
    role: RoleCredentials,
    input: AskedProtection & { readonly protectionEnabled: boolean; readonly expiresInMinutes?: number },
  ): Promise<ShownProtection>
  /** Whether a URL is this control plane's. */
  isOwnEndpoint(url: string): boolean
}

export function taskApi(options: AwsApiOptions): TaskApi {
  const as = (role: RoleCredentials): Call =>
    awsJson({ ...options, credentials: roleSource(role) }, 'ecs', ecsTarget)
  return {
    async listTags(resourceArn, containerName) {
      const userAgent = `${options.userAgent} container/${containerName}`
      try {
        const call = awsJson({ ...options, userAgent }, 'ecs', ecsTarget)
        const { tags = [] } = await call<{ tags?: ReadonlyArray<{ key?: string; value?: string }> }>(
          'ListTagsForResource',
          { resourceArn },
        )
        return { tags: Object.fromEntries(tags.map(({ key = '', value = '' }) => [key, value])) }
      } catch (error) {
        return { error: tagsError(resourceArn, error) }
      }
    },
    getTaskProtection: (role, input) => as(role)('GetTaskProtection', input),
    updateTaskProtection: (role, input) => as(role)('UpdateTaskProtection', input),
    isOwnEndpoint: (url) => URL.parse(url)?.host === new URL(options.endpoint).host,
  }
}

function tagsError(ResourceARN: string, error: unknown): NonNullable<ShownTags['error']> {
  const ErrorMessage = error instanceof Error ? error.message : String(error)
  if (!(error instanceof ServiceError)) return { ErrorMessage, ResourceARN }
  const { name: ErrorCode, status: StatusCode, requestId: RequestId } = error
  return { ErrorCode, ErrorMessage, StatusCode, ...(RequestId && { RequestId }), ResourceARN }
}
