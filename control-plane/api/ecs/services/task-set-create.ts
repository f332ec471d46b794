import type { CreateTaskSetRequest, CreateTaskSetResponse, Scale } from '@aws-sdk/client-ecs'
import type { Context, Operation } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { Service } from '#domain/service.ts'
import { type TaskSet, taskSetArnOf } from '#domain/task-set.ts'
import type { View } from '#state/store.ts'
import { capacityRow, checkCapacity, chooseCapacity, networkRow } from '#api/ecs/capacity/capacity-choice.ts'
import { recall, remember, type TokenRequest } from '#api/ecs/idempotency.ts'
import { checkOneOf, refuse, unsupported } from '#api/ecs/tasks/placement-checks.ts'
import { checkNetworkParts } from '#api/ecs/tasks/network-checks.ts'
import { resolveCluster, resolveTaskDefinition } from '#api/ecs/resolve.ts'
import { checkLoadBalancers, checkRegistries } from './service-attachment-checks.ts'
import { checkClientToken } from './service-checks.ts'
import { newTaskSetResources, resolveExternalService } from './task-set-service.ts'
import { showTaskSet } from './show-task-set.ts'
import { checkedTags, putTags } from '#api/ecs/tag.ts'

const taskSetsMax = 5
const dayMs = 24 * 3_600_000

/** Adds a revision to a service that an external controller deploys. */
export const createTaskSet: Operation<CreateTaskSetRequest, CreateTaskSetResponse> = {
  resources: (context, input) => newTaskSetResources(context, input),
  run: (context, input) => {
    const now = context.clock.now()
    return context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const service = resolveExternalService(tx, cluster, input.service ?? '')
      const request = tokenRequest(context, service, input)
      const known =
        request &&
        recall(tx, request, now, ({ resourceArns: [arn = ''] }) => tx.find('taskSet', arn) !== undefined)
      const made = tx.find('taskSet', known?.resourceArns[0] ?? '')
      if (made) return { taskSet: showTaskSet(tx, service, made, { tags: true, changed: true }) }

      const taskSet = checkedTaskSet(tx, context, { cluster, service, input, now })
      const tags = checkedTags(input.tags)
      tx.put('taskSet', taskSet)
      putTags(tx, taskSet.taskSetArn, tags)
      if (request) remember(tx, request, { resourceArns: [taskSet.taskSetArn], expiresAt: now + dayMs })
      return { taskSet: showTaskSet(tx, service, taskSet, { tags: true, changed: true }) }
    })
  },
}

function tokenRequest(
  { scope }: Context,
  { serviceArn }: Service,
  { clientToken, ...parameters }: CreateTaskSetRequest,
): TokenRequest | undefined {
  if (clientToken === undefined) return undefined
  checkClientToken(clientToken)
  return {
    scope,
    place: `CreateTaskSet ${serviceArn}`,
    clientToken,
    parameters: { ...parameters, cluster: undefined, service: undefined },
    // No source gives the text: it is the one of services.
    mismatch: 'Creation of task set was not idempotent.',
  }
}

/** The percentage that a scale says: all of the service, where it says none. Throws InvalidParameterException. */
export function checkedScale({ value = 100, unit = 'PERCENT' }: Scale = {}): number {
  checkOneOf('scale unit', unit, ['PERCENT'])
  if (!(value >= 0 && value <= 100)) refuse('The scale value must be between 0 and 100.')
  return value
}

function newIdentity(
  { ids }: Context,
  cluster: Cluster,
  { serviceName }: Service,
): Pick<TaskSet, 'accountId' | 'region' | 'taskSetArn' | 'id'> {
  const { accountId, region, clusterName } = cluster
  const id = `ecs-svc/${ids.digits(19)}`
  return { accountId, region, taskSetArn: taskSetArnOf(cluster, { clusterName, serviceName }, id), id }
}

function checkedTaskSet(
  view: View,
  context: Context,
  {
    cluster,
    service,
    input,
    now,
  }: {
    readonly cluster: Cluster
    readonly service: Service
    readonly input: CreateTaskSetRequest
    readonly now: number
  },
): TaskSet {
  const { loadBalancers = [], serviceRegistries = [], externalId, platformVersion } = input
  const scalePercent = checkedScale(input.scale)
  const capacity = chooseCapacity(
    view,
    context,
    cluster,
    input,
    'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
  )
  const taskDefinition = resolveTaskDefinition(view, context, input.taskDefinition ?? '', 'ClientException')
  checkCapacity(taskDefinition, capacity, {
    networkConfiguration: input.networkConfiguration,
    platformVersion,
    placementConstraints: [...service.placementConstraints],
    placementStrategy: [...service.placementStrategy],
    enableExecuteCommand: service.enableExecuteCommand,
  })
  checkNetworkParts(view, context.scope, input.networkConfiguration)
  // No source gives the two texts of what only task sets refuse.
  if (loadBalancers.length > 1) refuse('load balancers can have at most 1 items.')
  if (loadBalancers.some(({ loadBalancerName }) => loadBalancerName !== undefined))
    refuse('Task sets support Application Load Balancers and Network Load Balancers only.')
  const { launchType } = capacity
  checkLoadBalancers(loadBalancers, taskDefinition, { launchType, strategy: undefined })
  checkRegistries(serviceRegistries, taskDefinition, launchType)
  if (view.count('taskSet', 'service', service.serviceArn) >= taskSetsMax)
    refuse(
      `${taskSetsMax} deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.`,
    )
  const without = 'Leave it out of the task set.'
  if (loadBalancers.length > 0) unsupported('load balancers of task sets', without)
  if (serviceRegistries.length > 0) unsupported('service discovery', without)
  return {
    ...newIdentity(context, cluster, service),
    serviceArn: service.serviceArn,
    clusterArn: cluster.clusterArn,
    status: 'ACTIVE',
    taskDefinitionArn: taskDefinition.taskDefinitionArn,
    scalePercent,
    ...capacityRow(capacity, platformVersion),
    ...networkRow(input.networkConfiguration),
    loadBalancers: [],
    serviceRegistries: [],
    ...(externalId !== undefined && { externalId }),
    createdAt: now,
    updatedAt: now,
  }
}
