import { sign } from '@berth/agent/adapters/sign.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { putCluster, putContainerInstance, putTaskDefinition } from '#api/ecs/testing-rows.ts'
import { startTask } from '#api/ecs/tasks/start-task.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import { parseToken } from '#domain/join.ts'
import { iamAuthorize } from './authorize.ts'
import { knownKey } from './aws-endpoint-testing.ts'
import { createHttpServer, type HttpServer } from './http-server.ts'
import { createJoinEndpoint } from './join-endpoint.ts'
import { createMetrics } from './metrics.ts'

const pin = 'p'.repeat(43)
let context: TestContext
let edge: Cluster
let server: HttpServer
let base: string
let remote: { url: string; pin: string } | undefined
let authorized: unknown[]
let errors: unknown[]
let now: number
beforeEach(async () => {
  context = await testContext({ accountId: knownKey.accountId })
  context.store.update((tx) => tx.put('accessKey', knownKey))
  edge = putCluster(context, 'edge')
  remote = { url: 'https://10.0.0.5:4566', pin }
  authorized = []
  errors = []
  now = systemClock.now()
  server = createHttpServer({
    aws: (_, response) => response.writeHead(404).end(),
    join: createJoinEndpoint({
      ...context,
      clock: { ...systemClock, now: () => now },
      mode: { dev: false, defaultAccountId: '000000000000' },
      onError: (error) => errors.push(error),
      authorize: ({ action, further }) => authorized.push([action, further?.()[0]?.resource]),
      remote: () => remote,
    }),
    health: () => ({}),
    metrics: createMetrics(),
  })
  const listening = await server.listen({ host: '127.0.0.1', port: 0 })
  if ('error' in listening) throw new Error(listening.error)
  base = `http://127.0.0.1:${listening.port}`
})
afterEach(async () => {
  await server.close(0)
  if (errors.length > 0) throw new AggregateError(errors, 'the endpoint failed by itself')
})

type Key = { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
async function post(path: string, message: object | string, key?: Key) {
  const url = new URL(path, base)
  const body = typeof message === 'string' ? message : JSON.stringify(message)
  const unsigned = { method: 'POST', url, headers: { 'content-type': 'application/json' }, body }
  const headers = key
    ? sign(unsigned, key, { region: 'us-east-1', service: 'ecs', nowMs: now })
    : unsigned.headers
  const response = await fetch(url, { method: 'POST', headers, body })
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
}
const makeToken = async (input: object = {}): Promise<string> =>
  (await post('/berth/join-token', { cluster: 'edge', ...input }, knownKey)).answer['token'] as string
const join = (token: string, nonce = '1'.repeat(32), more: object = {}) =>
  post('/berth/join', { token, nonce, ...more })
const keyOf = ({ answer }: { answer: Record<string, unknown> }): Key => answer as unknown as Key
const refused = (status: number, type: string): object => ({
  status,
  answer: { __type: expect.stringMatching(type) as string },
})

test('makes tokens for whoever may create activations, and keeps only a hash of the secret', async () => {
  const { answer } = await post(
    '/berth/join-token',
    { cluster: 'edge', tags: [{ key: 'a', value: 'b' }] },
    knownKey,
  )
  expect(answer).toMatchObject({ url: 'https://10.0.0.5:4566', expiresAt: now + 3_600_000 })
  expect(authorized).toEqual([
    ['ssm:CreateActivation', `arn:aws:iam::${knownKey.accountId}:role/ecsExternalInstanceRole`],
  ])
  const parts = parseToken(answer['token'] as string)
  expect(parts?.pin).toBe(pin)
  const [row] = context.store.list('joinToken')
  expect(row).toMatchObject({ clusterName: 'edge', usesMax: 1, uses: [], tags: [{ key: 'a', value: 'b' }] })
  expect(JSON.stringify(row)).not.toContain(parts?.secret)
})

test.each<[string, object]>([
  ['ClusterNotFoundException', { cluster: 'none' }],
  ['InvalidParameterException', { expiresInMs: 1 }],
  ['InvalidParameterException', { expiresInMs: 31 * 24 * 3_600_000 }],
  ['InvalidParameterException', { uses: 0 }],
  ['InvalidParameterException', { uses: 1.5 }],
  ['InvalidParameterException', { tags: [{ key: 'aws:x', value: '' }] }],
  ['ValidationException', { tags: { a: 'b' } }],
  ['ValidationException', { cluster: 5 }],
])('refuses with %s to make a token of %j', async (type, input) => {
  expect(await post('/berth/join-token', input, knownKey)).toMatchObject(refused(400, type))
  expect(context.store.list('joinToken')).toEqual([])
})

test('makes no token where no other machine could use it, and none for a stranger', async () => {
  expect(await post('/berth/join-token', {})).toMatchObject(refused(403, 'MissingAuth'))
  remote = undefined
  expect(await post('/berth/join-token', {}, knownKey)).toMatchObject({
    status: 400,
    answer: { message: expect.stringContaining('berth up --listen') as string },
  })
})

test('forgets expired tokens when one is made', async () => {
  await makeToken()
  now += 3_600_000
  await makeToken()
  expect(context.store.list('joinToken')).toHaveLength(1)
})

test('gives a host its identity, and the same again when it has not heard the answer', async () => {
  const token = await makeToken({ tags: [{ key: 'site', value: 'edge' }] })
  const first = await join(token)
  expect(first).toMatchObject({
    status: 200,
    answer: {
      instanceId: expect.stringMatching(/^mi-[0-9a-f]{17}$/) as string,
      accountId: knownKey.accountId,
      region: 'us-east-1',
      cluster: 'edge',
      tags: [{ key: 'site', value: 'edge' }],
      registryHost: 'localhost:4566',
      now,
    },
  })
  expect(await join(token)).toEqual(first)
  expect(await post('/berth/host', {}, keyOf(first))).toMatchObject({
    status: 200,
    answer: { instanceId: first.answer['instanceId'], agentConnected: false, taskArns: [] },
  })
})

test('says what is wrong with a token', async () => {
  const token = await makeToken()
  const secret = parseToken(token)?.secret ?? ''
  expect(await join(token.replace(secret, '0'.repeat(40)))).toMatchObject(refused(403, 'InvalidJoinToken'))
  expect(await join('bjt.none')).toMatchObject(refused(403, 'InvalidJoinToken'))
  expect(await join(token, 'x')).toMatchObject(refused(400, 'ValidationException'))
  expect(await join(token, '1'.repeat(32), { cluster: 'other' })).toMatchObject(
    refused(400, 'InvalidParameterException'),
  )
  await join(token)
  expect(await join(token, '2'.repeat(32))).toMatchObject(refused(403, 'UsedJoinToken'))
  now += 3_600_000
  expect(await join(token)).toMatchObject(refused(403, 'ExpiredJoinToken'))
})

test('lets the machine name the cluster where the token leaves it open', async () => {
  const token = await makeToken({ cluster: undefined, uses: 3 })
  expect(await join(token, '1'.repeat(32), { cluster: 'edge' })).toMatchObject({
    answer: { cluster: 'edge' },
  })
  expect(await join(token, '2'.repeat(32))).toMatchObject({ answer: { cluster: 'default' } })
  expect(await join(token, '3'.repeat(32), { cluster: 'none' })).toMatchObject(
    refused(400, 'ClusterNotFound'),
  )
})

test('lets nobody try tokens fast', async () => {
  const token = await makeToken()
  for (let tried = 0; tried < 10; tried++) await join('bjt.none')
  expect(await join(token)).toMatchObject(refused(429, 'TooManyRequests'))
  now += 1000
  expect((await join(token)).status).toBe(200)
})

/** A host that has joined and registered, with `tasks` tasks. */
async function joined(tasks: number): Promise<{ key: Key; arn: string; taskArns: string[] }> {
  const host = await join(await makeToken())
  const ec2InstanceId = host.answer['instanceId'] as string
  const instance = putContainerInstance(context, edge, '0'.repeat(32), { ec2InstanceId, external: true })
  putTaskDefinition(context, 'web:1', {}, { requiresCompatibilities: [] })
  const arn = instance.containerInstanceArn
  const taskArns = Array.from({ length: tasks }, () => {
    const input = { cluster: 'edge', taskDefinition: 'web:1', containerInstances: [arn] }
    return startTask.run(context, input).tasks?.[0]?.taskArn ?? ''
  })
  return { key: keyOf(host), arn, taskArns }
}

test('lets a host without tasks leave, once and for all', async () => {
  const { key, arn } = await joined(0)
  expect((await post('/berth/leave', {}, key)).answer).toEqual({ left: true, taskArns: [] })
  expect(context.store.find('containerInstance', arn)?.status).toBe('INACTIVE')
  expect(await post('/berth/leave', {}, key)).toMatchObject(refused(400, 'UnrecognizedClient'))
})

test('lets a host leave with its tasks only after they were asked to stop', async () => {
  const { key, arn, taskArns } = await joined(2)
  const task = () => context.store.find('task', taskArns[0] ?? '')
  expect(await post('/berth/leave', { mode: 'idle' }, key)).toMatchObject(refused(409, 'HostHasTasks'))
  expect(task()?.desiredStatus).toBe('RUNNING')
  const asked = await post('/berth/leave', { mode: 'stop' }, key)
  expect(asked.answer).toEqual({ left: false, taskArns })
  expect(context.store.find('containerInstance', arn)?.status).toBe('DRAINING')
  expect(task()).toMatchObject({ desiredStatus: 'STOPPED', stoppedReason: 'The host of the task leaves.' })
  expect((await post('/berth/leave', { mode: 'abandon' }, key)).answer).toEqual({ left: true, taskArns })
  expect(task()?.lastStatus).toBe('STOPPED')
  expect(context.store.find('containerInstance', arn)?.status).toBe('INACTIVE')
})

test('lets a host do what an agent has to, where policies decide, and nothing else', async () => {
  const { key } = await joined(0)
  const row = context.store.find('accessKey', key.accessKeyId)
  const caller = {
    accountId: knownKey.accountId,
    arn: row?.principalArn ?? '',
    userId: row?.userId ?? '',
  }
  const authorize = iamAuthorize(context.store, systemClock)
  const ask = (action: string) => () =>
    authorize({ caller, service: 'ecs', region: 'us-east-1', action, resources: ['*'] })
  expect(ask('ecs:RegisterContainerInstance')).not.toThrow()
  expect(ask('ecs:RunTask')).toThrow('not authorized')
})

test.each(['/berth/host', '/berth/leave'])('answers %s to hosts that joined only', async (path) => {
  expect(await post(path, {}, knownKey)).toMatchObject(refused(403, 'NotJoined'))
  expect(await post(path, {})).toMatchObject(refused(403, 'MissingAuth'))
})

test.each([
  ['/berth/none', {}, 404],
  ['/berth/join', '[', 400],
  ['/berth/join', {}, 400],
])('refuses %s with %j', async (path, body, status) => {
  expect((await post(path, body)).status).toBe(status)
})
