import type { PolicyDocument } from './policy-document.ts'
import { type Decision, evaluate, type PolicyRequest } from './policy-evaluation.ts'

/** The policies that decide about somebody's requests, by their kind. */
export interface DecidingPolicies {
  readonly identity: readonly PolicyDocument[]
  /** What it may at most, where something says so. */
  readonly boundary?: readonly PolicyDocument[]
  readonly session?: readonly PolicyDocument[]
}

export interface Decided {
  readonly decision: Decision
  /** Why it may not, in AWS's words: `because no identity-based policy allows the ecs:RunTask action`. */
  readonly because: string
}

/** What each kind of policy is called in a refusal. */
const kinds = [
  ['identity', 'identity-based policy', 'an identity-based policy'],
  ['session', 'session policy', 'a session policy'],
  ['boundary', 'permissions boundary', 'a permissions boundary'],
] as const

/**
 * Whether somebody may do what is asked: no policy denies it, and one of each kind that there is allows it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
export function decide(policies: DecidingPolicies, request: PolicyRequest): Decided {
  let lacking: string | undefined
  for (const [kind, none, some] of kinds) {
    const own = policies[kind]
    if (!own) continue
    const decision = evaluate(own, request)
    if (decision === 'explicitDeny') return { decision, because: `with an explicit deny in ${some}` }
    if (decision === 'implicitDeny') lacking ??= `because no ${none} allows the ${request.action} action`
  }
  return lacking === undefined
    ? { decision: 'allowed', because: '' }
    : { decision: 'implicitDeny', because: lacking }
}
