/** The lists of task definitions and of their families. */
import type {
  ListTaskDefinitionFamiliesRequest,
  ListTaskDefinitionFamiliesResponse,
  ListTaskDefinitionsRequest,
  ListTaskDefinitionsResponse,
} from '@aws-sdk/client-ecs'
import type { Operation } from '#api/operation.ts'
import { scopeKey } from '#domain/arn.ts'
import { familyKey } from '#state/tables.ts'
import { page } from '#api/page.ts'
import { checkOneOf } from './placement-checks.ts'

export const listTaskDefinitions: Operation<ListTaskDefinitionsRequest, ListTaskDefinitionsResponse> = {
  resources: () => ['*'],
  run: (context, { familyPrefix, status = 'ACTIVE', sort = 'ASC', maxResults, nextToken }) => {
    checkOneOf('status', status, ['ACTIVE', 'INACTIVE', 'DELETE_IN_PROGRESS'])
    checkOneOf('sort', sort, ['ASC', 'DESC'])
    // The whole name of a family, whatever the parameter's name says.
    const all =
      familyPrefix === undefined
        ? context.store.by('taskDefinition', 'scope', scopeKey(context.scope))
        : context.store.by('taskDefinition', 'family', familyKey({ ...context.scope, family: familyPrefix }))
    const { rows, ...rest } = page(
      all.filter((row) => row.status === status),
      {
        maxResults,
        nextToken,
        limit: 100,
        default: 100,
        parameters: { operation: 'ListTaskDefinitions', familyPrefix, status, sort },
        descending: sort === 'DESC',
      },
      ({ family, revision }) => `${family} ${String(revision).padStart(8, '0')}`,
    )
    return { taskDefinitionArns: rows.map(({ taskDefinitionArn }) => taskDefinitionArn), ...rest }
  },
}

export const listTaskDefinitionFamilies: Operation<
  ListTaskDefinitionFamiliesRequest,
  ListTaskDefinitionFamiliesResponse
> = {
  resources: () => ['*'],
  run: (context, { familyPrefix = '', status = 'ALL', maxResults, nextToken }) => {
    checkOneOf('status', status, ['ACTIVE', 'INACTIVE', 'ALL'])
    const families = context.store
      .by('taskDefinitionFamily', 'scope', scopeKey(context.scope))
      .filter((row) => {
        if (!row.family.startsWith(familyPrefix)) return false
        const revisions = context.store.by('taskDefinition', 'family', familyKey(row))
        // A family all of whose revisions are deleted is remembered for its numbers only.
        const shown = revisions.filter((revision) => revision.status !== 'DELETE_IN_PROGRESS')
        if (status === 'ALL' || shown.length === 0) return shown.length > 0
        return shown.some((revision) => revision.status === 'ACTIVE') === (status === 'ACTIVE')
      })
    const { rows, ...rest } = page(
      families,
      {
        maxResults,
        nextToken,
        limit: 100,
        default: 100,
        parameters: { operation: 'ListTaskDefinitionFamilies', familyPrefix, status },
      },
      ({ family }) => family,
    )
    return { families: rows.map(({ family }) => family), ...rest }
  },
}
