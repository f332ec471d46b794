/** Secret ids turned into rows, or into Secrets Manager's errors. */
import { AwsError } from '@berth/wire/error.ts'
import { invalid } from '#api/constraints.ts'
import type { Caller, Context } from '#api/operation.ts'
import { formatArn, scopeKey } from '#domain/arn.ts'
import { type Secret, secretNameOf, type SecretVersion } from '#domain/secret.ts'
import type { View } from '#state/store.ts'

/** Throws InvalidParameterException. */
export function invalidParameter(message: string): never {
  throw new AwsError('InvalidParameterException', message)
}

/** Throws InvalidRequestException. */
export function invalidRequest(message: string): never {
  throw new AwsError('InvalidRequestException', message)
}

export function notFound(message = "Secrets Manager can't find the specified secret."): never {
  throw new AwsError('ResourceNotFoundException', message)
}

/** Throws ValidationException for what can be the name of no secret. */
export function checkName(name: string): void {
  if (!/^[A-Za-z0-9/_+=.@!-]+$/.test(name))
    invalid(
      'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
    )
}

/** The secret of a name, an ARN, or an ARN without its last six characters. */
export function findSecret(
  view: View,
  { scope, caller }: Pick<Context, 'scope' | 'caller'>,
  id: string,
): Secret | undefined {
  if (id.length > 2048)
    invalid(
      "1 validation error detected: Value at 'secretId' failed to satisfy constraint: Member must have length less than or equal to 2048",
    )
  const { name, arn, scope: named = scope } = secretNameOf(id)
  checkName(name)
  if (named.region !== scope.region) return undefined
  const found =
    (arn === undefined ? undefined : view.find('secret', arn)) ??
    view.by('secret', 'name', `${scopeKey(named)} ${name}`)[0]
  // Another account's secret is shared by its resource policy; whom that lets in is for the enforcement of IAM to say.
  if (named.accountId !== scope.accountId && found?.resourcePolicy === undefined) refuseStranger(caller, id)
  return found
}

function refuseStranger(caller: Caller, arn: string): never {
  throw new AwsError(
    'AccessDeniedException',
    `User: ${caller.arn} is not authorized to perform this operation on resource: ${arn} because no resource-based policy allows the action`,
  )
}

/** The secret, one that is marked for deletion too. Throws ResourceNotFoundException. */
export function resolveAnySecret(
  view: View,
  context: Pick<Context, 'scope' | 'caller'>,
  id: string | undefined,
): Secret {
  return findSecret(view, context, id ?? '') ?? notFound()
}

/** Throws ResourceNotFoundException, and InvalidRequestException for a secret that is marked for deletion. */
export function resolveSecret(
  view: View,
  context: Pick<Context, 'scope' | 'caller'>,
  id: string | undefined,
): Secret {
  const secret = resolveAnySecret(view, context, id)
  if (secret.deletedAt !== undefined)
    invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
  return secret
}

/** What a request touches, for authorization; of a secret that is not there, what its ARN would begin with. */
export function touched(
  { store, scope }: Pick<Context, 'store' | 'scope'>,
  id: string | undefined,
): readonly string[] {
  const { name, arn, scope: named = scope } = secretNameOf(id ?? '')
  const known =
    (arn === undefined ? undefined : store.find('secret', arn)) ??
    store.by('secret', 'name', `${scopeKey(named)} ${name}`)[0]
  return [known?.secretArn ?? arn ?? formatArn(scope, 'secretsmanager', `secret:${name}`)]
}

/** The version of an id, of a label, or of AWSCURRENT. Throws ResourceNotFoundException and InvalidRequestException. */
export function resolveVersion(
  view: View,
  { secretArn }: Secret,
  { versionId, stage }: { readonly versionId?: string | undefined; readonly stage?: string | undefined },
): SecretVersion {
  const lacks = (what: string): never =>
    notFound(`Secrets Manager can't find the specified secret value for ${what}`)
  if (versionId !== undefined) {
    const version = view.find('secretVersion', `${secretArn} ${versionId}`)
    if (!version) return lacks(`VersionId: ${versionId}`)
    if (stage !== undefined && !version.stages.includes(stage))
      invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.')
    return version
  }
  const label = stage ?? 'AWSCURRENT'
  const versions = view.by('secretVersion', 'secret', secretArn)
  return versions.find(({ stages }) => stages.includes(label)) ?? lacks(`staging label: ${label}`)
}
