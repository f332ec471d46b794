/** Parameter policies: an expiration is carried out; of notifications there is nobody to be told. */
import type { ParameterInlinePolicy } from '@aws-sdk/client-ssm'
import { AwsError } from '@berth/wire/error.ts'

interface Policy {
  readonly Type?: unknown
  readonly Version?: unknown
  readonly Attributes?: Readonly<Record<string, unknown>>
}

const policiesMax = 10
const wrongAttribute = (message: string): never => {
  throw new AwsError('InvalidPolicyAttributeException', message)
}

/** The policies of a request, and when they end the parameter. Throws InvalidPolicy…, PoliciesLimitExceededException. */
export function readPolicies(
  text: string,
  now: number,
): { readonly policies: readonly Policy[]; readonly expiresAt?: number } {
  if (text === '') return { policies: [] }
  let policies: unknown
  try {
    policies = JSON.parse(text)
  } catch {
    policies = undefined
  }
  const wellFormed =
    Array.isArray(policies) &&
    policies.every((each) => typeof each === 'object' && each !== null && !Array.isArray(each))
  if (!wellFormed) return wrongAttribute('The parameter policies must be a JSON array of policies.')
  const found = policies as readonly Policy[]
  if (found.length > policiesMax)
    throw new AwsError(
      'PoliciesLimitExceededException',
      `You specified more than the maximum number of allowed policies for the parameter. The maximum is ${policiesMax}.`,
    )
  let expiresAt: number | undefined
  for (const { Type, Version, Attributes = {} } of found) {
    if (Type !== 'Expiration' && Type !== 'ExpirationNotification' && Type !== 'NoChangeNotification')
      throw new AwsError(
        'InvalidPolicyTypeException',
        'The policy type is not supported. Parameter Store supports the following policy types: Expiration, ExpirationNotification, and NoChangeNotification.',
      )
    if (Version !== '1.0') wrongAttribute(`The Version of the policy ${Type} must be 1.0.`)
    if (Type === 'Expiration') expiresAt = expirationOf(Attributes, now)
    else checkPeriod(Type, Attributes)
  }
  return { policies: found, ...(expiresAt !== undefined && { expiresAt }) }
}

function expirationOf({ Timestamp }: Readonly<Record<string, unknown>>, now: number): number {
  const at = typeof Timestamp === 'string' ? Date.parse(Timestamp) : Number.NaN
  if (Number.isNaN(at))
    return wrongAttribute('The Timestamp of the policy Expiration must be a date in ISO 8601.')
  if (at <= now) return wrongAttribute('The Timestamp of the policy Expiration must be in the future.')
  return at
}

function checkPeriod(type: string, { Before, After, Unit }: Readonly<Record<string, unknown>>): void {
  if (Unit !== 'Days' && Unit !== 'Hours')
    wrongAttribute(`The Unit of the policy ${type} must be Days or Hours.`)
  const period = type === 'ExpirationNotification' ? Before : After
  if (typeof period !== 'string' || !/^[1-9]\d*$/.test(period))
    wrongAttribute(`The policy ${type} must say how long in a whole number, written as a text.`)
}

export function showPolicies(text: string | undefined, now: number): ParameterInlinePolicy[] {
  if (text === undefined || text === '') return []
  return (JSON.parse(text) as readonly Policy[]).map((policy) => {
    const expires = Date.parse(String(policy.Attributes?.['Timestamp']))
    const finished = policy.Type === 'Expiration' && expires <= now
    return {
      PolicyText: JSON.stringify(policy),
      PolicyType: String(policy.Type),
      PolicyStatus: finished ? 'Finished' : 'Pending',
    }
  })
}
