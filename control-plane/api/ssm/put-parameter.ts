import type { PutParameterRequest, PutParameterResult } from '@aws-sdk/client-ssm'
import { AwsError } from '@berth/wire/error.ts'
import { constraints, invalid } from '#api/constraints.ts'
import type { Context, Operation } from '#api/operation.ts'
import { scopeKey } from '#domain/arn.ts'
import {
  type Parameter,
  parameterArnOf,
  parameterVersionKey,
  parameterVersionsMax,
  type ParameterVersion,
} from '#domain/parameter.ts'
import { forgetParameter } from '#state/secrets.ts'
import type { Transaction } from '#state/store.ts'
import { checkAllowedPattern } from './allowed-pattern.ts'
import { readPolicies } from './policies.ts'
import { checkNewName, findParameter, lengthOf, touched, versionOf } from './resolve.ts'
import { addParameterTags, checkTags } from './tag.ts'

const types = ['SecureString', 'StringList', 'String']
const tiers = ['Standard', 'Advanced', 'Intelligent-Tiering']
const valueLengthMax = { Standard: 4096, Advanced: 8192 }
const parametersMax = { Standard: 10_000, Advanced: 100_000 }
/** Of each value AWS checks the form too; here only that an image's looks like one. */
const dataTypes = ['text', 'aws:ec2:image', 'aws:ssm:integration']

export const putParameter: Operation<PutParameterRequest, PutParameterResult> = {
  resources: (context, { Name }) => touched(context, [Name]),
  run: (context, input) => {
    const name = (input.Name ?? '').trim()
    const { Value: value = '', Overwrite: overwrite = false, Tags: tags = [] } = input
    checkInput(input, value)
    checkNewName(name)
    if (overwrite && tags.length > 0)
      invalid(
        "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.",
      )
    return context.store.update((tx) => {
      const known = findParameter(tx, context, name)
      if (known && !overwrite)
        throw new AwsError(
          'ParameterAlreadyExists',
          'The parameter already exists. To overwrite this value, set the overwrite option in the request to true.',
        )
      // One that has expired and was not removed yet makes room.
      if (!known) forgetParameter(tx, parameterArnOf(context.scope, name))
      const before = known && versionOf(tx, known, known.version)
      const { parameter, version } = nextVersion(context, tx, { ...input, Name: name }, known, before)
      if (known) makeRoom(tx, known)
      tx.put('parameter', parameter)
      tx.put('parameterVersion', version)
      addParameterTags(tx, parameter.parameterArn, tags)
      return { Version: version.version, Tier: version.tier }
    })
  },
}

function checkInput(input: PutParameterRequest, value: string): void {
  const check = constraints()
  check.oneOf('type', input.Type, types)
  check.oneOf('tier', input.Tier, tiers)
  check.text('description', input.Description, { min: 0, max: 1024 })
  check.text('keyId', input.KeyId, { max: 256, pattern: /^[a-zA-Z0-9:/_-]+$/, shown: '^([a-zA-Z0-9:/_-]+)$' })
  check.text('allowedPattern', input.AllowedPattern, { min: 0, max: 1024 })
  check.text('policies', input.Policies, { max: 4096 })
  check.text('dataType', input.DataType, { min: 0, max: 128 })
  checkTags(check, input.Tags)
  check.check()
  if (value === '') lengthOf('value', value, 1, Infinity)
  const { DataType: dataType = 'text', KeyId, Type } = input
  if (!dataTypes.includes(dataType))
    invalid(`The following data type is not supported: ${dataType} (Data type names are all lowercase.)`)
  if (dataType === 'aws:ec2:image' && !/^ami-[0-9a-f]{8,17}$/.test(value))
    invalid('The value of a parameter of the data type aws:ec2:image must be the ID of an image.')
  if (/\{\{.*\}\}/s.test(value))
    invalid('Parameter value can\'t nest another parameter. Do not use "{{}}" in the value.')
  if (KeyId !== undefined && Type !== undefined && Type !== 'SecureString')
    invalid('KeyId is required for SecureString type parameter only.')
}

/** The rows after the request: what it does not say stays as it was. */
function nextVersion(
  context: Context,
  tx: Transaction,
  input: PutParameterRequest & { readonly Name: string },
  known: Parameter | undefined,
  before: ParameterVersion | undefined,
): { readonly parameter: Parameter; readonly version: ParameterVersion } {
  const { Value: value = '', KeyId, DataType } = input
  const now = context.clock.now()
  const type = input.Type ?? before?.type
  if (type === undefined) invalid('A parameter type is required when you create a parameter.')
  if (before && before.type !== type)
    throw new AwsError(
      'HierarchyTypeMismatchException',
      "Parameter Store doesn't support changing a parameter type in a hierarchy. For example, you can't change a parameter from a String type to a SecureString type. You must create a new, unique parameter.",
    )
  const policies = input.Policies ?? before?.policies
  // The expiration of policies that stay is not looked at again: they were good when they were given.
  const expiresAt =
    input.Policies === undefined ? known?.expiresAt : readPolicies(input.Policies, now).expiresAt
  const tier = tierOf(input, before, policies)
  checkTier(context, tx, tier, known, value)
  const allowedPattern = input.AllowedPattern ?? before?.allowedPattern
  checkAllowedPattern(allowedPattern, value)
  const parameterArn = known?.parameterArn ?? parameterArnOf(context.scope, input.Name)
  const version = (known?.version ?? 0) + 1
  const description = input.Description ?? before?.description
  const keyId = type === 'SecureString' ? (KeyId ?? before?.keyId ?? 'alias/aws/ssm') : undefined
  return {
    parameter: {
      accountId: context.scope.accountId,
      region: context.scope.region,
      parameterArn,
      name: known?.name ?? input.Name,
      version,
      tier,
      ...(expiresAt !== undefined && { expiresAt }),
    },
    version: {
      parameterArn,
      version,
      type,
      value:
        type === 'SecureString'
          ? context.vault.seal(value, parameterVersionKey({ parameterArn, version }))
          : value,
      labels: [],
      modifiedAt: now,
      modifiedBy: context.caller.arn,
      ...(description !== undefined && { description }),
      ...(allowedPattern !== undefined && allowedPattern !== '' && { allowedPattern }),
      ...(keyId !== undefined && { keyId }),
      dataType: DataType ?? before?.dataType ?? 'text',
      tier,
      ...(policies !== undefined && policies !== '' && { policies }),
    },
  }
}

function tierOf(
  { Tier, Value = '' }: PutParameterRequest,
  before: ParameterVersion | undefined,
  policies: string | undefined,
): Parameter['tier'] {
  const needsAdvanced = Value.length > valueLengthMax.Standard || (policies !== undefined && policies !== '')
  if (before?.tier === 'Advanced' && Tier === 'Standard')
    invalid(
      "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.",
    )
  if (before?.tier === 'Advanced' || Tier === 'Advanced') return 'Advanced'
  if (Tier === 'Intelligent-Tiering') return needsAdvanced ? 'Advanced' : 'Standard'
  if (policies !== undefined && policies !== '')
    invalid(
      'Parameter policies are supported only for parameters of the advanced-parameter tier. Use the advanced-parameter tier and try again.',
    )
  return 'Standard'
}

function checkTier(
  { scope }: Context,
  tx: Transaction,
  tier: Parameter['tier'],
  known: Parameter | undefined,
  value: string,
): void {
  if (value.length > valueLengthMax[tier])
    invalid(
      tier === 'Standard'
        ? 'Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html'
        : 'Advanced tier parameters support a maximum parameter value of 8192 characters.',
    )
  if (
    known?.tier !== tier &&
    tx.count('parameter', 'tier', `${scopeKey(scope)} ${tier}`) >= parametersMax[tier]
  )
    throw new AwsError(
      'ParameterLimitExceeded',
      `You have exceeded the number of ${tier} parameters for this account and Region, ${parametersMax[tier]}. Delete one or more parameters and try again.`,
    )
}

/** Of a hundred versions the oldest goes, unless it has a label. */
function makeRoom(tx: Transaction, { parameterArn, name }: Parameter): void {
  const versions = tx.by('parameterVersion', 'parameter', parameterArn)
  const oldest = versions.toSorted((one, other) => one.version - other.version)[0]
  if (!oldest || versions.length < parameterVersionsMax) return
  if (oldest.labels.length > 0)
    throw new AwsError(
      'ParameterMaxVersionLimitExceeded',
      `You attempted to create a new version of ${name} by calling the PutParameter API with the overwrite flag. Version ${oldest.version}, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.`,
    )
  tx.delete('parameterVersion', parameterVersionKey(oldest))
}
