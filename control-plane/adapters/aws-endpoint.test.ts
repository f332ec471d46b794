import { DescribeInstancesCommand, EC2Client, RunInstancesCommand } from '@aws-sdk/client-ec2'
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import {
  ConflictException,
  CreateClusterCommand,
  DescribeTasksCommand,
  ECSClient,
  ListClustersCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type TestEndpoint, createdAt, knownKey, startTestEndpoint } from './aws-endpoint-testing.ts'

let dev: TestEndpoint
let strict: TestEndpoint
beforeAll(async () => {
  dev = await startTestEndpoint(true)
  strict = await startTestEndpoint(false)
})
afterAll(() => Promise.all([dev.close(), strict.close()]))
beforeEach(() => {
  for (const list of [dev.seen, dev.authorized, dev.errors]) list.length = 0
})

const config = (accessKeyId = 'test', secretAccessKey = 'test', { url } = dev) => ({
  endpoint: url,
  region: 'eu-west-1',
  credentials: { accessKeyId, secretAccessKey },
  maxAttempts: 1,
})
const ecs = (...key: Parameters<typeof config>) => new ECSClient(config(...key))
const ec2 = (...key: Parameters<typeof config>) => new EC2Client(config(...key))
const stsClient = (...key: Parameters<typeof config>) => new STSClient(config(...key))

test('answers the ECS client: input by the model, output by the model, times with their milliseconds', async () => {
  const { tasks, failures, $metadata } = await ecs().send(
    new RunTaskCommand({
      taskDefinition: 'web:1',
      count: 2,
      overrides: { containerOverrides: [{ name: 'web', environment: [{ name: 'A', value: 'ä' }] }] },
      clientToken: 'token',
    }),
  )
  expect(tasks).toEqual([{ taskArn: 'arn:t', createdAt }])
  expect(failures).toEqual([])
  expect($metadata.requestId).toBe(dev.seen[0]?.context.requestId)
  expect(dev.seen[0]?.input).toEqual({
    taskDefinition: 'web:1',
    count: 2,
    overrides: { containerOverrides: [{ name: 'web', environment: [{ name: 'A', value: 'ä' }] }] },
    clientToken: 'token',
  })
  expect(dev.seen[0]?.context.scope).toEqual({ accountId: '000000000000', region: 'eu-west-1' })
})

test('asks for authorization with the action and the resources before the operation runs', async () => {
  await ecs().send(new RunTaskCommand({ taskDefinition: 'web' }))
  expect(dev.authorized).toEqual([
    { by: 'arn:aws:iam::000000000000:root', action: 'ecs:RunTask', resources: ['arn:td', 'arn:c'] },
  ])
})

test('gives the client errors with their code and further members', async () => {
  const error = await ecs()
    .send(new DescribeTasksCommand({ tasks: ['x'] }))
    .catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(ConflictException)
  expect(error).toMatchObject({ message: 'already', resourceIds: ['r-1'] })
})

test('answers a bug as a server error, reports it and does not show it', async () => {
  const error = await ecs()
    .send(new StopTaskCommand({ task: 'x' }))
    .catch((caught: unknown) => caught)
  expect(error).toMatchObject({ name: 'ServerException', $metadata: { httpStatusCode: 500 } })
  expect(String(error)).not.toContain('a bug')
  expect(dev.errors).toEqual([new Error('a bug')])
})

test('says which operation it does not have', async () => {
  await expect(ecs().send(new CreateClusterCommand({}))).rejects.toMatchObject({
    name: 'UnsupportedFeatureException',
    message: expect.stringContaining('ecs:CreateCluster') as string,
  })
})

test('waits for an operation of a data plane', async () => {
  const { authorizationData } = await new ECRClient(config()).send(new GetAuthorizationTokenCommand({}))
  expect(authorizationData).toEqual([{ expiresAt: createdAt }])
})

test('speaks EC2 Query: lists, filters and nested structures both ways', async () => {
  const { Reservations } = await ec2().send(
    new DescribeInstancesCommand({
      InstanceIds: ['i-1', 'i-2'],
      Filters: [
        { Name: 'tag:a', Values: ['x y', 'ä&='] },
        { Name: 'vpc-id', Values: ['vpc-1'] },
      ],
      MaxResults: 10,
      DryRun: false,
    }),
  )
  expect(dev.seen[0]?.input).toEqual({
    InstanceIds: ['i-1', 'i-2'],
    Filters: [
      { Name: 'tag:a', Values: ['x y', 'ä&='] },
      { Name: 'vpc-id', Values: ['vpc-1'] },
    ],
    MaxResults: 10,
    DryRun: false,
  })
  expect(Reservations).toEqual([
    {
      ReservationId: 'r-1',
      Instances: [
        {
          InstanceId: 'i-1',
          LaunchTime: createdAt,
          State: { Code: 16, Name: 'running' },
          Tags: [{ Key: 'a<b', Value: '"&\n' }],
          SecurityGroups: [],
        },
      ],
    },
  ])
})

test('reads deep EC2 parameters, in the order of their numbers', async () => {
  const input = {
    MinCount: 1,
    MaxCount: 12,
    ImageId: 'ami-1',
    SecurityGroupIds: Array.from({ length: 12 }, (_, index) => `sg-${index}`),
    NetworkInterfaces: [{ DeviceIndex: 0, Groups: ['sg-1'], AssociatePublicIpAddress: true }],
    TagSpecifications: [{ ResourceType: 'instance' as const, Tags: [{ Key: 'Name', Value: 'a' }] }],
    IamInstanceProfile: { Name: 'ecsInstanceRole' },
    ClientToken: 'token',
  }
  await ec2().send(new RunInstancesCommand(input))
  expect(dev.seen[0]?.input).toEqual(input)
})

test.each([
  ['test', '000000000000', 'arn:aws:iam::000000000000:root', '000000000000'],
  ['222222222222', '222222222222', 'arn:aws:iam::222222222222:root', '222222222222'],
  ['AKIASTRANGER', '000000000000', 'arn:aws:iam::000000000000:root', '000000000000'],
  ['AKIAKNOWN', '111111111111', 'arn:aws:iam::111111111111:user/ann', 'AIDAANN'],
])('under --dev the key %s is of account %s', async (accessKeyId, Account, Arn, UserId) => {
  const identity = await stsClient(accessKeyId).send(new GetCallerIdentityCommand({}))
  expect(identity).toMatchObject({ UserId, Account, Arn })
})

test('checks signatures when it is not under --dev, in the words of each service', async () => {
  const known = [knownKey.accessKeyId, knownKey.secretAccessKey, strict] as const
  const stranger = ['AKIASTRANGER', 'secret', strict] as const
  await expect(ecs(...known).send(new ListClustersCommand({}))).resolves.toMatchObject({
    clusterArns: ['arn:a'],
  })
  await expect(stsClient(...known).send(new GetCallerIdentityCommand({}))).resolves.toMatchObject({
    UserId: 'AIDAANN',
  })
  await expect(
    ecs(knownKey.accessKeyId, 'wrong', strict).send(new ListClustersCommand({})),
  ).rejects.toMatchObject({
    name: 'InvalidSignatureException',
    $metadata: { httpStatusCode: 403 },
  })
  await expect(ecs(...stranger).send(new ListClustersCommand({}))).rejects.toMatchObject({
    name: 'UnrecognizedClientException',
    message: 'The security token included in the request is invalid.',
  })
  await expect(ec2(...stranger).send(new DescribeInstancesCommand({}))).rejects.toMatchObject({
    name: 'AuthFailure',
    message: 'AWS was not able to validate the provided access credentials',
  })
  await expect(stsClient(...stranger).send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
    name: 'InvalidClientTokenId',
  })
})

test('shows requests in the metrics, and that it is ready', async () => {
  await ecs().send(new ListClustersCommand({}))
  const metrics = await (await fetch(`${dev.url}/metrics`)).text()
  expect(metrics).toMatch(
    /^berth_api_request_duration_seconds_count\{service="ecs",operation="ListClusters",status="200"\} \d+$/m,
  )
  expect(metrics).toContain('process_resident_memory_bytes')
  const health = await fetch(`${dev.url}/health`)
  expect([health.status, await health.json()]).toEqual([200, { status: 'ready' }])
})
