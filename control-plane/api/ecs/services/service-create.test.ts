import type { CreateServiceRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import { describeServices } from './service.ts'
import { breaker, createWeb, daemon, deploy, external, putDefinitions, vpc } from './service-testing.ts'
import { putCluster, refusalOf } from '#api/ecs/testing-rows.ts'

let context: TestContext
let cluster: Cluster

beforeEach(async () => {
  context = await testContext()
  cluster = putCluster(context, 'c')
  putDefinitions(context)
})

const create = (input: Partial<CreateServiceRequest> = {}) => createWeb(context, input)
const show = () => describeServices.run(context, { cluster: 'c', services: ['web'] }).services?.[0]
const invalid = 'InvalidParameterException: '

test('a service is shown as AWS does, with the defaults filled in', () => {
  const now = new Date(context.clock.now())
  expect(create({ tags: [{ key: 'a', value: 'b' }] })).toEqual({
    serviceArn: 'arn:aws:ecs:us-east-1:000000000000:service/c/web',
    serviceName: 'web',
    clusterArn: cluster.clusterArn,
    loadBalancers: [],
    serviceRegistries: [],
    status: 'ACTIVE',
    desiredCount: 2,
    runningCount: 0,
    pendingCount: 0,
    launchType: 'EC2',
    taskDefinition: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1',
    deploymentConfiguration: {
      deploymentCircuitBreaker: { enable: false, rollback: false },
      strategy: 'ROLLING',
      maximumPercent: 200,
      minimumHealthyPercent: 100,
      bakeTimeInMinutes: 0,
    },
    deployments: [
      {
        id: expect.stringMatching(/^ecs-svc\/[1-9]\d{18}$/),
        status: 'PRIMARY',
        taskDefinition: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1',
        desiredCount: 2,
        runningCount: 0,
        pendingCount: 0,
        failedTasks: 0,
        createdAt: now,
        updatedAt: now,
        launchType: 'EC2',
        rolloutState: 'IN_PROGRESS',
        rolloutStateReason: expect.stringMatching(/^ECS deployment ecs-svc\/\d+ in progress\.$/),
      },
    ],
    events: [],
    createdAt: now,
    currentServiceRevisions: [expect.objectContaining({ runningTaskCount: 0 })],
    placementConstraints: [],
    placementStrategy: [],
    schedulingStrategy: 'REPLICA',
    tags: [{ key: 'a', value: 'b' }],
    createdBy: 'arn:aws:iam::000000000000:root',
    enableECSManagedTags: false,
    propagateTags: 'NONE',
    enableExecuteCommand: false,
    availabilityZoneRebalancing: 'ENABLED',
    resourceManagementType: 'CUSTOMER',
  })
  expect(show()).not.toHaveProperty('tags')
})

test('strategies are shown as AWS writes them, and one that is not by zone leaves no rebalancing', () => {
  const service = create({
    placementStrategy: [
      { type: 'spread', field: 'host' },
      { type: 'binpack', field: 'memory' },
    ],
  })
  expect(service?.placementStrategy).toEqual([
    { type: 'spread', field: 'instanceId' },
    { type: 'binpack', field: 'MEMORY' },
  ])
  expect(service?.availabilityZoneRebalancing).toBe('DISABLED')
})

test('the same request with the same token is the same service', () => {
  const service = create({ clientToken: 't' })
  expect(create({ clientToken: 't' })).toEqual(service)
  const again = `${invalid}Creation of service was not idempotent.`
  expect(refusalOf(() => create({ clientToken: 't', desiredCount: 3 }))).toBe(again)
  expect(refusalOf(() => create({ clientToken: 't', serviceName: 'other' }))).toBe(again)
  expect(refusalOf(() => create())).toBe(again)
  expect(refusalOf(() => create({ clientToken: 'u' }))).toBe(again)
})

test('a token is good for another request once its service is deleted', () => {
  const arn = create({ clientToken: 't' })?.serviceArn ?? ''
  context.store.update((tx) => {
    const service = tx.find('service', arn)
    if (service) tx.put('service', { ...service, status: 'INACTIVE' })
  })
  expect(create({ clientToken: 't', desiredCount: 3 })?.desiredCount).toBe(3)
})

test('what is switched off is as good as left out', () => {
  expect(
    create({
      serviceConnectConfiguration: { enabled: false },
      volumeConfigurations: [],
      ...deploy({
        alarms: { enable: false, rollback: false, alarmNames: [] },
        earlySuccessCriteria: { enable: false },
      }),
    }),
  ).toMatchObject({ status: 'ACTIVE', loadBalancers: [] })
})

test('a circuit breaker keeps the threshold that it was given', () => {
  const deploymentCircuitBreaker = {
    ...breaker,
    resetOnHealthyTask: false,
    thresholdConfiguration: { type: 'COUNT' as const, value: 7 },
  }
  expect(create(deploy({ deploymentCircuitBreaker }))?.deploymentConfiguration).toMatchObject({
    deploymentCircuitBreaker,
  })
})

test('a service with an external controller has task sets, not deployments, and no revision', () => {
  const service = create(external)
  expect(service).toMatchObject({
    deployments: [],
    taskSets: [],
    deploymentController: { type: 'EXTERNAL' },
    launchType: 'EC2',
    desiredCount: 2,
    roleArn: 'arn:aws:iam::000000000000:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS',
  })
  expect(service).not.toHaveProperty('taskDefinition')
  expect(context.store.size('deployment')).toBe(0)
})

test('a daemon has no desired count of its own, and may stop all its tasks at once', () => {
  expect(create(daemon)).toMatchObject({
    schedulingStrategy: 'DAEMON',
    deploymentConfiguration: { maximumPercent: 100, minimumHealthyPercent: 0 },
    availabilityZoneRebalancing: 'DISABLED',
  })
})

test('Availability Zones are rebalanced unless something is in the way', () => {
  const rebalancing = (input: Partial<CreateServiceRequest>) => {
    const service = create({ serviceName: `s${context.store.size('service')}`, ...input })
    return service?.availabilityZoneRebalancing
  }
  expect(rebalancing({})).toBe('ENABLED')
  expect(rebalancing({ availabilityZoneRebalancing: 'DISABLED' })).toBe('DISABLED')
  expect(rebalancing({ launchType: 'EXTERNAL' })).toBe('DISABLED')
  expect(rebalancing(deploy({ minimumHealthyPercent: 50, maximumPercent: 100 }))).toBe('DISABLED')
  expect(
    rebalancing({ placementStrategy: [{ type: 'spread', field: 'attribute:ecs.availability-zone' }] }),
  ).toBe('ENABLED')
  expect(
    rebalancing({
      placementConstraints: [{ type: 'memberOf', expression: 'attribute:ecs.availability-zone == a' }],
    }),
  ).toBe('DISABLED')
})

test('a network configuration is shown with nothing left out, and the service acts in its own role', () => {
  expect(create(vpc)).toMatchObject({
    networkConfiguration: {
      awsvpcConfiguration: { subnets: ['a'], securityGroups: [], assignPublicIp: 'DISABLED' },
    },
    roleArn: expect.stringMatching(/AWSServiceRoleForECS$/),
  })
})

/** Every way to schedule, place and deploy a service. */
const combinations = (['REPLICA', 'DAEMON'] as const).flatMap((schedulingStrategy) =>
  (['ECS', 'CODE_DEPLOY', 'EXTERNAL'] as const).flatMap((type) =>
    (['EC2', 'FARGATE', 'EXTERNAL', 'strategy', undefined] as const).flatMap((capacity) =>
      (['web', 'vpc', 'fargate', undefined] as const).map((taskDefinition) => ({
        schedulingStrategy,
        type,
        capacity,
        taskDefinition,
      })),
    ),
  ),
)

test.each(combinations)(
  'a $schedulingStrategy service of $taskDefinition on $capacity deployed by $type is created, or refused by AWS',
  ({ schedulingStrategy, type, capacity, taskDefinition }) => {
    putCluster(context, 'c', { capacityProviders: ['FARGATE'] })
    const refusal = refusalOf(() =>
      create({
        schedulingStrategy,
        desiredCount: schedulingStrategy === 'DAEMON' ? undefined : 1,
        deploymentController: { type },
        taskDefinition,
        ...(capacity === 'strategy'
          ? { capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }] }
          : { launchType: capacity }),
        ...(taskDefinition !== 'web' &&
          vpc.networkConfiguration && {
            networkConfiguration: vpc.networkConfiguration,
          }),
      }),
    )
    const onFargate = capacity === 'FARGATE' || capacity === 'strategy'
    const accepted =
      type === 'EXTERNAL'
        ? schedulingStrategy === 'REPLICA' && taskDefinition === undefined
        : type === 'ECS' &&
          taskDefinition !== undefined &&
          (onFargate
            ? schedulingStrategy === 'REPLICA' && taskDefinition === 'fargate'
            : !(taskDefinition === 'fargate' && capacity === 'EXTERNAL'))
    expect(refusal).toMatch(accepted ? /^nothing$/ : /^InvalidParameterException: /)
    expect(context.store.size('service')).toBe(accepted ? 1 : 0)
    expect(context.store.size('deployment')).toBe(accepted && type === 'ECS' ? 1 : 0)
  },
)
