import type * as IAM from '@aws-sdk/client-iam'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import { decide, type DecidingPolicies } from '#domain/iam/decision.ts'
import { iamKey, parseRoleArn } from '#domain/iam/entities.ts'
import type { ConditionContext } from '#domain/iam/policy-conditions.ts'
import { type PolicyDocument, parseIdentityPolicy, PolicyError } from '#domain/iam/policy-document.ts'
import { heldBy, policiesOf } from '#state/principal-policies.ts'
import { invalidInput, noSuchEntity, pageOfList } from './entity.ts'

type Simulated = IAM.SimulatePrincipalPolicyRequest | IAM.SimulateCustomPolicyRequest

const shownDecisions = {
  allowed: 'allowed',
  explicitDeny: 'explicitDeny',
  implicitDeny: 'implicitDeny',
} as const

/** What a user, group or role may, and what it would with further policies. Resource policies and organizations are not asked. */
export const simulatePrincipalPolicy: Operation<
  IAM.SimulatePrincipalPolicyRequest,
  IAM.SimulatePolicyResponse
> = {
  resources: (_, { PolicySourceArn }) => [PolicySourceArn ?? '*'],
  run: (context, input) => {
    const own = policiesOfArn(context, input.PolicySourceArn ?? '')
    const further = parsed(input.PolicyInputList)
    return simulate(context, input, { ...own, identity: [...own.identity, ...further] })
  },
}

export const simulateCustomPolicy: Operation<IAM.SimulateCustomPolicyRequest, IAM.SimulatePolicyResponse> = {
  resources: () => ['*'],
  run: (context, input) => simulate(context, input, { identity: parsed(input.PolicyInputList) }),
}

function simulate(
  context: Context,
  input: Simulated,
  policies: DecidingPolicies,
): IAM.SimulatePolicyResponse {
  const boundary = input.PermissionsBoundaryPolicyInputList
  const deciding = boundary ? { ...policies, boundary: parsed(boundary) } : policies
  const known: ConditionContext = Object.fromEntries(
    (input.ContextEntries ?? []).map(
      ({ ContextKeyName = '', ContextKeyValues = [], ContextKeyType = '' }) => [
        ContextKeyName.toLowerCase(),
        ContextKeyType.endsWith('List') ? ContextKeyValues : ContextKeyValues[0],
      ],
    ),
  )
  const resources = input.ResourceArns?.length ? input.ResourceArns : ['*']
  const results = (input.ActionNames ?? []).flatMap((action) =>
    resources.map((resource): IAM.EvaluationResult => {
      if (!/^[\w-]+:[\w*?]+$/.test(action)) throw invalidInput(`Invalid Action Name : ${action}`)
      const { decision } = decide(deciding, { action, resource, context: () => known })
      return {
        EvalActionName: action,
        EvalResourceName: resource,
        EvalDecision: shownDecisions[decision],
        MatchedStatements: [],
        MissingContextValues: [],
      }
    }),
  )
  const { MaxItems: _, Marker: __, ...parameters } = input
  const keyOf = ({ EvalActionName, EvalResourceName }: IAM.EvaluationResult): string =>
    `${EvalActionName} ${EvalResourceName}`
  const { rows, more } = pageOfList(context, results, input, { operation: 'Simulate', ...parameters }, keyOf)
  return { EvaluationResults: [...rows], ...more }
}

function policiesOfArn({ store, scope }: Context, arn: string): DecidingPolicies {
  const [, kind = '', name = ''] = /:(user|group|role)\/(?:.*\/)?([^/]+)$/.exec(arn) ?? []
  const accountId = arn.split(':')[4]
  const key = iamKey(scope.accountId, name)
  const row =
    accountId !== scope.accountId
      ? undefined
      : kind === 'user'
        ? store.find('iamUser', key)
        : kind === 'group'
          ? store.find('iamGroup', key)
          : store.find('iamRole', key)
  if (row?.arn !== arn) {
    if (kind === '')
      throw invalidInput(`Invalid Entity Arn: ${arn} does not clearly define entity type and name.`)
    throw noSuchEntity(`The policy source entity with ARN ${arn} cannot be found.`)
  }
  if (kind === 'group') return { identity: heldBy(store, row) }
  const role = parseRoleArn(arn)
  const principal = role ? `arn:aws:sts::${accountId}:assumed-role/${role.roleName}/simulated` : arn
  const userId = 'roleId' in row ? `${row.roleId}:simulated` : ''
  return policiesOf(store, { accountId: scope.accountId, arn: principal, userId })
}

function parsed(texts: readonly string[] | undefined): PolicyDocument[] {
  return (texts ?? []).map((text) => {
    try {
      return parseIdentityPolicy(text)
    } catch (error) {
      if (error instanceof PolicyError) throw new AwsError('InvalidInput', error.message)
      throw error
    }
  })
}
