import type {
  DaemonTaskDefinition as ShownDaemonTaskDefinition,
  DaemonTaskDefinitionSummary,
  DeleteDaemonTaskDefinitionRequest,
  DeleteDaemonTaskDefinitionResponse,
  DescribeDaemonTaskDefinitionRequest,
  DescribeDaemonTaskDefinitionResponse,
  ListDaemonTaskDefinitionsRequest,
  ListDaemonTaskDefinitionsResponse,
  RegisterDaemonTaskDefinitionRequest,
  RegisterDaemonTaskDefinitionResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import { page } from '#api/page.ts'
import { scopeKey } from '#domain/arn.ts'
import { daemonDraftOf, type DaemonTaskDefinition } from '#domain/daemon-task-definition.ts'
import { requiresAttributesOf } from '#domain/task-definition-attributes.ts'
import type { TaskDefinitionDraft } from '#domain/task-definition-draft.ts'
import { taskDefinitionProblems } from '#domain/task-definition-rules.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import type { Transaction } from '#state/store.ts'
import { familyKey } from '#state/tables.ts'
import {
  daemonTaskDefinitionArn,
  findDaemonTaskDefinition,
  resolveDaemonTaskDefinition,
} from './daemon-resolve.ts'
import { checkOneOf, unsupported } from '#api/ecs/tasks/placement-checks.ts'
import { checkedTags, putTags } from '#api/ecs/tag.ts'

const requestLengthMax = 65_536
const listedMax = 100

export const registerDaemonTaskDefinition: Operation<
  RegisterDaemonTaskDefinitionRequest,
  RegisterDaemonTaskDefinitionResponse
> = {
  resources: ({ scope }, { family = '' }) => [daemonTaskDefinitionArn(scope, family, '*')],
  run: (context, input) => {
    checkRequest(input)
    const { shown, plain } = daemonDraftOf(input)
    const [problem] = taskDefinitionProblems(plain, context.scope.accountId)
    if (problem !== undefined) throw new AwsError('ClientException', problem)
    requireMemory(shown)
    if (input.volumes?.some(({ logDriverVolumeConfiguration: volume }) => volume))
      unsupported('log driver volumes', 'Use a volume with a host path.')
    const tags = checkedTags(input.tags)
    return context.store.update((tx) => {
      const row = newRevision(tx, context, shown)
      tx.put('daemonTaskDefinition', row)
      tx.put('taskDefinition', plainRow(context, row, plain))
      putTags(tx, row.daemonTaskDefinitionArn, tags)
      return { daemonTaskDefinitionArn: row.daemonTaskDefinitionArn }
    })
  },
}

export const describeDaemonTaskDefinition: Operation<
  DescribeDaemonTaskDefinitionRequest,
  DescribeDaemonTaskDefinitionResponse
> = {
  resources: (context, { daemonTaskDefinition: ref = '' }) => revisionResources(context, ref),
  run: (context, { daemonTaskDefinition: ref = '' }) => ({
    daemonTaskDefinition: showDaemonTaskDefinition(resolveDaemonTaskDefinition(context.store, context, ref)),
  }),
}

/** Daemons that use it go on: it is DELETED when no daemon and no task refers to it any more. */
export const deleteDaemonTaskDefinition: Operation<
  DeleteDaemonTaskDefinitionRequest,
  DeleteDaemonTaskDefinitionResponse
> = {
  resources: (context, { daemonTaskDefinition: ref = '' }) => revisionResources(context, ref),
  run: (context, { daemonTaskDefinition: ref = '' }) =>
    context.store.update((tx) => {
      if (!/:\d+$/.test(ref)) throw new AwsError('ClientException', 'Revision is missing.')
      const found = resolveDaemonTaskDefinition(tx, context, ref)
      if (found.status !== 'ACTIVE')
        throw new AwsError(
          'ClientException',
          'The specified daemon task definition is already being deleted.',
        )
      tx.put('daemonTaskDefinition', {
        ...found,
        status: 'DELETE_IN_PROGRESS',
        deleteRequestedAt: context.clock.now(),
      })
      return { daemonTaskDefinitionArn: found.daemonTaskDefinitionArn }
    }),
}

export const listDaemonTaskDefinitions: Operation<
  ListDaemonTaskDefinitionsRequest,
  ListDaemonTaskDefinitionsResponse
> = {
  resources: () => ['*'],
  run: (context, input) => {
    const { store, scope } = context
    const { familyPrefix = '', family, revision, status = 'ACTIVE', sort = 'ASC' } = input
    checkOneOf('status', status, ['ACTIVE', 'DELETE_IN_PROGRESS', 'ALL'])
    checkOneOf('sort', sort, ['ASC', 'DESC'])
    checkOneOf('revision', revision, ['LAST_REGISTERED'])
    const all =
      family === undefined
        ? store.by('daemonTaskDefinition', 'scope', scopeKey(scope))
        : store.by('daemonTaskDefinition', 'family', familyKey({ ...scope, family }))
    const { rows, ...rest } = page(
      all.filter(
        (row) =>
          row.family.startsWith(familyPrefix) &&
          (status === 'ALL' || row.status === status) &&
          (revision === undefined || isLast(context, row)),
      ),
      {
        context,
        maxResults: input.maxResults,
        nextToken: input.nextToken,
        limit: listedMax,
        default: listedMax,
        parameters: { operation: 'ListDaemonTaskDefinitions', familyPrefix, family, revision, status, sort },
        descending: sort === 'DESC',
      },
      (row) => `${row.family} ${String(row.revision).padStart(8, '0')}`,
    )
    return { daemonTaskDefinitions: rows.map(showSummary), ...rest }
  },
}

function isLast({ store }: Context, row: DaemonTaskDefinition): boolean {
  return store.find('daemonTaskDefinitionFamily', familyKey(row))?.lastRevision === row.revision
}

function revisionResources(context: Context, ref: string): readonly string[] {
  const found = findDaemonTaskDefinition(context.store, context, ref)
  const [family = '', revision] = ref.split(':')
  return [
    found?.daemonTaskDefinitionArn ??
      (ref.startsWith('arn:')
        ? ref
        : daemonTaskDefinitionArn(context.scope, family, Number(revision) || '*')),
  ]
}

function checkRequest(input: RegisterDaemonTaskDefinitionRequest): void {
  const length = Buffer.byteLength(JSON.stringify(input))
  if (length > requestLengthMax)
    throw new AwsError(
      'ClientException',
      `Actual length: '${length}'. Max allowed length is '${requestLengthMax}' bytes.`,
    )
  if (input.tags?.length === 0) throw new AwsError('ClientException', 'Tags can not be empty.')
  checkOneOf('pidMode', input.pidMode, ['none', 'shared'])
  checkOneOf('ipcMode', input.ipcMode, ['none', 'shared'])
  for (const { name, host, logDriverVolumeConfiguration: volume } of input.volumes ?? []) {
    if (volume && volume.driver !== 'json-file')
      throw new AwsError('ClientException', `Volume '${name}': the only supported log driver is json-file.`)
    if (volume && host)
      throw new AwsError('ClientException', `Volume '${name}' must have exactly one kind of configuration.`)
  }
}

/** The size of the task does not stand in for that of its containers, as it does elsewhere. Throws ClientException. */
function requireMemory({ containerDefinitions }: ReturnType<typeof daemonDraftOf>['shown']): void {
  for (const { name, memory, memoryReservation } of containerDefinitions)
    if (memory === undefined && memoryReservation === undefined)
      throw new AwsError(
        'ClientException',
        `Invalid setting for container '${name}'. At least one of 'memory' or 'memoryReservation' must be specified.`,
      )
}

function newRevision(
  tx: Transaction,
  { scope, caller, clock }: Context,
  draft: ReturnType<typeof daemonDraftOf>['shown'],
): DaemonTaskDefinition {
  const { family } = draft
  const last = tx.find('daemonTaskDefinitionFamily', familyKey({ ...scope, family }))?.lastRevision ?? 0
  const revision = last + 1
  tx.put('daemonTaskDefinitionFamily', { ...scope, family, lastRevision: revision })
  return {
    ...scope,
    ...draft,
    daemonTaskDefinitionArn: daemonTaskDefinitionArn(scope, family, revision),
    revision,
    status: 'ACTIVE',
    registeredAt: clock.now(),
    registeredBy: caller.arn,
  }
}

/** What tasks of the daemon are made from and agents are told. */
function plainRow(
  { scope, installation }: Context,
  { daemonTaskDefinitionArn: taskDefinitionArn, revision, registeredAt, registeredBy }: DaemonTaskDefinition,
  draft: TaskDefinitionDraft,
): TaskDefinition {
  return {
    ...scope,
    ...draft,
    taskDefinitionArn,
    daemon: true,
    revision,
    status: 'ACTIVE',
    requiresAttributes: requiresAttributesOf(draft, installation.registryHost),
    compatibilities: ['MANAGED_INSTANCES'],
    registeredAt,
    registeredBy,
  }
}

function showDaemonTaskDefinition(row: DaemonTaskDefinition): ShownDaemonTaskDefinition {
  const { accountId: _accountId, region: _region, deletedAt: _deletedAt, ...shown } = row
  const { containerDefinitions, volumes, registeredAt, deleteRequestedAt, ...rest } = shown
  return {
    ...rest,
    containerDefinitions: [...containerDefinitions],
    volumes: [...volumes],
    registeredAt: new Date(registeredAt),
    ...(deleteRequestedAt !== undefined && { deleteRequestedAt: new Date(deleteRequestedAt) }),
  }
}

function showSummary(row: DaemonTaskDefinition): DaemonTaskDefinitionSummary {
  return {
    arn: row.daemonTaskDefinitionArn,
    registeredAt: new Date(row.registeredAt),
    registeredBy: row.registeredBy,
    ...(row.deleteRequestedAt !== undefined && { deleteRequestedAt: new Date(row.deleteRequestedAt) }),
    status: row.status,
  }
}
