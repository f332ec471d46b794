import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import { formatArn } from '#domain/arn.ts'
import type { Repository } from '#domain/image.ts'
import type { View } from '#state/store.ts'

/** The registry a request means: the caller's own, which is all there is to an account. */
export function resolveRegistry({ scope }: Context, registryId: string | undefined): string {
  if (registryId !== undefined && !/^\d{12}$/.test(registryId))
    throw invalidParameter('registryId', "must satisfy regular expression '[0-9]{12}'")
  return registryId ?? scope.accountId
}

export function repositoryArn(context: Context, registryId: string, repositoryName: string): string {
  return formatArn({ ...context.scope, accountId: registryId }, 'ecr', `repository/${repositoryName}`)
}

/** Throws RepositoryNotFoundException. */
export function resolveRepository(
  view: View,
  context: Context,
  input: { readonly registryId?: string | undefined; readonly repositoryName: string | undefined },
): Repository {
  const registryId = resolveRegistry(context, input.registryId)
  const name = input.repositoryName ?? ''
  const repository = view.find('repository', repositoryArn(context, registryId, name))
  if (!repository) throw repositoryNotFound(name, registryId)
  return repository
}

export function repositoryNotFound(name: string, registryId: string): AwsError {
  return new AwsError(
    'RepositoryNotFoundException',
    `The repository with name '${name}' does not exist in the registry with id '${registryId}'`,
  )
}

export function invalidParameter(member: string, rule: string): AwsError {
  return new AwsError(
    'InvalidParameterException',
    `Invalid parameter at '${member}' failed to satisfy constraint: '${rule}'`,
  )
}

/** The ARNs a request for one repository touches. */
export function repositoryResources(
  context: Context,
  input: { readonly registryId?: string | undefined; readonly repositoryName?: string | undefined },
): readonly string[] {
  return [repositoryArn(context, input.registryId ?? context.scope.accountId, input.repositoryName ?? '*')]
}

/** The ARNs of a request for several repositories, or for all. */
export function everyRepository(
  context: Context,
  input: {
    readonly registryId?: string | undefined
    readonly repositoryNames?: readonly string[] | undefined
  },
): readonly string[] {
  const { registryId } = input
  return (input.repositoryNames ?? ['*']).flatMap((repositoryName) =>
    repositoryResources(context, { registryId, repositoryName }),
  )
}

export function namedResource(
  _: Context,
  input: { readonly resourceArn: string | undefined },
): readonly string[] {
  return [input.resourceArn ?? '*']
}

/** How ECR pages: a hundred at a time, a thousand at most. */
export function pageOf(
  context: Context,
  {
    maxResults,
    nextToken,
  }: { readonly maxResults?: number | undefined; readonly nextToken?: string | undefined },
  parameters: Readonly<Record<string, unknown>>,
) {
  return { context, maxResults, nextToken, limit: 1000, default: 100, parameters }
}
