/** Values of secrets: each a version, sealed in the vault. */
import type {
  BatchGetSecretValueRequest,
  BatchGetSecretValueResponse,
  GetSecretValueRequest,
  GetSecretValueResponse,
  PutSecretValueRequest,
  PutSecretValueResponse,
  SecretValueEntry,
} from '@aws-sdk/client-secrets-manager'
import { AwsError } from '@berth/wire/error.ts'
import { constraints, invalid } from '#api/constraints.ts'
import type { Context, Operation } from '#api/operation.ts'
import { moveStages, type Secret, type SecretVersion, surplusVersions, versionKey } from '#domain/secret.ts'
import type { Transaction } from '#state/store.ts'
import { checkFilters, secretsPage } from './list.ts'
import {
  invalidParameter,
  invalidRequest,
  notFound,
  resolveSecret,
  resolveVersion,
  touched,
} from './resolve.ts'

const valueBytesMax = 65_536
const stagesMax = 20
const dayMs = 86_400_000

export interface SecretValue {
  readonly text: string
  readonly binary: boolean
}

interface ValueInput {
  readonly SecretString?: string | undefined
  readonly SecretBinary?: Uint8Array | undefined
}

/**
 * The value in a request; undefined when there is none. Throws InvalidParameterException and ValidationException, in which
 * a value is never shown.
 */
export function valueOf({ SecretString, SecretBinary }: ValueInput): SecretValue | undefined {
  if (SecretString !== undefined && SecretBinary !== undefined)
    invalidParameter(
      "You can't specify both a binary secret value and a string secret value in the same secret.",
    )
  const given = SecretString ?? SecretBinary
  if (given === undefined) return undefined
  const member = SecretString === undefined ? 'secretBinary' : 'secretString'
  const length = typeof given === 'string' ? Buffer.byteLength(given) : given.length
  const say = (constraint: string): never =>
    invalid(
      `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must have length ${constraint}`,
    )
  if (length > valueBytesMax) say(`less than or equal to ${valueBytesMax}`)
  if (length < 1) say('greater than or equal to 1')
  return typeof given === 'string'
    ? { text: given, binary: false }
    : { text: Buffer.from(given).toString('base64'), binary: true }
}

/** Every SDK makes a token when its user gives none. Throws InvalidRequestException and InvalidParameterException. */
export function tokenOf({ ClientRequestToken: token }: { ClientRequestToken?: string | undefined }): string {
  if (token === undefined)
    invalidRequest('You must provide a ClientRequestToken value. We recommend a UUID-type value.')
  if (token.length < 32 || token.length > 64)
    invalidParameter('ClientRequestToken must be 32-64 characters long.')
  return token
}

const openVersion = ({ vault }: Pick<Context, 'vault'>, version: SecretVersion): string =>
  vault.open(version.sealed, versionKey(version))

/** Whether a version of that id is there with that value. Throws ResourceExistsException when it has another. */
export function isRepeated(
  context: Pick<Context, 'vault'>,
  tx: Transaction,
  { secretArn }: Secret,
  versionId: string,
  value: SecretValue,
): boolean {
  const known = tx.find('secretVersion', versionKey({ secretArn, versionId }))
  if (!known) return false
  if (openVersion(context, known) === value.text && (known.binary ?? false) === value.binary) return true
  throw new AwsError(
    'ResourceExistsException',
    `You can't use ClientRequestToken ${versionId} because that value is already in use for a version of secret ${secretArn}.`,
  )
}

/** Adds a version with these labels, which leave others for it, and forgets deprecated ones that are too many. */
export function addVersion(
  { vault, clock }: Pick<Context, 'vault' | 'clock'>,
  tx: Transaction,
  { secretArn, kmsKeyId }: Secret,
  { versionId, value, stages }: { versionId: string; value: SecretValue; stages: readonly string[] },
): void {
  const added: SecretVersion = {
    secretArn,
    versionId,
    stages: [],
    sealed: vault.seal(value.text, versionKey({ secretArn, versionId })),
    ...(value.binary && { binary: true }),
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    createdAt: clock.now(),
  }
  putVersions(tx, moveStages([...tx.by('secretVersion', 'secret', secretArn), added], stages, versionId))
}

/** Writes what changed of a secret's versions, and forgets those that are too many. */
export function putVersions(tx: Transaction, versions: readonly SecretVersion[]): void {
  for (const version of versions) tx.put('secretVersion', version)
  for (const version of surplusVersions(versions)) tx.delete('secretVersion', versionKey(version))
}

export const putSecretValue: Operation<PutSecretValueRequest, PutSecretValueResponse> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, input) => {
    const value = valueOf(input)
    checkStages(input.VersionStages)
    const versionId = tokenOf(input)
    if (!value) invalidParameter('You must provide either SecretString or SecretBinary.')
    return context.store.update((tx) => {
      const secret = resolveSecret(tx, context, input.SecretId)
      const first = tx.count('secretVersion', 'secret', secret.secretArn) === 0
      const asked = input.VersionStages ?? ['AWSCURRENT']
      const stages = [...new Set(first ? ['AWSCURRENT', ...asked] : asked)]
      if (!isRepeated(context, tx, secret, versionId, value)) {
        addVersion(context, tx, secret, { versionId, value, stages })
        tx.put('secret', { ...secret, changedAt: context.clock.now() })
      }
      const shown = tx.find('secretVersion', versionKey({ secretArn: secret.secretArn, versionId }))
      return {
        ARN: secret.secretArn,
        Name: secret.name,
        VersionId: versionId,
        VersionStages: [...(shown?.stages ?? stages)],
      }
    })
  },
}

function checkStages(stages: readonly string[] | undefined): void {
  const check = constraints()
  check.items('versionStages', stages, 1, stagesMax)
  for (const stage of stages ?? []) check.text('versionStages', stage, { max: 256 })
  check.check()
}

export const getSecretValue: Operation<GetSecretValueRequest, GetSecretValueResponse> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, { SecretId, VersionId, VersionStage }) => {
    const check = constraints()
    check.text('versionId', VersionId, { min: 32, max: 64 })
    check.text('versionStage', VersionStage, { max: 256 })
    check.check()
    return context.store.update((tx) => {
      const secret = resolveSecret(tx, context, SecretId)
      return readValue(context, tx, secret, { versionId: VersionId, stage: VersionStage })
    })
  },
}

/** The value of a version. The day it was read on is noted once a day, so that reading costs the journal nothing. */
function readValue(
  context: Pick<Context, 'vault' | 'clock'>,
  tx: Transaction,
  secret: Secret,
  which: Parameters<typeof resolveVersion>[2],
): SecretValueEntry {
  const version = resolveVersion(tx, secret, which)
  const accessedAt = Math.floor(context.clock.now() / dayMs) * dayMs
  if (secret.accessedAt !== accessedAt) tx.put('secret', { ...secret, accessedAt })
  if (version.accessedAt !== accessedAt) tx.put('secretVersion', { ...version, accessedAt })
  const text = openVersion(context, version)
  return {
    ARN: secret.secretArn,
    Name: secret.name,
    VersionId: version.versionId,
    ...(version.binary
      ? { SecretBinary: new Uint8Array(Buffer.from(text, 'base64')) }
      : { SecretString: text }),
    ...(version.stages.length > 0 && { VersionStages: [...version.stages] }),
    CreatedDate: new Date(version.createdAt),
  }
}

const batchMax = 20

export const batchGetSecretValue: Operation<BatchGetSecretValueRequest, BatchGetSecretValueResponse> = {
  resources: (context, { SecretIdList }) =>
    SecretIdList ? SecretIdList.flatMap((id) => touched(context, id)) : ['*'],
  run: (context, input) => {
    const { SecretIdList: ids, Filters: filters, MaxResults: maxResults, NextToken: nextToken } = input
    const check = constraints()
    check.items('secretIdList', ids, 1, batchMax)
    check.number('maxResults', maxResults, 1, batchMax)
    checkFilters(check, filters)
    check.check()
    if ((ids === undefined) === (filters === undefined))
      invalidParameter("Either 'SecretIdList' or 'Filters' must be provided, but not both.")
    if (maxResults !== undefined && !filters)
      invalidParameter(
        "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
      )
    const page =
      filters && secretsPage(context, { filters, maxResults, nextToken, list: 'BatchGetSecretValue' })
    const found = [...new Set(ids ?? page?.rows.map(({ secretArn }) => secretArn))]
    return context.store.update((tx) => {
      const errors: NonNullable<BatchGetSecretValueResponse['Errors']> = []
      const values = found.flatMap((id) => {
        try {
          return [readValue(context, tx, resolveSecret(tx, context, id), {})]
        } catch (error) {
          if (!(error instanceof AwsError)) throw error
          errors.push({ SecretId: id, ErrorCode: error.code, Message: error.message })
          return []
        }
      })
      return {
        SecretValues: values,
        Errors: errors,
        ...(page?.nextToken !== undefined && { NextToken: page.nextToken }),
      }
    })
  },
}

/** For SSM's `/aws/reference/secretsmanager/…`: a secret's text. Throws as GetSecretValue does, and for a binary one. */
export function referencedSecret(
  context: Pick<Context, 'vault' | 'clock' | 'scope' | 'caller'>,
  tx: Transaction,
  id: string,
): SecretValueEntry & { readonly SecretString: string } {
  const value = readValue(context, tx, resolveSecret(tx, context, id), {})
  if (value.SecretString === undefined) notFound()
  return { ...value, SecretString: value.SecretString }
}
