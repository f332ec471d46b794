import type {
  DeleteTaskSetRequest,
  DeleteTaskSetResponse,
  DescribeTaskSetsRequest,
  DescribeTaskSetsResponse,
  TaskSet as TaskSetShape,
  UpdateServicePrimaryTaskSetRequest,
  UpdateServicePrimaryTaskSetResponse,
  UpdateTaskSetRequest,
  UpdateTaskSetResponse,
} from '@aws-sdk/client-ecs'
import type { Operation } from '#api/operation.ts'
import type { Service } from '#domain/service.ts'
import { type TaskSet, withPrimary } from '#domain/task-set.ts'
import type { Transaction } from '#state/store.ts'
import { forgetTaskSet } from '#state/task-sets.ts'
import { checkOneOf, refuse } from '#api/ecs/tasks/placement-checks.ts'
import { resolveCluster } from '#api/ecs/resolve.ts'
import { serviceResources } from './service-reference.ts'
import { showTaskSet } from './show-task-set.ts'
import { checkedScale } from './task-set-create.ts'
import {
  findTaskSet,
  resolveExternalService,
  resolveTaskSet,
  taskSetArn,
  taskSetResources,
} from './task-set-service.ts'

export const describeTaskSets: Operation<DescribeTaskSetsRequest, DescribeTaskSetsResponse> = {
  resources: (context, input) => taskSetResources(context, input, input.taskSets ?? []),
  run: (context, input) => {
    const { taskSets: refs, include = [] } = input
    for (const field of include) checkOneOf('include', field, ['TAGS'])
    if (refs?.length === 0) refuse('TaskSets cannot be empty.')
    const { store } = context
    const cluster = resolveCluster(store, context, input.cluster)
    const service = resolveExternalService(store, cluster, input.service ?? '')
    // Whoever names none is shown all.
    const arns = refs
      ? [...new Set(refs.map((ref) => taskSetArn(cluster, service, ref)))]
      : store.by('taskSet', 'service', service.serviceArn).map((taskSet) => taskSet.taskSetArn)
    return {
      taskSets: arns.flatMap((arn) => {
        const taskSet = findTaskSet(store, service, arn)
        return taskSet ? [showTaskSet(store, service, taskSet, { tags: include.includes('TAGS') })] : []
      }),
      failures: arns
        .filter((arn) => !findTaskSet(store, service, arn))
        .map((arn) => ({ arn, reason: 'MISSING' })),
    }
  },
}

/** Changes how much of the service a task set runs; nothing else of it can be changed. */
export const updateTaskSet: Operation<UpdateTaskSetRequest, UpdateTaskSetResponse> = {
  resources: (context, input) => taskSetResources(context, input, [input.taskSet ?? '']),
  run: (context, input) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const service = resolveExternalService(tx, cluster, input.service ?? '')
      const taskSet = resolveTaskSet(tx, cluster, service, input.taskSet ?? '')
      const scalePercent = checkedScale(input.scale)
      requireStaying(taskSet)
      const updated: TaskSet = { ...taskSet, scalePercent, updatedAt: context.clock.now() }
      tx.put('taskSet', updated)
      return { taskSet: showTaskSet(tx, service, updated, { tags: true, changed: true }) }
    }),
}

/** Makes a task set the one that serves. The service is shown from then on with what its primary task set says. */
export const updateServicePrimaryTaskSet: Operation<
  UpdateServicePrimaryTaskSetRequest,
  UpdateServicePrimaryTaskSetResponse
> = {
  resources: (context, input) => serviceResources(context, input.cluster, [input.service ?? '']),
  run: (context, input) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const service = resolveExternalService(tx, cluster, input.service ?? '')
      const taskSet = resolveTaskSet(tx, cluster, service, input.primaryTaskSet ?? '')
      requireStaying(taskSet)
      const updatedAt = context.clock.now()
      const primary: TaskSet = { ...taskSet, status: 'PRIMARY', updatedAt }
      for (const other of tx.by('taskSet', 'service', service.serviceArn))
        if (other.status === 'PRIMARY') tx.put('taskSet', { ...other, status: 'ACTIVE', updatedAt })
      tx.put('taskSet', primary)
      tx.put('service', withPrimary(service, primary))
      return { taskSet: showTaskSet(tx, service, primary, { tags: true, changed: true }) }
    }),
}

/** Lets a task set drain. It is gone when it has no task left. */
export const deleteTaskSet: Operation<DeleteTaskSetRequest, DeleteTaskSetResponse> = {
  resources: (context, input) => taskSetResources(context, input, [input.taskSet ?? '']),
  run: (context, input) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const service = resolveExternalService(tx, cluster, input.service ?? '')
      const taskSet = resolveTaskSet(tx, cluster, service, input.taskSet ?? '')
      if (taskSet.status === 'PRIMARY') refuse('Primary TaskSet cannot be deleted')
      if (taskSet.scalePercent > 0 && !input.force)
        // No source gives the text.
        refuse('The TaskSet cannot be deleted while it is scaled above 0.')
      return { taskSet: drain(tx, service, taskSet, context.clock.now()) }
    }),
}

function requireStaying({ status }: TaskSet): void {
  if (status === 'DRAINING') refuse('The task set is DRAINING.')
}

/** Shows the task set as it is from now on. Without tasks there is nothing to wait for, and it is forgotten. */
function drain(tx: Transaction, service: Service, taskSet: TaskSet, now: number): TaskSetShape {
  const draining: TaskSet = { ...taskSet, status: 'DRAINING', updatedAt: now }
  const shown = showTaskSet(tx, service, draining, { tags: true, changed: true })
  if (tx.count('task', 'deployment', taskSet.id) > 0) tx.put('taskSet', draining)
  else forgetTaskSet(tx, taskSet)
  return shown
}
