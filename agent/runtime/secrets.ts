/** Fetches what containers are given of Secrets Manager and Parameter Store, with the task's execution role. */
import type { PayloadSecret, RoleCredentials } from '@berth/agent-protocol/payload.ts'
import {
  neededSecrets,
  secretContributions,
  SecretError,
  secretKey,
  secretReference,
  type SecretReference,
  secretValue,
} from '#engine/secret-values.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import type { RegistryCredentials } from './container-runtime.ts'
import type { TaskCredentials } from './credentials.ts'
import { ResourceError, type TaskResource } from './task-resources.ts'

/** Who is asked, and as whom. */
export interface SecretSource {
  readonly region: string
  readonly credentials: RoleCredentials
}

/**
 * Secrets Manager and Parameter Store. A refusal is thrown as a SecretError in the words of AWS's SDK; anything else
 * thrown is a failure of the way there and may be tried again.
 */
export interface SecretSources {
  getSecretValue(
    source: SecretSource,
    reference: Omit<SecretReference, 'jsonKey'>,
  ): Promise<{ readonly text?: string }>
  /** Ten names at most; those of which there is nothing are in `invalid`. */
  getParameters(
    source: SecretSource,
    names: readonly string[],
  ): Promise<{ readonly values: ReadonlyMap<string, string>; readonly invalid: readonly string[] }>
}

const parametersAtOnceMax = 10

/** The texts of a failure, which differ between AWS's agent and Fargate. */
interface Words {
  readonly asm: (text: string, secretId?: string) => string
  readonly ssm: (text: string, region: string) => string
  readonly invalidParameters: (names: readonly string[], region: string) => string
}

const onInstances: Words = {
  asm: (text) => text,
  ssm: (text, region) => `fetching secret data from SSM Parameter Store in ${region}: ${text}`,
  invalidParameters: (names, region) => onInstances.ssm(`invalid parameters: ${names.join(',')}`, region),
}

const unretrieved =
  'ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed:'
const retried = 'service call has been retried 1 time(s):'
const onFargate: Words = {
  asm: (text, secretId) =>
    `${unretrieved} unable to retrieve secret from asm: ${retried} ${secretId === undefined ? text : `failed to fetch secret ${secretId} from secrets manager: ${text}`}`,
  ssm: (text) => `${unretrieved} unable to retrieve secrets from ssm: ${retried} ${text}`,
  invalidParameters: (names, region) => onFargate.ssm(`invalid ssm parameters: ${names.join(',')}`, region),
}

const wordsOf = ({ task }: TaskRecord): Words => (task.launchType === 'FARGATE' ? onFargate : onInstances)

/**
 * The secrets of a task as variables and log options of its containers. They are fetched when the first container is
 * made and stay in memory: containers that are restarted keep the environment they have, and an agent that restarts
 * before all are made fetches anew.
 */
export function taskSecrets(sources: SecretSources, credentials: TaskCredentials): TaskResource {
  return {
    name: 'secrets',
    isNeeded: (record) => neededSecrets(record).length > 0,
    provide: async (record) => {
      const needed = neededSecrets(record)
      const [parameters, secrets] = [
        needed.filter(({ provider }) => provider === 'ssm'),
        needed.filter(({ provider }) => provider === 'asm'),
      ]
      const asked = { sources, credentials, record }
      const fetched = await Promise.all([fetchParameters(asked, parameters), fetchSecrets(asked, secrets)])
      return secretContributions(record, new Map(fetched.flatMap((values) => [...values])))
    },
  }
}

interface Asked {
  readonly sources: SecretSources
  readonly credentials: TaskCredentials
  readonly record: TaskRecord
}

/** Of a task without an execution role there are none to wait for. Throws ResourceError. */
async function executionRole({ credentials, record }: Asked, resource: string): Promise<RoleCredentials> {
  if (record.executionCredentialsId === undefined)
    throw new ResourceError(`${resource}: unable to find execution role credentials`, '')
  return credentials.credentialsFor(record.task.arn, 'execution')
}

async function fetchParameters(
  asked: Asked,
  needed: readonly PayloadSecret[],
): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>()
  if (needed.length === 0) return values
  const role = await executionRole(asked, 'ssm secret resource')
  const words = wordsOf(asked.record)
  const fetchBatch = async (region: string, batch: readonly PayloadSecret[]): Promise<void> => {
    const names = batch.map(({ valueFrom }) => valueFrom)
    const found = await asked.sources
      .getParameters({ region, credentials: role }, names)
      .catch((error: unknown) => refuse(error, (text) => words.ssm(text, region)))
    if (found.invalid.length > 0) throw new ResourceError(words.invalidParameters(found.invalid, region), '')
    for (const secret of batch) {
      const value = found.values.get(secret.valueFrom)
      if (value === undefined)
        throw new ResourceError(words.invalidParameters([secret.valueFrom], region), '')
      values.set(secretKey(secret), value)
    }
  }
  const batches = [...new Set(needed.map(({ region }) => region))].flatMap((region) => {
    const own = needed.filter((secret) => secret.region === region)
    return Array.from({ length: Math.ceil(own.length / parametersAtOnceMax) }, (_, index) =>
      fetchBatch(region, own.slice(index * parametersAtOnceMax, (index + 1) * parametersAtOnceMax)),
    )
  })
  await Promise.all(batches)
  return values
}

async function fetchSecrets(
  asked: Asked,
  needed: readonly PayloadSecret[],
): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>()
  if (needed.length === 0) return values
  const role = await executionRole(asked, 'ASM secret resource')
  const words = wordsOf(asked.record)
  const failures: string[] = []
  await Promise.all(
    needed.map(async (secret) => {
      try {
        values.set(secretKey(secret), await fetchSecret(asked, secret, role, words))
      } catch (error) {
        if (!(error instanceof SecretError)) throw error
        failures.push(error.message)
      }
    }),
  )
  if (failures.length > 0)
    throw new ResourceError(words === onInstances ? failures.join(';') : (failures[0] ?? ''), '')
  return values
}

/** @throws SecretError in the words of whoever runs the task */
async function fetchSecret(
  { sources }: Asked,
  { valueFrom, region }: PayloadSecret,
  credentials: RoleCredentials,
  words: Words,
): Promise<string> {
  try {
    const { jsonKey, ...reference } = secretReference(valueFrom)
    const { text } = await sources
      .getSecretValue({ region, credentials }, reference)
      .catch((error: unknown) => refuseSecret(error, reference.secretId, words))
    return secretValue({ ...reference, ...(jsonKey !== undefined && { jsonKey }) }, text)
  } catch (error) {
    if (!(error instanceof SecretError) || error instanceof WordedError) throw error
    throw new SecretError(words.asm(error.message))
  }
}

/** A failure that is in its final words already. */
class WordedError extends SecretError {}

function refuseSecret(error: unknown, secretId: string, words: Words): never {
  if (!(error instanceof SecretError)) throw error
  if (words === onFargate) throw new WordedError(words.asm(error.message, secretId))
  const missing = error.message.includes('ResourceNotFoundException')
  throw new WordedError(
    missing
      ? `ResourceNotFoundException: The task can't retrieve the secret with ARN '${secretId}' from AWS Secrets Manager. Check whether the secret exists in the specified Region: ${error.message}`
      : `secret ${secretId}: ${error.message}: ${error.message}`,
  )
}

function refuse(error: unknown, worded: (text: string) => string): never {
  throw error instanceof SecretError ? new ResourceError(worded(error.message), '') : error
}

/** How a private registry is signed in to: with the `username` and `password` of a secret. */
export interface RegistrySecrets {
  /** @throws ResourceError; anything else may be tried again */
  credentials(
    record: TaskRecord,
    auth: { readonly credentialsParameter: string; readonly region: string },
  ): Promise<RegistryCredentials>
}

export function registrySecrets(sources: SecretSources, credentials: TaskCredentials): RegistrySecrets {
  return {
    async credentials(record, { credentialsParameter: secretId, region }) {
      const role = await executionRole({ sources, credentials, record }, 'asm resource')
      const worded = (text: string): string =>
        wordsOf(record) === onFargate
          ? onFargate.asm(text, secretId)
          : `asm fetching secret from the service for ${secretId}: ${text}`
      const { text } = await sources
        .getSecretValue({ region, credentials: role }, { secretId })
        .catch((error: unknown) => refuse(error, worded))
      return readCredentials(text)
    },
  }
}

function readCredentials(text: string | undefined): RegistryCredentials {
  const refused = (what: string): never => {
    throw new ResourceError(`asm fetching ${what}`, '')
  }
  if (!text) return refused('authorization data: empty secrets value')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refused('authorization data: unable to unmarshal secret value, invalid schema')
  // Go finds the members of a structure whatever the case of their names.
  const member = (name: string): unknown =>
    Object.entries(value).find(([key]) => key.toLowerCase() === name)?.[1]
  const [username, password] = [member('username'), member('password')]
  const isText = (given: unknown): given is string | null | undefined =>
    given === undefined || given === null || typeof given === 'string'
  if (!isText(username) || !isText(password))
    return refused('authorization data: unable to unmarshal secret value, invalid schema')
  if (!username) return refused('username: AuthorizationData is malformed, empty field')
  if (!password) return refused('password: AuthorizationData is malformed, empty field')
  return { username, password }
}
