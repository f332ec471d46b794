import { sign } from '@berth/agent/adapters/sign.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { putCluster, putContainerInstance, putTaskDefinition } from '#api/ecs/testing-rows.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import { knownKey } from './aws-endpoint-testing.ts'
import { createExplainEndpoint } from './explain-endpoint.ts'
import { createHttpServer, type HttpServer } from './http-server.ts'
import { createMetrics } from './metrics.ts'

let context: TestContext
let server: HttpServer
let url: string
let authorized: unknown[]
let errors: unknown[]
beforeEach(async () => {
  context = await testContext({ accountId: knownKey.accountId })
  context.store.update((tx) => tx.put('accessKey', knownKey))
  authorized = []
  errors = []
  server = createHttpServer({
    aws: (_, response) => response.writeHead(404).end(),
    explain: createExplainEndpoint({
      ...context,
      clock: systemClock,
      mode: { dev: false, defaultAccountId: '000000000000' },
      onError: (error) => errors.push(error),
      authorize: ({ caller, action, resources }) => authorized.push({ by: caller.arn, action, resources }),
    }),
    health: () => ({}),
    metrics: createMetrics(),
  })
  const listening = await server.listen({ host: '127.0.0.1', port: 0 })
  if ('error' in listening) throw new Error(listening.error)
  url = `http://127.0.0.1:${listening.port}/berth/explain`
})
afterEach(() => server.close())

interface Ask {
  readonly body?: string
  readonly secretAccessKey?: string
  readonly service?: string
  readonly method?: string
}

async function ask({
  body = '{}',
  secretAccessKey = knownKey.secretAccessKey,
  service = 'ecs',
  method = 'POST',
}: Ask) {
  const headers = sign(
    { method, url: new URL(url), headers: { 'content-type': 'application/json' }, body },
    { accessKeyId: knownKey.accessKeyId, secretAccessKey },
    { region: 'us-east-1', service, nowMs: systemClock.now() },
  )
  const response = await fetch(url, { method, headers, ...(method === 'POST' && { body }) })
  return { status: response.status, answer: (await response.json()) as Record<string, unknown> }
}
const runTask = (input: object): Ask => ({ body: JSON.stringify({ operation: 'RunTask', input }) })

test('a signed question is answered, for whom the operation is allowed, and nothing changes', async () => {
  const cluster = putCluster(context, 'demo')
  const { taskDefinitionArn } = putTaskDefinition(context, 'web:1')
  const { containerInstanceArn } = putContainerInstance(context, cluster, 'one')
  const { position } = context.store
  const { status, answer } = await ask(runTask({ cluster: 'demo', taskDefinition: 'web', count: 2 }))
  expect(status).toBe(200)
  expect(answer).toMatchObject({
    operation: 'RunTask',
    outcome: 'PLACED',
    tasks: [{ containerInstanceArn }, { containerInstanceArn }],
  })
  expect(authorized).toEqual([
    { by: knownKey.principalArn, action: 'ecs:RunTask', resources: [taskDefinitionArn] },
  ])
  expect(context.store.position).toBe(position)
  expect(context.store.list('task')).toEqual([])
})

test('what the operation refuses is an answer too', async () => {
  putCluster(context, 'demo')
  expect(await ask(runTask({ cluster: 'demo', taskDefinition: 'none' }))).toMatchObject({
    status: 200,
    answer: { outcome: 'REFUSED', error: { code: 'ClientException', message: 'TaskDefinition not found.' } },
  })
})

test.each<[string, Ask, number, string]>([
  ['another secret', { secretAccessKey: 'other' }, 403, 'InvalidSignatureException'],
  ['the signature of another service', { service: 'ec2' }, 403, 'InvalidSignatureException'],
  ['another method', { method: 'GET' }, 405, 'MethodNotAllowed'],
  ['a body that is no JSON', { body: 'x' }, 400, 'SerializationException'],
  ['a body that is no object', { body: '1' }, 400, 'SerializationException'],
  ['no operation', {}, 400, 'ValidationException'],
  ['another operation', { body: '{"operation":"StopTask"}' }, 400, 'ValidationException'],
  ['a name every object has', { body: '{"operation":"constructor"}' }, 400, 'ValidationException'],
  ['an input without what is required', runTask({}), 400, 'InvalidParameterException'],
  [
    'an input of the wrong type',
    runTask({ taskDefinition: 'web', count: 'x' }),
    400,
    'SerializationException',
  ],
])('%s is refused', async (_, question, status, type) => {
  const { answer, ...rest } = await ask(question)
  expect([rest.status, answer['__type']]).toEqual([status, type])
  expect(errors).toEqual([])
})
