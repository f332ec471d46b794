/** What a whole service is checked for, new or changed, in AWS's words where they are known. */
import type { CreateServiceRequest, UpdateServiceRequest } from '@aws-sdk/client-ecs'
import type { Cluster } from '#domain/cluster.ts'
import { controllerOf, rebalancingObstacle, type Service } from '#domain/service.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import { checkOneOf, refuse, unsupported } from '#api/ecs/tasks/placement-checks.ts'
import {
  checkGatewayConnectors,
  checkLattice,
  checkLoadBalancers,
  checkMonitoring,
  checkRegistries,
  checkServiceConnect,
} from './service-attachment-checks.ts'
import { checkVolumeConfigurations } from '#api/ecs/task-definitions/volume-checks.ts'

export type ServiceInput = Partial<CreateServiceRequest> & Partial<UpdateServiceRequest>

/** A service as it would be, and the request that wants it so. */
export interface Candidate {
  /** For messages: "The service couldn't be created because". */
  readonly act: 'created' | 'updated'
  readonly cluster: Cluster
  readonly input: ServiceInput
  /** With every default filled in, and all that the request says. */
  readonly service: Service
  /** What it was before; for a new one, its defaults. */
  readonly standing: Service
}

const graceMaxSeconds = 2_147_483_647

/** Throws InvalidParameterException for a token that a service or a task set cannot be created with. */
export function checkClientToken(clientToken: string): void {
  if (!/^[!-~]{1,36}$/.test(clientToken))
    refuse('clientToken must have between 1 and 36 characters, each of ASCII 33 to 126.')
}

/** Throws InvalidParameterException for values that no service can have. */
export function checkValues(input: ServiceInput): void {
  checkOneOf('scheduling strategy', input.schedulingStrategy, ['REPLICA', 'DAEMON'])
  checkOneOf('deployment controller', input.deploymentController?.type, ['ECS', 'CODE_DEPLOY', 'EXTERNAL'])
  checkOneOf('propagateTags', input.propagateTags, ['TASK_DEFINITION', 'SERVICE', 'NONE'])
  checkOneOf('availabilityZoneRebalancing', input.availabilityZoneRebalancing, ['ENABLED', 'DISABLED'])
  if (input.desiredCount !== undefined && input.desiredCount < 0) refuse('desiredCount must not be negative.')
  const grace = input.healthCheckGracePeriodSeconds ?? 0
  if (grace < 0 || grace > graceMaxSeconds)
    refuse(`healthCheckGracePeriodSeconds must be between 0 and ${graceMaxSeconds}.`)
}

/** What the scheduling strategy leaves no choice of. Throws InvalidParameterException. */
export function checkScheduling({ act, input, service }: Candidate): void {
  if (service.schedulingStrategy !== 'DAEMON') {
    if (act === 'created' && input.desiredCount === undefined)
      refuse(
        'The REPLICA scheduling strategy requires a desired count. Specify a desired count and try again',
      )
    return
  }
  if (input.desiredCount !== undefined)
    refuse(
      'The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again',
    )
  if ((service.deploymentConfiguration.maximumPercent ?? 100) > 100)
    refuse(
      'The daemon scheduling strategy does not support values above 100 for maximumPercent on a deployment configuration. Change the maximumPercent value to 100, and try again',
    )
  if (service.placementStrategy.length > 0)
    refuse(
      'The daemon scheduling strategy does not support placement strategies. Remove the placement strategy and try again',
    )
}

/** There are no instances on Fargate that a daemon could be on each of. Throws InvalidParameterException. */
export function checkDaemonCapacity({ schedulingStrategy }: Service, launchType: string): void {
  if (schedulingStrategy === 'DAEMON' && launchType === 'FARGATE')
    refuse(
      'The daemon scheduling strategy does not support the FARGATE launch type. Change the launch type and try again',
    )
}

/**
 * Whether Availability Zones are to be rebalanced. Throws InvalidParameterException when they are and cannot be; on a new
 * service that says nothing of it they are, where they can.
 */
export function checkedRebalancing({
  act,
  input: { availabilityZoneRebalancing: asked },
  service,
  standing,
}: Candidate): Service['availabilityZoneRebalancing'] {
  const obstacle = rebalancingObstacle(service)
  if (obstacle === undefined)
    return asked ?? (act === 'created' ? 'ENABLED' : standing.availabilityZoneRebalancing)
  const broken =
    act === 'updated' &&
    asked === undefined &&
    standing.availabilityZoneRebalancing === 'ENABLED' &&
    rebalancingObstacle(standing) === undefined
  if (asked === 'ENABLED' || broken)
    refuse(`The service couldn't be ${act} because Availability Zone Rebalancing ${obstacle}`)
  return 'DISABLED'
}

/** What each deployment controller asks of a service. Throws InvalidParameterException. */
export function checkController({ input, service }: Candidate): void {
  const controller = controllerOf(service)
  if (controller === 'ECS') return
  if (service.schedulingStrategy === 'DAEMON')
    refuse(
      `The ${controller} deployment controller type is not supported for services using the DAEMON scheduling strategy.`,
    )
  if (controller === 'CODE_DEPLOY') {
    if (!service.loadBalancers.some(({ targetGroupArn }) => targetGroupArn !== undefined))
      refuse(
        'When specifying the CODE_DEPLOY deployment controller type, the service requires an Application Load Balancer or Network Load Balancer.',
      )
    // No source gives the text; a CodeDeploy deployment group has the pair of the target group.
    if (service.loadBalancers.length > 1) refuse('load balancers can have at most 1 items.')
  }
  const { deploymentCircuitBreaker, alarms, strategy = 'ROLLING' } = service.deploymentConfiguration
  const ecsOnly =
    'is only supported with ECS deployment controller. Update to ECS deployment controller and try again.'
  if (deploymentCircuitBreaker?.enable) refuse(`Deployment circuit breaker feature ${ecsOnly}`)
  if (alarms?.enable) refuse(`Alarm based rollback feature ${ecsOnly}`)
  if (strategy !== 'ROLLING') refuse(`Deployment strategy ${strategy} ${ecsOnly}`)
  if ((input.vpcLatticeConfigurations ?? []).length > 0) refuse(`VPC Lattice feature ${ecsOnly}`)
  if (controller === 'EXTERNAL') {
    if (service.serviceConnectConfiguration)
      refuse('The EXTERNAL deployment controller type is not supported for services using Service Connect.')
    if (input.taskDefinition) refuse('TaskDefinition must be blank.')
    if (service.loadBalancers.length > 0) refuse('LoadBalancers must be empty or null.')
  } else if (service.serviceConnectConfiguration)
    refuse(
      'Service Connect feature is only supported with ECS (rolling update) deployment controller. Update to ECS deployment controller and try again.',
    )
}

/**
 * Checks what the service is attached to; where task sets have task definitions of their own, the service has none. Throws
 * InvalidParameterException.
 */
export function checkAttachments(
  { cluster, input, service }: Candidate,
  taskDefinition: TaskDefinition | undefined,
  launchType: string,
): void {
  const { strategy } = service.deploymentConfiguration
  checkLoadBalancers(service.loadBalancers, taskDefinition, { launchType, strategy })
  checkRole(input, service, taskDefinition)
  checkRegistries(service.serviceRegistries, taskDefinition, launchType)
  if (input.monitoring) checkMonitoring(input.monitoring)
  if (!taskDefinition) return
  if (service.serviceConnectConfiguration)
    checkServiceConnect(service.serviceConnectConfiguration, taskDefinition, cluster.serviceConnectNamespace)
  if (service.schedulingStrategy === 'DAEMON' && (service.volumeConfigurations ?? []).length > 0)
    refuse('The daemon scheduling strategy does not support volume configurations.')
  checkVolumeConfigurations(taskDefinition, service.volumeConfigurations)
  checkLattice(input.vpcLatticeConfigurations ?? [], taskDefinition)
  checkGatewayConnectors(input.gatewayConnectors ?? [], taskDefinition)
}

/** Services that ECS manages in its own name: the role is not theirs to choose. */
export function needsLinkedRole(service: Service, taskDefinition: TaskDefinition | undefined): boolean {
  return (
    taskDefinition?.networkMode === 'awsvpc' ||
    controllerOf(service) === 'EXTERNAL' ||
    service.serviceRegistries.length > 0 ||
    service.loadBalancers.length > 1
  )
}

function checkRole(
  { role }: ServiceInput,
  service: Service,
  taskDefinition: TaskDefinition | undefined,
): void {
  if (role === undefined) return
  if (needsLinkedRole(service, taskDefinition))
    refuse('You cannot specify an IAM role for services that require a service linked role.')
  if (service.loadBalancers.length === 0)
    refuse('IAM roles are only valid for services configured to use load balancers.')
}

/** Throws InvalidParameterException for a service in whose tasks nobody could execute commands. */
export function checkExecuteCommand(
  { act, input, service }: Candidate,
  { taskRoleArn }: TaskDefinition,
): void {
  const asked = input.enableExecuteCommand !== undefined || input.taskDefinition !== undefined
  if (asked && service.enableExecuteCommand && !taskRoleArn)
    refuse(
      `The service couldn't be ${act} because a valid taskRoleArn is not being used. Specify a valid task role in your task definition and try again.`,
    )
}

/** Throws UnsupportedFeatureException for all that Berth would have to store without acting on it. */
export function requireSupported({ input, service }: Candidate): void {
  const { deploymentConfiguration: deployment, schedulingStrategy } = service
  const { strategy = 'ROLLING', lifecycleHooks = [], alarms } = deployment
  if (schedulingStrategy === 'DAEMON' && strategy !== 'ROLLING')
    unsupported(`the deployment strategy ${strategy} of DAEMON services`, 'Use ROLLING.')
  if (alarms?.enable) unsupported('deployment alarms', 'Use the deployment circuit breaker.')
  if (lifecycleHooks.some(({ targetType = 'AWS_LAMBDA' }) => targetType === 'AWS_LAMBDA'))
    unsupported('AWS_LAMBDA lifecycle hooks', 'Use a PAUSE hook and ContinueServiceDeployment.')
  if (strategy === 'ROLLING' && lifecycleHooks.length > 0)
    unsupported('lifecycle hooks of rolling deployments', 'Use the strategy BLUE_GREEN, LINEAR or CANARY.')
  const without = 'Leave it out of the service.'
  if (service.loadBalancers.length > 0) unsupported('load balancers of services', without)
  if (service.serviceRegistries.length > 0) unsupported('service discovery', without)
  if (service.serviceConnectConfiguration) unsupported('Service Connect', without)
  if ((service.volumeConfigurations ?? []).length > 0) unsupported('volumes configured at launch', without)
  if ((input.vpcLatticeConfigurations ?? []).length > 0) unsupported('VPC Lattice', without)
  if ((input.gatewayConnectors ?? []).length > 0) unsupported('gateway connectors', without)
  if ((input.monitoring?.metricConfigurations ?? []).length > 0)
    unsupported('the monitoring of services', without)
}
