import type {
  CreateSecretRequest,
  CreateSecretResponse,
  DeleteSecretRequest,
  DeleteSecretResponse,
  DescribeSecretRequest,
  DescribeSecretResponse,
  RestoreSecretRequest,
  RestoreSecretResponse,
  UpdateSecretRequest,
  UpdateSecretResponse,
} from '@aws-sdk/client-secrets-manager'
import { AwsError } from '@berth/wire/error.ts'
import { constraints } from '#api/constraints.ts'
import { unsupported } from '#api/ecs/tasks/placement-checks.ts'
import type { Context, Operation } from '#api/operation.ts'
import { formatArn, scopeKey } from '#domain/arn.ts'
import { type Secret, secretArnSuffixLength, secretNameOf } from '#domain/secret.ts'
import { forgetSecret } from '#state/secrets.ts'
import type { Transaction } from '#state/store.ts'
import {
  checkName,
  findSecret,
  invalidParameter,
  invalidRequest,
  notFound,
  resolveAnySecret,
  resolveSecret,
  touched,
} from './resolve.ts'
import { showSecret, stagesByVersion } from './show.ts'
import { addSecretTags, checkTags } from './tag.ts'
import { addVersion, isRepeated, type SecretValue, tokenOf, valueOf } from './value.ts'

const dayMs = 86_400_000
const recoveryDays = { least: 7, most: 30 }
const secretsMax = 500_000

export const createSecret: Operation<CreateSecretRequest, CreateSecretResponse> = {
  resources: ({ scope }, { Name }) => [formatArn(scope, 'secretsmanager', `secret:${Name ?? ''}`)],
  run: (context, input) => {
    const { Name: name = '', Description, KmsKeyId, Tags = [] } = input
    const value = valueOf(input)
    const check = constraints()
    check.text('name', name, { max: 512 })
    checkTexts(check, input)
    checkTags(check, Tags)
    check.check()
    checkName(name)
    const versionId = tokenOf(input)
    if (input.AddReplicaRegions?.length) unsupported('replica secrets', 'Create the secret in each region.')
    if (input.Type !== undefined) unsupported('secrets that a partner manages', 'Leave Type out.')
    return context.store.update((tx) => {
      const known = tx.by('secret', 'name', `${scopeKey(context.scope)} ${name}`)[0]
      if (known) return repeated(context, tx, known, versionId, value)
      if (tx.count('secret', 'scope', scopeKey(context.scope)) >= secretsMax)
        throw new AwsError(
          'LimitExceededException',
          `You've reached the limit of ${secretsMax} secrets in this Region.`,
        )
      const now = context.clock.now()
      const secret: Secret = {
        ...context.scope,
        secretArn: newArn(context, name),
        name,
        ...(Description !== undefined && { description: Description }),
        ...(KmsKeyId !== undefined && { kmsKeyId: KmsKeyId }),
        createdAt: now,
        changedAt: now,
      }
      tx.put('secret', secret)
      addSecretTags(tx, secret.secretArn, Tags)
      if (value) addVersion(context, tx, secret, { versionId, value, stages: ['AWSCURRENT'] })
      return short(secret, value && versionId)
    })
  },
}

/** A name that is taken: fine when it was this very request that took it. */
function repeated(
  context: Context,
  tx: Transaction,
  known: Secret,
  versionId: string,
  value: SecretValue | undefined,
): CreateSecretResponse {
  if (known.deletedAt !== undefined)
    invalidRequest(
      "You can't create this secret because a secret with this name is already scheduled for deletion.",
    )
  if (value && isRepeated(context, tx, known, versionId, value)) return short(known, versionId)
  throw new AwsError(
    'ResourceExistsException',
    `The operation failed because the secret ${known.name} already exists.`,
  )
}

const suffixLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

function newArn({ scope, ids }: Context, name: string): string {
  const suffix = Array.from({ length: secretArnSuffixLength }, () =>
    suffixLetters.charAt(Math.floor(ids.fraction() * suffixLetters.length)),
  )
  return formatArn(scope, 'secretsmanager', `secret:${name}-${suffix.join('')}`)
}

function short(
  { secretArn, name }: Secret,
  versionId?: string,
): { ARN: string; Name: string; VersionId?: string } {
  return { ARN: secretArn, Name: name, ...(versionId !== undefined && { VersionId: versionId }) }
}

function checkTexts(
  check: ReturnType<typeof constraints>,
  { Description, KmsKeyId }: { Description?: string | undefined; KmsKeyId?: string | undefined },
): void {
  check.text('description', Description, { min: 0, max: 2048 })
  check.text('kmsKeyId', KmsKeyId, { min: 0, max: 2048 })
}

export const updateSecret: Operation<UpdateSecretRequest, UpdateSecretResponse> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, input) => {
    const { Description, KmsKeyId } = input
    const value = valueOf(input)
    const check = constraints()
    checkTexts(check, input)
    check.check()
    const versionId = tokenOf(input)
    if (input.Type !== undefined) unsupported('secrets that a partner manages', 'Leave Type out.')
    return context.store.update((tx) => {
      const known = resolveSecret(tx, context, input.SecretId)
      const secret: Secret = {
        ...known,
        ...(Description !== undefined && { description: Description }),
        ...(KmsKeyId !== undefined && { kmsKeyId: KmsKeyId }),
        changedAt: context.clock.now(),
      }
      if (value && isRepeated(context, tx, secret, versionId, value)) return short(secret, versionId)
      tx.put('secret', secret)
      if (value) addVersion(context, tx, secret, { versionId, value, stages: ['AWSCURRENT'] })
      return short(secret, value && versionId)
    })
  },
}

export const describeSecret: Operation<DescribeSecretRequest, DescribeSecretResponse> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, { SecretId }) => {
    const secret = resolveAnySecret(context.store, context, SecretId)
    const stages = stagesByVersion(context.store, secret)
    return {
      ...showSecret(context.store, secret),
      ...(Object.keys(stages).length > 0 && { VersionIdsToStages: stages }),
    }
  },
}

export const deleteSecret: Operation<DeleteSecretRequest, DeleteSecretResponse> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, input) => {
    const { SecretId = '', RecoveryWindowInDays: days, ForceDeleteWithoutRecovery: force = false } = input
    if (days !== undefined && force)
      invalidParameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
    if (days !== undefined && (days < recoveryDays.least || days > recoveryDays.most))
      invalidParameter('The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).')
    const now = context.clock.now()
    return context.store.update((tx) => {
      if (force) return deleteNow(context, tx, SecretId)
      const secret = resolveSecret(tx, context, SecretId)
      const deleteAfter = now + (days ?? recoveryDays.most) * dayMs
      tx.put('secret', { ...secret, deletedAt: now, deleteAfter })
      return { ...short(secret), DeletionDate: new Date(deleteAfter) }
    })
  },
}

/** "…the operation does not return the error ResourceNotFoundException in order to correctly handle retries." */
function deleteNow(context: Context, tx: Transaction, id: string): DeleteSecretResponse {
  const DeletionDate = new Date(context.clock.now())
  const secret = findSecret(tx, context, id)
  if (secret) {
    forgetSecret(tx, secret.secretArn)
    return { ...short(secret), DeletionDate }
  }
  const { name, arn } = secretNameOf(id)
  if (name === '') notFound()
  return { ARN: arn ?? newArn(context, name), Name: name, DeletionDate }
}

export const restoreSecret: Operation<RestoreSecretRequest, RestoreSecretResponse> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, { SecretId }) =>
    context.store.update((tx) => {
      const {
        deletedAt: _deleted,
        deleteAfter: _deadline,
        ...secret
      } = resolveAnySecret(tx, context, SecretId)
      tx.put('secret', secret)
      return short(secret)
    }),
}
