import type { PayloadSecret } from '@berth/agent-protocol/payload.ts'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { describe, expect, test } from 'vitest'
import { SecretError } from '#engine/secret-values.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import { TaskCredentials } from './credentials.ts'
import { fakeContainer, fakeTask } from './fake-control-plane.ts'
import { FakeHost } from './fake-host.ts'
import { registrySecrets, type SecretSource, type SecretSources, taskSecrets } from './secrets.ts'

const arn = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf'
const role = { credentialsId: 'role', accessKeyId: 'ASIA', secretAccessKey: 's' }

/** Secrets Manager and Parameter Store as they stand in two maps; it notes who asked for what. */
class StoredSecrets implements SecretSources {
  readonly asked: Array<SecretSource & { readonly what: unknown }> = []
  readonly secrets = new Map<string, string | undefined>()
  readonly parameters = new Map<string, string>()
  failure: Error | undefined

  getSecretValue: SecretSources['getSecretValue'] = (source, reference) => {
    this.asked.push({ ...source, what: reference })
    if (this.failure) return Promise.reject(this.failure)
    if (!this.secrets.has(reference.secretId))
      return Promise.reject(
        new SecretError(
          "operation error Secrets Manager: GetSecretValue, ResourceNotFoundException: Secrets Manager can't find the specified secret.",
        ),
      )
    const text = this.secrets.get(reference.secretId)
    return Promise.resolve(text === undefined ? {} : { text })
  }

  getParameters: SecretSources['getParameters'] = (source, names) => {
    this.asked.push({ ...source, what: names })
    if (this.failure) return Promise.reject(this.failure)
    return Promise.resolve({
      values: this.parameters,
      invalid: names.filter((name) => !this.parameters.has(name)),
    })
  }
}

const parameter = (name: string, valueFrom: string, region = 'us-east-1'): PayloadSecret => ({
  name,
  valueFrom,
  region,
  provider: 'ssm',
  type: 'ENVIRONMENT_VARIABLE',
})
const secret = (name: string, valueFrom: string): PayloadSecret => ({
  ...parameter(name, valueFrom),
  provider: 'asm',
})

function recordOf(secrets: readonly PayloadSecret[], launchType = 'EC2'): TaskRecord {
  const task = fakeTask('aaaa', [fakeContainer('web', { secrets })])
  return { task: { ...task, launchType }, executionCredentialsId: 'role' } as unknown as TaskRecord
}

function started() {
  const sources = new StoredSecrets()
  const credentials = new TaskCredentials(new SimulatedClock(0))
  credentials.keep(recordOf([]).task.arn, 'execution', role)
  return { sources, resource: taskSecrets(sources, credentials), credentials }
}

test('fetches with the execution role, in the region of each, ten parameters at a time', async () => {
  const { sources, resource } = started()
  const many = Array.from({ length: 11 }, (_, index) => parameter(`P${index}`, `/p/${index}`))
  for (const { valueFrom } of many) sources.parameters.set(valueFrom, valueFrom)
  sources.parameters.set('/far', 'far')
  sources.secrets.set(arn, '{"user":"a"}')
  const record = recordOf([...many, parameter('FAR', '/far', 'eu-west-1'), secret('USER', `${arn}:user::`)])
  const { web } = await resource.provide(record)
  expect(web?.environmentOver).toMatchObject({ P0: '/p/0', P10: '/p/10', FAR: 'far', USER: 'a' })
  expect(sources.asked.map(({ region, what }) => [region, Array.isArray(what) ? what.length : what])).toEqual(
    [
      ['us-east-1', 10],
      ['us-east-1', 1],
      ['eu-west-1', 1],
      ['us-east-1', { secretId: arn }],
    ],
  )
  expect(new Set(sources.asked.map(({ credentials }) => credentials))).toEqual(new Set([role]))
})

const unretrieved =
  'ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed:'
const missing =
  "operation error Secrets Manager: GetSecretValue, ResourceNotFoundException: Secrets Manager can't find the specified secret."

describe.each([
  [
    'EC2',
    parameter('P', '/x'),
    'fetching secret data from SSM Parameter Store in us-east-1: invalid parameters: /x',
  ],
  [
    'FARGATE',
    parameter('P', '/x'),
    `${unretrieved} unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: /x`,
  ],
  [
    'EC2',
    secret('S', arn),
    `ResourceNotFoundException: The task can't retrieve the secret with ARN '${arn}' from AWS Secrets Manager. Check whether the secret exists in the specified Region: ${missing}`,
  ],
  [
    'FARGATE',
    secret('S', arn),
    `${unretrieved} unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret ${arn} from secrets manager: ${missing}`,
  ],
  [
    'EC2',
    secret('K', 'known:x'),
    'trying to retrieve secret with value known:x resulted in error: arn: invalid prefix',
  ],
  ['EC2', secret('K', `${arn}2:x::`), 'retrieved secret from Secrets Manager did not contain json key x'],
  [
    'FARGATE',
    secret('K', `${arn}2:x::`),
    `${unretrieved} unable to retrieve secret from asm: service call has been retried 1 time(s): retrieved secret from Secrets Manager did not contain json key x`,
  ],
])('on %s %j', (launchType, wanted, reason) => {
  test(`says ${reason}`, async () => {
    const { sources, resource } = started()
    sources.secrets.set(`${arn}2`, '{"y":1}')
    await expect(resource.provide(recordOf([wanted], launchType))).rejects.toMatchObject({ reason })
  })
})

test('a refusal of the service is the reason', async () => {
  const { sources, resource } = started()
  sources.failure = new SecretError('operation error: api error AccessDeniedException: no')
  await expect(resource.provide(recordOf([secret('S', arn)]))).rejects.toMatchObject({
    reason: `secret ${arn}: operation error: api error AccessDeniedException: no: operation error: api error AccessDeniedException: no`,
  })
  await expect(resource.provide(recordOf([parameter('P', '/x')]))).rejects.toMatchObject({
    reason:
      'fetching secret data from SSM Parameter Store in us-east-1: operation error: api error AccessDeniedException: no',
  })
})

test('a service that cannot be reached is no reason: it is asked again', async () => {
  const { sources, resource } = started()
  sources.failure = new Error('connect ECONNREFUSED')
  const failing = resource.provide(recordOf([secret('S', arn)]))
  await expect(failing).rejects.toThrow('connect ECONNREFUSED')
  await expect(failing).rejects.not.toHaveProperty('reason')
})

test.each([
  [secret('S', arn), 'ASM secret resource: unable to find execution role credentials'],
  [parameter('P', '/x'), 'ssm secret resource: unable to find execution role credentials'],
])('a task without an execution role gets none: %j', async (wanted, reason) => {
  const { executionCredentialsId: _none, ...record } = recordOf([wanted])
  await expect(started().resource.provide(record)).rejects.toMatchObject({ reason })
})

describe('a private registry', () => {
  const auth = { credentialsParameter: arn, region: 'us-east-1' }

  test('is signed in to with the secret', async () => {
    const { sources, credentials } = started()
    sources.secrets.set(arn, '{"Username":"me","password":"word"}')
    const found = await registrySecrets(sources, credentials).credentials(recordOf([]), auth)
    expect(found).toEqual({ username: 'me', password: 'word' })
  })

  test.each([
    ['', 'asm fetching authorization data: empty secrets value'],
    ['plain', 'asm fetching authorization data: unable to unmarshal secret value, invalid schema'],
    [
      '{"username":1,"password":"a"}',
      'asm fetching authorization data: unable to unmarshal secret value, invalid schema',
    ],
    ['{"password":"a"}', 'asm fetching username: AuthorizationData is malformed, empty field'],
    ['{"username":"a"}', 'asm fetching password: AuthorizationData is malformed, empty field'],
  ])('is not with %j', async (text, reason) => {
    const { sources, credentials } = started()
    sources.secrets.set(arn, text)
    const asking = registrySecrets(sources, credentials).credentials(recordOf([]), auth)
    await expect(asking).rejects.toMatchObject({ reason })
  })
})

describe('on an agent', () => {
  async function host() {
    const clock = new SimulatedClock(0)
    const credentials = new TaskCredentials(clock)
    const sources = new StoredSecrets()
    const resources = [taskSecrets(sources, credentials)]
    const bench = new FakeHost(clock, { resources, credentials })
    await bench.start()
    return { bench, sources }
  }
  const task = {
    ...fakeTask('aaaa', [fakeContainer('web', { secrets: [parameter('P', '/x')] })]),
    executionRoleCredentials: role,
  }

  test('the container gets the value, and the disk does not', async () => {
    const { bench, sources } = await host()
    sources.parameters.set('/x', 'planted-value')
    await bench.send(task)
    const [made] = bench.runtime.containers.values()
    expect(made?.body.Env).toContain('P=planted-value')
    expect(JSON.stringify(made?.body.Labels)).not.toContain('planted-value')
    expect(JSON.stringify([...(await bench.disk.load())])).not.toContain('planted-value')
  })

  test('what could not be had is the reason of the task, of which no container was made', async () => {
    const { bench } = await host()
    await bench.send(task)
    const last = bench.control.submissions.at(-1)
    expect(last).toMatchObject({
      status: 'STOPPED',
      reason: 'fetching secret data from SSM Parameter Store in us-east-1: invalid parameters: /x',
      containers: [{ containerName: 'web', status: 'STOPPED' }],
    })
    expect(last?.containers?.[0]).not.toHaveProperty('reason')
  })
})
