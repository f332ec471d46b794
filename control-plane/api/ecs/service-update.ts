import type { UpdateServiceRequest, UpdateServiceResponse } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import {
  completeDeploymentConfiguration,
  needsDeployment,
  newDeployment,
  rebalancingObstacle,
  type Service,
} from '#domain/service.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import type { Transaction, View } from '#state/store.ts'
import {
  checkCapacityProviderStrategy,
  checkConstraints,
  checkNetwork,
  checkOneOf,
  checkStrategies,
  refuse,
  requireHostNetwork,
  requireInstances,
  unsupported,
} from './placement-checks.ts'
import { resolveCluster, resolveTaskDefinition } from './resolve.ts'
import {
  checkDeploymentConfiguration,
  checkServiceMembers,
  deploymentControllers,
  requireSupported,
} from './service-checks.ts'
import { resolveService, serviceResources } from './service.ts'
import { showService } from './show-service.ts'

/**
 * Changes what a service should be; what is left out stays. A change of the revision, and of what its tasks are made
 * with, starts a new deployment; the one under way then becomes what the service comes from.
 */
export const updateService: Operation<UpdateServiceRequest, UpdateServiceResponse> = {
  resources: (context, input) => serviceResources(context, input.cluster, [input.service ?? '']),
  run: (context, input) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const before = resolveService(tx, cluster, input.service ?? '')
      if (before.status !== 'ACTIVE')
        throw new AwsError('ServiceNotActiveException', 'Service was not ACTIVE.')
      const after = updatedService(tx, context, cluster, before, input)
      tx.put('service', after)
      if (input.forceNewDeployment || needsDeployment(before, after)) deploy(tx, context, after)
      return { service: showService(tx, after, { tags: true }) }
    }),
}

function deploy(tx: Transaction, { ids, clock }: Context, service: Service): void {
  const now = clock.now()
  for (const deployment of tx.by('deployment', 'service', service.serviceArn))
    if (deployment.status === 'PRIMARY')
      tx.put('deployment', { ...deployment, status: 'ACTIVE', updatedAt: now })
  tx.put('deployment', newDeployment(service, { ids, now }))
}

function updatedService(
  view: View,
  context: Context,
  cluster: Cluster,
  before: Service,
  input: UpdateServiceRequest,
): Service {
  checkOneOf('deployment controller', input.deploymentController?.type, deploymentControllers)
  const taskDefinition = taskDefinitionOf(view, context, before, input)
  const deploymentConfiguration = completeDeploymentConfiguration(
    input.deploymentConfiguration,
    before.deploymentConfiguration,
  )
  checkDeploymentConfiguration(deploymentConfiguration, before.schedulingStrategy)
  checkServiceMembers(input, taskDefinition, before.launchType)
  checkNetwork(taskDefinition, input.networkConfiguration, before.launchType ?? 'EC2')
  const launchType = before.launchType ?? 'EC2'
  if (!taskDefinition.compatibilities.includes(launchType))
    refuse(`Task definition does not support launch_type ${launchType}.`)
  const strategy = input.capacityProviderStrategy ?? []
  if (strategy.length > 0) checkCapacityProviderStrategy(cluster, strategy)
  const placementConstraints = checkConstraints(
    input.placementConstraints ?? before.placementConstraints,
    taskDefinition,
  )
  const placementStrategy = checkStrategies(input.placementStrategy ?? before.placementStrategy)
  requireInstances(undefined, strategy)
  const controller = input.deploymentController?.type ?? 'ECS'
  if (controller !== 'ECS') unsupported(`the ${controller} deployment controller`, 'Use ECS.')
  requireSupported(input)
  requireHostNetwork(taskDefinition)
  const after: Service = {
    ...before,
    taskDefinitionArn: taskDefinition.taskDefinitionArn,
    deploymentConfiguration,
    placementConstraints,
    placementStrategy,
    ...(input.desiredCount !== undefined && { desiredCount: input.desiredCount }),
    ...(input.deploymentController && { deploymentController: input.deploymentController }),
    ...(input.healthCheckGracePeriodSeconds !== undefined && {
      healthCheckGracePeriodSeconds: input.healthCheckGracePeriodSeconds,
    }),
    ...(input.availabilityZoneRebalancing && {
      availabilityZoneRebalancing: input.availabilityZoneRebalancing,
    }),
    ...(input.enableExecuteCommand !== undefined && { enableExecuteCommand: input.enableExecuteCommand }),
    ...(input.enableECSManagedTags !== undefined && { enableECSManagedTags: input.enableECSManagedTags }),
    ...(input.propagateTags && { propagateTags: input.propagateTags }),
  }
  const obstacle = rebalancingObstacle(after)
  if (input.availabilityZoneRebalancing === 'ENABLED' && obstacle !== undefined)
    refuse(
      `The service couldn't be updated because Availability Zone Rebalancing does not support ${obstacle}.`,
    )
  return obstacle === undefined ? after : { ...after, availabilityZoneRebalancing: 'DISABLED' }
}

/** The one asked for must be ACTIVE. The one that stands may be INACTIVE by now: the service goes on with it. */
function taskDefinitionOf(
  view: View,
  context: Context,
  before: Service,
  { taskDefinition }: UpdateServiceRequest,
): TaskDefinition {
  const standing = view.find('taskDefinition', before.taskDefinitionArn)
  return taskDefinition === undefined && standing
    ? standing
    : resolveTaskDefinition(view, context, taskDefinition ?? before.taskDefinitionArn, 'ClientException')
}
