/**
 * What CreateService, UpdateService and CreateTaskSet check of what a service is attached to. Words that AWS does not
 * publish are ours.
 */
import type {
  AdvancedConfiguration,
  GatewayConnector,
  LoadBalancer,
  MonitoringConfiguration,
  ServiceConnectConfiguration,
  ServiceRegistry,
  VpcLatticeConfiguration,
} from '@aws-sdk/client-ecs'
import type { TaskDefinition } from '#domain/task-definition.ts'
import { checkOneOf, refuse } from '#api/ecs/tasks/placement-checks.ts'

const portMax = 65_535
const targetGroupsMax = 5

/** Throws InvalidParameterException. Without a task definition, containers and ports are not looked for. */
export function checkLoadBalancers(
  loadBalancers: readonly LoadBalancer[],
  taskDefinition: TaskDefinition | undefined,
  { launchType, strategy }: { readonly launchType: string; readonly strategy: string | undefined },
): void {
  if (loadBalancers.length > targetGroupsMax)
    refuse(`load balancers can have at most ${targetGroupsMax} items.`)
  if (loadBalancers.length > 0 && launchType === 'EXTERNAL')
    refuse('Load balancers are not supported for external launch type.')
  for (const { loadBalancerName, targetGroupArn } of loadBalancers) {
    if (loadBalancerName !== undefined && targetGroupArn !== undefined)
      refuse(
        'loadBalancerName and targetGroupArn cannot both be specified. You must specify either a loadBalancerName or a targetGroupArn in all loadBalancer entries',
      )
    if (loadBalancerName === undefined && targetGroupArn === undefined)
      refuse('You must specify either a loadBalancerName or a targetGroupArn in all loadBalancer entries')
    if (loadBalancerName !== undefined && launchType === 'FARGATE')
      refuse('Classic Load Balancers are not supported with Fargate.')
  }
  const classic = loadBalancers.filter(({ targetGroupArn }) => targetGroupArn === undefined)
  if (classic.length > 0 && classic.length < loadBalancers.length)
    refuse(
      'All loadBalancers must be strictly either ELBv1 (defining loadBalancerName) or ELBv2 (defining targetGroupArn)',
    )
  if (taskDefinition)
    for (const { containerName, containerPort } of loadBalancers)
      checkPort(taskDefinition, containerName, containerPort)
  checkAdvanced(loadBalancers, strategy ?? 'ROLLING')
}

function checkPort(
  { containerDefinitions }: TaskDefinition,
  containerName: string | undefined,
  port: number | undefined,
): void {
  const container = containerDefinitions.find(({ name }) => name === containerName)
  if (!container) return refuse(`The container ${containerName} does not exist in the task definition.`)
  if (!container.portMappings?.some(({ containerPort }) => containerPort === port))
    refuse(`The container ${containerName} did not have a container port ${port} defined.`)
}

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html */
function checkAdvanced(loadBalancers: readonly LoadBalancer[], strategy: string): void {
  const advanced = loadBalancers.flatMap(({ advancedConfiguration }) => advancedConfiguration ?? [])
  if (advanced.length > 0 && loadBalancers.some(({ targetGroupArn }) => targetGroupArn === undefined))
    refuse('advancedConfiguration field is not allowed with ELBv1 loadBalancers')
  if (advanced.length === 0 && loadBalancers.length > 0 && strategy !== 'ROLLING')
    refuse(
      'advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy',
    )
  if (advanced.length > 0 && advanced.length < loadBalancers.length)
    refuse('Either all or none of the provided loadBalancers must have advancedConfiguration defined')
  const seen = new Set<string>()
  for (const { targetGroupArn = '', advancedConfiguration } of loadBalancers)
    for (const arn of [targetGroupArn, advancedConfiguration?.alternateTargetGroupArn ?? '']) {
      if (arn !== '' && seen.has(arn)) refuse(`Duplicate targetGroupArn found: ${arn}`)
      seen.add(arn)
    }
  for (const configuration of advanced) checkListenerRules(configuration)
  const production = advanced.flatMap(({ productionListenerRule }) => productionListenerRule ?? [])
  const both = advanced.flatMap(({ testListenerRule }) =>
    testListenerRule !== undefined && production.includes(testListenerRule) ? [testListenerRule] : [],
  )
  if (both.length > 0)
    refuse(
      `The following rules cannot be used as both production and test listener rules: ${both.join(', ')}`,
    )
}

function checkListenerRules(configuration: AdvancedConfiguration): void {
  for (const member of ['alternateTargetGroupArn', 'productionListenerRule', 'roleArn'] as const)
    if (!configuration[member]) refuse(`advancedConfiguration.${member} should not be null or empty.`)
  for (const member of ['productionListenerRule', 'testListenerRule'] as const) {
    const arn = configuration[member]
    if (
      arn !== undefined &&
      !/^arn:aws[^:]*:elasticloadbalancing:[^:]*:\d{12}:(?:listener-rule\/app|listener\/net)\//.test(arn)
    )
      refuse(
        `${member} has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: ${arn}`,
      )
  }
}

/** Throws InvalidParameterException. */
export function checkRegistries(
  registries: readonly ServiceRegistry[],
  taskDefinition: TaskDefinition | undefined,
  launchType: string,
): void {
  if (registries.length > 1) refuse('service registries can have at most 1 items.')
  for (const { registryArn = '', containerName, containerPort, port } of registries) {
    if (launchType === 'EXTERNAL') refuse('Service registries are not supported for external launch type.')
    if (!taskDefinition) continue
    if (taskDefinition.networkMode === 'awsvpc') {
      if (containerPort !== undefined && port === undefined)
        refuse(
          `The values specified for serviceRegistries do not require a value for 'containerPort'. Remove the value and retry. Registry: ${registryArn}`,
        )
      continue
    }
    if (containerName === undefined || containerPort === undefined)
      refuse(
        "When specifying 'host' or 'bridge' for networkMode, values for 'containerName' and 'containerPort' must be specified from the task definition.",
      )
    checkPort(taskDefinition, containerName, containerPort)
  }
}

const invalidDnsName =
  "The DNS name that you provided is invalid. The name must be a valid DNS name but doesn't need to be fully-qualified. Up to 127 characters are allowed. The characters can include lowercase letters, numbers, underscores (_), hyphens (-), and periods (.). A hyphen can't be the first character."

/** Of a configuration that is enabled. Throws InvalidParameterException. */
export function checkServiceConnect(
  { namespace, services = [], accessLogConfiguration, logConfiguration }: ServiceConnectConfiguration,
  taskDefinition: TaskDefinition,
  clusterNamespace: string | undefined,
): void {
  if (!(namespace || clusterNamespace)) refuse('Namespace is missing')
  if (accessLogConfiguration && !logConfiguration)
    refuse('accessLogConfiguration requires a logConfiguration in the serviceConnectConfiguration.')
  for (const { portName, discoveryName, clientAliases = [], ingressPortOverride } of services) {
    if (clientAliases.length > 1) refuse(`${clientAliases.length} clientAliases exceeds the max limit of 1`)
    if (clientAliases.length === 0) refuse('clientAliases must have 1 element.')
    for (const { dnsName, port } of clientAliases) {
      checkPortNumber('port', port)
      if (dnsName !== undefined && !/^(?!-)[a-z0-9_.-]{1,127}$/.test(dnsName)) refuse(invalidDnsName)
    }
    if (discoveryName !== undefined && !/^(?!-)[a-z0-9_-]{1,64}$/.test(discoveryName))
      refuse('The discovery name that you provided is invalid.')
    checkPortNumber('ingressPortOverride', ingressPortOverride)
    checkPortName(taskDefinition, portName)
  }
}

function checkPortNumber(name: string, port: number | undefined): void {
  if (port !== undefined && !(port >= 1 && port <= portMax))
    refuse(`${name} must be between 1 and ${portMax}.`)
}

function checkPortName({ containerDefinitions }: TaskDefinition, portName = ''): void {
  if (!containerDefinitions.some(({ portMappings }) => portMappings?.some(({ name }) => name === portName)))
    refuse(`The portName '${portName}' does not match any named port mapping in the task definition.`)
}

/** Throws InvalidParameterException. */
export function checkLattice(
  configurations: readonly VpcLatticeConfiguration[],
  taskDefinition: TaskDefinition,
): void {
  for (const { portName, targetGroupArn = '', roleArn = '' } of configurations) {
    if (!/^arn:aws[^:]*:vpc-lattice:/.test(targetGroupArn))
      refuse('vpcLatticeConfigurations.targetGroupArn must be the ARN of a VPC Lattice target group.')
    if (!/^arn:aws[^:]*:iam:/.test(roleArn))
      refuse('vpcLatticeConfigurations.roleArn must be the ARN of an IAM role.')
    checkPortName(taskDefinition, portName)
  }
}

/** Throws InvalidParameterException. */
export function checkGatewayConnectors(
  connectors: readonly GatewayConnector[],
  taskDefinition: TaskDefinition,
): void {
  if (connectors.length > 1) refuse('gateway connectors can have at most 1 items.')
  for (const { portName, filters } of connectors) {
    checkPortName(taskDefinition, portName)
    for (const type of filters?.accessTypes ?? []) checkOneOf('access type', type, ['PUBLIC', 'PRIVATE'])
  }
}

/** Throws InvalidParameterException. */
export function checkMonitoring({ metricConfigurations = [] }: MonitoringConfiguration): void {
  const names = metricConfigurations.flatMap(({ metricNames = [] }) => metricNames)
  for (const name of names) checkOneOf('metric name', name, ['CPUUtilization', 'MemoryUtilization'])
  if (new Set(names).size < names.length) refuse('Each metric can be configured only once.')
  for (const { metricNames = [], resolutionSeconds } of metricConfigurations) {
    if (metricNames.length === 0) refuse('metricNames can not be empty.')
    checkOneOf('resolutionSeconds', String(resolutionSeconds), ['20', '60'])
  }
}
