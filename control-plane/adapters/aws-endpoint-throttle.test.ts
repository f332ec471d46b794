import { ECSClient, ListClustersCommand } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type TestEndpoint, startTestEndpoint } from './aws-endpoint-testing.ts'

let endpoint: TestEndpoint
let refusals = 0
const counted: unknown[] = []
beforeAll(async () => {
  endpoint = await startTestEndpoint(true, (scope, service, operation) => {
    counted.push([scope, service, operation])
    if (refusals-- > 0) throw new AwsError('ThrottlingException', 'Rate exceeded')
  })
})
afterAll(() => endpoint.close())
beforeEach(() => {
  for (const list of [endpoint.seen, endpoint.authorized, counted]) list.length = 0
})

const client = (maxAttempts: number) =>
  new ECSClient({
    endpoint: endpoint.url,
    region: 'eu-west-1',
    credentials: { accessKeyId: '222222222222', secretAccessKey: 'test' },
    maxAttempts,
  })

test('a throttled request reaches no operation, and is counted for its account and region', async () => {
  refusals = 1
  await expect(client(1).send(new ListClustersCommand({}))).rejects.toMatchObject({
    name: 'ThrottlingException',
    message: 'Rate exceeded',
    $metadata: { httpStatusCode: 400 },
  })
  expect(endpoint.seen).toEqual([])
  expect(counted).toEqual([[{ accountId: '222222222222', region: 'eu-west-1' }, 'ecs', 'ListClusters']])
})

test('the SDK takes it for what it is and tries again', async () => {
  refusals = 1
  const { $metadata } = await client(2).send(new ListClustersCommand({}))
  expect([$metadata.attempts, endpoint.seen.length]).toEqual([2, 1])
})
