import type { CreateServiceRequest, CreateServiceResponse } from '@aws-sdk/client-ecs'
import type { Context, Operation } from '#api/operation.ts'
import { formatArn } from '#domain/arn.ts'
import type { Cluster } from '#domain/cluster.ts'
import { completeDeploymentConfiguration, controllerOf, type Service } from '#domain/service.ts'
import { forgetServiceHistory } from '#state/service-deployments.ts'
import type { View } from '#state/store.ts'
import { recall, remember, type TokenRequest } from '#api/ecs/idempotency.ts'
import { refuse } from '#api/ecs/tasks/placement-checks.ts'
import { arnInCluster, clusterArnOf, findCluster, resolveCluster } from '#api/ecs/resolve.ts'
import { checkedService } from './service-candidate.ts'
import { checkClientToken } from './service-checks.ts'
import { beginDeployment } from './service-deployment-begin.ts'
import { showService } from './show-service.ts'
import { checkedTags, putTags } from '#api/ecs/tag.ts'

const dayMs = 24 * 3_600_000
const notIdempotent = 'Creation of service was not idempotent.'

/**
 * Writes down what should run, and the deployment that takes the service there. Engines start the tasks. A service of the
 * EXTERNAL deployment controller has no deployments: task sets are created in it.
 */
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
      const known = request && recall(tx, request, now, ({ resourceArns }) => isActive(tx, resourceArns))
      const made = tx.find('service', known?.resourceArns[0] ?? '')
      if (made) return { service: showService(tx, made, { tags: true }) }

      const standing = defaultService(context, cluster, input, now)
      requireFreeName(tx, standing.serviceArn)
      const service = checkedService(tx, context, { act: 'created', cluster, standing, input })
      const tags = checkedTags(input.tags)
      // A name of an INACTIVE service is free again, and its history does not become the new one's.
      forgetServiceHistory(tx, service.serviceArn)
      tx.put('service', service)
      if (controllerOf(service) === 'ECS') beginDeployment(tx, service, { ids: context.ids, now })
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
  checkClientToken(clientToken)
  return {
    scope,
    place: `CreateService ${clusterArn}`,
    clientToken,
    parameters: { ...parameters, cluster: undefined },
    mismatch: notIdempotent,
  }
}

function isActive(view: View, [serviceArn = '']: readonly string[]): boolean {
  return view.find('service', serviceArn)?.status === 'ACTIVE'
}

/** A service of which nothing but its name and scheduling strategy has been said. */
function defaultService(
  { scope, caller }: Context,
  cluster: Cluster,
  { serviceName = '', schedulingStrategy = 'REPLICA', clientToken }: CreateServiceRequest,
  now: number,
): Service {
  const daemon = schedulingStrategy === 'DAEMON'
  return {
    accountId: scope.accountId,
    region: scope.region,
    serviceArn: formatArn(scope, 'ecs', `service/${cluster.clusterName}/${serviceName}`),
    serviceName,
    clusterArn: cluster.clusterArn,
    status: 'ACTIVE',
    schedulingStrategy,
    desiredCount: 0,
    taskDefinitionArn: '',
    deploymentConfiguration: completeDeploymentConfiguration(
      daemon ? { maximumPercent: 100, minimumHealthyPercent: 0 } : {},
    ),
    placementConstraints: [],
    placementStrategy: [],
    availabilityZoneRebalancing: 'DISABLED',
    loadBalancers: [],
    serviceRegistries: [],
    propagateTags: 'NONE',
    enableECSManagedTags: false,
    enableExecuteCommand: false,
    createdAt: now,
    createdBy: caller.arn,
    ...(clientToken !== undefined && { clientToken }),
  }
}

function requireFreeName(view: View, serviceArn: string): void {
  const standing = view.find('service', serviceArn)
  if (standing?.status === 'ACTIVE') refuse(notIdempotent)
  if (standing?.status === 'DRAINING') refuse('Unable to Start a service that is still Draining.')
}
