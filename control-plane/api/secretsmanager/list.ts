import type {
  Filter,
  ListSecretsRequest,
  ListSecretsResponse,
  ListSecretVersionIdsRequest,
  ListSecretVersionIdsResponse,
  SecretListEntry,
  SortByType,
} from '@aws-sdk/client-secrets-manager'
import { AwsError } from '@berth/wire/error.ts'
import { constraints, type Constraints } from '#api/constraints.ts'
import type { Context, Operation } from '#api/operation.ts'
import { page } from '#api/page.ts'
import { scopeKey } from '#domain/arn.ts'
import type { Secret } from '#domain/secret.ts'
import type { ResourceTag } from '#domain/tags.ts'
import type { View } from '#state/store.ts'
import { resolveAnySecret, touched } from './resolve.ts'
import { showSecret, stagesByVersion } from './show.ts'

const filterKeys = ['description', 'name', 'tag-key', 'tag-value', 'primary-region', 'owning-service', 'all']
const pageMax = 100

export function checkFilters(check: Constraints, filters: readonly Filter[] | undefined): void {
  check.items('filters', filters, 0, 10)
  for (const [index, { Key, Values }] of (filters ?? []).entries()) {
    check.oneOf(`filters.${index + 1}.member.key`, Key, filterKeys)
    check.items(`filters.${index + 1}.member.values`, Values, 1, 10)
    for (const value of Values ?? [])
      check.text(`filters.${index + 1}.member.values`, value, {
        max: 512,
        pattern: /^!?[a-zA-Z0-9 :_@/+=.\-!]*$/,
        shown: '^\\!?[a-zA-Z0-9 :_@\\/\\+\\=\\.\\-\\!]*$',
      })
  }
}

/** The words of a text: parted by what parts names, and before capitals. */
const wordsOf = (text: string): string[] =>
  text
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')

/** Each word of the pattern begins a word of one of the texts. */
function matchesWords(texts: readonly string[], pattern: string): boolean {
  const words = texts.flatMap(wordsOf)
  const asked = wordsOf(pattern)
  return asked.length > 0 && asked.every((ask) => words.some((word) => word.startsWith(ask)))
}

const matchesPrefix = (texts: readonly string[], pattern: string): boolean =>
  texts.some((text) => text.startsWith(pattern))

type Match = (secret: Secret, tags: readonly ResourceTag[], pattern: string) => boolean

/** How each filter compares is in the type comments of its model; names and tags by prefix, the rest by words. */
const matches: Readonly<Record<string, Match>> = {
  name: ({ name }, _, pattern) => matchesPrefix([name], pattern),
  description: ({ description }, _, pattern) => matchesWords([description ?? ''], pattern),
  'tag-key': (_, tags, pattern) =>
    matchesPrefix(
      tags.map(({ key }) => key),
      pattern,
    ),
  'tag-value': (_, tags, pattern) =>
    matchesPrefix(
      tags.map(({ value }) => value),
      pattern,
    ),
  // Nothing is replicated, and nobody but its user owns a secret.
  'primary-region': () => false,
  'owning-service': () => false,
  all: ({ name, description }, tags, pattern) =>
    matchesWords([name, description ?? '', ...tags.flatMap(({ key, value }) => [key, value])], pattern),
}

function isWanted(secret: Secret, tags: readonly ResourceTag[], filters: readonly Filter[]): boolean {
  return filters.every(({ Key = 'all', Values = [] }) =>
    Values.some((value) => {
      const match = matches[Key]
      if (!match) return false
      return value.startsWith('!') ? !match(secret, tags, value.slice(1)) : match(secret, tags, value)
    }),
  )
}

interface ListRequest {
  readonly list: string
  readonly filters?: readonly Filter[] | undefined
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
  readonly sortBy?: SortByType | undefined
  readonly descending?: boolean
  readonly deleted?: boolean | undefined
}

/** What a secret is sorted by: times are padded, so that their texts stand in their order. */
function sortKey(secret: Secret, sortBy: SortByType): string {
  const time = (at: number | undefined): string => String(at ?? 0).padStart(16, '0')
  const first = {
    'created-date': time(secret.createdAt),
    'last-accessed-date': time(secret.accessedAt),
    'last-changed-date': time(secret.changedAt),
    name: secret.name,
  }[sortBy]
  return `${first} ${secret.secretArn}`
}

/** A page of an account's secrets. Throws InvalidNextTokenException. */
export function secretsPage(
  context: Pick<Context, 'store' | 'ids' | 'scope'>,
  { list, filters = [], maxResults, nextToken, sortBy = 'created-date', descending, deleted }: ListRequest,
): ReturnType<typeof page<Secret>> {
  const { store, scope } = context
  const rows = store
    .by('secret', 'scope', scopeKey(scope))
    .filter((secret) => deleted || secret.deletedAt === undefined)
    .filter((secret) => isWanted(secret, store.find('resourceTags', secret.secretArn)?.tags ?? [], filters))
  return pageOf(
    rows,
    {
      context,
      maxResults,
      nextToken,
      limit: pageMax,
      default: pageMax,
      parameters: { list, filters, sortBy, descending, deleted },
      ...(descending && { descending }),
    },
    (secret) => sortKey(secret, sortBy),
  )
}

function pageOf<Row>(...[rows, request, keyOf]: Parameters<typeof page<Row>>): ReturnType<typeof page<Row>> {
  try {
    return page(rows, request, keyOf)
  } catch (error) {
    // No source gives AWS's text of a token that is not its own.
    if (error instanceof AwsError) throw new AwsError('InvalidNextTokenException', 'Invalid NextToken.')
    throw error
  }
}

export const listSecrets: Operation<ListSecretsRequest, ListSecretsResponse> = {
  resources: () => ['*'],
  run: (context, input) => {
    const { Filters, MaxResults, SortBy, SortOrder, NextToken, IncludePlannedDeletion } = input
    const check = constraints()
    check.number('maxResults', MaxResults, 1, pageMax)
    check.oneOf('sortBy', SortBy, ['created-date', 'last-accessed-date', 'last-changed-date', 'name'])
    check.oneOf('sortOrder', SortOrder, ['asc', 'desc'])
    checkFilters(check, Filters)
    check.check()
    const { rows, nextToken } = secretsPage(context, {
      list: 'ListSecrets',
      filters: Filters,
      maxResults: MaxResults,
      nextToken: NextToken,
      sortBy: SortBy,
      descending: SortOrder !== 'asc',
      deleted: IncludePlannedDeletion,
    })
    return {
      SecretList: rows.map((secret) => listed(context.store, secret)),
      ...(nextToken !== undefined && { NextToken: nextToken }),
    }
  },
}

function listed(view: View, secret: Secret): SecretListEntry {
  const stages = stagesByVersion(view, secret)
  return {
    ...showSecret(view, secret),
    ...(Object.keys(stages).length > 0 && { SecretVersionsToStages: stages }),
  }
}

export const listSecretVersionIds: Operation<ListSecretVersionIdsRequest, ListSecretVersionIdsResponse> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, { SecretId, MaxResults, NextToken, IncludeDeprecated }) => {
    const check = constraints()
    check.number('maxResults', MaxResults, 1, pageMax)
    check.check()
    const secret = resolveAnySecret(context.store, context, SecretId)
    const { rows, nextToken } = pageOf(
      context.store
        .by('secretVersion', 'secret', secret.secretArn)
        .filter(({ stages }) => IncludeDeprecated || stages.length > 0),
      {
        context,
        maxResults: MaxResults,
        nextToken: NextToken,
        limit: pageMax,
        default: pageMax,
        parameters: { list: 'ListSecretVersionIds', arn: secret.secretArn, IncludeDeprecated },
      },
      ({ createdAt, versionId }) => `${String(createdAt).padStart(16, '0')} ${versionId}`,
    )
    return {
      ARN: secret.secretArn,
      Name: secret.name,
      Versions: rows.map(({ versionId, stages, createdAt, accessedAt, kmsKeyId }) => ({
        VersionId: versionId,
        ...(stages.length > 0 && { VersionStages: [...stages] }),
        CreatedDate: new Date(createdAt),
        KmsKeyIds: [kmsKeyId ?? 'DefaultEncryptionKey'],
        ...(accessedAt !== undefined && { LastAccessedDate: new Date(accessedAt) }),
      })),
      ...(nextToken !== undefined && { NextToken: nextToken }),
    }
  },
}
