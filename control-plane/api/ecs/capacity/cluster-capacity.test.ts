import { beforeEach, describe, expect, test } from 'vitest'
import { taskRow } from '#domain/placement/testing.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { TaskSet } from '#domain/task-set.ts'
import { createCapacityProvider, deleteCapacityProvider } from './capacity-provider.ts'
import { putClusterCapacityProviders } from './cluster-capacity.ts'
import { createCluster, deleteCluster, describeClusters } from './cluster.ts'
import { putCluster, putContainerInstance, putService, refusalOf } from '#api/ecs/testing-rows.ts'

let context: TestContext
let cluster: Cluster
beforeEach(async () => {
  context = await testContext()
  cluster = putCluster(context, 'demo')
  for (const name of ['mine', 'other']) create(name)
})

function create(name: string): void {
  createCapacityProvider.run(context, {
    name,
    autoScalingGroupProvider: { autoScalingGroupArn: `group-of-${name}` },
  })
}

function put(capacityProviders: string[], defaultCapacityProviderStrategy: object[] = [], ref = 'demo') {
  const strategy = defaultCapacityProviderStrategy as Array<{ capacityProvider: string }>
  return putClusterCapacityProviders.run(context, {
    cluster: ref,
    capacityProviders,
    defaultCapacityProviderStrategy: strategy,
  }).cluster
}

function putTask(more: Parameters<typeof taskRow>[0]): void {
  context.store.update((tx) => tx.put('task', taskRow({ clusterArn: cluster.clusterArn, ...more })))
}

test('both lists take the place of those there were', () => {
  const arn = 'arn:aws:ecs:us-east-1:000000000000:capacity-provider/mine'
  put(['FARGATE', 'other'])
  const strategy = [
    { capacityProvider: arn, weight: 2 },
    { capacityProvider: 'FARGATE_SPOT', base: 1 },
  ]
  expect(refusalOf(() => put([arn, 'FARGATE_SPOT', 'mine'], strategy))).toMatch(/cannot contain a mix/)
  expect(put([arn, 'FARGATE_SPOT', 'mine'], strategy.slice(0, 1))).toMatchObject({
    capacityProviders: ['mine', 'FARGATE_SPOT'],
    defaultCapacityProviderStrategy: [{ capacityProvider: 'mine', weight: 2, base: 0 }],
  })
  expect(put([])).toMatchObject({ capacityProviders: [], defaultCapacityProviderStrategy: [] })
})

describe('a provider in use cannot be removed', () => {
  const inUse = 'ResourceInUseException: The specified capacity provider is in use and cannot be removed.'
  beforeEach(() => put(['mine', 'FARGATE']))

  test.each(['PENDING', 'RUNNING', 'STOPPING'] as const)('by a task that is %s', (lastStatus) => {
    putTask({ taskArn: 'task', capacityProviderName: 'mine', lastStatus })
    expect(refusalOf(() => put(['FARGATE']))).toBe(inUse)
    expect(put(['mine'])?.capacityProviders).toEqual(['mine'])
    putTask({
      taskArn: 'task',
      capacityProviderName: 'mine',
      lastStatus: 'STOPPED',
      desiredStatus: 'STOPPED',
    })
    expect(put([])?.capacityProviders).toEqual([])
  })

  test('by a service that is not INACTIVE', () => {
    const capacityProviderStrategy = [{ capacityProvider: 'mine', base: 0, weight: 1 }]
    putService(context, cluster, 'web', { capacityProviderStrategy, status: 'DRAINING' })
    expect(refusalOf(() => put(['FARGATE']))).toBe(inUse)
    putService(context, cluster, 'web', { capacityProviderStrategy, status: 'INACTIVE' })
    expect(put(['FARGATE'])?.capacityProviders).toEqual(['FARGATE'])
  })

  test('by a task set', () => {
    const taskSet: TaskSet = {
      ...context.scope,
      taskSetArn: 'task-set',
      id: 'ecs-svc/1',
      serviceArn: 'service',
      clusterArn: cluster.clusterArn,
      status: 'ACTIVE',
      taskDefinitionArn: 'task-definition',
      scalePercent: 100,
      capacityProviderStrategy: [{ capacityProvider: 'mine', base: 0, weight: 1 }],
      loadBalancers: [],
      serviceRegistries: [],
      createdAt: 0,
      updatedAt: 0,
    }
    context.store.update((tx) => tx.put('taskSet', taskSet))
    expect(refusalOf(() => put(['FARGATE']))).toBe(inUse)
  })

  test('of another cluster, it does not matter', () => {
    putTask({ clusterArn: `${cluster.clusterArn}2`, capacityProviderName: 'mine', lastStatus: 'RUNNING' })
    expect(put([])?.capacityProviders).toEqual([])
  })
})

test.each<[string, string[], object[], string]>([
  [
    'unknown',
    ['none'],
    [],
    'The specified capacity provider was not found. Specify a valid capacity provider and try again.',
  ],
  [
    'deleted',
    ['other'],
    [],
    "The specified capacity provider 'other' is not in an ACTIVE state. Specify a valid capacity provider and try again.",
  ],
  [
    'of another cluster',
    ['taken'],
    [],
    "The specified capacity provider 'taken' is already associated with another cluster.",
  ],
  [
    'too many',
    Array.from({ length: 21 }, (_, number) => `p${number}`),
    [],
    'The maximum number of capacity providers per cluster has been exceeded.',
  ],
  [
    'not in the strategy',
    ['FARGATE'],
    [{ capacityProvider: 'mine', weight: 1 }],
    'The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster.',
  ],
  [
    'with two bases',
    ['FARGATE', 'FARGATE_SPOT'],
    ['FARGATE', 'FARGATE_SPOT'].map((capacityProvider) => ({ capacityProvider, base: 1, weight: 1 })),
    'The specified capacity provider strategy contains multiple capacity providers with a base value defined. Only one capacity provider per strategy can have a base value defined.',
  ],
  [
    'with a great base',
    ['mine'],
    [{ capacityProvider: 'mine', base: 100_001 }],
    'The base of a capacity provider',
  ],
  [
    'with a great weight',
    ['mine'],
    [{ capacityProvider: 'mine', weight: 1001 }],
    'The weight of a capacity provider',
  ],
])('providers are refused: %s', (_, capacityProviders, strategy, message) => {
  create('taken')
  createCluster.run(context, { clusterName: 'second', capacityProviders: ['taken'] })
  for (let number = 0; number < 21; number++) create(`p${number}`)
  deleteCapacityProvider.run(context, { capacityProvider: 'other' })
  expect(refusalOf(() => put(capacityProviders, strategy))).toContain(`InvalidParameterException: ${message}`)
  expect(context.store.find('cluster', cluster.clusterArn)).toEqual(cluster)
  const input = { clusterName: 'third', capacityProviders, defaultCapacityProviderStrategy: strategy as [] }
  expect(refusalOf(() => createCluster.run(context, input))).toContain(message)
})

test('a cluster that is not there, or no longer, has no providers', () => {
  deleteCluster.run(context, { cluster: 'demo' })
  expect(refusalOf(() => put([]))).toBe('ClusterNotFoundException: The referenced cluster was inactive.')
  expect(refusalOf(() => put([], [], 'none'))).toBe('ClusterNotFoundException: Cluster not found.')
})

test('a cluster is deleted only without instances, services and tasks, asked for in that order', () => {
  const attempt = (): string => refusalOf(() => deleteCluster.run(context, { cluster: 'demo' }))
  putTask({ taskArn: 'task', lastStatus: 'PENDING' })
  expect(attempt()).toBe(
    'ClusterContainsTasksException: The Cluster cannot be deleted while Tasks are active.',
  )
  putService(context, cluster, 'web')
  expect(attempt()).toBe(
    'ClusterContainsServicesException: The Cluster cannot be deleted while Services are active.',
  )
  putContainerInstance(context, cluster, 'one', { status: 'DRAINING' })
  expect(attempt()).toBe(
    'ClusterContainsContainerInstancesException: The Cluster cannot be deleted while Container Instances are active or draining.',
  )
  putContainerInstance(context, cluster, 'one', { status: 'INACTIVE' })
  putService(context, cluster, 'web', { status: 'INACTIVE' })
  putTask({ taskArn: 'task', lastStatus: 'STOPPED', desiredStatus: 'STOPPED' })
  expect(attempt()).toBe('nothing')
})

test('counts and statistics are of what the cluster has, by launch type', () => {
  putContainerInstance(context, cluster, 'one')
  putContainerInstance(context, cluster, 'two', { status: 'DRAINING' })
  putContainerInstance(context, cluster, 'three', { status: 'INACTIVE' })
  putTask({ lastStatus: 'RUNNING' })
  putTask({ lastStatus: 'RUNNING', launchType: 'EXTERNAL' })
  putTask({ lastStatus: 'PENDING' })
  putTask({ lastStatus: 'STOPPED', desiredStatus: 'STOPPED' })
  putService(context, cluster, 'web', { launchType: 'EC2' })
  putService(context, cluster, 'spot', {
    capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', base: 0, weight: 1 }],
  })
  putService(context, cluster, 'old', { launchType: 'EC2', status: 'DRAINING' })
  const [shown] =
    describeClusters.run(context, { clusters: ['demo'], include: ['STATISTICS'] }).clusters ?? []
  expect(shown).toMatchObject({
    registeredContainerInstancesCount: 2,
    runningTasksCount: 2,
    pendingTasksCount: 1,
    activeServicesCount: 2,
  })
  const some = shown?.statistics?.filter(({ value }) => value !== '0')
  expect(Object.fromEntries((some ?? []).map(({ name, value }) => [name, value]))).toEqual({
    runningEC2TasksCount: '1',
    runningExternalTasksCount: '1',
    pendingEC2TasksCount: '1',
    activeEC2ServiceCount: '1',
    activeFargateServiceCount: '1',
    drainingEC2ServiceCount: '1',
  })
})
