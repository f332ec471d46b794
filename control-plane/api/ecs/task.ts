import type {
  DescribeTasksRequest,
  DescribeTasksResponse,
  ListTasksRequest,
  ListTasksResponse,
  StopTaskRequest,
  StopTaskResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import { requestStop, type Task } from '#domain/task.ts'
import type { View } from '#state/store.ts'
import { pageInOrder } from '#api/page.ts'
import { checkLaunchType, checkOneOf, refuse } from './placement-checks.ts'
import {
  arnInCluster,
  clusterArnOf,
  findCluster,
  resolveCluster,
  resolveContainerInstance,
} from './resolve.ts'
import { showTask } from './show-task.ts'

const describedTasksMax = 100
const listedTasksMax = 100

/** Asks for a task to be stopped. Its agent does it, and reports it; a stopped task is answered as it is. */
export const stopTask: Operation<StopTaskRequest, StopTaskResponse> = {
  resources: (context, input) => taskResources(context, input.cluster, [input.task ?? '']),
  run: (context, input) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const task = tx.find('task', arnInCluster(cluster, 'task', input.task ?? ''))
      if (!task) return refuse('The referenced task was not found.')
      const stopping = requestStop(task, {
        stopCode: 'UserInitiated',
        stoppedReason: input.reason || 'Task stopped by user',
        now: context.clock.now(),
      })
      tx.put('task', stopping)
      // https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html: its tags go at once.
      tx.delete('resourceTags', task.taskArn)
      return { task: showTask(stopping, tx) }
    }),
}

export const describeTasks: Operation<DescribeTasksRequest, DescribeTasksResponse> = {
  resources: (context, input) => taskResources(context, input.cluster, input.tasks ?? []),
  run: (context, input) => {
    const refs = input.tasks ?? []
    if (refs.length === 0) refuse('Tasks cannot be empty.')
    if (refs.length > describedTasksMax) refuse(`tasks can have at most ${describedTasksMax} items.`)
    const { store } = context
    const cluster = resolveCluster(store, context, input.cluster)
    const arns = [...new Set(refs.map((ref) => arnInCluster(cluster, 'task', ref)))]
    const tagsFrom = input.include?.includes('TAGS') ? store : undefined
    return {
      tasks: arns.flatMap((arn) => {
        const task = store.find('task', arn)
        return task ? [showTask(task, tagsFrom)] : []
      }),
      failures: arns.filter((arn) => !store.find('task', arn)).map((arn) => ({ arn, reason: 'MISSING' })),
    }
  },
}

/** The ARNs of tasks, of those that are to run unless the caller asks for the stopped ones. */
export const listTasks: Operation<ListTasksRequest, ListTasksResponse> = {
  resources: (context, { cluster, containerInstance }) => {
    const found = containerInstance === undefined ? undefined : findCluster(context.store, context, cluster)
    return found ? [arnInCluster(found, 'container-instance', containerInstance ?? '')] : ['*']
  },
  run: (context, input) => {
    const cluster = resolveCluster(context.store, context, input.cluster)
    const tasksAfter = tasksListed(context.store, cluster, input)
    const { nextToken, maxResults, ...filters } = input
    const { rows, nextToken: next } = pageInOrder(
      tasksAfter,
      {
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

/**
 * Each filter names an index and the key to look under; the tasks come from the index with the fewest and are tested
 * for all. Indexes by instance and service leave out STOPPED tasks, so they serve only where none is wanted.
 */
function tasksListed(
  view: View,
  cluster: Cluster,
  input: ListTasksRequest,
): (taskArn: string | undefined) => Iterable<Task> {
  const { family, startedBy, containerInstance, serviceName, launchType } = input
  if (startedBy !== undefined && [family, containerInstance, serviceName, launchType].some(Boolean))
    refuse('startedBy must be the only filter.')
  if (input.daemonName !== undefined)
    throw new AwsError('DaemonNotFoundException', 'The specified daemon was not found.')
  checkLaunchType(launchType)
  checkOneOf('desiredStatus', input.desiredStatus, ['RUNNING', 'PENDING', 'STOPPED'])
  // PENDING may be asked for, but no task's desired status ever is: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
  const { desiredStatus = 'RUNNING' } = input
  const { clusterArn } = cluster
  const service = serviceName === undefined ? undefined : serviceArnOf(view, cluster, serviceName)
  const instance =
    containerInstance === undefined
      ? undefined
      : resolveContainerInstance(view, cluster, containerInstance).containerInstanceArn

  const places: Array<
    readonly ['desired' | 'family' | 'startedBy' | 'service' | 'containerInstance', string]
  > = [['desired', `${clusterArn} ${desiredStatus}`]]
  if (family !== undefined) places.push(['family', `${clusterArn} ${family}`])
  if (startedBy !== undefined) places.push(['startedBy', `${clusterArn} ${startedBy}`])
  if (desiredStatus === 'RUNNING' && service !== undefined) places.push(['service', service])
  if (desiredStatus === 'RUNNING' && instance !== undefined) places.push(['containerInstance', instance])
  const [index, key] = places.reduce((best, place) =>
    view.count('task', ...place) < view.count('task', ...best) ? place : best,
  )
  const familyIn = new RegExp(`/${RegExp.escape(family ?? '')}:\\d+$`)
  const isWanted = (task: Task): boolean =>
    task.clusterArn === clusterArn &&
    task.desiredStatus === desiredStatus &&
    (family === undefined || familyIn.test(task.taskDefinitionArn)) &&
    (startedBy === undefined || task.startedBy === startedBy) &&
    (service === undefined || task.serviceArn === service) &&
    (instance === undefined || task.containerInstanceArn === instance) &&
    (launchType === undefined || task.launchType === launchType)
  return (taskArn) => Iterator.from(view.after('task', index, key, taskArn)).filter(isWanted)
}

function serviceArnOf(view: View, cluster: Cluster, serviceName: string): string {
  const service = view.find('service', arnInCluster(cluster, 'service', serviceName))
  if (!service) throw new AwsError('ServiceNotFoundException', 'Service not found.')
  return service.serviceArn
}

function taskResources(
  context: Context,
  clusterRef: string | undefined,
  refs: readonly string[],
): readonly string[] {
  const cluster = findCluster(context.store, context, clusterRef)
  return cluster ? refs.map((ref) => arnInCluster(cluster, 'task', ref)) : [clusterArnOf(context, clusterRef)]
}
