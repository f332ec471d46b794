import { conditionHolds, type ConditionContext, matches, substitute } from './policy-conditions.ts'
import type { PolicyDocument, PrincipalMatcher, Statement } from './policy-document.ts'

export type Decision = 'allowed' | 'explicitDeny' | 'implicitDeny'

export interface PolicyRequest {
  /** `ecs:RunTask`. */
  readonly action: string
  /** An ARN, or `*` where the action has no resource. */
  readonly resource: string
  /** Asked for only when a statement needs it. */
  readonly context: () => ConditionContext
}

/**
 * What policies of one kind say of a request: one that denies wins over all that allow.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 */
export function evaluate(policies: Iterable<PolicyDocument>, request: PolicyRequest): Decision {
  const action = request.action.toLowerCase()
  let allowed = false
  for (const { statements, variables } of policies)
    for (const statement of statements) {
      if (allowed && statement.effect === 'Allow') continue
      if (!matchesAction(statement, action)) continue
      if (!matchesResource(statement, request, variables)) continue
      if (!conditionsHold(statement, request, variables)) continue
      if (statement.effect === 'Deny') return 'explicitDeny'
      allowed = true
    }
  return allowed ? 'allowed' : 'implicitDeny'
}

/** Who asks, as a trust policy may name them. */
export interface TrustedPrincipal {
  /** `ecs-tasks.amazonaws.com`: a service asks for itself. */
  readonly service?: string
  readonly accountId?: string
  /** Under which names an `AWS` principal means the caller itself: its ARN, its role's ARN, its id. */
  readonly names?: readonly string[]
}

/**
 * What a role's trust policy says to somebody. `account` is what it says by naming their whole account, which leaves it to
 * the account's own policies; a role in the same account that names the caller itself needs no more.
 */
export function evaluateTrust(
  { statements, variables }: PolicyDocument,
  principal: TrustedPrincipal,
  request: Omit<PolicyRequest, 'resource'>,
): 'allowed' | 'account' | 'explicitDeny' | 'implicitDeny' {
  const action = request.action.toLowerCase()
  let result: 'allowed' | 'account' | 'implicitDeny' = 'implicitDeny'
  for (const statement of statements) {
    const match = statement.principal && matchesPrincipal(statement.principal, principal)
    if (!match || !matchesAction(statement, action)) continue
    if (!conditionsHold(statement, request, variables)) continue
    if (statement.effect === 'Deny') return 'explicitDeny'
    if (match === 'itself') result = 'allowed'
    else if (result === 'implicitDeny') result = 'account'
  }
  return result
}

function matchesPrincipal(
  { negated, values }: PrincipalMatcher,
  principal: TrustedPrincipal,
): 'itself' | 'account' | undefined {
  let found: 'itself' | 'account' | undefined
  for (const [kind, value] of values) {
    if (kind === 'Service' && value === principal.service) found = 'itself'
    if (kind !== 'AWS' && kind !== '*') continue
    if (principal.service !== undefined || principal.accountId === undefined) continue
    if (principal.names?.includes(value)) found = 'itself'
    const everybody = value === '*'
    const whole = value === principal.accountId || value.endsWith(`::${principal.accountId}:root`)
    if (everybody || whole) found ??= 'account'
  }
  if (!negated) return found
  return found === undefined ? 'account' : undefined
}

function matchesAction({ action }: Statement, asked: string): boolean {
  return action.values.some((value) => value === '*' || matches(value, asked)) !== action.negated
}

function matchesResource({ resource }: Statement, request: PolicyRequest, variables: boolean): boolean {
  if (!resource) return true
  let found = false
  for (const value of resource.values) {
    if (value === '*') found = true
    const pattern = variables && value.includes('${') ? substitute(value, request.context()) : value
    // What is not to be matched is not known then, so that the statement is of nothing.
    if (pattern === undefined && resource.negated) return false
    found ||= pattern !== undefined && matches(pattern, request.resource)
  }
  return found !== resource.negated
}

function conditionsHold(
  { conditions }: Statement,
  request: Pick<PolicyRequest, 'context'>,
  variables: boolean,
): boolean {
  return conditions.every((condition) => conditionHolds(condition, request.context(), variables))
}
