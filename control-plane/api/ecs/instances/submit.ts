/**
 * How agents report. A repeated or old report changes nothing, so an agent may send one as often as it likes.
 *
 * An agent drops an event that is answered with InvalidParameterException, and sends it again for ever on any other
 * error. So that, and nothing else, is the answer to a report that can never be taken: of a task that is forgotten, of
 * a cluster that is gone.
 */
import type {
  AttachmentStateChange,
  ContainerStateChange,
  ManagedAgentStateChange,
  SubmitAttachmentStateChangesRequest,
  SubmitAttachmentStateChangesResponse,
  SubmitContainerStateChangeRequest,
  SubmitContainerStateChangeResponse,
  SubmitTaskStateChangeRequest,
  SubmitTaskStateChangeResponse,
} from '@aws-sdk/client-ecs'
import type { Context, Operation } from '#api/operation.ts'
import { maySpeakFor } from '#domain/fargate.ts'
import { arnName } from '#domain/arn.ts'
import { type ManagedAgentReport, observeManagedAgents } from '#domain/managed-agent.ts'
import { type ContainerReport, observeTask, type TaskReport } from '#domain/task.ts'
import { refuse } from '#api/ecs/tasks/placement-checks.ts'
import { clusterArnOf, findCluster, arnInCluster } from '#api/ecs/resolve.ts'

const statuses = ['PENDING', 'RUNNING', 'STOPPED'] as const
const acknowledgment = 'ok'

export const submitTaskStateChange: Operation<SubmitTaskStateChangeRequest, SubmitTaskStateChangeResponse> = {
  resources: clusterResources,
  run: (context, input) => {
    const { pullStartedAt, pullStoppedAt, executionStoppedAt } = input
    report(
      context,
      input,
      {
        ...(input.status !== undefined && { status: statusOf(input.status) }),
        ...(input.reason && { reason: input.reason }),
        containers: (input.containers ?? []).map(containerReport),
        attached: attachedIds(input.attachments),
        ...(pullStartedAt && { pullStartedAt: pullStartedAt.getTime() }),
        ...(pullStoppedAt && { pullStoppedAt: pullStoppedAt.getTime() }),
        ...(executionStoppedAt && { executionStoppedAt: executionStoppedAt.getTime() }),
      },
      (input.managedAgents ?? []).map(managedAgentReport),
    )
    return { acknowledgment }
  },
}

export const submitContainerStateChange: Operation<
  SubmitContainerStateChangeRequest,
  SubmitContainerStateChangeResponse
> = {
  resources: clusterResources,
  run: (context, input) => {
    report(context, input, { containers: [containerReport(input)] })
    return { acknowledgment }
  },
}

/** Agents confirm by it what was attached to their host. Of tasks' interfaces they say so with their task as a rule. */
export const submitAttachmentStateChanges: Operation<
  SubmitAttachmentStateChangesRequest,
  SubmitAttachmentStateChangesResponse
> = {
  resources: clusterResources,
  run: (context, { attachments = [] }) => {
    context.store.update((tx) => {
      for (const id of attachments.map(({ attachmentArn = '' }) => arnName(attachmentArn))) {
        const row = tx.by('networkInterface', 'attachment', id)[0]
        const task = row && tx.find('task', row.taskArn ?? '')
        if (!task || !maySpeakFor(context.scope, task))
          return refuse('The referenced attachment was not found.')
      }
      for (const id of attachedIds(attachments)) {
        const task = tx.find('task', tx.by('networkInterface', 'attachment', id)[0]?.taskArn ?? '')
        const observed =
          task && observeTask(task, { now: context.clock.now(), containers: [], attached: [id] })
        if (observed && observed !== task) tx.put('task', observed)
      }
    })
    return { acknowledgment }
  },
}

function attachedIds(attachments: readonly AttachmentStateChange[] = []): readonly string[] {
  return attachments.flatMap(({ attachmentArn = '', status }) =>
    status === 'ATTACHED' ? [arnName(attachmentArn)] : [],
  )
}

function report(
  context: Context,
  { cluster, task: ref = '' }: SubmitContainerStateChangeRequest,
  taskReport: Omit<TaskReport, 'now'>,
  managedAgents: readonly ManagedAgentReport[] = [],
): void {
  context.store.update((tx) => {
    // Agents name tasks by ARN, which says all: the cluster may be INACTIVE by now, its name taken.
    const found = ref.startsWith('arn:') ? undefined : findCluster(tx, context, cluster)
    const task = tx.find('task', found ? arnInCluster(found, 'task', ref) : ref)
    if (!task || !maySpeakFor(context.scope, task)) return refuse('The referenced task was not found.')
    const taskDefinition = tx.find('taskDefinition', task.taskDefinitionArn)
    const now = context.clock.now()
    const observed = observeTask(task, { ...taskReport, now }, taskDefinition)
    const seen = observeManagedAgents(observed, managedAgents, now)
    if (seen !== task) tx.put('task', seen)
  })
}

function managedAgentReport({
  containerName = '',
  managedAgentName,
  status = '',
  reason,
}: ManagedAgentStateChange): ManagedAgentReport {
  return {
    containerName,
    managedAgentName: managedAgentName ?? '',
    status: statusOf(status),
    ...(reason && { reason }),
  }
}

function containerReport(
  change: ContainerStateChange & { readonly status?: string | undefined },
): ContainerReport {
  const { containerName = '', runtimeId, imageDigest, exitCode, reason, networkBindings } = change
  return {
    name: containerName,
    ...(change.status !== undefined && { status: statusOf(change.status) }),
    ...(runtimeId !== undefined && { runtimeId }),
    ...(imageDigest !== undefined && { imageDigest }),
    ...(exitCode !== undefined && { exitCode }),
    ...(reason !== undefined && { reason }),
    ...(networkBindings && { networkBindings }),
  }
}

function statusOf(text: string): (typeof statuses)[number] {
  return (
    statuses.find((status) => status === text) ?? refuse(`status should be one of [${statuses.join(',')}]`)
  )
}

function clusterResources(
  context: Context,
  { cluster }: { readonly cluster?: string | undefined },
): string[] {
  return [clusterArnOf(context, cluster)]
}
