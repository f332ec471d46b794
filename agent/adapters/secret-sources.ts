import type { RoleCredentials } from '@berth/agent-protocol/acs.ts'
import { SecretError } from '#engine/secret-values.ts'
import type { SecretSource, SecretSources } from '#runtime/secrets.ts'
import { awsJson, ServiceError } from './aws-api.ts'
import type { Environment } from './environment.ts'
import type { Credentials } from './sign.ts'

export interface SecretSourceOptions {
  /** Where the ECS API is: the same port serves these two, unless it is AWS's own. */
  readonly backend: string
  readonly environment: Environment
  readonly userAgent: string
}

/** Errors that the models of the two services name; the SDK writes others as `api error NAME`. */
const modelled = new Set([
  'DecryptionFailure',
  'InternalServerError',
  'InternalServiceError',
  'InvalidKeyId',
  'InvalidParameterException',
  'InvalidRequestException',
  'ResourceNotFoundException',
])

/** Secrets Manager and Parameter Store where AWS's SDKs would look for them, or beside the ECS API. */
export function secretSources(options: SecretSourceOptions): SecretSources {
  const call = async <Output>(
    { region, credentials }: SecretSource,
    service: 'secretsmanager' | 'ssm',
    operation: string,
    input: object,
  ): Promise<Output> => {
    const target = service === 'ssm' ? 'AmazonSSM' : 'secretsmanager'
    const { userAgent } = options
    const send = awsJson(
      {
        endpoint: endpointOf(options, service, region),
        region,
        credentials: () => Promise.resolve(keysOf(credentials)),
        userAgent,
      },
      service,
      target,
    )
    return send<Output>(operation, input).catch((error: unknown) => refuse(error, service, operation))
  }
  return {
    async getSecretValue(source, { secretId, versionStage, versionId }) {
      const { SecretString: text } = await call<{ readonly SecretString?: string }>(
        source,
        'secretsmanager',
        'GetSecretValue',
        {
          SecretId: secretId,
          ...(versionStage !== undefined && { VersionStage: versionStage }),
          ...(versionId !== undefined && { VersionId: versionId }),
        },
      )
      return { ...(text !== undefined && { text }) }
    },
    async getParameters(source, names) {
      const { Parameters = [], InvalidParameters = [] } = await call<{
        readonly Parameters?: ReadonlyArray<{ Name?: string; Selector?: string; Value?: string }>
        readonly InvalidParameters?: readonly string[]
      }>(source, 'ssm', 'GetParameters', { Names: names, WithDecryption: true })
      return {
        values: new Map(
          Parameters.map(({ Name = '', Selector = '', Value = '' }) => [`${Name}${Selector}`, Value]),
        ),
        invalid: InvalidParameters,
      }
    },
  }
}

function endpointOf(
  { backend, environment }: SecretSourceOptions,
  service: 'secretsmanager' | 'ssm',
  region: string,
): string {
  const own = service === 'ssm' ? 'AWS_ENDPOINT_URL_SSM' : 'AWS_ENDPOINT_URL_SECRETS_MANAGER'
  const given = environment[own] || environment['AWS_ENDPOINT_URL']
  if (given) return given
  return new URL(backend).hostname.endsWith('.amazonaws.com')
    ? `https://${service}.${region}.amazonaws.com`
    : backend
}

function keysOf({ accessKeyId = '', secretAccessKey = '', sessionToken }: RoleCredentials): Credentials {
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
}

/** Refused is what the service says no to; what it could not do just now is tried again. */
function refuse(error: unknown, service: string, operation: string): never {
  if (!(error instanceof ServiceError) || error.status >= 500 || /Throttl/i.test(error.name)) throw error
  const name = service === 'ssm' ? 'SSM' : 'Secrets Manager'
  const what = modelled.has(error.name) ? error.name : `api error ${error.name}`
  throw new SecretError(
    `operation error ${name}: ${operation}, https response error StatusCode: ${error.status}, RequestID: ${error.requestId}, ${what}: ${error.message}`,
  )
}
