import type {
  DeleteTaskDefinitionsRequest,
  DeleteTaskDefinitionsResponse,
  DeregisterTaskDefinitionRequest,
  DeregisterTaskDefinitionResponse,
  DescribeTaskDefinitionRequest,
  DescribeTaskDefinitionResponse,
  Failure,
  RegisterTaskDefinitionRequest,
  RegisterTaskDefinitionResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import { arnName, formatArn } from '#domain/arn.ts'
import { requiresAttributesOf } from '#domain/task-definition-attributes.ts'
import { compatibilitiesOf } from '#domain/task-definition-compatibility.ts'
import { draftOf, type TaskDefinitionDraft } from '#domain/task-definition-draft.ts'
import { taskDefinitionProblems } from '#domain/task-definition-rules.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import type { Transaction } from '#state/store.ts'
import { familyKey } from '#state/tables.ts'
import { checkOneOf, unsupported } from '#api/ecs/tasks/placement-checks.ts'
import { findTaskDefinition } from '#api/ecs/resolve.ts'
import { showTaskDefinition } from './show-task-definition.ts'
import { checkedTags, putTags, showTags } from '#api/ecs/tag.ts'

/** Of the request as JSON, in bytes. */
const requestLengthMax = 65_536
const revisionMax = 1_000_000

export const registerTaskDefinition: Operation<
  RegisterTaskDefinitionRequest,
  RegisterTaskDefinitionResponse
> = {
  resources: (context, { family }) => [formatArn(context.scope, 'ecs', `task-definition/${family}:*`)],
  run: (context, input) => {
    checkRequest(input)
    const draft = draftOf(input)
    const [problem] = taskDefinitionProblems(draft, context.scope.accountId)
    if (problem !== undefined) throw new AwsError('ClientException', problem)
    checkSupported(draft)
    const tags = checkedTags(input.tags)
    return context.store.update((tx) => {
      const taskDefinition = newRevision(tx, context, draft)
      tx.put('taskDefinition', taskDefinition)
      putTags(tx, taskDefinition.taskDefinitionArn, tags)
      return {
        taskDefinition: showTaskDefinition(taskDefinition),
        ...(input.tags && { tags: showTags(tx, taskDefinition.taskDefinitionArn) }),
      }
    })
  },
}

export const describeTaskDefinition: Operation<
  DescribeTaskDefinitionRequest,
  DescribeTaskDefinitionResponse
> = {
  resources: () => ['*'],
  run: (context, { taskDefinition: ref = '', include = [] }) => {
    requireReference(ref)
    for (const field of include) checkOneOf('include', field, ['TAGS'])
    const found = findTaskDefinition(context.store, context, ref)
    if (!found) throw unableToDescribe()
    return {
      taskDefinition: showTaskDefinition(found),
      ...(include.includes('TAGS') && { tags: showTags(context.store, found.taskDefinitionArn) }),
    }
  },
}

export const deregisterTaskDefinition: Operation<
  DeregisterTaskDefinitionRequest,
  DeregisterTaskDefinitionResponse
> = {
  resources: () => ['*'],
  run: (context, { taskDefinition: ref = '' }) =>
    context.store.update((tx) => {
      requireReference(ref)
      requireRevision(ref)
      const found = findTaskDefinition(tx, context, ref)
      if (!found) throw unableToDescribe()
      if (found.status !== 'ACTIVE') return { taskDefinition: showTaskDefinition(found) }
      const inactive: TaskDefinition = {
        ...found,
        status: 'INACTIVE',
        deregisteredAt: context.clock.now(),
      }
      tx.put('taskDefinition', inactive)
      return { taskDefinition: showTaskDefinition(inactive) }
    }),
}

export const deleteTaskDefinitions: Operation<DeleteTaskDefinitionsRequest, DeleteTaskDefinitionsResponse> = {
  resources: (context, { taskDefinitions = [] }) =>
    taskDefinitions.map((ref) =>
      ref.startsWith('arn:') ? ref : formatArn(context.scope, 'ecs', `task-definition/${ref}`),
    ),
  run: (context, { taskDefinitions: refs = [] }) => {
    if (refs.length === 0)
      throw new AwsError(
        'InvalidParameterException',
        'size of TaskDefinition references list must be greater than 0',
      )
    if (refs.length > 10)
      throw new AwsError(
        'InvalidParameterException',
        'Size of TaskDefinition references list cannot exceed 10',
      )
    return context.store.update((tx) => {
      const taskDefinitions: TaskDefinition[] = []
      const failures: Failure[] = []
      for (const ref of refs) {
        if (!namesRevision(ref)) {
          failures.push({ arn: ref, reason: notAnIdentifier })
          continue
        }
        const found = findTaskDefinition(tx, context, ref)
        if (!found) failures.push({ arn: ref, reason: notThere })
        else if (found.status === 'ACTIVE')
          failures.push({ arn: found.taskDefinitionArn, reason: stillActive })
        else taskDefinitions.push(putDeleting(tx, found, context.clock.now()))
      }
      return { taskDefinitions: taskDefinitions.map(showTaskDefinition), failures }
    })
  },
}

const notAnIdentifier =
  'The specified task definition identifier is invalid. Specify a valid name or ARN and try again.'
const notThere =
  'The specified task definition does not exist. Specify a valid account, family, revision and try again.'
const stillActive =
  'The specified task definition is still in ACTIVE status. Please deregister the target and try again.'

/** A revision on its way out: the reaper forgets it when nothing refers to it any more. */
function putDeleting(tx: Transaction, found: TaskDefinition, now: number): TaskDefinition {
  if (found.status === 'DELETE_IN_PROGRESS') return found
  const deleting: TaskDefinition = { ...found, status: 'DELETE_IN_PROGRESS', deleteRequestedAt: now }
  tx.put('taskDefinition', deleting)
  return deleting
}

/** Whether the reference is of one revision: `FAMILY:REVISION` or the ARN of one. */
function namesRevision(ref: string): boolean {
  return /^(?:arn:[^/]+:task-definition\/)?[A-Za-z0-9_-]{1,255}:\d+$/.test(ref)
}

function requireReference(ref: string): void {
  if (ref === '') throw new AwsError('InvalidParameterException', 'TaskDefinition can not be blank.')
}

function requireRevision(ref: string): void {
  if (!arnName(ref).includes(':')) throw new AwsError('ClientException', 'Revision is missing.')
}

function unableToDescribe(): AwsError {
  return new AwsError('ClientException', 'Unable to describe task definition.')
}

function checkRequest(input: RegisterTaskDefinitionRequest): void {
  const length = Buffer.byteLength(JSON.stringify(input))
  if (length > requestLengthMax)
    throw new AwsError(
      'ClientException',
      `Actual length: '${length}'. Max allowed length is '${requestLengthMax}' bytes.`,
    )
  if (input.inferenceAccelerators !== undefined)
    throw new AwsError('ClientException', "Unsupported field 'inferenceAccelerators'.")
  if (input.tags?.length === 0) throw new AwsError('ClientException', 'Tags can not be empty.')
}

/** Placement and the agent count whole GPUs. Throws UnsupportedFeatureException. */
function checkSupported({ containerDefinitions }: TaskDefinitionDraft): void {
  for (const { resourceRequirements = [] } of containerDefinitions)
    for (const { type, value, sharingStrategy } of resourceRequirements)
      if (sharingStrategy !== undefined || (type === 'GPU' && value === 'ALL'))
        unsupported('GPUs that are shared or given all', 'Give their number as the value.')
}

function newRevision(tx: Transaction, context: Context, draft: TaskDefinitionDraft): TaskDefinition {
  const { scope } = context
  const { family } = draft
  const revision = (tx.find('taskDefinitionFamily', familyKey({ ...scope, family }))?.lastRevision ?? 0) + 1
  if (revision > revisionMax)
    throw new AwsError('ClientException', `A family can have at most ${revisionMax} revisions.`)
  tx.put('taskDefinitionFamily', { ...scope, family, lastRevision: revision })
  return {
    ...scope,
    ...draft,
    taskDefinitionArn: formatArn(scope, 'ecs', `task-definition/${family}:${revision}`),
    revision,
    status: 'ACTIVE',
    requiresAttributes: requiresAttributesOf(draft, context.installation.registryHost),
    compatibilities: compatibilitiesOf(draft),
    registeredAt: context.clock.now(),
    registeredBy: context.caller.arn,
  }
}
