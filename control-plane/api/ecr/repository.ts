import type {
  CreateRepositoryRequest,
  CreateRepositoryResponse,
  DeleteRepositoryRequest,
  DeleteRepositoryResponse,
  DescribeRepositoriesRequest,
  DescribeRepositoriesResponse,
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
import { scopeKey } from '#domain/arn.ts'
import type { Repository } from '#domain/image.ts'
import type { Transaction, View } from '#state/store.ts'
import { invalidParameter, pageOf, repositoryArn, resolveRegistry, resolveRepository } from './resolve.ts'

const namePattern = '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'
const nameRule = new RegExp(`^${namePattern}$`)
const tagsCountMax = 50

export function createRepository(context: Context, input: CreateRepositoryRequest): CreateRepositoryResponse {
  const { store, clock } = context
  const registryId = resolveRegistry(context, input.registryId)
  const name = input.repositoryName ?? ''
  if (name.length < 2 || name.length > 256 || !nameRule.test(name))
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
      imageTagMutability: readMutability(input.imageTagMutability),
      scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false,
      encryptionType: input.encryptionConfiguration?.encryptionType ?? 'AES256',
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
  const { rows, nextToken } = page(all, pageOf(input, { registryId }), (row) => row.repositoryName)
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
    const repository = resolveRepository(tx, context, input)
    const imageTagMutability = readMutability(input.imageTagMutability)
    tx.put('repository', { ...repository, imageTagMutability })
    return { registryId: repository.accountId, repositoryName: repository.repositoryName, imageTagMutability }
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
  if (!repository)
    throw new AwsError(
      'RepositoryNotFoundException',
      `The repository with ARN '${resourceArn ?? ''}' does not exist`,
    )
  return repository
}

function checkTags(tags: ReadonlyArray<{ Key: string | undefined; Value: string | undefined }>): Tags {
  return tags.map(({ Key = '', Value = '' }) => {
    if (Key.length < 1 || Key.length > 128 || Value.length > 256 || /^aws:/i.test(Key))
      throw new AwsError('InvalidTagParameterException', `The tag with key '${Key}' is not valid`)
    return { key: Key, value: Value }
  })
}

function readMutability(value: string | undefined): Repository['imageTagMutability'] {
  if (value === undefined || value === 'MUTABLE' || value === 'IMMUTABLE') return value ?? 'MUTABLE'
  throw invalidParameter('imageTagMutability', 'Member must satisfy enum value set: [MUTABLE, IMMUTABLE]')
}

function showRepository({ installation }: Context, repository: Repository): RepositoryShape {
  return {
    repositoryArn: repository.repositoryArn,
    registryId: repository.accountId,
    repositoryName: repository.repositoryName,
    repositoryUri: `${installation.registryHost}/${repository.repositoryName}`,
    createdAt: new Date(repository.createdAt),
    imageTagMutability: repository.imageTagMutability,
    imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
    encryptionConfiguration: { encryptionType: repository.encryptionType as 'AES256' },
  }
}
