import type {
  DeleteServiceRequest,
  DeleteServiceResponse,
  DescribeServicesRequest,
  DescribeServicesResponse,
  ListServicesByNamespaceRequest,
  ListServicesByNamespaceResponse,
  ListServicesRequest,
  ListServicesResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Operation } from '#api/operation.ts'
import { pageInOrder } from '#api/page.ts'
import type { Service } from '#domain/service.ts'
import type { View } from '#state/store.ts'
import { forgetTaskSet } from '#state/task-sets.ts'
import { checkLaunchType, checkOneOf, refuse } from '#api/ecs/tasks/placement-checks.ts'
import { arnInCluster, resolveCluster } from '#api/ecs/resolve.ts'
import { resolveService, serviceResources } from './service-reference.ts'
import { showService } from './show-service.ts'

const describedServicesMax = 10
const listedServicesMax = 100
const listedServicesDefault = 10

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
      for (const taskSet of tx.by('taskSet', 'service', service.serviceArn)) forgetTaskSet(tx, taskSet)
      return { service: showService(tx, draining, { tags: true }) }
    }),
}

/** A daemon has no count to scale down: it is deleted as it stands. Throws InvalidParameterException. */
function requireDeletable(view: View, service: Service): void {
  if (service.schedulingStrategy === 'REPLICA' && service.desiredCount > 0)
    refuse('The service cannot be stopped while it is scaled above 0.')
  const older = view
    .by('deployment', 'service', service.serviceArn)
    .filter(({ status }) => status === 'ACTIVE')
  if (
    older.some(({ deploymentId }) => view.count('task', 'deployment', deploymentId) > 0) ||
    view.count('taskSet', 'service', service.serviceArn) > 0
  )
    refuse('The service cannot be stopped while deployments are active.')
}

export const describeServices: Operation<DescribeServicesRequest, DescribeServicesResponse> = {
  resources: (context, input) => serviceResources(context, input.cluster, input.services ?? []),
  run: (context, input) => {
    const { services: refs = [], include = [] } = input
    for (const field of include) checkOneOf('include', field, ['TAGS'])
    if (refs.length === 0) refuse('Services cannot be empty.')
    if (refs.length > describedServicesMax) refuse(`services can have at most ${describedServicesMax} items.`)
    const { store } = context
    const cluster = resolveCluster(store, context, input.cluster)
    const arns = [...new Set(refs.map((ref) => arnInCluster(cluster, 'service', ref)))]
    return {
      services: arns.flatMap((arn) => {
        const service = store.find('service', arn)
        return service ? [showService(store, service, { tags: include.includes('TAGS') })] : []
      }),
      failures: arns.filter((arn) => !store.find('service', arn)).map((arn) => ({ arn, reason: 'MISSING' })),
    }
  },
}

/** The ARNs of a cluster's services; one that is being deleted is listed no more. */
export const listServices: Operation<ListServicesRequest, ListServicesResponse> = {
  resources: () => ['*'],
  run: (context, input) => {
    const { store } = context
    const cluster = resolveCluster(store, context, input.cluster)
    const { nextToken, maxResults, launchType, schedulingStrategy, resourceManagementType } = input
    checkLaunchType(launchType)
    checkOneOf('scheduling strategy', schedulingStrategy, ['REPLICA', 'DAEMON'])
    checkOneOf('resource management type', resourceManagementType, ['CUSTOMER', 'ECS'])
    const wanted = (service: Service): boolean =>
      (launchType === undefined || shownLaunchType(service) === launchType) &&
      (schedulingStrategy === undefined || service.schedulingStrategy === schedulingStrategy) &&
      // Services that ECS manages itself are those of express gateways, and Berth has none.
      resourceManagementType !== 'ECS'
    const { rows, nextToken: next } = pageInOrder(
      (after) => filtered(store.after('service', 'status', `${cluster.clusterArn} ACTIVE`, after), wanted),
      {
        context,
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

/** The launch type by which a service is listed: one that uses a strategy has none. */
function shownLaunchType({ launchType, capacityProviderStrategy = [] }: Service): string | undefined {
  return capacityProviderStrategy.length > 0 ? undefined : launchType
}

function* filtered<Row>(rows: Iterable<Row>, wanted: (row: Row) => boolean): Generator<Row> {
  for (const row of rows) if (wanted(row)) yield row
}

/** There is no Cloud Map yet, so no namespace is ever found. Throws NamespaceNotFoundException. */
export const listServicesByNamespace: Operation<
  ListServicesByNamespaceRequest,
  ListServicesByNamespaceResponse
> = {
  resources: () => ['*'],
  run: (_, { namespace = '', maxResults }) => {
    if (namespace === '') refuse('Namespace is missing')
    if (maxResults !== undefined && (maxResults < 1 || maxResults > listedServicesMax))
      refuse(`maxResults must be between 1 and ${listedServicesMax}.`)
    throw new AwsError('NamespaceNotFoundException', 'The specified namespace was not found.')
  },
}
