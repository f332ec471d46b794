import type { RunTaskRequest } from '@aws-sdk/client-ecs'
import { beforeEach, describe, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import { createCapacityProvider } from '#api/ecs/capacity/capacity-provider.ts'
import { putClusterCapacityProviders } from '#api/ecs/capacity/cluster-capacity.ts'
import { explain, type ExplainRequest } from './explain.ts'
import { runTask } from '#api/ecs/tasks/run-task.ts'
import { createService } from '#api/ecs/services/service-create.ts'
import { putCluster, putContainerInstance, putSubnet, putTaskDefinition } from '#api/ecs/testing-rows.ts'

let context: TestContext
let cluster: Cluster
beforeEach(async () => {
  context = await testContext()
  cluster = putCluster(context, 'demo')
  putTaskDefinition(context, 'web:1', { cpu: 256, memory: 512 })
})

const instance = (name: string, more: Parameters<typeof putContainerInstance>[3] = {}) =>
  putContainerInstance(context, cluster, name, more)
const run = (input: Partial<RunTaskRequest> = {}) =>
  explain(context, { operation: 'RunTask', input: { cluster: 'demo', taskDefinition: 'web', ...input } })
const create = (input: Partial<Extract<ExplainRequest, { operation: 'CreateService' }>['input']> = {}) =>
  explain(context, {
    operation: 'CreateService',
    input: { cluster: 'demo', serviceName: 'web', taskDefinition: 'web', desiredCount: 2, ...input },
  })
const update = () =>
  explain(context, { operation: 'UpdateService', input: { cluster: 'demo', service: 'web' } })

describe('what a new user runs into', () => {
  beforeEach(() => {
    putTaskDefinition(context, 'huge:1', { memory: 4096 })
    putTaskDefinition(context, 'port:1', { portMappings: [{ hostPort: 80, containerPort: 80 }] })
    putTaskDefinition(context, 'arm:1', {}, { runtimePlatform: { cpuArchitecture: 'ARM64' } })
    putTaskDefinition(
      context,
      'fargate:1',
      {},
      {
        networkMode: 'awsvpc',
        compatibilities: ['EC2', 'FARGATE'],
        cpu: '256',
        memory: '512',
      },
    )
  })

  const closest = 'RunTask would find no place for the task. Closest is one:'
  test.each<[string, () => void, Partial<RunTaskRequest>, string]>([
    [
      'too little memory',
      () => instance('one'),
      { taskDefinition: 'huge' },
      `${closest} needs 4096 MiB of memory, 1024 of 1024 are free.`,
    ],
    [
      'a port that is taken',
      () => {
        instance('one')
        runTask.run(context, { cluster: 'demo', taskDefinition: 'port' })
      },
      { taskDefinition: 'port' },
      `${closest} already in use: 80/tcp.`,
    ],
    [
      'another architecture',
      () => instance('one', { attributes: [{ name: 'ecs.cpu-architecture', value: 'x86_64' }] }),
      { taskDefinition: 'arm' },
      `${closest} has ecs.cpu-architecture = x86_64, not arm64.`,
    ],
    [
      'an attribute that is missing',
      () => instance('one'),
      { placementConstraints: [{ type: 'memberOf', expression: 'attribute:stack == prod' }] },
      `${closest} not true of it: attribute:stack == prod.`,
    ],
    [
      'an expression that contradicts itself',
      () => {
        instance('one', { attributes: [{ name: 'stack', value: 'prod' }] })
        instance('two', { attributes: [{ name: 'stack', value: 'test' }] })
      },
      {
        placementConstraints: [
          { type: 'memberOf', expression: 'attribute:stack == prod and attribute:stack == test' },
        ],
      },
      'RunTask would find no place for the task. No instance matches all of "attribute:stack == prod" (1 of 2) and "attribute:stack == test" (1 of 2) at once.',
    ],
    [
      'no instances',
      () => undefined,
      {},
      'RunTask would be refused with InvalidParameterException: No Container Instances were found in your cluster. The cluster has no container instances.',
    ],
    [
      'none but draining instances',
      () => {
        instance('one', { status: 'DRAINING' })
        instance('two', { status: 'DRAINING' })
      },
      {},
      'RunTask would be refused with InvalidParameterException: No Container Instances were found in your cluster. The cluster has no instance that is asked: one is DRAINING, not ACTIVE, and 1 more are ruled out alike.',
    ],
    [
      'agents that are not connected',
      () => instance('one', { agentConnected: false }),
      {},
      `${closest} its agent is not connected.`,
    ],
    [
      'Fargate',
      () => {
        putSubnet(context, 'subnet-1')
        return instance('one')
      },
      {
        taskDefinition: 'fargate',
        launchType: 'FARGATE',
        networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-1'] } },
      },
      'RunTask is valid, but Fargate has too little capacity here: the task would fail with RESOURCE:FARGATE. Stop other Fargate tasks, give Fargate more of this machine (berth up --fargate-memory, --fargate-cpu), or use launch type EC2.',
    ],
    [
      'a capacity provider that is not there',
      () => instance('one'),
      { capacityProviderStrategy: [{ capacityProvider: 'nothing', weight: 1 }] },
      'RunTask would be refused with InvalidParameterException: The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.',
    ],
    [
      'a capacity provider without instances',
      () => {
        instance('one')
        createCapacityProvider.run(context, {
          name: 'spot',
          autoScalingGroupProvider: { autoScalingGroupArn: 'group' },
        })
        putClusterCapacityProviders.run(context, {
          cluster: 'demo',
          capacityProviders: ['spot'],
          defaultCapacityProviderStrategy: [],
        })
      },
      { capacityProviderStrategy: [{ capacityProvider: 'spot', weight: 1 }] },
      'RunTask would find no place for the task. Capacity provider spot has no instance that is asked: one belongs to no capacity provider, not to spot.',
    ],
    [
      'a task definition that is not there',
      () => instance('one'),
      { taskDefinition: 'nothing' },
      'RunTask would be refused with ClientException: TaskDefinition not found.',
    ],
  ])('%s', (_, arrange, input, verdict) => {
    arrange()
    expect(run(input).verdict).toBe(verdict)
  })
})

test('says where tasks would go, how many fell at each filter and what the others lacked', () => {
  instance('full', { memoryMiB: 100 })
  instance('off', { agentConnected: false })
  instance('best', { memoryMiB: 600 })
  instance('good', { memoryMiB: 900 })
  const explanation = run({ placementStrategy: [{ type: 'binpack', field: 'memory' }] })
  const [placement] = explanation.placements ?? []
  expect(explanation).toMatchObject({
    outcome: 'PLACED',
    verdict: 'RunTask would place the task on best, the best of 2 that can take it.',
    tasksCount: 1,
    failures: [],
  })
  expect(placement?.filters).toEqual([
    { filter: 'AGENT', asked: 4, ruledOut: 1 },
    { filter: 'RESOURCE:MEMORY', asked: 3, ruledOut: 1 },
  ])
  const shown = placement?.instances.map(({ containerInstanceArn, place, reason, detail, scores }) => [
    containerInstanceArn.split('/').at(-1),
    place ?? reason,
    detail ?? scores,
  ])
  expect(shown).toEqual([
    ['best', 1, [{ strategy: 'binpack(MEMORY)', value: 600 }]],
    ['good', 2, [{ strategy: 'binpack(MEMORY)', value: 900 }]],
    ['full', 'RESOURCE:MEMORY', 'needs 512 MiB of memory, 100 of 100 are free'],
    ['off', 'AGENT', 'its agent is not connected'],
  ])
  expect(placement?.closest).toMatchObject({ resource: 'MEMORY', needed: 512, free: 100 })
})

test('of more tasks than fit it explains the first that finds no place', () => {
  instance('one')
  expect(run({ count: 3 })).toMatchObject({
    outcome: 'PARTLY PLACED',
    verdict: 'RunTask would place 2 of 3 tasks. Closest is one: needs 512 MiB of memory, 0 of 1024 are free.',
    failures: [{ reason: 'RESOURCE:MEMORY' }],
    placements: [{ when: 'WHEN FULL' }],
  })
})

test('changes nothing: no row, no position, no chance, nobody is told', () => {
  instance('one')
  instance('two')
  createService.run(context, { cluster: 'demo', serviceName: 'db', taskDefinition: 'web', desiredCount: 1 })
  const picture = () => [
    context.store.position,
    context.store.list('task'),
    context.store.list('service'),
    context.store.list('deployment'),
    context.store.list('idempotency'),
    context.fleet.remainingResources(context.store.list('containerInstance')[0]?.containerInstanceArn ?? ''),
  ]
  const before = picture()
  const told: unknown[] = []
  context.store.watch((changes) => told.push(changes))
  let drawn = 0
  const watched = {
    ...context,
    ids: {
      ...context.ids,
      fraction: () => {
        drawn++
        return 0
      },
    },
  }
  explain(watched, {
    operation: 'RunTask',
    input: { cluster: 'demo', taskDefinition: 'web', count: 5, clientToken: 't' },
  })
  create()
  explain(watched, { operation: 'UpdateService', input: { cluster: 'demo', service: 'db', desiredCount: 9 } })
  run({ taskDefinition: 'nothing' })
  expect(picture()).toEqual(before)
  expect([told, drawn]).toEqual([[], 0])
})

describe('services', () => {
  test('a service that does not exist yet is explained as it would be created', () => {
    instance('one')
    expect(create({ desiredCount: 3 })).toMatchObject({
      operation: 'CreateService',
      outcome: 'PARTLY PLACED',
      tasksCount: 3,
      verdict:
        'The service web would place 2 of 3 tasks. Closest is one: needs 512 MiB of memory, 0 of 1024 are free.',
      placements: [
        {
          task: { group: 'service:web' },
          placementStrategy: [
            { type: 'spread', field: 'attribute:ecs.availability-zone' },
            { type: 'spread', field: 'instanceId' },
          ],
        },
      ],
    })
  })

  test('a bad one is refused as CreateService would', () => {
    expect(create({ placementStrategy: [{ type: 'binpack', field: 'instanceId' }] })).toMatchObject({
      outcome: 'REFUSED',
      error: { code: 'InvalidParameterException', message: "binpack field 'instanceId' is invalid." },
    })
  })

  test('one that stands is explained for the tasks it lacks, in an empty cluster too', () => {
    createService.run(context, {
      cluster: 'demo',
      serviceName: 'web',
      taskDefinition: 'web',
      desiredCount: 2,
    })
    expect(update()).toMatchObject({
      outcome: 'NOT PLACED',
      verdict: 'The service web would find no place for 2 tasks. The cluster has no container instances.',
    })
  })

  test('one that lacks none is explained for one more', () => {
    instance('one')
    createService.run(context, {
      cluster: 'demo',
      serviceName: 'web',
      taskDefinition: 'web',
      desiredCount: 0,
    })
    expect(update()).toMatchObject({
      outcome: 'PLACED',
      verdict:
        'The service web has its 0 tasks. One more would go on one, the only instance that can take it.',
    })
  })

  test('a daemon is explained for every instance', () => {
    instance('one')
    instance('two', { memoryMiB: 100 })
    const { verdict, placements } = create({ schedulingStrategy: 'DAEMON', desiredCount: undefined })
    expect(verdict).toBe(
      'The service web keeps one task on each instance: 1 more would be started, and 0 stand.',
    )
    expect(placements?.[0]?.closest).toMatchObject({ reason: 'RESOURCE:MEMORY' })
  })
})
