import type * as STS from '@aws-sdk/client-sts'
import { AwsError } from '@berth/wire/error.ts'
import { constraints, type Constraints } from '#api/constraints.ts'
import type { ConditionKeys, Context, Operation } from '#api/operation.ts'
import { iamKey, type IamRole, type IamTag, parseRoleArn } from '#domain/iam/entities.ts'
import { parseIdentityPolicy, PolicyError } from '#domain/iam/policy-document.ts'
import { evaluateTrust, type TrustedPrincipal } from '#domain/iam/policy-evaluation.ts'
import { conditionKeysOf } from '#state/principal-conditions.ts'
import { trustOf } from '#state/assume-role.ts'
import { issueSession, type SessionCredentials, type SessionLimits } from '#state/session-credentials.ts'

const chainedSecondsMax = 3600
/** How long policy and tags may be together, in a token that a header has room for. AWS packs them and tells only a share. */
const packedMax = 4096

export const assumeRole: Operation<STS.AssumeRoleRequest, STS.AssumeRoleResponse> = {
  resources: (_, { RoleArn }) => [RoleArn ?? '*'],
  conditions: (_, input) => conditionsOf(input),
  granted: (context, input) => {
    const role = findRole(context, input.RoleArn)
    if (!role || role.accountId !== context.caller.accountId) return false
    return trust(context, role, input, 'sts:AssumeRole') === 'allowed'
  },
  run: (context, input) => {
    const { RoleArn: roleArn = '', RoleSessionName: sessionName = '' } = input
    check((constraint) => {
      constraint.text('roleArn', roleArn, { min: 20, max: 2048 })
      constraint.text('roleSessionName', sessionName, {
        min: 2,
        max: 64,
        pattern: /^[\w+=,.@-]*$/,
        shown: '[\\w+=,.@-]*',
      })
      constraint.number('durationSeconds', input.DurationSeconds, 900, 43_200)
      constraint.text('externalId', input.ExternalId, { min: 2, max: 1224, pattern: /^[\w+=,.@:/-]*$/ })
      constraint.text('policy', input.Policy, { max: 2048 })
      constraint.items('policyArns', input.PolicyArns, 0, 10)
      constraint.items('tags', input.Tags, 0, 50)
      constraint.text('sourceIdentity', input.SourceIdentity, { min: 2, max: 64, pattern: /^[\w+=,.@-]*$/ })
    })
    if (!parseRoleArn(roleArn)) throw new AwsError('ValidationError', `${roleArn} is invalid`)
    const role = trustedRole(context, input)
    const limits = limitsOf(input)
    const session = issueSession(context.store, context.ids, context.clock, {
      accountId: role.accountId,
      roleArn,
      sessionName,
      durationMs: durationOf(context, role, input.DurationSeconds) * 1000,
      ...limits,
    })
    const packed = packedShare(limits)
    return {
      Credentials: showCredentials(session),
      AssumedRoleUser: {
        AssumedRoleId: `${role.roleId}:${sessionName}`,
        Arn: `arn:aws:sts::${role.accountId}:assumed-role/${role.roleName}/${sessionName}`,
      },
      ...(packed > 0 && { PackedPolicySize: packed }),
      ...(limits.sourceIdentity !== undefined && { SourceIdentity: limits.sourceIdentity }),
    }
  },
}

/** The role, if its trust policy lets the caller assume it as asked. Throws AccessDenied. */
function trustedRole(context: Context, input: STS.AssumeRoleRequest): IamRole {
  const role = findRole(context, input.RoleArn)
  const actions = [
    'sts:AssumeRole',
    ...(input.Tags?.length ? ['sts:TagSession'] : []),
    ...(input.SourceIdentity === undefined ? [] : ['sts:SetSourceIdentity']),
  ]
  for (const action of actions) {
    const said = role && trust(context, role, input, action)
    if (said !== 'allowed' && said !== 'account')
      throw new AwsError(
        'AccessDenied',
        `User: ${context.caller.arn} is not authorized to perform: ${action} on resource: ${input.RoleArn}`,
        403,
      )
  }
  // Of a role that is not there nothing was allowed.
  return role as IamRole
}

function findRole({ store }: Context, roleArn: string | undefined): IamRole | undefined {
  const named = parseRoleArn(roleArn ?? '')
  const role = named && store.find('iamRole', iamKey(named.accountId, named.roleName))
  return role?.arn === roleArn ? role : undefined
}

function trust(
  context: Context,
  role: IamRole,
  input: STS.AssumeRoleRequest,
  action: string,
): ReturnType<typeof evaluateTrust> {
  const keys = (): ConditionKeys => ({
    ...conditionKeysOf(context.store, context.caller, context.clock.now(), context.scope.region),
    ...lowered(conditionsOf(input)),
  })
  return evaluateTrust(trustOf(role), principalOf(context), { action, context: keys })
}

/** Under which names a trust policy may mean the caller. */
function principalOf({ caller, store }: Context): TrustedPrincipal {
  const { accountId, arn, userId } = caller
  const [id = ''] = userId.split(':')
  const roleName = arn.includes(':assumed-role/') ? arn.split('/')[1] : undefined
  if (roleName === undefined) return { accountId, names: [arn, id] }
  const role = store.find('iamRole', iamKey(accountId, roleName))
  const roleArn = role?.arn ?? `arn:aws:iam::${accountId}:role/${roleName}`
  return { accountId, names: [arn, roleArn, id, userId] }
}

function conditionsOf(input: STS.AssumeRoleRequest): ConditionKeys {
  const { Tags: tags = [] } = input
  return {
    'sts:ExternalId': input.ExternalId,
    'sts:RoleSessionName': input.RoleSessionName,
    'sts:SourceIdentity': input.SourceIdentity,
    'sts:TransitiveTagKeys': input.TransitiveTagKeys,
    'aws:TagKeys': tags.length > 0 ? tags.map(({ Key = '' }) => Key) : undefined,
    ...Object.fromEntries(tags.map(({ Key = '', Value }) => [`aws:RequestTag/${Key}`, Value])),
  }
}

const lowered = (keys: ConditionKeys): ConditionKeys =>
  Object.fromEntries(Object.entries(keys).map(([key, value]) => [key.toLowerCase(), value]))

function durationOf({ caller }: Context, role: IamRole, asked: number | undefined): number {
  const chained = caller.arn.includes(':assumed-role/')
  if (chained && asked !== undefined && asked > chainedSecondsMax)
    throw new AwsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    )
  if (asked !== undefined && asked > role.maxSessionSeconds)
    throw new AwsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    )
  return asked ?? 3600
}

function limitsOf(input: STS.AssumeRoleRequest): SessionLimits {
  const { Policy, PolicyArns = [], Tags = [], TransitiveTagKeys, SourceIdentity } = input
  if (Policy !== undefined) checkPolicy(Policy)
  const tags = Tags.map(({ Key = '', Value = '' }): IamTag => ({ key: Key, value: Value }))
  if (new Set(tags.map(({ key }) => key.toLowerCase())).size < tags.length)
    throw new AwsError(
      'InvalidParameterValue',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    )
  const limits = {
    ...(Policy !== undefined && { policy: Policy }),
    ...(PolicyArns.length > 0 && { policyArns: PolicyArns.flatMap(({ arn }) => arn ?? []) }),
    ...(tags.length > 0 && { tags }),
    ...(TransitiveTagKeys?.length && { transitiveTagKeys: TransitiveTagKeys }),
    ...(SourceIdentity !== undefined && { sourceIdentity: SourceIdentity }),
  }
  if (packedShare(limits) > 100)
    throw new AwsError(
      'PackedPolicyTooLarge',
      `Packed size of session policy and tags consumes ${packedShare(limits)}% of allotted space.`,
    )
  return limits
}

/** What of the room for policies and tags is taken, in per cent. */
function packedShare({ policy, policyArns, tags, transitiveTagKeys }: SessionLimits): number {
  const limits = { policy, policyArns, tags, transitiveTagKeys }
  const bytes = Buffer.byteLength(JSON.stringify(limits)) - '{}'.length
  return Math.ceil((bytes * 100) / packedMax)
}

function checkPolicy(text: string): void {
  try {
    parseIdentityPolicy(text)
  } catch (error) {
    if (error instanceof PolicyError) throw new AwsError('MalformedPolicyDocument', error.message)
    throw error
  }
}

/** What the model says of values, in the words of the service's front end. Throws ValidationError. */
export function check(ask: (constraint: Constraints) => void): void {
  const constraint = constraints()
  ask(constraint)
  try {
    constraint.check()
  } catch (error) {
    if (error instanceof AwsError) throw new AwsError('ValidationError', error.message)
    throw error
  }
}

export function showCredentials(session: SessionCredentials): STS.Credentials {
  return {
    AccessKeyId: session.accessKeyId,
    SecretAccessKey: session.secretAccessKey,
    SessionToken: session.sessionToken,
    Expiration: new Date(session.expiresAt),
  }
}
