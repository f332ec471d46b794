/** The lists of task definitions and of their families. */
import type {
  ListTaskDefinitionFamiliesRequest,
  ListTaskDefinitionFamiliesResponse,
  ListTaskDefinitionsRequest,
  ListTaskDefinitionsResponse,
  TaskDefinitionStatus,
} from '@aws-sdk/client-ecs'
import type { Operation } from '#api/operation.ts'
import { type Scope, scopeKey } from '#domain/arn.ts'
import type { TaskDefinition, TaskDefinitionFamily } from '#domain/task-definition.ts'
import type { View } from '#state/store.ts'
import { familyKey } from '#state/tables.ts'
import { pageInOrder } from '#api/page.ts'
import { checkOneOf } from '#api/ecs/tasks/placement-checks.ts'

const listedCountMax = 100

export const listTaskDefinitions: Operation<ListTaskDefinitionsRequest, ListTaskDefinitionsResponse> = {
  resources: () => ['*'],
  run: (context, { familyPrefix, status = 'ACTIVE', sort = 'ASC', maxResults, nextToken }) => {
    checkOneOf('status', status, ['ACTIVE', 'INACTIVE', 'DELETE_IN_PROGRESS'])
    checkOneOf('sort', sort, ['ASC', 'DESC'])
    const { store, scope } = context
    const wanted = { scope, status, descending: sort === 'DESC' }
    // The whole name of a family, whatever the parameter's name says.
    const only = familyPrefix === undefined ? undefined : { ...scope, family: familyPrefix }
    const { rows, ...rest } = pageInOrder(
      (after) => (only ? revisionsAfter(store, wanted, only, after) : allAfter(store, wanted, after)),
      {
        context,
        maxResults,
        nextToken,
        limit: listedCountMax,
        default: listedCountMax,
        parameters: { operation: 'ListTaskDefinitions', familyPrefix, status, sort },
      },
      ({ family, revision }) => `${family} ${revision}`,
    )
    return { taskDefinitionArns: rows.map(({ taskDefinitionArn }) => taskDefinitionArn), ...rest }
  },
}

interface Wanted {
  readonly scope: Scope
  readonly status: TaskDefinitionStatus
  readonly descending: boolean
}

/** Revisions of all families by name and number, from where `FAMILY REVISION` stands on. */
function* allAfter(view: View, wanted: Wanted, after: string | undefined): Generator<TaskDefinition> {
  const last = after?.split(' ')[0]
  for (const row of familiesFrom(view, wanted, last))
    yield* revisionsAfter(view, wanted, row, row.family === last ? after : undefined)
}

function* familiesFrom(
  view: View,
  { scope, descending }: Wanted,
  first: string | undefined,
): Generator<TaskDefinitionFamily> {
  if (descending) {
    const families = view.by('taskDefinitionFamily', 'scope', scopeKey(scope))
    yield* families
      .filter(({ family }) => first === undefined || family <= first)
      .toSorted((one, other) => (one.family < other.family ? 1 : -1))
    return
  }
  const key = first === undefined ? undefined : familyKey({ ...scope, family: first })
  const family = key === undefined ? undefined : view.find('taskDefinitionFamily', key)
  if (family) yield family
  yield* view.after('taskDefinitionFamily', 'scope', scopeKey(scope), key)
}

function* revisionsAfter(
  view: View,
  { status, descending }: Wanted,
  family: Scope & { readonly family: string },
  after: string | undefined,
): Generator<TaskDefinition> {
  const last = after === undefined ? undefined : Number(after.split(' ')[1])
  // Registered in the order of their numbers, and so they come.
  const revisions = view.by('taskDefinition', 'familyStatus', `${familyKey(family)} ${status}`)
  for (const row of descending ? revisions.toReversed() : revisions)
    if (last === undefined || (descending ? row.revision < last : row.revision > last)) yield row
}

export const listTaskDefinitionFamilies: Operation<
  ListTaskDefinitionFamiliesRequest,
  ListTaskDefinitionFamiliesResponse
> = {
  resources: () => ['*'],
  run: (context, { familyPrefix = '', status = 'ALL', maxResults, nextToken }) => {
    checkOneOf('status', status, ['ACTIVE', 'INACTIVE', 'ALL'])
    const { store, scope } = context
    const { rows, ...rest } = pageInOrder(
      (after) => familiesAfter(store, scope, { familyPrefix, status }, after),
      {
        context,
        maxResults,
        nextToken,
        limit: listedCountMax,
        default: listedCountMax,
        parameters: { operation: 'ListTaskDefinitionFamilies', familyPrefix, status },
      },
      ({ family }) => family,
    )
    return { families: rows.map(({ family }) => family), ...rest }
  },
}

function* familiesAfter(
  view: View,
  scope: Scope,
  { familyPrefix, status }: { readonly familyPrefix: string; readonly status: 'ACTIVE' | 'INACTIVE' | 'ALL' },
  after: string | undefined,
): Generator<TaskDefinitionFamily> {
  const from = familyKey({ ...scope, family: after ?? familyPrefix })
  const first = after === undefined ? view.find('taskDefinitionFamily', from) : undefined
  if (first && isListed(view, first, status)) yield first
  for (const row of view.after('taskDefinitionFamily', 'scope', scopeKey(scope), from)) {
    if (!row.family.startsWith(familyPrefix)) return
    if (isListed(view, row, status)) yield row
  }
}

/** ACTIVE is a family with an ACTIVE revision. One whose revisions are all gone is remembered for its numbers only. */
function isListed(view: View, row: TaskDefinitionFamily, status: 'ACTIVE' | 'INACTIVE' | 'ALL'): boolean {
  const has = (wanted: TaskDefinitionStatus): boolean =>
    view.count('taskDefinition', 'familyStatus', `${familyKey(row)} ${wanted}`) > 0
  if (has('ACTIVE')) return status !== 'INACTIVE'
  if (status === 'ACTIVE') return false
  return has('INACTIVE') || (status === 'ALL' && has('DELETE_IN_PROGRESS'))
}
