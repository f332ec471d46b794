import type { CreateServiceRequest, CreateServiceResponse, LaunchType } from '@aws-sdk/client-ecs'
import type { Context, Operation } from '#api/operation.ts'
import { formatArn } from '#domain/arn.ts'
import type { Cluster } from '#domain/cluster.ts'
import {
  completeDeploymentConfiguration,
  newDeployment,
  rebalancingObstacle,
  type Service,
} from '#domain/service.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import type { Transaction, View } from '#state/store.ts'
import { recall, remember, type TokenRequest } from './idempotency.ts'
import {
  checkCapacityProviderStrategy,
  checkConstraints,
  checkLaunchType,
  checkNetwork,
  checkOneOf,
  checkStrategies,
  refuse,
  requireHostNetwork,
  requireInstances,
  unsupported,
} from './placement-checks.ts'
import { arnInCluster, clusterArnOf, findCluster, resolveCluster, resolveTaskDefinition } from './resolve.ts'
import {
  checkDeploymentConfiguration,
  checkServiceMembers,
  deploymentControllers,
  requireSupported,
} from './service-checks.ts'
import { showService } from './show-service.ts'
import { checkedTags, putTags } from './tag.ts'

const clientTokenLengthMax = 36
const dayMs = 24 * 3_600_000

/** Writes down what should run, and the deployment that takes the service there. Engines start the tasks. */
export const createService: Operation<CreateServiceRequest, CreateServiceResponse> = {
  resources: (context, { cluster: ref, serviceName = '' }) => {
    const cluster = findCluster(context.store, context, ref)
    return cluster ? [arnInCluster(cluster, 'service', serviceName)] : [clusterArnOf(context, ref)]
  },
  run: (context, input) => {
    const { serviceName = '' } = input
    if (!/^[a-zA-Z0-9\-_]{1,255}$/.test(serviceName))
      refuse(`ServiceName must match ^[a-zA-Z0-9\\-_]{1,255}$, but was ${serviceName}`)
    const now = context.clock.now()
    return context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const request = tokenRequest(context, cluster, input)
      const known = request && recall(tx, request, now)
      const made = tx.find('service', known?.resourceArns[0] ?? '')
      if (made?.status === 'ACTIVE') return { service: showService(tx, made, { tags: true }) }

      const service = checkedService(tx, context, cluster, input, now)
      const tags = checkedTags(input.tags)
      forgetPredecessor(tx, service.serviceArn)
      tx.put('service', service)
      tx.put('deployment', newDeployment(service, { ids: context.ids, now }))
      putTags(tx, service.serviceArn, tags)
      if (request) remember(tx, request, { resourceArns: [service.serviceArn], expiresAt: now + dayMs })
      return { service: showService(tx, service, { tags: true }) }
    })
  },
}

function tokenRequest(
  { scope }: Context,
  { clusterArn }: Cluster,
  { clientToken, ...parameters }: CreateServiceRequest,
): TokenRequest | undefined {
  if (clientToken === undefined) return undefined
  if (clientToken.length > clientTokenLengthMax)
    refuse(`clientToken must have at most ${clientTokenLengthMax} characters.`)
  return {
    scope,
    place: `CreateService ${clusterArn}`,
    clientToken,
    parameters: { ...parameters, cluster: undefined },
  }
}

/** The service as asked for, every default filled in. Throws what AWS answers, and for what Berth cannot run yet. */
function checkedService(
  view: View,
  context: Context,
  cluster: Cluster,
  input: CreateServiceRequest,
  now: number,
): Service {
  const { scope, caller } = context
  checkLaunchType(input.launchType)
  checkOneOf('scheduling strategy', input.schedulingStrategy, ['REPLICA', 'DAEMON'])
  checkOneOf('deployment controller', input.deploymentController?.type, deploymentControllers)
  const { serviceName = '', schedulingStrategy = 'REPLICA' } = input
  const serviceArn = formatArn(scope, 'ecs', `service/${cluster.clusterName}/${serviceName}`)
  requireFreeName(view, serviceArn)
  const taskDefinition = checkController(view, context, input)
  const deploymentConfiguration = completeDeploymentConfiguration(
    input.deploymentConfiguration,
    schedulingStrategy === 'DAEMON' ? { maximumPercent: 100, minimumHealthyPercent: 0 } : {},
  )
  if (schedulingStrategy === 'DAEMON') checkDaemon(input)
  else if (input.desiredCount === undefined)
    refuse('The REPLICA scheduling strategy requires a desired count. Specify a desired count and try again')
  checkDeploymentConfiguration(deploymentConfiguration, schedulingStrategy)
  const launchType = checkCapacity(cluster, taskDefinition, input)
  checkServiceMembers(input, taskDefinition, launchType)
  const placementConstraints = checkConstraints(input.placementConstraints, taskDefinition)
  const placementStrategy = checkStrategies(input.placementStrategy)
  const shape = { schedulingStrategy, placementStrategy, placementConstraints, deploymentConfiguration }
  const availabilityZoneRebalancing = checkRebalancing(shape, input.availabilityZoneRebalancing)
  if (schedulingStrategy === 'DAEMON') unsupported('the DAEMON scheduling strategy', 'Use REPLICA.')
  requireSupported(input)
  requireHostNetwork(taskDefinition)
  const { deploymentController, healthCheckGracePeriodSeconds, role, clientToken } = input
  return {
    accountId: scope.accountId,
    region: scope.region,
    serviceArn,
    serviceName,
    clusterArn: cluster.clusterArn,
    status: 'ACTIVE',
    ...shape,
    desiredCount: input.desiredCount ?? 0,
    taskDefinitionArn: taskDefinition.taskDefinitionArn,
    launchType,
    ...(deploymentController && { deploymentController }),
    availabilityZoneRebalancing,
    loadBalancers: [],
    serviceRegistries: [],
    ...(healthCheckGracePeriodSeconds !== undefined && { healthCheckGracePeriodSeconds }),
    propagateTags: input.propagateTags ?? 'NONE',
    enableECSManagedTags: input.enableECSManagedTags ?? false,
    enableExecuteCommand: input.enableExecuteCommand ?? false,
    ...(role !== undefined && { roleArn: role }),
    createdAt: now,
    createdBy: caller.arn,
    ...(clientToken !== undefined && { clientToken }),
  }
}

function requireFreeName(view: View, serviceArn: string): void {
  const standing = view.find('service', serviceArn)
  if (standing?.status === 'ACTIVE') refuse('Creation of service was not idempotent.')
  if (standing?.status === 'DRAINING') refuse('Unable to Start a service that is still Draining.')
}

/** The task definition, where the deployment controller leaves it to the service. */
function checkController(view: View, context: Context, input: CreateServiceRequest): TaskDefinition {
  const type = input.deploymentController?.type ?? 'ECS'
  if (type === 'EXTERNAL') {
    if (input.taskDefinition) refuse('TaskDefinition must be blank.')
    if ((input.loadBalancers ?? []).length > 0) refuse('LoadBalancers must be empty or null.')
    unsupported('the EXTERNAL deployment controller', 'Use ECS.')
  }
  if (type === 'CODE_DEPLOY') {
    if (!input.loadBalancers?.some(({ targetGroupArn }) => targetGroupArn !== undefined))
      refuse(
        'When specifying the CODE_DEPLOY deployment controller type, the service requires an Application Load Balancer or Network Load Balancer.',
      )
    unsupported('the CODE_DEPLOY deployment controller', 'Use ECS.')
  }
  if (!input.taskDefinition) refuse('TaskDefinition can not be blank.')
  return resolveTaskDefinition(view, context, input.taskDefinition ?? '', 'ClientException')
}

function checkDaemon(input: CreateServiceRequest): void {
  if (input.desiredCount !== undefined)
    refuse(
      'The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again',
    )
  if ((input.deploymentConfiguration?.maximumPercent ?? 100) > 100)
    refuse(
      'The daemon scheduling strategy does not support values above 100 for maximumPercent on a deployment configuration. Change the maximumPercent value to 100, and try again',
    )
  if ((input.placementStrategy ?? []).length > 0)
    refuse(
      'The daemon scheduling strategy does not support placement strategies. Remove the placement strategy and try again',
    )
}

function checkCapacity(
  cluster: Cluster,
  taskDefinition: TaskDefinition,
  { launchType, capacityProviderStrategy: asked = [], ...input }: CreateServiceRequest,
): LaunchType {
  if (launchType !== undefined && asked.length > 0)
    refuse(
      'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
    )
  const strategy =
    asked.length > 0 || launchType !== undefined ? asked : cluster.defaultCapacityProviderStrategy
  if (strategy.length > 0) checkCapacityProviderStrategy(cluster, strategy)
  const type = launchType ?? 'EC2'
  checkNetwork(taskDefinition, input.networkConfiguration, type)
  if (strategy.length === 0 && !taskDefinition.compatibilities.includes(type))
    refuse(`Task definition does not support launch_type ${type}.`)
  requireInstances(launchType, strategy)
  return type
}

function checkRebalancing(
  shape: Parameters<typeof rebalancingObstacle>[0],
  asked: Service['availabilityZoneRebalancing'] | undefined,
): Service['availabilityZoneRebalancing'] {
  const obstacle = rebalancingObstacle(shape)
  if (asked === 'ENABLED' && obstacle !== undefined)
    refuse(
      shape.schedulingStrategy === 'DAEMON'
        ? `The service couldn't be created because Availability Zone Rebalancing does not support ${obstacle}. Update scheduling strategy and try again.`
        : `The service couldn't be created because Availability Zone Rebalancing does not support ${obstacle}.`,
    )
  return asked ?? (obstacle === undefined ? 'ENABLED' : 'DISABLED')
}

/** A name of an INACTIVE service is free again, and its history does not become the new one's. */
function forgetPredecessor(tx: Transaction, serviceArn: string): void {
  for (const { deploymentId } of tx.by('deployment', 'service', serviceArn))
    tx.delete('deployment', deploymentId)
  for (const { sequence } of tx.by('serviceEvent', 'service', serviceArn))
    tx.delete('serviceEvent', `${serviceArn}/${sequence}`)
}
