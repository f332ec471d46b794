import type { UpdateServiceRequest } from '@aws-sdk/client-ecs'
import { beforeEach, describe, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import type { Service } from '#domain/service.ts'
import { createWeb, daemon, external, putDefinitions } from './service-testing.ts'
import { updateService } from './service-update.ts'
import { createTaskSet } from './task-set-create.ts'
import { updateServicePrimaryTaskSet } from './task-set.ts'
import { putCluster, putTaskDefinition, refusalOf } from '#api/ecs/testing-rows.ts'

let context: TestContext

beforeEach(async () => {
  context = await testContext()
  putCluster(context, 'c', { capacityProviders: ['FARGATE', 'FARGATE_SPOT'] })
  putDefinitions(context)
  putTaskDefinition(context, 'web:2')
})

const update = (input: Partial<UpdateServiceRequest> = {}) =>
  updateService.run(context, { cluster: 'c', service: 'web', ...input }).service
const invalid = 'InvalidParameterException: '

function change(with_: Partial<Service>): void {
  context.store.update((tx) => {
    for (const service of tx.list('service')) tx.put('service', { ...service, ...with_ })
  })
}

test('what an update leaves out stays, and an empty list clears', () => {
  createWeb(context)
  update({
    availabilityZoneRebalancing: 'DISABLED',
    placementStrategy: [{ type: 'random' }],
    placementConstraints: [{ type: 'distinctInstance' }],
    deploymentConfiguration: {
      maximumPercent: 150,
      deploymentCircuitBreaker: { enable: true, rollback: true },
    },
    healthCheckGracePeriodSeconds: 30,
  })
  expect(update({ desiredCount: 1 })).toMatchObject({
    placementStrategy: [{ type: 'random' }],
    placementConstraints: [{ type: 'distinctInstance' }],
    healthCheckGracePeriodSeconds: 30,
    deploymentConfiguration: {
      maximumPercent: 150,
      minimumHealthyPercent: 100,
      deploymentCircuitBreaker: { enable: true, rollback: true },
    },
  })
  expect(
    update({ placementStrategy: [], placementConstraints: [], loadBalancers: [], serviceRegistries: [] }),
  ).toMatchObject({ placementStrategy: [], placementConstraints: [] })
})

test.each<[string, Partial<UpdateServiceRequest>, string]>([
  ['count', { desiredCount: -1 }, `${invalid}desiredCount must not be negative.`],
  [
    'minimum',
    { deploymentConfiguration: { minimumHealthyPercent: 101 } },
    `${invalid}minimumHealthyPercent must be at most 100`,
  ],
  [
    'no room to rebalance',
    { deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: 100 } },
    `${invalid}The service couldn't be updated because Availability Zone Rebalancing does not support maximumPercent <= 100 % as deployment configuration.`,
  ],
  [
    'placement that leaves zones alone',
    { placementStrategy: [{ type: 'binpack', field: 'cpu' }] },
    `${invalid}The service couldn't be updated because Availability Zone Rebalancing only supports availability zone spread as task placement strategy.`,
  ],
  ['empty definition', { taskDefinition: '' }, `${invalid}Family should not be null or empty.`],
  ['unknown definition', { taskDefinition: 'x' }, 'ClientException: TaskDefinition not found.'],
  ['inactive definition', { taskDefinition: 'old:1' }, 'ClientException: TaskDefinition is inactive'],
  [
    'definition that needs a network',
    { taskDefinition: 'vpc' },
    `${invalid}Network Configuration must be provided when networkMode 'awsvpc' is specified.`,
  ],
  [
    'commands without a role',
    { enableExecuteCommand: true },
    `${invalid}The service couldn't be updated because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.`,
  ],
  [
    'platform',
    { platformVersion: '1.4.0' },
    `${invalid}The platform version must be null when specifying an EC2 launch type.`,
  ],
  [
    'strategy without a new deployment',
    {
      taskDefinition: 'fargate',
      networkConfiguration: { awsvpcConfiguration: { subnets: ['a'] } },
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }],
    },
    `${invalid}When switching from launch type to capacity provider strategy on an existing service, or making a change to a capacity provider strategy on a service that is already using one, you must force a new deployment.`,
  ],
  [
    'load balancers',
    { loadBalancers: [{ targetGroupArn: 'arn', containerName: 'app', containerPort: 80 }] },
    'UnsupportedFeatureException: Berth does not support load balancers of services yet. Leave it out of the service.',
  ],
  [
    'another controller',
    { deploymentController: { type: 'EXTERNAL' } },
    'UnsupportedFeatureException: Berth does not support changing the deployment controller to EXTERNAL yet. Create a service with it.',
  ],
  ['unknown service', { service: 'x' }, 'ServiceNotFoundException: Service not found.'],
])('refuses to update a service: %s, and leaves it as it is', (_, input, message) => {
  createWeb(context)
  const before = context.store.list('service')
  expect(refusalOf(() => update(input))).toBe(message)
  expect(context.store.list('service')).toEqual(before)
  expect(context.store.size('deployment')).toBe(1)
})

test('an empty list of volumes is no change', () => {
  createWeb(context)
  expect(update({ volumeConfigurations: [], desiredCount: 3 })?.deployments).toHaveLength(1)
})

test('rebalancing that is switched off with its cause is no obstacle', () => {
  createWeb(context)
  expect(
    update({
      availabilityZoneRebalancing: 'DISABLED',
      deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: 100 },
    }),
  ).toMatchObject({ availabilityZoneRebalancing: 'DISABLED' })
  expect(refusalOf(() => update({ availabilityZoneRebalancing: 'ENABLED' }))).toBe(
    `${invalid}The service couldn't be updated because Availability Zone Rebalancing does not support maximumPercent <= 100 % as deployment configuration.`,
  )
  expect(
    update({ availabilityZoneRebalancing: 'ENABLED', deploymentConfiguration: { maximumPercent: 150 } }),
  ).toMatchObject({ availabilityZoneRebalancing: 'ENABLED' })
})

test('a strategy takes the place of the launch type, and an empty one gives it back', () => {
  const awsvpcConfiguration = { subnets: ['a'] }
  createWeb(context, {
    taskDefinition: 'fargate',
    launchType: 'FARGATE',
    networkConfiguration: { awsvpcConfiguration },
  })
  const spot = update({
    capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }],
    forceNewDeployment: true,
  })
  expect(spot?.capacityProviderStrategy).toEqual([{ capacityProvider: 'FARGATE_SPOT', weight: 1, base: 0 }])
  expect(spot).not.toHaveProperty('launchType')
  expect(spot).toMatchObject({ platformVersion: 'LATEST', deployments: [{ status: 'PRIMARY' }, {}] })
  const back = update({ capacityProviderStrategy: [], forceNewDeployment: true })
  expect(back).toMatchObject({ launchType: 'FARGATE' })
  expect(back).not.toHaveProperty('capacityProviderStrategy')
})

test('a daemon takes no desired count', () => {
  createWeb(context, daemon)
  expect(refusalOf(() => update({ desiredCount: 0 }))).toBe(
    `${invalid}The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again`,
  )
  expect(update({ taskDefinition: 'web:2' })?.deployments).toMatchObject([{}, {}])
})

describe('of a service that CodeDeploy deploys', () => {
  beforeEach(() => {
    createWeb(context)
    change({
      deploymentController: { type: 'CODE_DEPLOY' },
      loadBalancers: [{ targetGroupArn: 'arn', containerName: 'app', containerPort: 80 }],
    })
  })

  const codeDeploy =
    'on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.'
  test.each<[string, Partial<UpdateServiceRequest>, string]>([
    ['revision', { taskDefinition: 'web:2' }, `Unable to update task definition ${codeDeploy}`],
    ['same revision', { taskDefinition: 'web:1' }, `Unable to update task definition ${codeDeploy}`],
    [
      'network',
      { networkConfiguration: { awsvpcConfiguration: { subnets: ['a'] } } },
      `Unable to update network parameters ${codeDeploy}`,
    ],
    ['platform', { platformVersion: 'LATEST' }, `Unable to update platform version ${codeDeploy}`],
    ['balancers', { loadBalancers: [] }, `Unable to update load balancers ${codeDeploy}`],
    ['deployment', { forceNewDeployment: true }, `Cannot force a new deployment ${codeDeploy}`],
  ])('leaves the %s to CodeDeploy', (_, input, message) => {
    expect(refusalOf(() => update(input))).toBe(`${invalid}${message}`)
  })
})

describe('of a service that an external controller deploys', () => {
  beforeEach(() => void createWeb(context, external))
  const putTaskSet = () =>
    createTaskSet.run(context, { cluster: 'c', service: 'web', taskDefinition: 'web:1' }).taskSet

  test('changes what is not the affair of task sets', () => {
    expect(
      update({
        desiredCount: 4,
        placementConstraints: [{ type: 'distinctInstance' }],
        healthCheckGracePeriodSeconds: 5,
        enableECSManagedTags: true,
        propagateTags: 'SERVICE',
      }),
    ).toMatchObject({ desiredCount: 4, deployments: [], taskSets: [], propagateTags: 'SERVICE' })
  })

  test.each<[string, Partial<UpdateServiceRequest>, string]>([
    ['revision', { taskDefinition: 'web:2' }, 'Unable to update task definition'],
    [
      'percentages',
      { deploymentConfiguration: { maximumPercent: 150 } },
      'Unable to update deployment configuration',
    ],
    ['deployment', { forceNewDeployment: true }, 'Cannot force a new deployment'],
  ])('leaves the %s to task sets', (_, input, message) => {
    expect(refusalOf(() => update(input))).toBe(
      `${invalid}${message} on services with an EXTERNAL deployment controller. Create a new task set to trigger a new deployment.`,
    )
  })

  test('ECS takes it over from its one task set, when that is primary', () => {
    const toEcs = { deploymentController: { type: 'ECS' as const } }
    const missing = `${invalid}Updating the deployment controller requires a primary taskset in the service. Please ensure your service has a primary taskset and try again.`
    expect(refusalOf(() => update(toEcs))).toBe(missing)
    const { id: primaryTaskSet } = putTaskSet() ?? {}
    expect(refusalOf(() => update(toEcs))).toBe(missing)
    updateServicePrimaryTaskSet.run(context, { cluster: 'c', service: 'web', primaryTaskSet })
    const second = putTaskSet()
    expect(refusalOf(() => update(toEcs))).toBe(
      `${invalid}Updating the deployment controller is not supported when there are multiple tasksets in the service. Please ensure your service has only one taskset and try again.`,
    )
    context.store.update((tx) => tx.delete('taskSet', second?.taskSetArn ?? ''))
    const service = update(toEcs)
    expect(service).toMatchObject({
      deploymentController: { type: 'ECS' },
      taskDefinition: expect.stringMatching(/web:1$/),
      deployments: [{ status: 'PRIMARY', desiredCount: 2 }],
    })
    expect(service).not.toHaveProperty('taskSets')
    expect(context.store.size('taskSet')).toBe(0)
  })
})
