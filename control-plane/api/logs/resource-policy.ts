import type {
  DeleteResourcePolicyRequest,
  DescribeResourcePoliciesRequest,
  DescribeResourcePoliciesResponse,
  PutResourcePolicyRequest,
  PutResourcePolicyResponse,
  ResourcePolicy,
} from '@aws-sdk/client-cloudwatch-logs'
import { AwsError } from '@berth/wire/error.ts'
import type { Operation } from '#api/operation.ts'
import { pageInOrder } from '#api/page.ts'
import { scopeKey } from '#domain/arn.ts'
import type { LogResourcePolicy } from '#domain/logs/log-group.ts'
import { invalidParameter, logConstraints } from './resolve.ts'

/** As many as an account may have in a region. */
const policiesMax = 10
const resources = (): string[] => ['*']

/** Kept and shown: nothing of AWS writes logs here that would have to be let in. */
export const putResourcePolicy: Operation<PutResourcePolicyRequest, PutResourcePolicyResponse> = {
  resources,
  run: (context, { policyName, policyDocument, resourceArn }) => {
    if (resourceArn !== undefined)
      throw new AwsError('UnsupportedFeatureException', 'Berth keeps resource policies of accounts only.')
    if (policyName === undefined || policyDocument === undefined)
      invalidParameter('policyName and policyDocument must be specified.')
    const check = logConstraints()
    check.text('policyDocument', policyDocument, { max: 5120 })
    check.check()
    if (!isObject(policyDocument)) invalidParameter('The policy document is not valid JSON.')
    return context.store.update((tx) => {
      const { scope } = context
      const policy = { ...scope, policyName, policyDocument, updatedAt: context.clock.now() }
      const isNew = !tx.find('logResourcePolicy', `${scopeKey(scope)}/${policyName}`)
      if (isNew && tx.count('logResourcePolicy', 'scope', scopeKey(scope)) >= policiesMax)
        throw new AwsError('LimitExceededException', 'Resource limit exceeded.')
      tx.put('logResourcePolicy', policy)
      return { resourcePolicy: show(policy) }
    })
  },
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}

export const deleteResourcePolicy: Operation<DeleteResourcePolicyRequest, object> = {
  resources,
  run: (context, { policyName = '' }) =>
    context.store.update((tx) => {
      const key = `${scopeKey(context.scope)}/${policyName}`
      if (!tx.find('logResourcePolicy', key))
        throw new AwsError('ResourceNotFoundException', `Policy with name [${policyName}] does not exist`)
      tx.delete('logResourcePolicy', key)
      return {}
    }),
}

export const describeResourcePolicies: Operation<
  DescribeResourcePoliciesRequest,
  DescribeResourcePoliciesResponse
> = {
  resources,
  run: (context, { nextToken, limit, policyScope, resourceArn }) => {
    const check = logConstraints()
    check.number('limit', limit, 1, 1000)
    check.oneOf('policyScope', policyScope, ['ACCOUNT', 'RESOURCE'])
    check.check()
    const scope = scopeKey(context.scope)
    const { rows, nextToken: next } = pageInOrder(
      (after) =>
        policyScope === 'RESOURCE' || resourceArn !== undefined
          ? []
          : context.store.after('logResourcePolicy', 'scope', scope, after),
      {
        context,
        maxResults: limit,
        nextToken,
        limit: 1000,
        default: 50,
        parameters: { list: 'DescribeResourcePolicies', policyScope, resourceArn },
      },
      ({ policyName }) => `${scope}/${policyName}`,
    )
    return { resourcePolicies: rows.map(show), ...(next !== undefined && { nextToken: next }) }
  },
}

const show = ({ policyName, policyDocument, updatedAt }: LogResourcePolicy): ResourcePolicy => ({
  policyName,
  policyDocument,
  lastUpdatedTime: updatedAt,
  policyScope: 'ACCOUNT',
})
