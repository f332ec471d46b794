/** What CreateService and UpdateService check alike, in AWS's words where they are known. */
import type {
  CreateServiceRequest,
  DeploymentConfiguration,
  LoadBalancer,
  ServiceConnectConfiguration,
  UpdateServiceRequest,
} from '@aws-sdk/client-ecs'
import type { TaskDefinition } from '#domain/task-definition.ts'
import { checkOneOf, refuse, unsupported } from './placement-checks.ts'

export const deploymentControllers = ['ECS', 'CODE_DEPLOY', 'EXTERNAL']

type ServiceInput = Partial<CreateServiceRequest> & Partial<UpdateServiceRequest>

/** Throws InvalidParameterException for what no service can have. */
export function checkServiceMembers(
  input: ServiceInput,
  taskDefinition: TaskDefinition,
  launchType: string | undefined,
): void {
  checkOneOf('propagateTags', input.propagateTags, ['TASK_DEFINITION', 'SERVICE', 'NONE'])
  checkOneOf('availabilityZoneRebalancing', input.availabilityZoneRebalancing, ['ENABLED', 'DISABLED'])
  if (input.desiredCount !== undefined && input.desiredCount < 0) refuse('desiredCount must not be negative.')
  const grace = input.healthCheckGracePeriodSeconds ?? 0
  if (grace < 0 || grace > 2_147_483_647)
    refuse('healthCheckGracePeriodSeconds must be between 0 and 2147483647.')
  if (input.platformVersion !== undefined && launchType !== 'FARGATE')
    refuse('The platform version must be null when specifying an EC2 launch type.')
  checkLoadBalancers(input.loadBalancers ?? [], taskDefinition, launchType)
  const registries = input.serviceRegistries ?? []
  if (registries.length > 1) refuse('service registries can have at most 1 items.')
  if (
    taskDefinition.networkMode === 'awsvpc' &&
    registries.some(({ containerPort, port }) => containerPort !== undefined && port === undefined)
  )
    refuse("The values specified for serviceRegistries do not require a value for 'containerPort'")
  if (input.serviceConnectConfiguration?.enabled) checkServiceConnect(input.serviceConnectConfiguration)
  for (const { name = '' } of input.volumeConfigurations ?? [])
    if (!taskDefinition.volumes.some((volume) => volume.name === name && volume.configuredAtLaunch))
      refuse(
        `The volume name '${name}' in your request does not have a matching volume in your Task Definition that is configurable at launch.`,
      )
}

function checkLoadBalancers(
  loadBalancers: readonly LoadBalancer[],
  { containerDefinitions }: TaskDefinition,
  launchType: string | undefined,
): void {
  if (loadBalancers.length > 5) refuse('load balancers can have at most 5 items.')
  for (const { loadBalancerName, targetGroupArn, containerName, containerPort } of loadBalancers) {
    if (loadBalancerName !== undefined && targetGroupArn !== undefined)
      refuse(
        'loadBalancerName and targetGroupArn cannot both be specified. You must specify either a loadBalancerName or a targetGroupArn in all loadBalancer entries',
      )
    if (loadBalancerName !== undefined && launchType === 'FARGATE')
      refuse('Classic Load Balancers are not supported with Fargate.')
    const container = containerDefinitions.find(({ name }) => name === containerName)
    if (!container) return refuse(`The container ${containerName} does not exist in the task definition.`)
    if (!container.portMappings?.some((mapping) => mapping.containerPort === containerPort))
      refuse(`The container ${containerName} did not have a container port ${containerPort} defined.`)
  }
}

function checkServiceConnect({ namespace, services = [] }: ServiceConnectConfiguration): void {
  if (!namespace) refuse('Namespace is missing')
  for (const { clientAliases } of services) {
    if (clientAliases === undefined) continue
    if (clientAliases.length > 1) refuse(`${clientAliases.length} clientAliases exceeds the max limit of 1`)
    if (clientAliases.length === 0) refuse('clientAliases must have 1 element.')
    for (const { dnsName } of clientAliases)
      if (dnsName !== undefined && !/^(?!-)[a-z0-9.-]{1,127}$/.test(dnsName))
        refuse('The DNS name that you provided is invalid.')
  }
}

/** Throws InvalidParameterException; `configuration` is complete. */
export function checkDeploymentConfiguration(
  { minimumHealthyPercent = 100, maximumPercent = 200 }: DeploymentConfiguration,
  schedulingStrategy: string,
): void {
  if (minimumHealthyPercent < 0) refuse('minimumHealthyPercent must not be negative')
  if (minimumHealthyPercent > 100) refuse('minimumHealthyPercent must be at most 100')
  if (schedulingStrategy === 'DAEMON') return
  if (maximumPercent < 100) refuse('maximumPercent must be at least 100')
  if (minimumHealthyPercent === 100 && maximumPercent === 100)
    refuse('Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.')
}

/** Throws UnsupportedFeatureException for all that Berth would have to store without acting on it. */
export function requireSupported(input: ServiceInput): void {
  const rolling = 'Use the rolling deployment that is the default.'
  const { deploymentConfiguration: deployment = {} } = input
  if ((deployment.strategy ?? 'ROLLING') !== 'ROLLING')
    unsupported(`the deployment strategy ${deployment.strategy}`, rolling)
  if (deployment.alarms?.enable) unsupported('deployment alarms', 'Use the deployment circuit breaker.')
  if ((deployment.lifecycleHooks ?? []).length > 0) unsupported('deployment lifecycle hooks', rolling)
  if ((deployment.bakeTimeInMinutes ?? 0) > 0) unsupported('a bake time', rolling)
  if (deployment.earlySuccessCriteria) unsupported('early success of deployments', rolling)
  if (deployment.linearConfiguration) unsupported('linear deployments', rolling)
  if (deployment.canaryConfiguration) unsupported('canary deployments', rolling)
  const without = 'Leave it out of the service.'
  if ((input.loadBalancers ?? []).length > 0) unsupported('load balancers of services', without)
  if ((input.serviceRegistries ?? []).length > 0) unsupported('service discovery', without)
  if (input.serviceConnectConfiguration?.enabled) unsupported('Service Connect', without)
  if ((input.volumeConfigurations ?? []).length > 0) unsupported('volumes configured at launch', without)
  if ((input.vpcLatticeConfigurations ?? []).length > 0) unsupported('VPC Lattice', without)
  if ((input.gatewayConnectors ?? []).length > 0) unsupported('gateway connectors', without)
  if (input.monitoring) unsupported('the monitoring of services', without)
}
