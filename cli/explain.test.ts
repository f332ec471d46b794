import { createExplainEndpoint } from '@berth/control-plane/adapters/explain-endpoint.ts'
import { createHttpServer, type HttpServer } from '@berth/control-plane/adapters/http-server.ts'
import { createMetrics } from '@berth/control-plane/adapters/metrics.ts'
import {
  putCluster,
  putContainerInstance,
  putService,
  putTaskDefinition,
} from '@berth/control-plane/api/ecs/testing-rows.ts'
import { testContext } from '@berth/control-plane/api/testing.ts'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { explainCreateService, explainRunTask, explainService } from './explain.ts'

let server: HttpServer
let printed: string[]
beforeEach(async () => {
  const context = await testContext()
  const cluster = putCluster(context, 'demo')
  putTaskDefinition(context, 'web:1')
  putContainerInstance(context, cluster, 'one', { attributes: [{ name: 'stack', value: 'a' }] })
  putContainerInstance(context, cluster, 'two', { attributes: [{ name: 'stack', value: 'b' }] })
  putService(context, cluster, 'web', { launchType: 'EC2' })
  const mode = { dev: true, defaultAccountId: '000000000000' }
  server = createHttpServer({
    aws: (_, response) => response.writeHead(404).end(),
    explain: createExplainEndpoint({ ...context, mode, onError: () => undefined }),
    health: () => ({}),
    metrics: createMetrics(),
  })
  const listening = await server.listen({ host: '127.0.0.1', port: 0 })
  if ('error' in listening) throw new Error(listening.error)
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${listening.port}`)
  vi.stubEnv('AWS_REGION', 'us-east-1')
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test')
  printed = []
  vi.spyOn(console, 'log').mockImplementation((text: string) => printed.push(text))
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  process.exitCode = undefined
  await server.close()
})
const verdict = (): string => printed.join('\n').split('\n')[0] ?? ''

test('constraints and strategies are read as the AWS CLI reads them, commas of an expression too', async () => {
  await explainRunTask({
    cluster: 'demo',
    taskDefinition: 'web',
    placementConstraints: [
      'type=memberOf,expression=attribute:stack in [a, c]',
      '[{"type":"distinctInstance"}]',
    ],
    placementStrategy: ['type=spread,field=instanceId'],
  })
  expect(verdict()).toBe('RunTask would place the task on one, the only instance that can take it.')
  expect(printed.join()).toContain('strategy   spread(instanceId)')
  expect(process.exitCode).toBeUndefined()
})

test('flags take the place of what the input says', async () => {
  await explainRunTask({ count: 3, cliInputJson: '{"cluster":"demo","taskDefinition":"web","count":1}' })
  expect(verdict()).toBe('RunTask would place 3 tasks.')
})

test('a refusal is printed with the exit status 2', async () => {
  await explainRunTask({ cluster: 'demo', taskDefinition: 'none' })
  expect([verdict(), process.exitCode]).toEqual([
    'RunTask would be refused with ClientException: TaskDefinition not found.',
    2,
  ])
})

test('a service is named with its cluster', async () => {
  await explainService('demo/web', { json: true })
  expect(JSON.parse(printed.join())).toMatchObject({ operation: 'UpdateService', outcome: 'PLACED' })
  await expect(explainService('a/b/c', {})).rejects.toThrow('name the service as CLUSTER/SERVICE, not a/b/c')
})

test('a service that is not there yet comes from its input', async () => {
  await explainCreateService({
    cliInputJson: '{"cluster":"demo","serviceName":"api","taskDefinition":"web","desiredCount":2}',
  })
  expect(verdict()).toBe('The service api would place 2 tasks.')
})

test.each([
  ['an input that is no object', { cliInputJson: '{]' }, '--cli-input-json {] is no JSON object'],
  ['a file that is not there', { cliInputJson: 'file:///none.json' }, 'file:///none.json cannot be read: '],
  [
    'a constraint without a name',
    { placementConstraints: ['memberOf'] },
    'memberOf is neither JSON nor name=value',
  ],
  [
    'what the API refuses to read',
    { cluster: 'demo' },
    "InvalidParameterException: 1 validation error detected: Value null at 'taskDefinition'",
  ],
])('%s is told', async (_, flags, message) => {
  await expect(explainRunTask(flags)).rejects.toThrow(message)
})

test('a control plane that does not answer is told', async () => {
  await server.close()
  await expect(explainRunTask({ taskDefinition: 'web' })).rejects.toThrow(/^nothing answers at http/)
})
