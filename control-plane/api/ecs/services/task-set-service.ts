/** References to task sets and to the services they are in, turned into rows, or into AWS's error. */
import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import { arnName, parseArn } from '#domain/arn.ts'
import type { Cluster } from '#domain/cluster.ts'
import { controllerOf, type Service } from '#domain/service.ts'
import { type TaskSet, taskSetArnOf } from '#domain/task-set.ts'
import type { View } from '#state/store.ts'
import { refuse } from '#api/ecs/tasks/placement-checks.ts'
import { arnInCluster, clusterArnOf, findCluster } from '#api/ecs/resolve.ts'
import { resolveService } from './service-reference.ts'

/**
 * The service, whose task sets are there for callers to manage. Throws ServiceNotFoundException, ServiceNotActiveException
 * unless it is ACTIVE, and InvalidParameterException where another controller than an external one deploys it: the task
 * sets of CODE_DEPLOY are CodeDeploy's own.
 */
export function resolveExternalService(view: View, cluster: Cluster, ref: string): Service {
  const service = resolveService(view, cluster, ref)
  if (service.status !== 'ACTIVE') throw new AwsError('ServiceNotActiveException', 'Service was not ACTIVE.')
  if (controllerOf(service) !== 'EXTERNAL')
    refuse(
      'Amazon ECS only supports task set management on services configured to use external deployment controllers.',
    )
  return service
}

/**
 * The ARN that the id or ARN of a task set means, whether it is in the service or not. Throws InvalidParameterException
 * for what can be no task set's.
 */
export function taskSetArn(
  cluster: Cluster,
  { serviceName }: Pick<Service, 'serviceName'>,
  ref: string,
): string {
  const id = parseArn(ref)
    ? /^arn:[^:]+:ecs:[^:]*:[^:]*:task-set\/[^/]+\/[^/]+\/(ecs-svc\/\d+)$/.exec(ref)?.[1]
    : /^ecs-svc\/\d+$/.exec(ref)?.[0]
  if (id === undefined) return refuse('Task Set Identifier is invalid')
  return parseArn(ref) ? ref : taskSetArnOf(cluster, { clusterName: cluster.clusterName, serviceName }, id)
}

/** The task set of the service; undefined when it has none of the ARN. */
export function findTaskSet(view: View, { serviceArn }: Service, arn: string): TaskSet | undefined {
  const found = view.find('taskSet', arn)
  return found?.serviceArn === serviceArn ? found : undefined
}

/** Throws TaskSetNotFoundException, and InvalidParameterException as `taskSetArn`. */
export function resolveTaskSet(view: View, cluster: Cluster, service: Service, ref: string): TaskSet {
  const found = findTaskSet(view, service, taskSetArn(cluster, service, ref))
  if (!found) throw new AwsError('TaskSetNotFoundException', 'The specified task set does not exist.')
  return found
}

interface Place {
  readonly cluster?: string | undefined
  readonly service?: string | undefined
}

/** The ARNs that references to task sets mean, for authorization. */
export function taskSetResources(context: Context, place: Place, refs: readonly string[]): readonly string[] {
  return resourcesIn(context, place, (cluster, service) =>
    refs.map((ref) => taskSetArn(cluster, service, ref)),
  )
}

/** What creating a task set in the service is authorized against: its id is not known yet. */
export function newTaskSetResources(context: Context, place: Place): readonly string[] {
  return resourcesIn(context, place, (cluster, { serviceName }) => [
    taskSetArnOf(cluster, { clusterName: cluster.clusterName, serviceName }, '*'),
  ])
}

/** The cluster's ARN when there is no such cluster. */
function resourcesIn(
  context: Context,
  { cluster: clusterRef, service = '' }: Place,
  arnsIn: (cluster: Cluster, service: Pick<Service, 'serviceName'>) => readonly string[],
): readonly string[] {
  const cluster = findCluster(context.store, context, clusterRef)
  if (!cluster) return [clusterArnOf(context, clusterRef)]
  return arnsIn(cluster, { serviceName: arnName(arnInCluster(cluster, 'service', service)) })
}
