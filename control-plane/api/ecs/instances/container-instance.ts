import type {
  ContainerInstanceStatus,
  DeregisterContainerInstanceRequest,
  DeregisterContainerInstanceResponse,
  DescribeContainerInstancesRequest,
  DescribeContainerInstancesResponse,
  Failure,
  ListContainerInstancesRequest,
  ListContainerInstancesResponse,
  UpdateContainerAgentRequest,
  UpdateContainerAgentResponse,
  UpdateContainerInstancesStateRequest,
  UpdateContainerInstancesStateResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import { matches, parseQuery, type Query, QueryError } from '#domain/placement/query.ts'
import { loseTask } from '#domain/task.ts'
import type { View } from '#state/store.ts'
import { pageInOrder } from '#api/page.ts'
import { checkOneOf } from '#api/ecs/tasks/placement-checks.ts'
import { clusterArnOf, resolveCluster, resolveContainerInstance } from '#api/ecs/resolve.ts'
import { showContainerInstance } from './show-container-instance.ts'
import { containerInstanceArnOf } from '#api/ecs/tasks/task-reference.ts'

const describedCountMax = 100
const updatedCountMax = 10
const statuses: readonly string[] = [
  'ACTIVE',
  'DRAINING',
  'REGISTERING',
  'DEREGISTERING',
  'REGISTRATION_FAILED',
  'INACTIVE',
] satisfies readonly (ContainerInstanceStatus | 'INACTIVE')[]

export const deregisterContainerInstance: Operation<
  DeregisterContainerInstanceRequest,
  DeregisterContainerInstanceResponse
> = {
  resources: (context, { cluster }) => [clusterArnOf(context, cluster)],
  run: (context, { cluster: clusterRef, containerInstance: ref = '', force = false }) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, clusterRef)
      const present = resolveContainerInstance(tx, cluster, containerInstanceArnOf(cluster, ref))
      const tasks = tx.by('task', 'containerInstance', present.containerInstanceArn)
      if (tasks.length > 0 && !force)
        throw new AwsError('InvalidParameterException', 'Found running tasks on the instance.')
      const now = context.clock.now()
      // Their containers run on, but nobody here hears of them any more.
      for (const task of tasks)
        tx.put(
          'task',
          loseTask(task, {
            stopCode: 'UserInitiated',
            stoppedReason: 'Container instance deregistration forced by user',
            now,
          }),
        )
      const inactive: ContainerInstance = {
        ...present,
        status: 'INACTIVE',
        inactiveAt: now,
        version: present.version + 1,
      }
      tx.put('containerInstance', inactive)
      return { containerInstance: showContainerInstance(tx, context, inactive) }
    }),
}

export const describeContainerInstances: Operation<
  DescribeContainerInstancesRequest,
  DescribeContainerInstancesResponse
> = {
  resources: (context, { cluster, containerInstances = [] }) =>
    instanceArns(context, cluster, containerInstances),
  run: (context, { cluster: clusterRef, containerInstances: refs = [], include = [] }) => {
    const { store } = context
    const cluster = resolveCluster(store, context, clusterRef)
    requireSome(refs, describedCountMax)
    for (const field of include) checkOneOf('include', field, ['CONTAINER_INSTANCE_HEALTH', 'TAGS'])
    const found: ContainerInstance[] = []
    const failures: Failure[] = []
    for (const arn of new Set(refs.map((ref) => containerInstanceArnOf(cluster, ref)))) {
      const row = store.find('containerInstance', arn)
      if (row) found.push(row)
      else failures.push({ arn, reason: 'MISSING' })
    }
    return {
      containerInstances: found.map((row) => showContainerInstance(store, context, row, include)),
      failures,
    }
  },
}

export const listContainerInstances: Operation<
  ListContainerInstancesRequest,
  ListContainerInstancesResponse
> = {
  resources: (context, { cluster }) => [clusterArnOf(context, cluster)],
  run: (context, { cluster: clusterRef, filter, status, maxResults, nextToken }) => {
    const cluster = resolveCluster(context.store, context, clusterRef)
    checkOneOf('Container instance status', status, statuses)
    const query = filter === undefined ? undefined : parsedFilter(filter)
    const isWanted = (row: ContainerInstance): boolean =>
      (status === undefined ? row.status !== 'INACTIVE' : row.status === status) &&
      (query === undefined || isMatch(context, query, row))
    const { rows, ...rest } = pageInOrder(
      (after) => instancesAfter(context.store, cluster, after, isWanted),
      {
        context,
        maxResults,
        nextToken,
        limit: 100,
        default: 100,
        parameters: {
          operation: 'ListContainerInstances',
          cluster: cluster.clusterArn,
          filter,
          status,
        },
      },
      ({ containerInstanceArn }) => containerInstanceArn,
    )
    return {
      containerInstanceArns: rows.map(({ containerInstanceArn }) => containerInstanceArn),
      ...rest,
    }
  },
}

export const updateContainerInstancesState: Operation<
  UpdateContainerInstancesStateRequest,
  UpdateContainerInstancesStateResponse
> = {
  resources: (context, { cluster, containerInstances = [] }) =>
    instanceArns(context, cluster, containerInstances),
  run: (context, { cluster: clusterRef, containerInstances: refs = [], status }) => {
    requireSome(refs, updatedCountMax)
    if (!isChosen(status))
      throw new AwsError(
        'InvalidParameterException',
        'Container instance status should be one of [ACTIVE, DRAINING]',
      )
    return context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, clusterRef)
      const updated: ContainerInstance[] = []
      const failures: Failure[] = []
      for (const arn of new Set(refs.map((ref) => containerInstanceArnOf(cluster, ref)))) {
        const row = tx.find('containerInstance', arn)
        if (!row) failures.push({ arn, reason: 'MISSING' })
        else if (!isChosen(row.status)) failures.push({ arn: row.containerInstanceArn, reason: row.status })
        else {
          const changed = row.status === status ? row : { ...row, status, version: row.version + 1 }
          tx.put('containerInstance', changed)
          updated.push(changed)
        }
      }
      return {
        containerInstances: updated.map((row) => showContainerInstance(tx, context, row)),
        failures,
      }
    })
  },
}

export const updateContainerAgent: Operation<UpdateContainerAgentRequest, UpdateContainerAgentResponse> = {
  resources: (context, { cluster, containerInstance = '' }) =>
    instanceArns(context, cluster, [containerInstance]),
  run: (context, { cluster: clusterRef, containerInstance: ref = '' }) => {
    const cluster = resolveCluster(context.store, context, clusterRef)
    const arn = containerInstanceArnOf(cluster, ref)
    const { versionInfo } = resolveContainerInstance(context.store, cluster, arn)
    if (versionInfo.agentVersion === undefined)
      throw new AwsError(
        'MissingVersionException',
        'Amazon ECS cannot determine the current version of the container agent on the container instance.',
      )
    // Agents are updated with their host's own means; from here there is never another version to be had.
    throw new AwsError('NoUpdateAvailableException', 'There is no update available for your container agent.')
  },
}

function requireSome(refs: readonly string[], most: number): void {
  if (refs.length === 0) throw new AwsError('ClientException', 'Container Instances cannot be empty.')
  if (refs.length > most)
    throw new AwsError(
      'InvalidParameterException',
      `Container Instances cannot have more than ${most} elements.`,
    )
}

function isChosen(status: string | undefined): status is 'ACTIVE' | 'DRAINING' {
  const chosen: readonly (ContainerInstanceStatus | undefined)[] = ['ACTIVE', 'DRAINING']
  return chosen.includes(status as ContainerInstanceStatus | undefined)
}

/** The ARNs meant, for authorization: of a cluster that is not there, as if it were. */
function instanceArns(
  context: Context,
  clusterRef: string | undefined,
  refs: readonly string[],
): readonly string[] {
  const clusterArn = clusterArnOf(context, clusterRef)
  const prefix = clusterArn.replace(':cluster/', ':container-instance/')
  return refs.map((ref) => (ref.startsWith('arn:') ? ref : `${prefix}/${ref}`))
}

function parsedFilter(filter: string): Query {
  try {
    return parseQuery(filter)
  } catch (error) {
    if (!(error instanceof QueryError)) throw error
    throw new AwsError('InvalidParameterException', `Invalid filter '${filter}': ${error.message}`)
  }
}

function isMatch({ fleet }: Context, query: Query, instance: ContainerInstance): boolean {
  const load = fleet.instance(instance.containerInstanceArn)
  if (!load) return false
  const { attributes, groups, runningTasksCount } = load
  return matches(query, { instance, attributes, groups, runningTasksCount })
}

/** The wanted container instances of the cluster in the order of their ARNs, those after one of them or all. */
export function* instancesAfter(
  view: View,
  { clusterArn }: Cluster,
  after: string | undefined,
  isWanted: (row: ContainerInstance) => boolean,
): Generator<ContainerInstance> {
  for (const row of view.after('containerInstance', 'cluster', clusterArn, after))
    if (isWanted(row)) yield row
}
