import type {
  Failure,
  GetTaskProtectionRequest,
  GetTaskProtectionResponse,
  ProtectedTask,
  UpdateTaskProtectionRequest,
  UpdateTaskProtectionResponse,
} from '@aws-sdk/client-ecs'
import type { Operation } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import { protect, protectionEnd, protectionMinutes, unprotect } from '#domain/task-protection.ts'
import type { Task } from '#domain/task.ts'
import type { View } from '#state/store.ts'
import { refuse } from './placement-checks.ts'
import { resolveCluster } from '#api/ecs/resolve.ts'
import { taskArnOf, taskResources } from './task-reference.ts'

const updatedTasksMax = 10
const shownTasksMax = 100

/** Which tasks of services are protected from scaling in and from deployments, and until when. */
export const getTaskProtection: Operation<GetTaskProtectionRequest, GetTaskProtectionResponse> = {
  resources: (context, input) => taskResources(context, input.cluster, input.tasks ?? []),
  run: (context, input) => {
    const { store, clock } = context
    const cluster = resolveCluster(store, context, input.cluster)
    const arns = arnsAsked(cluster, input.tasks, shownTasksMax)
    const found = arns.map((arn) => protectable(store, arn))
    return {
      protectedTasks: found.flatMap((result) =>
        'failure' in result ? [] : [showProtection(result, clock.now())],
      ),
      failures: found.flatMap((result) => ('failure' in result ? [result.failure] : [])),
    }
  },
}

/**
 * Protects tasks for a while, from now on though they may be protected already, or ends their protection. They are
 * still stopped by StopTask, with their deleted service and when they are unhealthy.
 */
export const updateTaskProtection: Operation<UpdateTaskProtectionRequest, UpdateTaskProtectionResponse> = {
  resources: (context, input) => taskResources(context, input.cluster, input.tasks ?? []),
  run: (context, input) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const arns = arnsAsked(cluster, input.tasks, updatedTasksMax)
      const { least, most, usual } = protectionMinutes
      const { protectionEnabled, expiresInMinutes: minutes = usual } = input
      if (minutes < least || minutes > most) refuse(`expiresInMinutes must be between ${least} and ${most}.`)
      const now = context.clock.now()
      const protectedTasks: ProtectedTask[] = []
      const failures: Failure[] = []
      for (const arn of arns) {
        const task = protectable(tx, arn)
        if ('failure' in task) failures.push(task.failure)
        else if (protectionEnabled && isBlocked(tx, task, now))
          failures.push({ arn, reason: 'DEPLOYMENT_BLOCKED' })
        else {
          const updated = protectionEnabled ? protect(task, minutes, now) : unprotect(task)
          tx.put('task', updated)
          protectedTasks.push(showProtection(updated, now))
        }
      }
      return { protectedTasks, failures }
    }),
}

/** What AWS answers when none is named is not known; an empty answer would look as if none were protected. */
function arnsAsked(cluster: Cluster, refs: readonly string[] = [], most: number): readonly string[] {
  if (refs.length === 0) refuse('Tasks cannot be empty.')
  if (refs.length > most) refuse(`taskIds can have at most ${most} items.`)
  return [...new Set(refs.map((ref) => taskArnOf(cluster, ref)))]
}

function protectable(view: View, arn: string): Task | { readonly failure: Failure } {
  const task = view.find('task', arn)
  if (!task) return { failure: { arn, reason: 'MISSING' } }
  return task.serviceArn === undefined ? { failure: { arn, reason: 'TASK_NOT_VALID' } } : task
}

/**
 * No more protection is given while more of a service's tasks are protected than it is to have: they keep it from its
 * steady state. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection.html
 */
function isBlocked(view: View, { serviceArn = '' }: Task, now: number): boolean {
  const desired = view.find('service', serviceArn)?.desiredCount ?? 0
  const standing = view
    .by('task', 'protected', serviceArn)
    .filter((task) => task.desiredStatus === 'RUNNING' && protectionEnd(task, now) !== undefined)
  return standing.length > desired
}

function showProtection(task: Task, now: number): ProtectedTask {
  const end = protectionEnd(task, now)
  return {
    taskArn: task.taskArn,
    protectionEnabled: end !== undefined,
    ...(end !== undefined && { expirationDate: new Date(end) }),
  }
}
