/** REST-JSON from the socket to the operation and back, with the real client of EventBridge Scheduler. */
import {
  ConflictException,
  CreateScheduleCommand,
  DeleteScheduleCommand,
  GetScheduleCommand,
  ListSchedulesCommand,
  ResourceNotFoundException,
  SchedulerClient,
  UntagResourceCommand,
  CreateScheduleGroupCommand,
} from '@aws-sdk/client-scheduler'
import { systemClock } from '@berth/std/system-clock.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clusterArn, schedule, scheduleTarget } from '#api/schedule-testing.ts'
import { services } from '#api/services.ts'
import { testContext } from '#api/testing.ts'
import { createAwsEndpoint } from './aws-endpoint.ts'
import { createHttpServer } from './http-server.ts'
import { createMetrics } from './metrics.ts'

const key = { accessKeyId: 'AKIAKNOWN', secretAccessKey: 'a secret of the test' }
let url: string
let client: SchedulerClient
let close: () => Promise<void>
const errors: unknown[] = []
const authorized: unknown[] = []

beforeAll(async () => {
  const context = await testContext()
  const { accountId } = context.scope
  const principalArn = `arn:aws:iam::${accountId}:root`
  context.store.update((tx) => tx.put('accessKey', { ...key, accountId, principalArn, userId: accountId }))
  const server = createHttpServer({
    aws: createAwsEndpoint({
      ...context,
      clock: systemClock,
      mode: { dev: false, defaultAccountId: accountId },
      onError: (error) => errors.push(error),
      authorize: ({ action, resources }) => authorized.push([action, ...resources]),
      services,
    }),
    health: () => ({ status: 'ready' }),
    metrics: createMetrics(),
  })
  const listening = await server.listen({ host: '127.0.0.1', port: 0 })
  if ('error' in listening) throw new Error(listening.error)
  url = `http://127.0.0.1:${listening.port}`
  close = () => server.close()
  client = new SchedulerClient({ region: 'us-east-1', endpoint: url, credentials: key, maxAttempts: 1 })
})
afterAll(async () => {
  client.destroy()
  await close()
})

test('path, query and body are read, times written, and each request is authorized for what it names', async () => {
  const StartDate = new Date('2100-01-02T03:04:05Z')
  const input = schedule({ Name: 'a.b_c-d', StartDate, Description: 'ä "quoted" / text' })
  const { ScheduleArn } = await client.send(new CreateScheduleCommand(input))
  expect(ScheduleArn).toBe('arn:aws:scheduler:us-east-1:000000000000:schedule/default/a.b_c-d')
  expect(authorized.at(-1)).toEqual(['scheduler:CreateSchedule', ScheduleArn])
  const shown = await client.send(new GetScheduleCommand({ Name: 'a.b_c-d', GroupName: 'default' }))
  expect(shown).toMatchObject({ StartDate, Description: 'ä "quoted" / text', Target: scheduleTarget() })
  expect(shown.CreationDate).toBeInstanceOf(Date)
  const listed = await client.send(
    new ListSchedulesCommand({ NamePrefix: 'a', MaxResults: 5, State: 'ENABLED' }),
  )
  expect(listed.Schedules).toMatchObject([{ Name: 'a.b_c-d', Target: { Arn: clusterArn } }])
  await client.send(new DeleteScheduleCommand({ Name: 'a.b_c-d' }))
  expect((await client.send(new ListSchedulesCommand({}))).Schedules).toEqual([])
})

test('an ARN stands in the path, and a list in the query', async () => {
  const Tags = ['a', 'b', 'c'].map((Key) => ({ Key, Value: Key }))
  const { ScheduleGroupArn } = await client.send(new CreateScheduleGroupCommand({ Name: 'g', Tags }))
  await client.send(new UntagResourceCommand({ ResourceArn: ScheduleGroupArn, TagKeys: ['a', 'c'] }))
  expect(authorized.at(-1)).toEqual(['scheduler:UntagResource', ScheduleGroupArn])
})

test('errors are those of the model, with its status', async () => {
  const missing = await client.send(new GetScheduleCommand({ Name: 'none' })).catch((error: unknown) => error)
  expect(missing).toBeInstanceOf(ResourceNotFoundException)
  expect(missing).toMatchObject({
    message: 'Schedule none does not exist.',
    $metadata: { httpStatusCode: 404 },
  })
  await client.send(new CreateScheduleCommand(schedule({ Name: 'twice' })))
  const conflict = await client
    .send(new CreateScheduleCommand(schedule({ Name: 'twice' })))
    .catch((error: unknown) => error)
  expect(conflict).toBeInstanceOf(ConflictException)
  expect(conflict).toMatchObject({ $metadata: { httpStatusCode: 409 } })
})

test('what the model requires is asked for', async () => {
  const lacking = new CreateScheduleCommand({
    ...schedule(),
    Target: undefined,
    ScheduleExpression: undefined,
  })
  await expect(client.send(lacking)).rejects.toMatchObject({
    name: 'ValidationException',
    message:
      "2 validation errors detected: Value null at 'scheduleExpression' failed to satisfy constraint: Member must not be null; Value null at 'target' failed to satisfy constraint: Member must not be null",
  })
})

test('a path that no operation has, and a wrong signature, are refused in the same form', async () => {
  const authorization =
    'AWS4-HMAC-SHA256 Credential=AKIAKNOWN/20260102/us-east-1/scheduler/aws4_request, SignedHeaders=host, Signature=00'
  const wrong = await fetch(`${url}/schedules/s`, {
    headers: { authorization, 'x-amz-date': '20260102T030405Z' },
  })
  expect(wrong.status).toBe(403)
  expect(wrong.headers.get('x-amzn-errortype')).toBe('InvalidSignatureException')
  expect(await wrong.json()).toMatchObject({ message: expect.stringContaining('Signature') as string })
  const stranger = new SchedulerClient({
    region: 'us-east-1',
    endpoint: `${url}/elsewhere`,
    credentials: key,
    maxAttempts: 1,
  })
  await expect(stranger.send(new ListSchedulesCommand({}))).rejects.toMatchObject({
    name: 'UnknownOperationException',
    $metadata: { httpStatusCode: 404 },
  })
  stranger.destroy()
})

test('none of that was a fault of ours', () => {
  expect(errors).toEqual([])
})
