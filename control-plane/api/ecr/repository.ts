import type {
  CreateRepositoryRequest,
  CreateRepositoryResponse,
  DeleteRepositoryRequest,
  DeleteRepositoryResponse,
  DescribeRepositoriesRequest,
  DescribeRepositoriesResponse,
  EncryptionConfiguration,
  ImageTagMutability,
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  PutImageTagMutabilityRequest,
  PutImageTagMutabilityResponse,
  Repository as RepositoryShape,
  TagResourceRequest,
  UntagResourceRequest,
} from '@aws-sdk/client-ecr'
import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import { page } from '#api/page.ts'
import { formatArn, parseArn, scopeKey } from '#domain/arn.ts'
import type { Repository } from '#domain/image.ts'
import type { Transaction, View } from '#state/store.ts'
import {
  invalidParameter,
  pageOf,
  repositoryArn,
  repositoryNotFound,
  resolveRegistry,
  resolveRepository,
} from './resolve.ts'

const namePattern = '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'
const nameRule = new RegExp(`^${namePattern}$`)
const tagsCountMax = 50

export function createRepository(context: Context, input: CreateRepositoryRequest): CreateRepositoryResponse {
  const { store, clock } = context
  const registryId = resolveRegistry(context, input.registryId)
  const name = input.repositoryName ?? ''
  if (name.length < 2) throw invalidParameter('repositoryName', 'must have length greater than or equal to 2')
  if (name.length > 256)
    throw invalidParameter('repositoryName', 'must have length less than or equal to 256')
  if (!nameRule.test(name))
    throw invalidParameter('repositoryName', `must satisfy regular expression '${namePattern}'`)
  if (registryId !== context.scope.accountId)
    throw new AwsError(
      'AccessDeniedException',
      `User: ${context.caller.arn} is not authorized to perform: ecr:CreateRepository`,
    )
  const tags = checkTags(input.tags ?? [])
  return store.update((tx) => {
    const arn = repositoryArn(context, registryId, name)
    if (tx.find('repository', arn))
      throw new AwsError(
        'RepositoryAlreadyExistsException',
        `The repository with name '${name}' already exists in the registry with id '${registryId}'`,
      )
    const repository: Repository = {
      ...context.scope,
      repositoryArn: arn,
      repositoryName: name,
      ...readMutability(input),
      scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false,
      ...readEncryption(context, input.encryptionConfiguration),
      createdAt: clock.now(),
    }
    tx.put('repository', repository)
    if (tags.length > 0) tx.put('resourceTags', { resourceArn: arn, tags })
    return { repository: showRepository(context, repository) }
  })
}

export function describeRepositories(
  context: Context,
  input: DescribeRepositoriesRequest,
): DescribeRepositoriesResponse {
  const registryId = resolveRegistry(context, input.registryId)
  if (input.repositoryNames && input.repositoryNames.length > 0)
    return {
      repositories: input.repositoryNames.map((repositoryName) =>
        showRepository(context, resolveRepository(context.store, context, { registryId, repositoryName })),
      ),
    }
  const all = context.store.by('repository', 'scope', scopeKey({ ...context.scope, accountId: registryId }))
  const { rows, nextToken } = page(all, pageOf(context, input, { registryId }), (row) => row.repositoryName)
  return {
    repositories: rows.map((row) => showRepository(context, row)),
    ...(nextToken !== undefined && { nextToken }),
  }
}

/** Deletes a repository; one that has images only with `force`. Bytes of its layers go with the next collection. */
export function deleteRepository(context: Context, input: DeleteRepositoryRequest): DeleteRepositoryResponse {
  return context.store.update((tx) => {
    const repository = resolveRepository(tx, context, input)
    const arn = repository.repositoryArn
    if (input.force !== true && tx.count('image', 'repository', arn) > 0)
      throw new AwsError(
        'RepositoryNotEmptyException',
        `The repository with name '${repository.repositoryName}' in registry with id '${repository.accountId}' cannot be deleted because it still contains images`,
      )
    for (const image of tx.by('image', 'repository', arn)) tx.delete('image', `${arn}@${image.imageDigest}`)
    for (const layer of tx.by('layer', 'repository', arn)) tx.delete('layer', `${arn}@${layer.digest}`)
    tx.delete('resourceTags', arn)
    tx.delete('repository', arn)
    return { repository: showRepository(context, repository) }
  })
}

export function putImageTagMutability(
  context: Context,
  input: PutImageTagMutabilityRequest,
): PutImageTagMutabilityResponse {
  return context.store.update((tx) => {
    const { mutabilityExclusions: _, ...repository } = resolveRepository(tx, context, input)
    const changed: Repository = { ...repository, ...readMutability(input) }
    tx.put('repository', changed)
    const { accountId: registryId, repositoryName } = changed
    return { registryId, repositoryName, ...showMutability(changed) }
  })
}

export function listTagsForResource(
  context: Context,
  input: ListTagsForResourceRequest,
): ListTagsForResourceResponse {
  const repository = repositoryByArn(context.store, input.resourceArn)
  const tags = context.store.find('resourceTags', repository.repositoryArn)?.tags ?? []
  return { tags: tags.map(({ key, value }) => ({ Key: key, Value: value })) }
}

export function tagResource(context: Context, input: TagResourceRequest): object {
  const added = checkTags(input.tags ?? [])
  return changeTags(context, input.resourceArn, (tags) => [
    ...tags.filter((tag) => !added.some(({ key }) => key === tag.key)),
    ...added,
  ])
}

export function untagResource(context: Context, input: UntagResourceRequest): object {
  return changeTags(context, input.resourceArn, (tags) =>
    tags.filter(({ key }) => !input.tagKeys?.includes(key)),
  )
}

type Tags = ReadonlyArray<{ readonly key: string; readonly value: string }>

function changeTags(
  { store }: Context,
  resourceArn: string | undefined,
  change: (tags: Tags) => Tags,
): object {
  return store.update((tx: Transaction) => {
    const { repositoryArn: arn } = repositoryByArn(tx, resourceArn)
    const tags = change(tx.find('resourceTags', arn)?.tags ?? [])
    if (tags.length > tagsCountMax)
      throw new AwsError(
        'TooManyTagsException',
        `The maximum number of tags for a repository is ${tagsCountMax}`,
      )
    if (tags.length > 0) tx.put('resourceTags', { resourceArn: arn, tags })
    else tx.delete('resourceTags', arn)
    return {}
  })
}

function repositoryByArn(view: View, resourceArn: string | undefined): Repository {
  const repository = view.find('repository', resourceArn ?? '')
  if (repository) return repository
  const arn = parseArn(resourceArn ?? '')
  if (arn?.service !== 'ecr' || !arn.resource.startsWith('repository/'))
    throw new AwsError(
      'InvalidParameterException',
      `Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'`,
    )
  throw repositoryNotFound(arn.resource.slice('repository/'.length), arn.accountId)
}

function checkTags(tags: ReadonlyArray<{ Key: string | undefined; Value: string | undefined }>): Tags {
  const keys = tags.map(({ Key = '' }) => Key)
  const twice = keys.find((key, index) => keys.indexOf(key) < index)
  // How AWS puts this is not known.
  if (twice !== undefined)
    throw new AwsError('InvalidTagParameterException', `The tag with key '${twice}' is given more than once`)
  return tags.map(({ Key = '', Value = '' }) => {
    if (Key.length < 1 || Key.length > 128 || Value.length > 256 || /^aws:/i.test(Key))
      throw new AwsError('InvalidTagParameterException', `The tag with key '${Key}' is not valid`)
    return { key: Key, value: Value }
  })
}

const mutabilities: readonly ImageTagMutability[] = [
  'IMMUTABLE',
  'MUTABLE',
  'MUTABLE_WITH_EXCLUSION',
  'IMMUTABLE_WITH_EXCLUSION',
]
const exclusionsCountMax = 5

/** The mutability asked for. Throws InvalidParameterException; the filters and the two kinds with them need each other. */
function readMutability({
  imageTagMutability = 'MUTABLE',
  imageTagMutabilityExclusionFilters: filters = [],
}: Pick<CreateRepositoryRequest, 'imageTagMutability' | 'imageTagMutabilityExclusionFilters'>): Pick<
  Repository,
  'imageTagMutability' | 'mutabilityExclusions'
> {
  if (!mutabilities.includes(imageTagMutability))
    throw invalidParameter(
      'imageTagMutability',
      `Member must satisfy enum value set: [${mutabilities.join(', ')}]`,
    )
  const member = 'imageTagMutabilityExclusionFilters'
  const excludes = imageTagMutability.endsWith('_WITH_EXCLUSION')
  if (!excludes && filters.length > 0)
    throw invalidParameter(
      member,
      'can only be given with imageTagMutability IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION',
    )
  if (!excludes) return { imageTagMutability }
  if (filters.length < 1 || filters.length > exclusionsCountMax)
    throw invalidParameter(member, `Member must have length between 1 and ${exclusionsCountMax}`)
  for (const { filterType, filter = '' } of filters) {
    if (filterType !== 'WILDCARD')
      throw invalidParameter(member, 'Member must satisfy enum value set: [WILDCARD]')
    if (!/^[0-9a-zA-Z._*-]{1,128}$/.test(filter) || filter.split('*').length > 3)
      throw invalidParameter(
        member,
        'a filter must have 1 to 128 letters, numbers, periods, underscores and hyphens, and two wildcards at most',
      )
  }
  return { imageTagMutability, mutabilityExclusions: filters.map(({ filter = '' }) => filter) }
}

function showMutability({
  imageTagMutability,
  mutabilityExclusions,
}: Repository): Pick<RepositoryShape, 'imageTagMutability' | 'imageTagMutabilityExclusionFilters'> {
  return {
    imageTagMutability,
    ...(mutabilityExclusions && {
      imageTagMutabilityExclusionFilters: mutabilityExclusions.map((filter) => ({
        filterType: 'WILDCARD',
        filter,
      })),
    }),
  }
}

/** With KMS and no key of the caller's, AWS takes the key it manages for ECR, and names it. */
function readEncryption(
  { scope, ids }: Context,
  { encryptionType = 'AES256', kmsKey }: Partial<EncryptionConfiguration> = {},
): Pick<Repository, 'encryptionType' | 'kmsKey'> {
  if (!['AES256', 'KMS', 'KMS_DSSE'].includes(encryptionType))
    throw invalidParameter('encryptionType', 'Member must satisfy enum value set: [KMS_DSSE, KMS, AES256]')
  if (encryptionType !== 'AES256')
    return { encryptionType, kmsKey: kmsKey ?? formatArn(scope, 'kms', `key/${ids.uuid()}`) }
  if (kmsKey !== undefined)
    throw invalidParameter('kmsKey', 'can only be given with encryptionType KMS or KMS_DSSE')
  return { encryptionType }
}

function showRepository({ installation }: Context, repository: Repository): RepositoryShape {
  return {
    repositoryArn: repository.repositoryArn,
    registryId: repository.accountId,
    repositoryName: repository.repositoryName,
    repositoryUri: `${installation.registryHost}/${repository.repositoryName}`,
    createdAt: new Date(repository.createdAt),
    ...showMutability(repository),
    imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
    encryptionConfiguration: {
      encryptionType: repository.encryptionType,
      ...(repository.kmsKey !== undefined && { kmsKey: repository.kmsKey }),
    },
  }
}
