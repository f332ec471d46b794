import type { CreateServiceRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import {
  advancedConfiguration,
  alarms,
  alias,
  awsvpcConfiguration,
  balanced,
  codeDeploy,
  connect,
  daemon,
  createWeb,
  deploy,
  hook,
  pause,
  loadBalancer,
  putDefinitions,
  rule,
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

test.each<[string, Partial<CreateServiceRequest>, string]>([
  [
    'six balancers',
    balanced(...Array.from({ length: 6 }, (_, index) => ({ ...loadBalancer, targetGroupArn: `${index}` }))),
    'load balancers can have at most 5 items.',
  ],
  [
    'balancer off AWS',
    { launchType: 'EXTERNAL', ...balanced(loadBalancer) },
    'Load balancers are not supported for external launch type.',
  ],
  [
    'two balancers in one',
    balanced({ ...loadBalancer, loadBalancerName: 'x' }),
    'loadBalancerName and targetGroupArn cannot both be specified. You must specify either a loadBalancerName or a targetGroupArn in all loadBalancer entries',
  ],
  [
    'no balancer in one',
    balanced({ ...loadBalancer, targetGroupArn: undefined }),
    'You must specify either a loadBalancerName or a targetGroupArn in all loadBalancer entries',
  ],
  [
    'Classic Load Balancer with Fargate',
    {
      taskDefinition: 'fargate',
      launchType: 'FARGATE',
      availabilityZoneRebalancing: 'DISABLED',
      networkConfiguration: { awsvpcConfiguration },
      ...balanced({ ...loadBalancer, targetGroupArn: undefined, loadBalancerName: 'x' }),
    },
    'Classic Load Balancers are not supported with Fargate.',
  ],
  [
    'old and new balancers',
    balanced(loadBalancer, { ...loadBalancer, targetGroupArn: undefined, loadBalancerName: 'x' }),
    'All loadBalancers must be strictly either ELBv1 (defining loadBalancerName) or ELBv2 (defining targetGroupArn)',
  ],
  [
    'unknown container',
    balanced({ ...loadBalancer, containerName: 'x' }),
    'The container x does not exist in the task definition.',
  ],
  [
    'unknown port',
    balanced({ ...loadBalancer, containerPort: 8080 }),
    'The container app did not have a container port 8080 defined.',
  ],
  [
    'blue/green without its balancer',
    { ...balanced(loadBalancer), ...deploy({ strategy: 'BLUE_GREEN' }) },
    'advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy',
  ],
  [
    'blue/green of one of two',
    balanced({ ...loadBalancer, advancedConfiguration }, { ...loadBalancer, targetGroupArn: 'arn:2' }),
    'Either all or none of the provided loadBalancers must have advancedConfiguration defined',
  ],
  [
    'blue/green of a Classic Load Balancer',
    balanced({ ...loadBalancer, targetGroupArn: undefined, loadBalancerName: 'x', advancedConfiguration }),
    'advancedConfiguration field is not allowed with ELBv1 loadBalancers',
  ],
  ['target group twice', balanced(loadBalancer, loadBalancer), 'Duplicate targetGroupArn found: arn:tg'],
  [
    'listener for a rule',
    balanced({
      ...loadBalancer,
      advancedConfiguration: {
        ...advancedConfiguration,
        productionListenerRule: 'arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/x/1',
      },
    }),
    'productionListenerRule has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: arn:aws:elasticloadbalancing:us-east-1:000000000000:listener/app/x/1',
  ],
  [
    'rule for two ends',
    balanced({
      ...loadBalancer,
      advancedConfiguration: { ...advancedConfiguration, testListenerRule: rule('1') },
    }),
    `The following rules cannot be used as both production and test listener rules: ${rule('1')}`,
  ],
  [
    'role of awsvpc',
    { ...vpc, role: 'r' },
    'You cannot specify an IAM role for services that require a service linked role.',
  ],
  ['role', { role: 'r' }, 'IAM roles are only valid for services configured to use load balancers.'],
  ['two registries', { serviceRegistries: [{}, {}] }, 'service registries can have at most 1 items.'],
  [
    'registry off AWS',
    { launchType: 'EXTERNAL', serviceRegistries: [{}] },
    'Service registries are not supported for external launch type.',
  ],
  [
    'registry of awsvpc',
    { ...vpc, serviceRegistries: [{ registryArn: 'arn:r', containerName: 'app', containerPort: 80 }] },
    "The values specified for serviceRegistries do not require a value for 'containerPort'. Remove the value and retry. Registry: arn:r",
  ],
  [
    'registry of bridge',
    { serviceRegistries: [{ registryArn: 'arn:r' }] },
    "When specifying 'host' or 'bridge' for networkMode, values for 'containerName' and 'containerPort' must be specified from the task definition.",
  ],
  ['namespace', { serviceConnectConfiguration: { enabled: true } }, 'Namespace is missing'],
  [
    'two aliases',
    connect({ portName: 'http', clientAliases: [alias, alias] }),
    '2 clientAliases exceeds the max limit of 1',
  ],
  ['no alias', connect({ portName: 'http' }), 'clientAliases must have 1 element.'],
  [
    'name of an alias',
    connect({ portName: 'http', clientAliases: [{ ...alias, dnsName: '-Web' }] }),
    "The DNS name that you provided is invalid. The name must be a valid DNS name but doesn't need to be fully-qualified. Up to 127 characters are allowed. The characters can include lowercase letters, numbers, underscores (_), hyphens (-), and periods (.). A hyphen can't be the first character.",
  ],
  [
    'port of Service Connect',
    connect({ portName: 'x', clientAliases: [alias] }),
    "The portName 'x' does not match any named port mapping in the task definition.",
  ],
  [
    'volumes of a definition that has none',
    { volumeConfigurations: [{ name: 'x' }] },
    'Volume configuration provided but no matching configuredAtLaunch volume found in task definition.',
  ],
  [
    'volume of another name',
    { taskDefinition: 'disk', volumeConfigurations: [{ name: 'x' }] },
    "The volume name 'x' in your request does not have a matching volume in your Task Definition that is configurable at launch.",
  ],
  [
    'connectors',
    { gatewayConnectors: [{ portName: 'http' }, { portName: 'http' }] },
    'gateway connectors can have at most 1 items.',
  ],
  [
    'resolution',
    {
      monitoring: { metricConfigurations: [{ metricNames: ['CPUUtilization'], resolutionSeconds: 30 }] },
    },
    'resolutionSeconds should be one of [20,60]',
  ],
])('refuses to attach a service: %s', (_, input, message) => {
  expect(refusalOf(() => create(input))).toBe(`${invalid}${message}`)
  expect(context.store.size('service')).toBe(0)
})

test.each<[string, Partial<CreateServiceRequest>]>([
  ['load balancers of services', balanced(loadBalancer)],
  [
    'service discovery',
    { serviceRegistries: [{ registryArn: 'arn:r', containerName: 'app', containerPort: 80 }] },
  ],
  [
    'Service Connect',
    connect({ portName: 'http', clientAliases: [{ ...alias, dnsName: 'my_web.internal' }] }),
  ],
  [
    'volumes configured at launch',
    {
      taskDefinition: 'disk',
      volumeConfigurations: [{ name: 'data', managedEBSVolume: { roleArn: 'arn:r', sizeInGiB: 10 } }],
    },
  ],
  [
    'VPC Lattice',
    {
      vpcLatticeConfigurations: [
        {
          portName: 'http',
          targetGroupArn: 'arn:aws:vpc-lattice:us-east-1:000000000000:targetgroup/tg-1',
          roleArn: 'arn:aws:iam::000000000000:role/x',
        },
      ],
    },
  ],
  ['gateway connectors', { gatewayConnectors: [{ portName: 'http' }] }],
  [
    'the monitoring of services',
    { monitoring: { metricConfigurations: [{ metricNames: ['CPUUtilization'], resolutionSeconds: 20 }] } },
  ],
  ['deployment alarms', deploy({ alarms })],
  ['AWS_LAMBDA lifecycle hooks', deploy({ strategy: 'BLUE_GREEN', lifecycleHooks: [hook] })],
  ['lifecycle hooks of rolling deployments', deploy({ lifecycleHooks: [pause] })],
  [
    'the deployment strategy CANARY of DAEMON services',
    { ...daemon, ...deploy({ strategy: 'CANARY', maximumPercent: 100 }) },
  ],
  [
    'load balancers of services',
    {
      ...deploy({ strategy: 'BLUE_GREEN', bakeTimeInMinutes: 5 }),
      ...balanced({ ...loadBalancer, advancedConfiguration }),
    },
  ],
  ['load balancers of services', { ...codeDeploy, ...balanced(loadBalancer) }],
])('does not have %s yet, though nothing is wrong with the request', (what, input) => {
  expect(refusalOf(() => create(input))).toMatch(
    `UnsupportedFeatureException: Berth does not support ${what} yet. `,
  )
  expect(context.store.size('service')).toBe(0)
})
