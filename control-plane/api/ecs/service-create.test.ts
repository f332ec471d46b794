import type { CreateServiceRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import { createService } from './service-create.ts'
import { describeServices } from './service.ts'
import { putCluster, putTaskDefinition, refusalOf } from './testing-rows.ts'

let context: TestContext
let cluster: Cluster

beforeEach(async () => {
  context = await testContext()
  cluster = putCluster(context, 'c')
  putTaskDefinition(context, 'web:1', { portMappings: [{ containerPort: 80 }] })
})

const create = (input: Partial<CreateServiceRequest> = {}) =>
  createService.run(context, {
    cluster: 'c',
    serviceName: 'web',
    taskDefinition: 'web:1',
    desiredCount: 2,
    ...input,
  }).service
const show = () => describeServices.run(context, { cluster: 'c', services: ['web'] }).services?.[0]

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
    placementConstraints: [],
    placementStrategy: [],
    healthCheckGracePeriodSeconds: 0,
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
  expect(refusalOf(() => create({ clientToken: 't', desiredCount: 3 }))).toMatch(/^ConflictException/)
  expect(refusalOf(() => create())).toBe('InvalidParameterException: Creation of service was not idempotent.')
})

const invalid = 'InvalidParameterException: '
const unsupported = 'UnsupportedFeatureException: Berth does not support'
const loadBalancer = { containerName: 'app', containerPort: 80, targetGroupArn: 'arn' }
const daemon = {
  schedulingStrategy: 'DAEMON',
  desiredCount: undefined,
} as unknown as Partial<CreateServiceRequest>
test.each<[string, Partial<CreateServiceRequest>, string]>([
  ['name', { serviceName: 'a b' }, `${invalid}ServiceName must match ^[a-zA-Z0-9\\-_]{1,255}$, but was a b`],
  [
    'launch type',
    { launchType: 'ec2' as 'EC2' },
    `${invalid}launch type should be one of [EC2,FARGATE,EXTERNAL]`,
  ],
  ['scheduling', { schedulingStrategy: 'X' as 'DAEMON' }, `${invalid}scheduling strategy should be one of`],
  ['propagation', { propagateTags: 'X' as 'NONE' }, `${invalid}propagateTags should be one of`],
  ['cluster', { cluster: 'x' }, 'ClusterNotFoundException: Cluster not found.'],
  ['unknown definition', { taskDefinition: 'x' }, 'ClientException: TaskDefinition not found.'],
  ['inactive definition', { taskDefinition: 'old:1' }, 'ClientException: TaskDefinition is inactive'],
  ['negative count', { desiredCount: -1 }, `${invalid}desiredCount must not be negative.`],
  [
    'no count',
    { desiredCount: undefined } as unknown as Partial<CreateServiceRequest>,
    `${invalid}The REPLICA`,
  ],
  [
    'minimum',
    { deploymentConfiguration: { minimumHealthyPercent: 101 } },
    `${invalid}minimumHealthyPercent must be at most 100`,
  ],
  ['maximum', { deploymentConfiguration: { maximumPercent: 99 } }, `${invalid}maximumPercent`],
  [
    'both 100',
    { deploymentConfiguration: { maximumPercent: 100 } },
    `${invalid}Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.`,
  ],
  [
    'daemon with a count',
    { ...daemon, desiredCount: 1 },
    `${invalid}The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again`,
  ],
  [
    'daemon above 100',
    { ...daemon, deploymentConfiguration: { maximumPercent: 150 } },
    `${invalid}The daemon scheduling strategy does not support values above 100 for maximumPercent`,
  ],
  [
    'daemon with strategy',
    { ...daemon, placementStrategy: [{ type: 'random' }] },
    `${invalid}The daemon scheduling strategy does not support placement strategies. Remove`,
  ],
  [
    'daemon with rebalancing',
    { ...daemon, availabilityZoneRebalancing: 'ENABLED' },
    `${invalid}The service couldn't be created because Availability Zone Rebalancing does not support DAEMON as scheduling strategy. Update scheduling strategy and try again.`,
  ],
  ['daemon', daemon, `${unsupported} the DAEMON scheduling strategy yet.`],
  [
    'both capacities',
    { launchType: 'EC2', capacityProviderStrategy: [{ capacityProvider: 'a' }] },
    `${invalid}Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.`,
  ],
  [
    'platform',
    { platformVersion: 'LATEST' },
    `${invalid}The platform version must be null when specifying an EC2 launch type.`,
  ],
  [
    'network of bridge',
    { networkConfiguration: { awsvpcConfiguration: { subnets: ['a'] } } },
    `${invalid}Network Configuration is not valid for the given networkMode of this task definition.`,
  ],
  [
    'no network',
    { taskDefinition: 'vpc' },
    `${invalid}Network Configuration must be provided when networkMode 'awsvpc' is specified.`,
  ],
  [
    'awsvpc',
    { taskDefinition: 'vpc', networkConfiguration: { awsvpcConfiguration: { subnets: ['a'] } } },
    `${unsupported} network mode awsvpc yet.`,
  ],
  ['Fargate', { launchType: 'FARGATE' }, `${invalid}Task definition does not support launch_type FARGATE.`],
  [
    'two balancers',
    { loadBalancers: [{ ...loadBalancer, loadBalancerName: 'x' }] },
    `${invalid}loadBalancerName and targetGroupArn cannot both be specified.`,
  ],
  [
    'unknown container',
    { loadBalancers: [{ ...loadBalancer, containerName: 'x' }] },
    `${invalid}The container x does not exist in the task definition.`,
  ],
  [
    'unknown port',
    { loadBalancers: [{ ...loadBalancer, containerPort: 1 }] },
    `${invalid}The container app did not have a container port 1 defined.`,
  ],
  ['balancer', { loadBalancers: [loadBalancer] }, `${unsupported} load balancers of services yet.`],
  [
    'two registries',
    { serviceRegistries: [{}, {}] },
    `${invalid}service registries can have at most 1 items.`,
  ],
  ['registry', { serviceRegistries: [{}] }, `${unsupported} service discovery yet.`],
  ['namespace', { serviceConnectConfiguration: { enabled: true } }, `${invalid}Namespace is missing`],
  [
    'connect',
    { serviceConnectConfiguration: { enabled: true, namespace: 'n' } },
    `${unsupported} Service Connect yet.`,
  ],
  [
    'volumes',
    { volumeConfigurations: [{ name: 'x' }] },
    `${invalid}The volume name 'x' in your request does not have a matching volume`,
  ],
  [
    'external with definition',
    { deploymentController: { type: 'EXTERNAL' } },
    `${invalid}TaskDefinition must be blank.`,
  ],
  [
    'external',
    { deploymentController: { type: 'EXTERNAL' }, taskDefinition: '' },
    `${unsupported} the EXTERNAL deployment controller yet.`,
  ],
  [
    'CodeDeploy without balancer',
    { deploymentController: { type: 'CODE_DEPLOY' } },
    `${invalid}When specifying the CODE_DEPLOY deployment controller type, the service requires an Application Load Balancer`,
  ],
  [
    'blue/green',
    { deploymentConfiguration: { strategy: 'BLUE_GREEN' } },
    `${unsupported} the deployment strategy BLUE_GREEN yet.`,
  ],
  [
    'alarms',
    { deploymentConfiguration: { alarms: { enable: true, rollback: true, alarmNames: ['a'] } } },
    `${unsupported} deployment alarms yet.`,
  ],
  [
    'constraints',
    { placementConstraints: Array.from({ length: 11 }, () => ({ type: 'distinctInstance' as const })) },
    invalid,
  ],
  [
    'strategies',
    { placementStrategy: Array.from({ length: 6 }, () => ({ type: 'random' as const })) },
    `${invalid}Maximum number of strategies is 5.`,
  ],
])('refuses to create a service: %s', (_, input, message) => {
  putTaskDefinition(context, 'old:1', {}, { status: 'INACTIVE' })
  putTaskDefinition(context, 'vpc:1', {}, { networkMode: 'awsvpc' })
  expect(refusalOf(() => create(input)).slice(0, message.length)).toBe(message)
  expect(context.store.size('service') + context.store.size('deployment')).toBe(0)
})
