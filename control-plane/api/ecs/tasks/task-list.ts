import type { ListTasksRequest, ListTasksResponse } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Operation } from '#api/operation.ts'
import { pageInOrder } from '#api/page.ts'
import type { Cluster } from '#domain/cluster.ts'
import { daemonArnOf, daemonGroup } from '#domain/daemon.ts'
import type { Task } from '#domain/task.ts'
import type { View } from '#state/store.ts'
import { listedTasksKey } from '#state/tables.ts'
import { checkLaunchType, checkOneOf, refuse } from './placement-checks.ts'
import { arnInCluster, findCluster, resolveCluster, resolveContainerInstance } from '#api/ecs/resolve.ts'
import { containerInstanceArnOf } from './task-reference.ts'

const listedTasksMax = 100
const startedByLengthMax = 128

/** The ARNs of tasks, of those that are to run unless the caller asks for the stopped ones. */
export const listTasks: Operation<ListTasksRequest, ListTasksResponse> = {
  resources: (context, { cluster, containerInstance }) => {
    const found = containerInstance === undefined ? undefined : findCluster(context.store, context, cluster)
    return found ? [arnInCluster(found, 'container-instance', containerInstance ?? '')] : ['*']
  },
  run: (context, input) => {
    const cluster = resolveCluster(context.store, context, input.cluster)
    const { nextToken, maxResults, ...filters } = input
    const { rows, nextToken: next } = pageInOrder(
      tasksListed(context.store, cluster, input),
      {
        context,
        maxResults,
        nextToken,
        limit: listedTasksMax,
        default: listedTasksMax,
        parameters: { operation: 'ListTasks', ...filters, cluster: cluster.clusterArn },
      },
      (task) => task.taskArn,
    )
    return { taskArns: rows.map(({ taskArn }) => taskArn), ...(next !== undefined && { nextToken: next }) }
  },
}

/** A filter of the request, as its index knows it and as it is tested. */
interface Filter {
  readonly key: string
  readonly admits: (task: Task) => boolean
}

/** The tasks that pass all filters, from the index of the filter that leaves the fewest. */
function tasksListed(
  view: View,
  cluster: Cluster,
  input: ListTasksRequest,
): (taskArn: string | undefined) => Iterable<Task> {
  checkFilters(input)
  // PENDING may be asked for, but no task's desired status ever is: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
  const { desiredStatus = 'RUNNING' } = input
  const place = { clusterArn: cluster.clusterArn, desiredStatus }
  const filters = filtersOf(view, cluster, input, place)
  const keys = filters.length > 0 ? filters.map(({ key }) => key) : [listedTasksKey(place)]
  const count = (key: string): number => view.count('task', 'listed', key)
  const fewest = keys.reduce((best, key) => (count(key) < count(best) ? key : best))
  return (taskArn) =>
    Iterator.from(view.after('task', 'listed', fewest, taskArn)).filter((task) =>
      filters.every(({ admits }) => admits(task)),
    )
}

function checkFilters({
  startedBy,
  family,
  containerInstance,
  serviceName,
  daemonName,
  launchType,
  desiredStatus,
}: ListTasksRequest): void {
  const others = [family, containerInstance, serviceName, daemonName, launchType]
  // https://github.com/aws/aws-sdk-go-v2/issues/1893: the desired status is no argument in this sense.
  if (startedBy !== undefined && others.some((other) => other !== undefined))
    refuse('cannot specify startedBy with other arguments')
  if (startedBy !== undefined && startedBy.length > startedByLengthMax)
    refuse(`startedBy longer than ${startedByLengthMax}.`)
  checkLaunchType(launchType)
  checkOneOf('desiredStatus', desiredStatus, ['RUNNING', 'PENDING', 'STOPPED'])
}

/** Throws what AWS answers for a service, daemon or instance that there is not. */
function filtersOf(
  view: View,
  cluster: Cluster,
  { family, startedBy, containerInstance, serviceName, daemonName, launchType }: ListTasksRequest,
  place: { readonly clusterArn: string; readonly desiredStatus: string },
): Filter[] {
  const filters: Filter[] = []
  const add = (
    filter: NonNullable<Parameters<typeof listedTasksKey>[1]>,
    value: string,
    admits: Filter['admits'],
  ): void => void filters.push({ key: listedTasksKey(place, filter, value), admits })
  if (family !== undefined) {
    const familyIn = new RegExp(`/${RegExp.escape(family)}:\\d+$`)
    add('family', family, (task) => familyIn.test(task.taskDefinitionArn))
  }
  if (startedBy !== undefined) add('startedBy', startedBy, (task) => task.startedBy === startedBy)
  const addGroup = (group: string): void => add('group', group, (task) => task.group === group)
  if (serviceName !== undefined) addGroup(`service:${resolveServiceName(view, cluster, serviceName)}`)
  if (daemonName !== undefined) addGroup(daemonGroup(resolveDaemonName(view, cluster, daemonName)))
  if (containerInstance !== undefined) {
    const arn = containerInstanceArnOf(cluster, containerInstance)
    resolveContainerInstance(view, cluster, arn)
    add('containerInstance', arn, (task) => task.containerInstanceArn === arn)
  }
  if (launchType !== undefined) add('launchType', launchType, (task) => task.launchType === launchType)
  return filters
}

function resolveServiceName(view: View, cluster: Cluster, ref: string): string {
  const service = view.find('service', arnInCluster(cluster, 'service', ref))
  if (!service) throw new AwsError('ServiceNotFoundException', 'Service not found.')
  return service.serviceName
}

/** The model gives ListTasks no DaemonNotFoundException; what AWS answers is not known. */
function resolveDaemonName(view: View, cluster: Cluster, daemonName: string): string {
  const daemon = view.find('daemon', daemonArnOf(cluster, daemonName))
  if (!daemon) throw new AwsError('ClientException', 'The specified daemon was not found.')
  return daemon.daemonName
}
