import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { auditLine } from './audit-log.ts'
import {
  fakeContainer,
  fakeTask,
  idOf,
  inspectedContainer,
  recordOf,
  type TestEndpoint,
  testEndpoint,
  type TestEndpointOptions,
} from './endpoint-testing.ts'
import { metadataFiles } from './file.ts'
import { parseRateLimit } from './rate-limit.ts'
import { parseNetDev } from '#adapters/network-counters.ts'
import { rated, StatsStreams } from './stats.ts'

let endpoint: TestEndpoint | undefined
afterEach(() => endpoint?.end())
async function open(options: TestEndpointOptions): Promise<TestEndpoint> {
  endpoint = await testEndpoint(options)
  return endpoint
}

const sent = {
  credentialsId: 'cred-1',
  roleArn: 'arn:aws:iam::000000000000:role/app',
  accessKeyId: 'ASIAROLE',
  secretAccessKey: 'secret',
  sessionToken: 'token',
  expiration: '2026-11-23T06:00:00Z',
}
const task = fakeTask('one', [fakeContainer('web')], {
  roleCredentials: sent,
  executionRoleCredentials: { ...sent, credentialsId: 'cred-2' },
})
const record = recordOf(task, { web: { state: 'RUNNING', runtimeId: 'abcdef0123456789' } })

test('credentials are had by their id, of the execution role too, and every look is noted', async () => {
  const { get, credentials, audited } = await open({ records: [record] })
  credentials.keep(task.arn, 'task', sent)
  credentials.keep(task.arn, 'execution', { ...sent, credentialsId: 'cred-2' })
  const shown = {
    RoleArn: sent.roleArn,
    AccessKeyId: 'ASIAROLE',
    SecretAccessKey: 'secret',
    Token: 'token',
    Expiration: sent.expiration,
  }
  expect(await get('/v2/credentials/cred-1')).toEqual({ status: 200, body: shown })
  expect(await get('/v1/credentials?id=cred-2')).toEqual({ status: 200, body: shown })
  expect(audited.map(({ status, kind, taskArn }) => [status, kind, taskArn])).toEqual([
    [200, 'task', task.arn],
    [200, 'execution', task.arn],
  ])
})

test.each([
  ['/v2/credentials/guessed', 400, 'InvalidIdInRequest', 'CredentialsV2Request: Credentials not found'],
  ['/v2/credentials/', 400, 'NoIdInRequest', 'CredentialsV2Request: No Credential ID in the request'],
  ['/v1/credentials', 400, 'NoIdInRequest', 'CredentialsV1Request: No Credential ID in the request'],
  [
    '/v2/credentials/cred-1',
    503,
    'CredentialsUninitialized',
    'CredentialsV2Request: Credentials uninitialized for ID',
  ],
])('%s is refused with %i %s', async (path, status, code, message) => {
  const { get } = await open({ records: [record] })
  expect(await get(path)).toEqual({ status, body: { code, message, HTTPErrorCode: status } })
})

test('sixty requests at once and forty a second are answered, each path by itself', async () => {
  const { get, clock } = await open({ records: [record] })
  const ask = async (count: number, path: string): Promise<number> => {
    const all = await Promise.all(Array.from({ length: count }, () => get(path)))
    return all.filter(({ status }) => status !== 429).length
  }
  expect(await ask(100, '/v4/x')).toBe(60)
  expect(await ask(1, '/v4/x/task')).toBe(1)
  await clock.run(clock.now() + 500)
  expect(await ask(100, '/v4/x')).toBe(20)
  expect(await get('/v4/x')).toEqual({ status: 429, body: 'You have reached maximum request limit.' })
})

test.each([
  ['40,60', { steady: 40, burst: 60 }],
  ['40', undefined],
  ['60,40', undefined],
  ['0,60', undefined],
  ['many', undefined],
])('the rate limit %s', (text, limit) => {
  expect(parseRateLimit(text)).toEqual(limit)
})

const protection = `/api/${idOf(record, 'web')}/task-protection/v1/state`
const put = (body: unknown): RequestInit => ({ method: 'PUT', body: JSON.stringify(body) })

test('protection is asked for, and wished for, as the role of the task', async () => {
  const protectedTask = { taskArn: task.arn, protectionEnabled: true, expirationDate: 1_795_344_856.5 }
  const { get, credentials, told } = await open({
    records: [record],
    ecs: () => ({ protectedTasks: [protectedTask], failures: [] }),
  })
  credentials.keep(task.arn, 'task', sent)
  const shown = {
    protection: {
      ExpirationDate: new Date(1_795_344_856_500).toISOString(),
      ProtectionEnabled: true,
      TaskArn: task.arn,
    },
  }
  expect(await get(protection)).toEqual({ status: 200, body: shown })
  expect(await get(protection, put({ ProtectionEnabled: true, ExpiresInMinutes: 60 }))).toEqual({
    status: 200,
    body: shown,
  })
  expect(told.map(({ operation, input }) => [operation, input])).toEqual([
    ['GetTaskProtection', { cluster: 'proof', tasks: [task.arn] }],
    [
      'UpdateTaskProtection',
      { cluster: 'proof', tasks: [task.arn], protectionEnabled: true, expiresInMinutes: 60 },
    ],
  ])
  expect(told.every(({ authorization }) => authorization.includes('Credential=ASIAROLE/'))).toBe(true)
})

test('what the control plane does not do comes back as a failure or an error of its own', async () => {
  const failures = [{ arn: task.arn, reason: 'TASK_NOT_VALID', detail: 'no service' }]
  const { get, credentials } = await open({
    records: [record],
    ecs: (operation) => (operation === 'GetTaskProtection' ? { protectedTasks: [], failures } : undefined),
  })
  credentials.keep(task.arn, 'task', sent)
  expect(await get(protection)).toEqual({
    status: 200,
    body: { failure: { Arn: task.arn, Detail: 'no service', Reason: 'TASK_NOT_VALID' } },
  })
  expect(await get(protection, put({ ProtectionEnabled: false }))).toEqual({
    status: 400,
    body: {
      requestID: 'request-1',
      error: { Arn: task.arn, Code: 'InvalidParameterException', Message: 'not like this' },
    },
  })
})

test.each([
  [{ Strange: 1 }, 400, 'InvalidParameterException', 'UpdateTaskProtection: failed to decode request'],
  [
    { ProtectionEnabled: 'yes' },
    400,
    'InvalidParameterException',
    'UpdateTaskProtection: failed to decode request',
  ],
  [{}, 400, 'InvalidParameterException', "Invalid request: does not contain 'ProtectionEnabled' field"],
  [
    { ProtectionEnabled: true },
    403,
    'AccessDeniedException',
    'Invalid Request: no task IAM role credentials available for task',
  ],
])('a wish for protection of %j without credentials is refused', async (wish, status, Code, Message) => {
  const { get } = await open({ records: [record] })
  expect(await get(protection, put(wish))).toMatchObject({ status, body: { error: { Code, Message } } })
  expect(await get(protection.replace(/api\/[^/]+/, 'api/x'))).toMatchObject({
    status: 404,
    body: { error: { Code: 'ResourceNotFoundException' } },
  })
})

test('introspection shows the agent, its tasks, and one task by ARN or Docker id', async () => {
  const { get } = await open({ records: [record], introspection: true })
  expect((await get('/')).body).toEqual({ AvailableCommands: ['/v1/metadata', '/v1/tasks', '/license'] })
  expect((await get('/v1/metadata')).body).toEqual({
    Cluster: 'proof',
    ContainerInstanceArn: 'arn:aws:ecs:us-east-1:000000000000:container-instance/proof/1111',
    Version: 'Amazon ECS Agent - v1.105.0 (*be47be47)',
  })
  const shown = { Arn: task.arn, KnownStatus: 'RUNNING', Containers: [{ Name: 'web' }] }
  expect((await get('/v1/tasks')).body).toMatchObject({ Tasks: [shown] })
  for (const query of [
    `taskarn=${encodeURIComponent(task.arn)}`,
    'dockerid=abcdef012345',
    'dockerid=abcdef0123456789',
  ])
    expect(await get(`/v1/tasks?${query}`)).toMatchObject({ status: 200, body: shown })
  expect(await get('/v1/tasks?dockerid=abcdef01234567')).toMatchObject({ status: 404, body: { Arn: '' } })
  expect((await get(`/v1/tasks?taskarn=x&dockerid=y`)).status).toBe(400)
})

test('a line of the audit log has the official columns and not the id', () => {
  const asked = {
    url: new URL('http://agent/v2/credentials/cred-1'),
    request: {
      socket: { remoteAddress: '172.17.0.2', remotePort: 4711 },
      headers: { 'user-agent': 'aws-cli/2' },
    } as unknown as IncomingMessage,
  }
  const facts = { cluster: 'proof', containerInstanceArn: 'arn:instance', atMs: 0 }
  expect(auditLine({ asked, status: 200, kind: 'execution', taskArn: task.arn }, facts)).toBe(
    `1970-01-01T00:00:00Z 200 172.17.0.2:4711 "/v2/credentials" "aws-cli/2" ${task.arn} GetCredentialsExecutionRole 2 proof arn:instance`,
  )
  expect(auditLine({ asked, status: 400 }, facts)).toMatch(/"aws-cli\/2" -$/)
})

test('rates are what is between two samples, over all interfaces', () => {
  const from = { read: '2026-11-23T00:00:00Z', networks: { eth0: { rx_bytes: 100, tx_bytes: 0 } } }
  const to = { read: '2026-11-23T00:00:02Z', networks: { eth0: { rx_bytes: 300, tx_bytes: 50 } } }
  expect(rated(to, from).network_rate_stats).toEqual({ rx_bytes_per_sec: 100, tx_bytes_per_sec: 25 })
  expect(rated(to, undefined)).toBe(to)
})

test('the counters of a task network are read as the kernel shows them', () => {
  const shown = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0:    1296      16    1    2    0     0          0         0      806      10    3    4    0     0       0          0
`
  expect(parseNetDev(shown)).toEqual({
    eth0: {
      rx_bytes: 1296,
      rx_packets: 16,
      rx_errors: 1,
      rx_dropped: 2,
      tx_bytes: 806,
      tx_packets: 10,
      tx_errors: 3,
      tx_dropped: 4,
    },
  })
})

test('a container is followed from the first question until nobody has asked for a while', async () => {
  const clock = new SimulatedClock(0)
  const opened: PassThrough[] = []
  const streams = new StatsStreams(
    () => {
      opened.push(new PassThrough())
      return Promise.resolve(opened.at(-1) as unknown as IncomingMessage)
    },
    () => Promise.resolve({ eth0: { rx_bytes: 15 } }),
    clock,
  )
  const asked = [streams.latest('one', 2), streams.latest('one', 2)]
  await Promise.resolve()
  opened[0]?.write('{"read":"2026-11-23T00:00:00Z"}\n{"read":"2026-11-23T00:00:01Z"}\n')
  expect(await asked[0]).toEqual({
    read: '2026-11-23T00:00:01Z',
    networks: { eth0: { rx_bytes: 7 } },
    network_rate_stats: { rx_bytes_per_sec: 0, tx_bytes_per_sec: 0 },
  })
  expect(await asked[1]).toBe(await streams.latest('one', 2))
  expect(opened).toHaveLength(1)
  await clock.run(60_000)
  expect(opened[0]?.destroyed).toBe(true)
  const late = streams.latest('one', 0)
  await Promise.resolve()
  opened[1]?.end('{"read":"0001-01-01T00:00:00Z"}\n')
  expect(await late).toBeUndefined()
})

test('a container finds a metadata file that becomes complete when it starts, and goes with the task', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-metadata-'))
  const files = metadataFiles({
    docker: { inspectRaw: (id) => Promise.resolve(inspectedContainer(id, 'running')) },
    directory,
    directoryOnHost: '/var/lib/ecs/data',
    cluster: 'proof',
    containerInstanceArn: () => 'arn:instance',
    location: { availabilityZone: 'us-east-1a', privateIpAddress: '10.0.0.9' },
  })
  const place = join(directory, 'metadata/proof/one/web/ecs-container-metadata.json')
  const read = (): unknown => JSON.parse(readFileSync(place, 'utf8'))
  const contributed = await files.provide(record)
  const inside = `/opt/ecs/metadata/${idOf(record, 'web')}`
  expect(contributed['web']).toEqual({
    binds: [`/var/lib/ecs/data/metadata/proof/one/web:${inside}`],
    environmentOver: { ECS_CONTAINER_METADATA_FILE: `${inside}/ecs-container-metadata.json` },
  })
  expect(read()).not.toHaveProperty('MetadataFileStatus')
  await files.started?.(record, 'web')
  expect(read()).toMatchObject({
    ContainerID: 'abcdef0123456789',
    ImageName: 'web:1',
    MetadataFileStatus: 'READY',
  })
  await files.release?.(record)
  expect(() => read()).toThrow('ENOENT')
  rmSync(directory, { recursive: true })
})
