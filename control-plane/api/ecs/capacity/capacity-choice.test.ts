import type { CreateServiceRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import { createCapacityProvider } from './capacity-provider.ts'
import { createCluster } from './cluster.ts'
import { createService } from '#api/ecs/services/service-create.ts'
import { updateService } from '#api/ecs/services/service-update.ts'
import { putSubnet, putTaskDefinition, refusalOf } from '#api/ecs/testing-rows.ts'

const networkConfiguration = { awsvpcConfiguration: { subnets: ['subnet-1'] } }
const spot = [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }]
const mine = [{ capacityProvider: 'mine', weight: 1 }]

let context: TestContext
beforeEach(async () => {
  context = await testContext()
  putSubnet(context, 'subnet-1')
  createCapacityProvider.run(context, {
    name: 'mine',
    autoScalingGroupProvider: { autoScalingGroupArn: 'group' },
  })
  const capacityProviders = ['mine', 'FARGATE', 'FARGATE_SPOT']
  createCluster.run(context, { clusterName: 'plain', capacityProviders })
  createCluster.run(context, {
    clusterName: 'preset',
    capacityProviders: capacityProviders.slice(1),
    defaultCapacityProviderStrategy: spot,
  })
  putTaskDefinition(context, 'web:1')
  putTaskDefinition(
    context,
    'vpc:1',
    {},
    {
      networkMode: 'awsvpc',
      compatibilities: ['EC2', 'FARGATE'],
      cpu: '256',
      memory: '512',
    },
  )
})

function create(input: Partial<CreateServiceRequest>) {
  const fargate = input.taskDefinition === 'vpc' && { networkConfiguration }
  return createService.run(context, {
    cluster: 'plain',
    serviceName: 'web',
    taskDefinition: 'web',
    desiredCount: 1,
    ...fargate,
    ...input,
  }).service
}

const shownStrategy = (name: string): object[] => [{ capacityProvider: name, base: 0, weight: 1 }]

test.each<[string, Partial<CreateServiceRequest>, object, readonly string[]]>([
  ['nothing', {}, { launchType: 'EC2' }, ['capacityProviderStrategy', 'platformVersion']],
  [
    'Fargate',
    { taskDefinition: 'vpc', launchType: 'FARGATE' },
    { launchType: 'FARGATE', platformVersion: 'LATEST' },
    ['capacityProviderStrategy'],
  ],
  [
    'a strategy',
    { capacityProviderStrategy: mine },
    { capacityProviderStrategy: shownStrategy('mine') },
    ['launchType', 'platformVersion'],
  ],
  [
    'the default strategy of its cluster',
    { cluster: 'preset', taskDefinition: 'vpc' },
    { capacityProviderStrategy: shownStrategy('FARGATE_SPOT'), platformVersion: 'LATEST' },
    ['launchType'],
  ],
  [
    'a launch type in spite of the default strategy',
    { cluster: 'preset', launchType: 'EC2' },
    { launchType: 'EC2' },
    ['capacityProviderStrategy'],
  ],
])('a service that names %s shows what its tasks are started on', (_, input, expected, absent) => {
  const service = create(input)
  expect(service).toMatchObject(expected)
  for (const member of absent) expect(service).not.toHaveProperty(member)
  expect(service?.deployments).toMatchObject([expected])
})

test('a service goes from its launch type to a strategy and back', () => {
  create({})
  const update = (capacityProviderStrategy: typeof mine) =>
    updateService.run(context, {
      cluster: 'plain',
      service: 'web',
      capacityProviderStrategy,
      forceNewDeployment: true,
    }).service
  expect(update(mine)).toMatchObject({ capacityProviderStrategy: shownStrategy('mine') })
  expect(update(mine)).not.toHaveProperty('launchType')
  expect(update([])).toMatchObject({ launchType: 'EC2' })
  expect(update([])).not.toHaveProperty('capacityProviderStrategy')
})

test('a service made with a strategy goes back to the default of its cluster, where there is one', () => {
  create({ capacityProviderStrategy: mine })
  const input = { service: 'web', capacityProviderStrategy: [], forceNewDeployment: true }
  expect(refusalOf(() => updateService.run(context, { ...input, cluster: 'plain' }))).toBe(
    'InvalidParameterException: No launch type to fall back to for empty capacity provider strategy. Your service was not created with a launch type.',
  )
  create({
    cluster: 'preset',
    taskDefinition: 'vpc',
    capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
  })
  expect(updateService.run(context, { ...input, cluster: 'preset' }).service).toMatchObject({
    capacityProviderStrategy: shownStrategy('FARGATE_SPOT'),
  })
})

const invalid = 'InvalidParameterException: '
test.each<[string, Partial<CreateServiceRequest>, string]>([
  [
    'a launch type and a strategy',
    { launchType: 'EC2', capacityProviderStrategy: mine },
    `${invalid}Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.`,
  ],
  [
    'a stranger',
    { capacityProviderStrategy: [{ capacityProvider: 'x', weight: 1 }] },
    `${invalid}The specified capacity provider strategy cannot contain`,
  ],
  [
    'no weight',
    { capacityProviderStrategy: [{ capacityProvider: 'mine' }] },
    `${invalid}There are no capacity providers in the capacity provider strategy`,
  ],
  [
    'Fargate for a definition of instances',
    { launchType: 'FARGATE' },
    `${invalid}Task definition does not support launch_type FARGATE.`,
  ],
  [
    'an unknown platform',
    { taskDefinition: 'vpc', launchType: 'FARGATE', platformVersion: '9' },
    'PlatformUnknownException: The specified platform does not exist.',
  ],
  [
    'a platform of instances',
    { platformVersion: 'LATEST' },
    `${invalid}The platform version must be null when specifying an EC2 launch type.`,
  ],
  [
    'Fargate with constraints',
    { taskDefinition: 'vpc', launchType: 'FARGATE', placementConstraints: [{ type: 'distinctInstance' }] },
    `${invalid}Placement constraints are not supported with FARGATE`,
  ],
  [
    'a public address on instances',
    {
      taskDefinition: 'vpc',
      networkConfiguration: { awsvpcConfiguration: { subnets: ['s'], assignPublicIp: 'ENABLED' } },
    },
    `${invalid}Assign public IP is not supported for this launch type.`,
  ],
])('a service is refused with %s', (_, input, message) => {
  expect(refusalOf(() => create(input)).slice(0, message.length)).toBe(message)
  expect(context.store.size('service')).toBe(0)
})

test('a daemon is refused on providers, also those of the default strategy; a launch type settles it', () => {
  const daemon = { cluster: 'preset', schedulingStrategy: 'DAEMON', desiredCount: undefined } as const
  const message = `${invalid}Specifying a capacity provider strategy is not supported when you create a service using the DAEMON scheduling strategy.`
  expect(refusalOf(() => create(daemon))).toBe(message)
  expect(refusalOf(() => create({ ...daemon, cluster: 'plain', capacityProviderStrategy: mine }))).toBe(
    message,
  )
  expect(create({ ...daemon, launchType: 'EC2' })).toMatchObject({ launchType: 'EC2' })
})
