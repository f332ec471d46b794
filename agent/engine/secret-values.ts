/** Which secrets a task's containers name, how each is asked for, and what becomes of its value: pure. */
import type { PayloadContainer, PayloadSecret } from '@berth/agent-protocol/payload.ts'
import type { Contribution, Contributions } from './contribution.ts'
import { parseDockerConfig, type TaskRecord } from './task-record.ts'

/** Where a secret of Secrets Manager is, and what of it is wanted. */
export interface SecretReference {
  readonly secretId: string
  /** A member of the secret's JSON. */
  readonly jsonKey?: string
  readonly versionStage?: string
  readonly versionId?: string
}

/** A secret that cannot be had; the message is the official agent's. */
export class SecretError extends Error {}

/** Secrets that are fetched as one: the same thing in the same region. */
export function secretKey({ provider, region, valueFrom }: PayloadSecret): string {
  return `${provider} ${region} ${valueFrom}`
}

/** Each secret that some container of the task names, once. */
export function neededSecrets(record: TaskRecord): readonly PayloadSecret[] {
  const all = (record.task.containers ?? []).flatMap(({ secrets = [] }) => secrets)
  return [...new Map(all.map((secret) => [secretKey(secret), secret])).values()]
}

const plainParts = 2
const fullParts = 5

/**
 * Reads `arn:…:secret:NAME` and `arn:…:secret:NAME:JSON-KEY:VERSION-STAGE:VERSION-ID`, of which the last three may be
 * empty. Throws SecretError.
 */
export function secretReference(valueFrom: string): SecretReference {
  const refuse = (why: string): never => {
    throw new SecretError(`trying to retrieve secret with value ${valueFrom} resulted in error: ${why}`)
  }
  const parts = valueFrom.split(':')
  if (parts[0] !== 'arn') return refuse('arn: invalid prefix')
  if (parts.length < 6) return refuse('arn: not enough sections')
  const resource = parts.slice(5)
  if (resource.length === plainParts) return { secretId: valueFrom }
  if (resource.length !== fullParts)
    return refuse(
      'an invalid ARN format for the AWS Secrets Manager secret was specified. Specify a valid ARN and try again.',
    )
  const [, , jsonKey, versionStage, versionId] = resource
  return {
    secretId: parts.slice(0, 7).join(':'),
    ...(jsonKey && { jsonKey }),
    ...(versionStage && { versionStage }),
    ...(versionId && { versionId }),
  }
}

/** The value that goes into the container. Throws SecretError, in which no value is shown. */
export function secretValue({ secretId, jsonKey }: SecretReference, text: string | undefined): string {
  // AWS's agent takes a binary secret for an empty one, or ends; that helps nobody.
  if (text === undefined)
    throw new SecretError(
      `secret ${secretId}: the secret is binary, and only text can be given to a container`,
    )
  if (jsonKey === undefined) return text
  const members = jsonObject(text)
  if (!Object.hasOwn(members, jsonKey))
    throw new SecretError(`retrieved secret from Secrets Manager did not contain json key ${jsonKey}`)
  return goText(members[jsonKey])
}

function jsonObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const first = text.trimStart().charAt(0)
    throw new SecretError(
      first === '' || '{["-0123456789tfn'.includes(first)
        ? 'unexpected end of JSON input'
        : `invalid character '${first}' looking for beginning of value`,
    )
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>
  // Go takes null for a map without members.
  if (value === null) return {}
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  throw new SecretError(`json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`)
}

/** A JSON value as Go's `%v` writes it: what is not a text becomes one so. */
export function goText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return goNumber(value)
  if (typeof value === 'boolean') return String(value)
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  const members = Object.entries(value as object).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return `map[${members.map(([key, each]) => `${key}:${goText(each)}`).join(' ')}]`
}

/** The shortest digits that mean the number; as a power of ten below 1e-4, and already from 1e6 on. */
function goNumber(value: number): string {
  if (Object.is(value, -0)) return '-0'
  const [digits = '', power = '0'] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent >= -4 && exponent < 6) return String(value)
  return `${digits}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** What fetched values add to the containers that name them; `values` is by `secretKey`. */
export function secretContributions(record: TaskRecord, values: ReadonlyMap<string, string>): Contributions {
  const containers = record.task.containers ?? []
  const router = containers.find(({ firelensConfiguration }) => firelensConfiguration)
  const contributions: Record<string, Contribution> = {}
  const forRouter: Record<string, string> = {}
  for (const [index, container] of containers.entries()) {
    const valuesOf = (of: (secret: PayloadSecret) => boolean): Record<string, string> =>
      Object.fromEntries(
        (container.secrets ?? [])
          .filter(of)
          .map((secret) => [secret.name, values.get(secretKey(secret)) ?? '']),
      )
    const environment = valuesOf(({ target }) => target !== 'LOG_DRIVER')
    const options = valuesOf(({ target }) => target === 'LOG_DRIVER')
    const routed = logDriverOf(container) === 'awsfirelens'
    // A log router's outputs are in a file, which refers to variables of the router by these names.
    if (routed) for (const [name, value] of Object.entries(options)) forRouter[`${name}_${index}`] = value
    contributions[container.name] = {
      ...(Object.keys(environment).length > 0 && { environmentOver: environment }),
      ...(!routed && Object.keys(options).length > 0 && { logOptions: options }),
    }
  }
  if (router && Object.keys(forRouter).length > 0)
    contributions[router.name] = {
      ...contributions[router.name],
      environmentOver: { ...contributions[router.name]?.environmentOver, ...forRouter },
    }
  return contributions
}

function logDriverOf(container: PayloadContainer): string | undefined {
  const { LogConfig } = parseDockerConfig(container).hostConfig as {
    readonly LogConfig?: { readonly Type?: string }
  }
  return LogConfig?.Type
}
