import type { RunTaskRequest } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import { beforeEach, describe, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import { loseTask } from '#domain/task.ts'
import { runTask } from './run-task.ts'
import { describeTasks } from './task.ts'
import {
  executesCommands,
  putCluster,
  putContainerInstance,
  putTaskDefinition,
  refusalOf,
} from '#api/ecs/testing-rows.ts'

let context: TestContext
let cluster: Cluster
const run = (input: Partial<RunTaskRequest> = {}) =>
  runTask.run(context, { cluster: 'c', taskDefinition: 'web', ...input })
const hourMs = 3_600_000

beforeEach(async () => {
  context = await testContext()
  cluster = putCluster(context, 'c')
  putTaskDefinition(context, 'web:1')
})

describe('with one instance', () => {
  beforeEach(
    () => void putContainerInstance(context, cluster, 'one', { memoryMiB: 512, ...executesCommands }),
  )

  test('starts what fits and says of the instance why the rest did not', () => {
    putTaskDefinition(context, 'big:1', { memory: 300 })
    const { tasks = [], failures } = run({ taskDefinition: 'big', count: 2 })
    expect(tasks).toHaveLength(1)
    expect(failures).toEqual([
      { arn: expect.stringMatching(/:container-instance\/c\/one$/), reason: 'RESOURCE:MEMORY' },
    ])
    expect(context.store.size('task')).toBe(1)
  })

  test('shows a task as AWS does', () => {
    putTaskDefinition(context, 'web:1', {}, { taskRoleArn: 'role' })
    const { tasks: [task] = [] } = run({ startedBy: 'me', enableExecuteCommand: true })
    const arn = task?.taskArn ?? ''
    expect(task).toEqual({
      attachments: [],
      attributes: [{ name: 'ecs.cpu-architecture', value: 'x86_64' }],
      availabilityZone: 'us-east-1a',
      clusterArn: cluster.clusterArn,
      connectivity: 'CONNECTED',
      connectivityAt: new Date(context.clock.now()),
      containerInstanceArn: expect.stringMatching(/one$/),
      containers: [
        {
          containerArn: expect.stringContaining(`container/c/${arn.slice(-32)}/`),
          taskArn: arn,
          name: 'app',
          image: 'nginx',
          lastStatus: 'PENDING',
          networkBindings: [],
          networkInterfaces: [],
          healthStatus: 'UNKNOWN',
          cpu: '0',
          memory: '100',
          managedAgents: [{ name: 'ExecuteCommandAgent', lastStatus: 'PENDING' }],
        },
      ],
      cpu: '0',
      createdAt: new Date(context.clock.now()),
      desiredStatus: 'RUNNING',
      enableExecuteCommand: true,
      group: 'family:web',
      healthStatus: 'UNKNOWN',
      lastStatus: 'PENDING',
      launchType: 'EC2',
      memory: '100',
      overrides: { containerOverrides: [{ name: 'app' }], inferenceAcceleratorOverrides: [] },
      startedBy: 'me',
      tags: [],
      taskArn: arn,
      taskDefinitionArn: expect.stringMatching(/web:1$/),
      version: 1,
    })
  })

  test('gives a task its own tags, those of its definition under them, and those of ECS', () => {
    const { taskDefinitionArn } = putTaskDefinition(context, 'web:1')
    context.store.update((tx) =>
      tx.put('resourceTags', {
        resourceArn: taskDefinitionArn,
        tags: [
          { key: 'team', value: 'theirs' },
          { key: 'tier', value: 'front' },
        ],
      }),
    )
    const { tasks: [task] = [] } = run({
      tags: [{ key: 'team', value: 'mine' }],
      propagateTags: 'TASK_DEFINITION',
      enableECSManagedTags: true,
    })
    const tags = [
      { key: 'team', value: 'mine' },
      { key: 'tier', value: 'front' },
      { key: 'aws:ecs:clusterName', value: 'c' },
    ]
    expect(task?.tags).toEqual(tags)
    const asked = { cluster: 'c', tasks: [task?.taskArn ?? ''] }
    expect(describeTasks.run(context, asked).tasks?.[0]?.tags).toEqual([])
    expect(describeTasks.run(context, { ...asked, include: ['TAGS'] }).tasks?.[0]?.tags).toEqual(tags)
  })

  test('asks for an agent that reads environment files when overrides give some', () => {
    const environmentFiles = [{ type: 's3' as const, value: 'arn:aws:s3:::bucket/key' }]
    const overrides = { containerOverrides: [{ name: 'app', environmentFiles }] }
    expect(run({ overrides }).failures).toMatchObject([{ reason: 'ATTRIBUTE' }])
  })

  test('counts what overrides ask for when it looks for a place', () => {
    const overrides = { containerOverrides: [{ name: 'app', memory: 513 }] }
    expect(run({ overrides }).failures).toMatchObject([{ reason: 'RESOURCE:MEMORY' }])
    const { tasks } = run({ overrides: { cpu: '.5 vCPU', memory: '0.25 GB' } })
    expect(tasks).toMatchObject([{ cpu: '512', memory: '256', overrides: { cpu: '512', memory: '256' } }])
  })

  test('keeps to the constraints of the definition and of the request', () => {
    putTaskDefinition(
      context,
      'web:2',
      {},
      {
        placementConstraints: [{ type: 'memberOf', expression: 'attribute:stack == prod' }],
      },
    )
    expect(run().failures).toMatchObject([{ reason: 'MemberOf placement constraint unsatisfied' }])
    const once: Partial<RunTaskRequest> = {
      taskDefinition: 'web:1',
      placementConstraints: [{ type: 'distinctInstance' }],
    }
    expect(run(once).tasks).toHaveLength(1)
    expect(run(once).failures).toMatchObject([
      { reason: 'DistinctInstance placement constraint unsatisfied' },
    ])
  })

  test('says AGENT at once of an instance whose agent is away', () => {
    putContainerInstance(context, cluster, 'one', { agentConnected: false })
    expect(run().failures).toMatchObject([{ reason: 'AGENT' }])
  })

  test('a repeated request starts nothing and shows the tasks as they now are', () => {
    const first = run({ clientToken: 't', count: 2 })
    expect(run({ clientToken: 't', count: 2, cluster: cluster.clusterArn })).toEqual(first)
    const [one, two] = context.store.list('task')
    context.store.update((tx) => {
      if (one)
        tx.put(
          'task',
          loseTask(one, { stopCode: 'UserInitiated', stoppedReason: 'x', now: context.clock.now() }),
        )
    })
    expect(run({ clientToken: 't', count: 2 }).tasks).toEqual([
      { taskArn: one?.taskArn, lastStatus: 'STOPPED', desiredStatus: 'STOPPED' },
      expect.objectContaining({ taskArn: two?.taskArn, lastStatus: 'PENDING' }),
    ])
    expect(context.store.size('task')).toBe(2)
  })

  test('another request with the same token is a conflict that names what the first one made', () => {
    const { tasks = [] } = run({ clientToken: 't', count: 2 })
    let thrown: unknown
    try {
      run({ clientToken: 't', count: 1 })
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(AwsError)
    expect(thrown).toMatchObject({
      code: 'ConflictException',
      fields: { resourceIds: tasks.map(({ taskArn }) => taskArn) },
    })
  })

  test('a request that failed is answered with the same failures when it is repeated, though there is room by now', () => {
    const asked = { clientToken: 't', overrides: { memory: '600' } }
    const first = run(asked)
    expect(first).toMatchObject({ tasks: [], failures: [{ reason: 'RESOURCE:MEMORY' }] })
    putContainerInstance(context, cluster, 'two', { memoryMiB: 1024 })
    expect(run(asked)).toEqual(first)
    context.clock.advance(hourMs)
    expect(run(asked).tasks).toHaveLength(1)
  })

  test('a token is good for its cluster, and until an hour after its last task has stopped', () => {
    const other = putCluster(context, 'other')
    putContainerInstance(context, other, 'two')
    run({ clientToken: 't' })
    run({ clientToken: 't', cluster: 'other' })
    expect(context.store.size('task')).toBe(2)
    const [task] = context.store.by('task', 'cluster', cluster.clusterArn)
    context.store.update((tx) => {
      if (task)
        tx.put(
          'task',
          loseTask(task, { stopCode: 'UserInitiated', stoppedReason: 'x', now: context.clock.now() }),
        )
    })
    context.clock.advance(hourMs - 1)
    run({ clientToken: 't' })
    expect(context.store.size('task')).toBe(2)
    context.clock.advance(1)
    expect(run({ clientToken: 't', count: 2 }).tasks).toHaveLength(2)
    expect(context.store.size('task')).toBe(4)
  })

  test('an external instance takes tasks of launch type EXTERNAL only', () => {
    putContainerInstance(context, cluster, 'one', { external: true })
    expect(refusalOf(run)).toMatch(/No Container Instances were found in your cluster\./)
    expect(run({ launchType: 'EXTERNAL' }).tasks).toMatchObject([{ launchType: 'EXTERNAL' }])
  })
})

test('a cluster without instances is an error, not a failure', () => {
  const message = 'InvalidParameterException: No Container Instances were found in your cluster.'
  expect(refusalOf(run)).toBe(message)
  putContainerInstance(context, cluster, 'one', { status: 'DRAINING' })
  expect(refusalOf(run)).toBe(message)
})

const invalid = 'InvalidParameterException: '
const awsvpcConfiguration = { subnets: ['subnet-1'] }
const long = 'x'.repeat(8192)
const constraint = { type: 'memberOf', expression: 'attribute:a == b' } as const
test.each<[string, Partial<RunTaskRequest>, string]>([
  ['too many', { count: 11 }, `${invalid}count must be between 1 and 10.`],
  ['none', { count: 0 }, `${invalid}count must be between 1 and 10.`],
  ['unknown cluster', { cluster: 'x' }, 'ClusterNotFoundException: Cluster not found.'],
  [
    'launch type before the cluster',
    { cluster: 'x', launchType: 'Fargate' as 'FARGATE' },
    `${invalid}launch type should be one of [EC2,FARGATE,EXTERNAL]`,
  ],
  ['inactive cluster', { cluster: 'old' }, 'ClusterNotFoundException: The referenced cluster was inactive.'],
  ['unknown definition', { taskDefinition: 'x' }, 'ClientException: TaskDefinition not found.'],
  ['inactive definition', { taskDefinition: 'old:1' }, `${invalid}TaskDefinition is inactive`],
  [
    'launch type',
    { launchType: 'Fargate' as 'FARGATE' },
    `${invalid}launch type should be one of [EC2,FARGATE,EXTERNAL]`,
  ],
  [
    'both capacities',
    { launchType: 'EC2', capacityProviderStrategy: [{ capacityProvider: 'a' }] },
    `${invalid}Specify either Launch Type or Capacity Provider Strategy, but not both.`,
  ],
  [
    'a provider that is not of the cluster',
    { capacityProviderStrategy: [{ capacityProvider: 'a' }] },
    `${invalid}The specified capacity provider strategy cannot contain a capacity provider that is not associated`,
  ],
  [
    'a provider of the cluster that is gone',
    { cluster: 'provided' },
    `${invalid}The specified capacity provider strategy cannot contain a capacity provider that is not`,
  ],
  [
    'awsvpc without a network, before all else about Fargate',
    { taskDefinition: 'vpc-ec2', launchType: 'FARGATE' },
    `${invalid}Network Configuration must be provided when networkMode 'awsvpc' is specified.`,
  ],
  [
    'bridge with a network',
    { networkConfiguration: { awsvpcConfiguration } },
    `${invalid}Network Configuration is not valid for the given networkMode of this task definition.`,
  ],
  [
    'no subnets',
    { taskDefinition: 'vpc', networkConfiguration: { awsvpcConfiguration: { subnets: [] } } },
    `${invalid}subnets can not be empty.`,
  ],
  [
    'a public address',
    {
      taskDefinition: 'vpc',
      networkConfiguration: { awsvpcConfiguration: { ...awsvpcConfiguration, assignPublicIp: 'ENABLED' } },
    },
    `${invalid}Assign public IP is not supported for this launch type.`,
  ],
  [
    'not for Fargate',
    { launchType: 'FARGATE' },
    `${invalid}Task definition does not support launch_type FARGATE.`,
  ],
  [
    'Fargate with strategies',
    {
      taskDefinition: 'vpc',
      launchType: 'FARGATE',
      networkConfiguration: { awsvpcConfiguration },
      placementStrategy: [{ type: 'random' }],
    },
    `${invalid}Placement strategies are not supported with FARGATE launch type.`,
  ],
  [
    'platform',
    { platformVersion: 'LATEST' },
    `${invalid}The platform version must be null when specifying an EC2`,
  ],
  [
    'overrides',
    { overrides: { containerOverrides: [{ name: 'app', command: [long] }] } },
    `${invalid}Container Overrides length must be at most 8192`,
  ],
  [
    'override of a stranger',
    { overrides: { containerOverrides: [{ name: 'x' }] } },
    `${invalid}Override for container named x is not a container in the TaskDefinition.`,
  ],
  ['override of cpu', { overrides: { cpu: 'much' } }, `${invalid}Invalid 'cpu' setting for task.`],
  ['propagation', { propagateTags: 'SERVICE' }, `${invalid}propagateTags should be one of`],
  ['group of a service', { group: 'service:web' }, `${invalid}Invalid namespace in group.`],
  ['startedBy', { startedBy: 'x'.repeat(129) }, `${invalid}startedBy longer than 128.`],
  ['11 constraints', { placementConstraints: Array.from({ length: 11 }, () => constraint) }, invalid],
  [
    '6 strategies',
    { placementStrategy: Array.from({ length: 6 }, () => ({ type: 'random' as const })) },
    `${invalid}Maximum number of strategies is 5.`,
  ],
  ['2001 characters', { placementConstraints: [{ ...constraint, expression: 'x'.repeat(2001) }] }, invalid],
  [
    'bad expression',
    { placementConstraints: [{ ...constraint, expression: 'a ==' }] },
    `${invalid}constraint.expression 'a =='`,
  ],
  [
    'binpack field',
    { placementStrategy: [{ type: 'binpack', field: 'instanceId' }] },
    `${invalid}binpack field 'instanceId' is invalid.`,
  ],
  [
    'random field',
    { placementStrategy: [{ type: 'random', field: 'x' }] },
    `${invalid}random field should not be specified.`,
  ],
  [
    'distinct expression',
    { placementConstraints: [{ type: 'distinctInstance', expression: 'x' }] },
    `${invalid}distinctInstance expression should not be specified.`,
  ],
  ['token', { clientToken: 'a b' }, `${invalid}clientToken must have`],
  ['tags', { tags: [{ key: 'aws:x', value: '' }] }, invalid],
])('refuses %s', (_, input, message) => {
  putCluster(context, 'old', { status: 'INACTIVE' })
  putCluster(context, 'provided', {
    capacityProviders: ['a'],
    defaultCapacityProviderStrategy: [{ capacityProvider: 'a', weight: 1 }],
  })
  putContainerInstance(context, cluster, 'one')
  putTaskDefinition(context, 'old:1', {}, { status: 'INACTIVE' })
  putTaskDefinition(context, 'vpc-ec2:1', {}, { networkMode: 'awsvpc' })
  putTaskDefinition(context, 'vpc:1', {}, { networkMode: 'awsvpc', compatibilities: ['EC2', 'FARGATE'] })
  expect(refusalOf(() => run(input)).slice(0, message.length)).toBe(message)
  expect(context.store.size('task')).toBe(0)
})
