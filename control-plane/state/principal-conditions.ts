import type { ConditionContext } from '#domain/iam/policy-conditions.ts'
import { iamKey } from '#domain/iam/entities.ts'
import { policiesOf, type Principal } from './principal-policies.ts'
import type { View } from './store.ts'

/**
 * What policies may ask of whoever sends a request, by key in small letters.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function conditionKeysOf(
  view: Pick<View, 'find'>,
  principal: Principal,
  nowMs: number,
  region: string,
): ConditionContext {
  const { accountId, arn, userId, session } = principal
  const { tags, userName } = policiesOf(view, principal)
  const roleName = arn.includes(':assumed-role/') ? (arn.split('/')[1] ?? '') : undefined
  const role = roleName === undefined ? undefined : view.find('iamRole', iamKey(accountId, roleName))
  const now = Math.floor(nowMs / 1000) * 1000
  return {
    'aws:principalarn':
      roleName === undefined ? arn : (role?.arn ?? `arn:aws:iam::${accountId}:role/${roleName}`),
    'aws:principalaccount': accountId,
    'aws:principaltype': roleName !== undefined ? 'AssumedRole' : arn.endsWith(':root') ? 'Account' : 'User',
    'aws:userid': userId,
    'aws:username': userName,
    'aws:currenttime': new Date(now).toISOString().replace('.000', ''),
    'aws:epochtime': String(now / 1000),
    'aws:requestedregion': region,
    'aws:sourceidentity': session?.sourceIdentity,
    // Requests come over loopback and over the bridges of this machine, none of them with TLS.
    'aws:securetransport': 'false',
    'aws:multifactorauthpresent': session === undefined ? undefined : 'false',
    'aws:tokenissuetime':
      session === undefined ? undefined : new Date(session.issuedAt).toISOString().replace(/\.\d+/, ''),
    ...Object.fromEntries(tags.map(({ key, value }) => [`aws:principaltag/${key.toLowerCase()}`, value])),
  }
}
