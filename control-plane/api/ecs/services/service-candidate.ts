/** The one way in which a service, new or changed, becomes what a request says, and is found good. */
import type { Context } from '#api/operation.ts'
import { formatArn } from '#domain/arn.ts'
import { completeDeploymentConfiguration, controllerOf, type Service } from '#domain/service.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import type { View } from '#state/store.ts'
import {
  type Capacity,
  capacityAfter,
  capacityRow,
  checkCapacity,
  checkPlatformVersion,
  chooseCapacity,
  networkRow,
} from '#api/ecs/capacity/capacity-choice.ts'
import { checkConstraints, checkStrategies, refuse } from '#api/ecs/tasks/placement-checks.ts'
import { checkNetworkParts } from '#api/ecs/tasks/network-checks.ts'
import { resolveTaskDefinition } from '#api/ecs/resolve.ts'
import {
  type Candidate,
  checkAttachments,
  checkController,
  checkDaemonCapacity,
  checkedRebalancing,
  checkExecuteCommand,
  checkScheduling,
  checkValues,
  needsLinkedRole,
  requireSupported,
  type ServiceInput,
} from './service-checks.ts'
import { checkDeploymentStrategy, checkPercents } from './service-deployment-checks.ts'

/**
 * The service as it is to be: what stands (of a new service its defaults), with all that the request says. Throws what AWS
 * answers, in its order, and UnsupportedFeatureException for what Berth cannot run yet.
 */
export function checkedService(
  view: View,
  context: Context,
  { act, cluster, standing, input }: Omit<Candidate, 'service'>,
): Service {
  checkValues(input)
  const service = merged(standing, input)
  const candidate = { act, cluster, standing, input, service }
  checkPercents(service.deploymentConfiguration)
  checkScheduling(candidate)
  checkDeploymentStrategy(service.deploymentConfiguration)
  const availabilityZoneRebalancing = checkedRebalancing(candidate)
  const capacity = capacityOf(view, context, candidate)
  checkDaemonCapacity(service, capacity.launchType)
  checkPlatformVersion(capacity.launchType, input.platformVersion)
  checkController(candidate)
  const taskDefinition = taskDefinitionOf(view, context, candidate)
  const placementConstraints = checkConstraints(service.placementConstraints, taskDefinition)
  const placementStrategy = checkStrategies(service.placementStrategy)
  // Only tasks on Fargate have a platform: on other capacity that of before is none.
  const platformVersion =
    input.platformVersion ?? (capacity.launchType === 'FARGATE' ? service.platformVersion : undefined)
  if (taskDefinition) {
    const { networkConfiguration, enableExecuteCommand } = service
    checkCapacity(taskDefinition, capacity, {
      networkConfiguration,
      platformVersion,
      placementConstraints: [...placementConstraints],
      placementStrategy: [...placementStrategy],
      enableExecuteCommand,
    })
    checkNetworkParts(view, context.scope, input.networkConfiguration)
  }
  checkAttachments(candidate, taskDefinition, capacity.launchType)
  if (taskDefinition) checkExecuteCommand(candidate, taskDefinition)
  requireSupported(candidate)
  const { platformVersion: _platform, capacityProviderStrategy: _strategy, ...rest } = service
  return {
    ...rest,
    placementConstraints,
    placementStrategy,
    availabilityZoneRebalancing,
    ...(taskDefinition && { taskDefinitionArn: taskDefinition.taskDefinitionArn }),
    ...capacityRow(capacity, platformVersion),
    ...(needsLinkedRole(service, taskDefinition) && { roleArn: linkedRoleArn(context) }),
  }
}

/** What is given takes the place of what stands; what is left out stays. */
function merged(standing: Service, input: ServiceInput): Service {
  const { serviceConnectConfiguration: connect, volumeConfigurations: volumes, ...others } = standing
  // Service Connect that is not enabled is as good as none, and no volumes as an empty list of them.
  const serviceConnectConfiguration = input.serviceConnectConfiguration ?? connect
  const volumeConfigurations = input.volumeConfigurations ?? volumes ?? []
  return {
    ...others,
    ...(serviceConnectConfiguration?.enabled && { serviceConnectConfiguration }),
    deploymentConfiguration: completeDeploymentConfiguration(
      input.deploymentConfiguration,
      standing.deploymentConfiguration,
    ),
    placementConstraints: input.placementConstraints ?? standing.placementConstraints,
    placementStrategy: input.placementStrategy ?? standing.placementStrategy,
    loadBalancers: input.loadBalancers ?? standing.loadBalancers,
    serviceRegistries: input.serviceRegistries ?? standing.serviceRegistries,
    propagateTags: input.propagateTags ?? standing.propagateTags,
    enableECSManagedTags: input.enableECSManagedTags ?? standing.enableECSManagedTags,
    enableExecuteCommand: input.enableExecuteCommand ?? standing.enableExecuteCommand,
    desiredCount: input.desiredCount ?? standing.desiredCount,
    ...(input.launchType && { launchType: input.launchType }),
    ...(input.deploymentController && { deploymentController: input.deploymentController }),
    ...(volumeConfigurations.length > 0 && { volumeConfigurations }),
    ...networkRow(input.networkConfiguration),
    ...(input.healthCheckGracePeriodSeconds !== undefined && {
      healthCheckGracePeriodSeconds: input.healthCheckGracePeriodSeconds,
    }),
  }
}

/** Where the cluster has a default strategy, a daemon must name a launch type: AWS would give it that strategy and refuse it. */
function capacityOf(view: View, context: Context, candidate: Candidate): Capacity {
  const { act, cluster, standing, input, service } = candidate
  const capacity =
    act === 'created'
      ? chooseCapacity(
          view,
          context,
          cluster,
          input,
          'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
        )
      : capacityAfter(view, context, cluster, standing, input.capacityProviderStrategy)
  if (capacity.strategy && service.schedulingStrategy === 'DAEMON')
    refuse(
      'Specifying a capacity provider strategy is not supported when you create a service using the DAEMON scheduling strategy.',
    )
  return capacity
}

/**
 * The definition asked for must be ACTIVE. The one that stands may be INACTIVE by now: the service goes on with it. Task
 * sets have their own: where they make up the service, there is none.
 */
function taskDefinitionOf(
  view: View,
  context: Context,
  { input: { taskDefinition: asked }, service }: Candidate,
): TaskDefinition | undefined {
  if (asked === '') refuse('Family should not be null or empty.')
  if (asked !== undefined) return resolveTaskDefinition(view, context, asked, 'ClientException')
  const standing = view.find('taskDefinition', service.taskDefinitionArn)
  if (!standing && controllerOf(service) !== 'EXTERNAL') refuse('TaskDefinition can not be blank.')
  return standing
}

function linkedRoleArn({ scope: { accountId } }: Context): string {
  const role = 'role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS'
  return formatArn({ accountId, region: '' }, 'iam', role)
}
