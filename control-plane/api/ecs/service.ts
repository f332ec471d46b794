import type {
  DeleteServiceRequest,
  DeleteServiceResponse,
  DescribeServicesRequest,
  DescribeServicesResponse,
  ListServicesRequest,
  ListServicesResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { Service } from '#domain/service.ts'
import type { View } from '#state/store.ts'
import { page } from '#api/page.ts'
import { checkLaunchType, checkOneOf, refuse } from './placement-checks.ts'
import { arnInCluster, clusterArnOf, findCluster, resolveCluster } from './resolve.ts'
import { showService } from './show-service.ts'

const describedServicesMax = 10
const listedServicesMax = 100
const listedServicesDefault = 10

/** The service, whatever its status. Throws ServiceNotFoundException, and InvalidParameterException for another thing's ARN. */
export function resolveService(view: View, cluster: Cluster, ref: string): Service {
  const service = view.find('service', arnInCluster(cluster, 'service', ref))
  if (!service) throw new AwsError('ServiceNotFoundException', 'Service not found.')
  return service
}

/** The ARNs that references to services mean, for authorization. */
export function serviceResources(
  context: Context,
  clusterRef: string | undefined,
  refs: readonly string[],
): readonly string[] {
  const cluster = findCluster(context.store, context, clusterRef)
  return cluster
    ? refs.map((ref) => arnInCluster(cluster, 'service', ref))
    : [clusterArnOf(context, clusterRef)]
}

/** Lets a service drain. It is INACTIVE when the last of its tasks has stopped. */
export const deleteService: Operation<DeleteServiceRequest, DeleteServiceResponse> = {
  resources: (context, input) => serviceResources(context, input.cluster, [input.service ?? '']),
  run: (context, input) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const service = resolveService(tx, cluster, input.service ?? '')
      if (service.status === 'INACTIVE') throw new AwsError('ServiceNotFoundException', 'Service not found.')
      if (service.status === 'DRAINING') return { service: showService(tx, service, { tags: true }) }
      if (!input.force) requireDeletable(tx, service)
      const draining: Service = { ...service, status: 'DRAINING', desiredCount: 0 }
      tx.put('service', draining)
      return { service: showService(tx, draining, { tags: true }) }
    }),
}

function requireDeletable(view: View, service: Service): void {
  if (service.desiredCount > 0) refuse('The service cannot be stopped while it is scaled above 0.')
  const older = view
    .by('deployment', 'service', service.serviceArn)
    .filter(({ status }) => status === 'ACTIVE')
  if (older.some(({ deploymentId }) => view.count('task', 'deployment', deploymentId) > 0))
    refuse('The service cannot be stopped while deployments are active.')
}

export const describeServices: Operation<DescribeServicesRequest, DescribeServicesResponse> = {
  resources: (context, input) => serviceResources(context, input.cluster, input.services ?? []),
  run: (context, input) => {
    const refs = input.services ?? []
    if (refs.length === 0) refuse('Services cannot be empty.')
    if (refs.length > describedServicesMax) refuse(`services can have at most ${describedServicesMax} items.`)
    const { store } = context
    const cluster = resolveCluster(store, context, input.cluster)
    const arns = [...new Set(refs.map((ref) => arnInCluster(cluster, 'service', ref)))]
    const tags = input.include?.includes('TAGS') ?? false
    return {
      services: arns.flatMap((arn) => {
        const service = store.find('service', arn)
        return service ? [showService(store, service, { tags })] : []
      }),
      failures: arns.filter((arn) => !store.find('service', arn)).map((arn) => ({ arn, reason: 'MISSING' })),
    }
  },
}

/** The ARNs of a cluster's services; one that is being deleted is listed no more. */
export const listServices: Operation<ListServicesRequest, ListServicesResponse> = {
  resources: () => ['*'],
  run: (context, input) => {
    const cluster = resolveCluster(context.store, context, input.cluster)
    const { nextToken, maxResults, launchType, schedulingStrategy, resourceManagementType } = input
    checkLaunchType(launchType)
    checkOneOf('scheduling strategy', schedulingStrategy, ['REPLICA', 'DAEMON'])
    // Services that ECS manages itself are those of express gateways, and Berth has none.
    const services = context.store
      .by('service', 'cluster', cluster.clusterArn)
      .filter(
        (service) =>
          service.status === 'ACTIVE' &&
          (launchType === undefined || service.launchType === launchType) &&
          (schedulingStrategy === undefined || service.schedulingStrategy === schedulingStrategy) &&
          resourceManagementType !== 'ECS',
      )
    const { rows, nextToken: next } = page(
      services,
      {
        maxResults,
        nextToken,
        limit: listedServicesMax,
        default: listedServicesDefault,
        parameters: {
          operation: 'ListServices',
          cluster: cluster.clusterArn,
          launchType,
          schedulingStrategy,
          resourceManagementType,
        },
      },
      (service) => service.serviceArn,
    )
    return {
      serviceArns: rows.map(({ serviceArn }) => serviceArn),
      ...(next !== undefined && { nextToken: next }),
    }
  },
}
