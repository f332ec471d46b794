import { execFileSync } from 'node:child_process'
import {
  ClusterNotFoundException,
  DescribeTasksCommand,
  ECSClient,
  ListClustersCommand,
  paginateListTaskDefinitions,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Account } from './account.ts'
import { ScriptedAgent } from './scripted-agent.ts'
import { World } from './world.ts'

let world: World
let strict: World
beforeAll(async () => {
  ;[world, strict] = await Promise.all([World.start(['--memory', '--dev']), World.start([])])
})
afterAll(async () => {
  await Promise.all([world.end(), strict.end()])
})

test('the AWS CLI says who one is, creates and lists', async () => {
  expect(JSON.parse(await world.aws('sts', 'get-caller-identity'))).toEqual({
    UserId: '000000000000',
    Account: '000000000000',
    Arn: 'arn:aws:iam::000000000000:root',
  })
  await world.aws('ecs', 'create-cluster', '--cluster-name', 'cli', '--tags', 'key=team,value=web')
  const described = JSON.parse(
    await world.aws('ecs', 'describe-clusters', '--clusters', 'cli', 'none', '--include', 'TAGS'),
  )
  expect(described).toMatchObject({
    clusters: [{ clusterName: 'cli', status: 'ACTIVE', tags: [{ key: 'team', value: 'web' }] }],
    failures: [{ arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/none', reason: 'MISSING' }],
  })
})

test('the AWS CLI shows errors as AWS words them', async () => {
  await expect(world.aws('ecs', 'list-tasks', '--cluster', 'nowhere')).rejects.toThrow(
    'An error occurred (ClusterNotFoundException) when calling the ListTasks operation: Cluster not found.',
  )
  await expect(
    world.aws('ec2', 'describe-instances', '--instance-ids', 'i-00000000000000000'),
  ).rejects.toThrow(
    "An error occurred (InvalidInstanceID.NotFound) when calling the DescribeInstances operation: The instance ID 'i-00000000000000000' does not exist",
  )
})

test('the AWS CLI reads EC2 of an account that nobody set up', async () => {
  const zones = await world.aws(
    'ec2',
    'describe-subnets',
    '--query',
    'Subnets[].AvailabilityZone',
    '--output',
    'text',
  )
  expect(zones.split('\t').toSorted()).toEqual(['us-east-1a', 'us-east-1b', 'us-east-1c'])
})

test('the SDK turns errors into its classes and pages through lists', async () => {
  await expect(
    world.ecs.send(new DescribeTasksCommand({ cluster: 'nowhere', tasks: ['x'] })),
  ).rejects.toBeInstanceOf(ClusterNotFoundException)
  const containerDefinitions = [{ name: 'main', image: 'busybox', memory: 32 }]
  for (let revision = 1; revision <= 7; revision++)
    await world.ecs.send(new RegisterTaskDefinitionCommand({ family: 'paged', containerDefinitions }))
  const arns: string[] = []
  for await (const page of paginateListTaskDefinitions(
    { client: world.ecs, pageSize: 3 },
    { familyPrefix: 'paged' },
  ))
    arns.push(...(page.taskDefinitionArns ?? []))
  expect(arns.map((arn) => arn.slice(arn.lastIndexOf('/') + 1))).toEqual(
    [1, 2, 3, 4, 5, 6, 7].map((revision) => `paged:${revision}`),
  )
})

test('what SDKs send again with the same token is done once', async () => {
  const account = new Account(world)
  const { ecs } = account
  await ecs.createCluster({ clusterName: 'default' })
  const agent = await ScriptedAgent.join(account, 'default')
  const containerDefinitions = [{ name: 'main', image: 'busybox', memory: 32 }]
  await ecs.registerTaskDefinition({ family: 'once', containerDefinitions })
  const run = (clientToken: string) => ecs.runTask({ taskDefinition: 'once', clientToken })
  const [first, again, other] = await Promise.all([run('a'), run('a'), run('b')])
  expect(again.tasks?.[0]?.taskArn).toBe(first.tasks?.[0]?.taskArn)
  expect(other.tasks?.[0]?.taskArn).not.toBe(first.tasks?.[0]?.taskArn)
  expect((await ecs.listTasks({})).taskArns).toHaveLength(2)
  await expect(ecs.runTask({ taskDefinition: 'once', clientToken: 'a', count: 2 })).rejects.toMatchObject({
    name: 'ConflictException',
  })
  await agent.leave()
  account.end()
})

test('times are numbers of seconds on the wire, what is not there is left out, and null is nothing', async () => {
  const answer = await fetch(world.berth.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition',
      authorization:
        'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ecs/aws4_request, SignedHeaders=host, Signature=0',
      'x-amz-date': '20260101T000000Z',
    },
    body: JSON.stringify({
      family: 'wire',
      containerDefinitions: [{ name: 'main', image: 'busybox', memory: 32, links: null }],
      // So do clients that are written by hand say that there is none; and they may know more than we do.
      taskRoleArn: null,
      tags: null,
      newerThanAll: { of: 'us' },
    }),
  })
  expect(answer.headers.get('content-type')).toBe('application/x-amz-json-1.1')
  expect(answer.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/)
  const { taskDefinition } = (await answer.json()) as { taskDefinition: { registeredAt: number } }
  expect(Math.abs(taskDefinition.registeredAt - Date.now() / 1000)).toBeLessThan(60)
  expect(taskDefinition).not.toHaveProperty('taskRoleArn')
})

test('without --dev only the keys of the installation sign', async () => {
  const forged = new ECSClient({
    region: 'us-east-1',
    endpoint: strict.berth.url,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  await expect(forged.send(new ListClustersCommand({}))).rejects.toMatchObject({
    name: 'UnrecognizedClientException',
  })
  const lines = await strict.berthCommand('env')
  const script = `${lines}\naws sts get-caller-identity --query Arn --output text`
  expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim()).toBe(
    'arn:aws:iam::000000000000:root',
  )
  const wrong = script.replace(/AWS_SECRET_ACCESS_KEY=\w+/, 'AWS_SECRET_ACCESS_KEY=wrong')
  expect(() => execFileSync('bash', ['-c', wrong], { stdio: 'pipe' })).toThrow(
    /SignatureDoesNotMatch|InvalidSignature/,
  )
  forged.destroy()
})

test('a twelve-digit key is the root of the account of that number under --dev', async () => {
  const other = new ECSClient({
    region: 'eu-west-1',
    endpoint: world.berth.url,
    credentials: { accessKeyId: '111122223333', secretAccessKey: 'x' },
  })
  expect(await other.send(new ListClustersCommand({}))).toMatchObject({ clusterArns: [] })
  other.destroy()
})

test('the health and metrics pages answer', async () => {
  expect(await (await fetch(`${world.berth.url}/health`)).json()).toMatchObject({ status: 'ok' })
  expect(await (await fetch(`${world.berth.url}/metrics`)).text()).toContain('process_resident_memory_bytes')
})
