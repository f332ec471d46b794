import type { CreateServiceRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import {
  alarms,
  awsvpcConfiguration,
  balanced,
  breaker,
  codeDeploy,
  connect,
  createWeb,
  daemon,
  deploy,
  ecsOnly,
  external,
  loadBalancer,
  putDefinitions,
  vpc,
} from './service-testing.ts'
import { putCluster, refusalOf } from '#api/ecs/testing-rows.ts'

let context: TestContext

beforeEach(async () => {
  context = await testContext()
  putCluster(context, 'c')
  putDefinitions(context)
})

const create = (input: Partial<CreateServiceRequest> = {}) => createWeb(context, input)
const invalid = 'InvalidParameterException: '

/** In the order in which they are checked. */
test.each<[string, Partial<CreateServiceRequest>, string]>([
  ['name', { serviceName: 'a b' }, 'ServiceName must match ^[a-zA-Z0-9\\-_]{1,255}$, but was a b'],
  [
    'long name',
    { serviceName: 'a'.repeat(256) },
    `ServiceName must match ^[a-zA-Z0-9\\-_]{1,255}$, but was ${'a'.repeat(256)}`,
  ],
  [
    'token',
    { clientToken: 'a b' },
    'clientToken must have between 1 and 36 characters, each of ASCII 33 to 126.',
  ],
  [
    'scheduling',
    { schedulingStrategy: 'X' as 'DAEMON' },
    'scheduling strategy should be one of [REPLICA,DAEMON]',
  ],
  [
    'controller',
    { deploymentController: { type: 'X' as 'ECS' } },
    'deployment controller should be one of [ECS,CODE_DEPLOY,EXTERNAL]',
  ],
  [
    'propagation',
    { propagateTags: 'X' as 'NONE' },
    'propagateTags should be one of [TASK_DEFINITION,SERVICE,NONE]',
  ],
  ['negative count', { desiredCount: -1 }, 'desiredCount must not be negative.'],
  [
    'grace',
    { healthCheckGracePeriodSeconds: 2_147_483_648 },
    'healthCheckGracePeriodSeconds must be between 0 and 2147483647.',
  ],
  ['minimum', deploy({ minimumHealthyPercent: 101 }), 'minimumHealthyPercent must be at most 100'],
  ['negative minimum', deploy({ minimumHealthyPercent: -1 }), 'minimumHealthyPercent must not be negative'],
  ['maximum', deploy({ maximumPercent: 99 }), 'maximumPercent must be at least 100'],
  [
    'both 100',
    deploy({ maximumPercent: 100 }),
    'Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.',
  ],
  [
    'no count',
    { desiredCount: undefined },
    'The REPLICA scheduling strategy requires a desired count. Specify a desired count and try again',
  ],
  [
    'daemon with a count of 0',
    { ...daemon, desiredCount: 0 },
    'The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again',
  ],
  [
    'daemon above 100',
    { ...daemon, ...deploy({ maximumPercent: 150 }) },
    'The daemon scheduling strategy does not support values above 100 for maximumPercent on a deployment configuration. Change the maximumPercent value to 100, and try again',
  ],
  [
    'daemon with strategy',
    { ...daemon, placementStrategy: [{ type: 'random' }] },
    'The daemon scheduling strategy does not support placement strategies. Remove the placement strategy and try again',
  ],
  [
    'daemon on Fargate',
    { ...daemon, launchType: 'FARGATE' },
    'The daemon scheduling strategy does not support the FARGATE launch type. Change the launch type and try again',
  ],
  [
    'daemon with rebalancing',
    { ...daemon, availabilityZoneRebalancing: 'ENABLED' },
    "The service couldn't be created because Availability Zone Rebalancing does not support DAEMON as scheduling strategy. Update scheduling strategy and try again.",
  ],
  [
    'rebalancing with another strategy',
    { availabilityZoneRebalancing: 'ENABLED', placementStrategy: [{ type: 'random' }] },
    "The service couldn't be created because Availability Zone Rebalancing only supports availability zone spread as task placement strategy.",
  ],
  [
    'rebalancing without room',
    {
      availabilityZoneRebalancing: 'ENABLED',
      ...deploy({ minimumHealthyPercent: 50, maximumPercent: 100 }),
    },
    "The service couldn't be created because Availability Zone Rebalancing does not support maximumPercent <= 100 % as deployment configuration.",
  ],
  ['launch type', { launchType: 'ec2' as 'EC2' }, 'launch type should be one of [EC2,FARGATE,EXTERNAL]'],
  [
    'both capacities',
    { launchType: 'EC2', capacityProviderStrategy: [{ capacityProvider: 'a' }] },
    'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
  ],
  [
    'platform, though there is no network either',
    { taskDefinition: 'vpc', platformVersion: 'LATEST' },
    'The platform version must be null when specifying an EC2 launch type.',
  ],
  [
    'platform of task sets',
    { ...external, platformVersion: 'LATEST' },
    'The platform version must be null when specifying an EC2 launch type.',
  ],
  [
    'daemon of CodeDeploy',
    { ...daemon, ...codeDeploy, ...balanced(loadBalancer) },
    'The CODE_DEPLOY deployment controller type is not supported for services using the DAEMON scheduling strategy.',
  ],
  [
    'daemon of another controller',
    { ...daemon, ...external },
    'The EXTERNAL deployment controller type is not supported for services using the DAEMON scheduling strategy.',
  ],
  [
    'CodeDeploy without balancer, though it has a circuit breaker too',
    { ...codeDeploy, ...deploy({ deploymentCircuitBreaker: breaker }) },
    'When specifying the CODE_DEPLOY deployment controller type, the service requires an Application Load Balancer or Network Load Balancer.',
  ],
  [
    'CodeDeploy with a circuit breaker',
    { ...codeDeploy, ...balanced(loadBalancer), ...deploy({ deploymentCircuitBreaker: breaker }) },
    `Deployment circuit breaker feature ${ecsOnly}`,
  ],
  [
    'CodeDeploy with two target groups',
    { ...codeDeploy, ...balanced(loadBalancer, { ...loadBalancer, targetGroupArn: 'arn:other' }) },
    'load balancers can have at most 1 items.',
  ],
  ['external with alarms', { ...external, ...deploy({ alarms }) }, `Alarm based rollback feature ${ecsOnly}`],
  [
    'external with Service Connect',
    { ...external, ...connect() },
    'The EXTERNAL deployment controller type is not supported for services using Service Connect.',
  ],
  [
    'CodeDeploy with Service Connect',
    { ...codeDeploy, ...balanced(loadBalancer), ...connect() },
    'Service Connect feature is only supported with ECS (rolling update) deployment controller. Update to ECS deployment controller and try again.',
  ],
  ['external with definition', { ...external, taskDefinition: 'web:1' }, 'TaskDefinition must be blank.'],
  [
    'external with an empty definition',
    { ...external, taskDefinition: '' },
    'Family should not be null or empty.',
  ],
  [
    'external with balancer',
    { ...external, ...balanced(loadBalancer) },
    'LoadBalancers must be empty or null.',
  ],
  ['no definition', { taskDefinition: undefined }, 'TaskDefinition can not be blank.'],
  [
    'constraints',
    { placementConstraints: Array.from({ length: 11 }, () => ({ type: 'distinctInstance' as const })) },
    'Maximum number of constraints is 10.',
  ],
  [
    'strategies',
    {
      availabilityZoneRebalancing: 'DISABLED',
      placementStrategy: Array.from({ length: 6 }, () => ({ type: 'random' as const })),
    },
    'Maximum number of strategies is 5.',
  ],
  [
    'network of bridge',
    { networkConfiguration: { awsvpcConfiguration } },
    'Network Configuration is not valid for the given networkMode of this task definition.',
  ],
  [
    'no network',
    { taskDefinition: 'vpc' },
    "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
  ],
  [
    'public address',
    {
      ...vpc,
      networkConfiguration: { awsvpcConfiguration: { ...awsvpcConfiguration, assignPublicIp: 'ENABLED' } },
    },
    'Assign public IP is not supported for this launch type.',
  ],
  ['Fargate', { launchType: 'FARGATE' }, 'Task definition does not support launch_type FARGATE.'],
  [
    'commands without a role',
    { enableExecuteCommand: true },
    "The service couldn't be created because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.",
  ],
])('refuses to create a service: %s', (_, input, message) => {
  expect(refusalOf(() => create(input))).toBe(`${invalid}${message}`)
  expect(context.store.size('service') + context.store.size('deployment')).toBe(0)
})

test.each<[string, Partial<CreateServiceRequest>, string]>([
  ['cluster', { cluster: 'x' }, 'ClusterNotFoundException: Cluster not found.'],
  ['unknown definition', { taskDefinition: 'x' }, 'ClientException: TaskDefinition not found.'],
  ['inactive definition', { taskDefinition: 'old:1' }, 'ClientException: TaskDefinition is inactive'],
])('finds no %s to create a service with', (_, input, message) => {
  expect(refusalOf(() => create(input))).toBe(message)
})
