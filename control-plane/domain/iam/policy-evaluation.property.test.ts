/** Decides as an independent implementation of IAM's rules does, whatever the policies. */
import { runUnsafeSimulation } from '@cloud-copilot/iam-simulate'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { evaluate } from './policy-evaluation.ts'
import { parseIdentityPolicy } from './policy-document.ts'

const account = '123456789012'
const cluster = `arn:aws:ecs:us-east-1:${account}:cluster`
const oneOrMore = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | T[]> =>
  fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }))

const action = fc.constantFrom('*', 'ecs:*', 'ecs:Run*', 'ECS:runtask', 'ecs:StopTask', 'ecs:??nTask', 's3:*')
const resource = fc.constantFrom(
  '*',
  `${cluster}/*`,
  `${cluster}/prod`,
  `${cluster}/pr?d`,
  `${cluster}/\${aws:PrincipalTag/team}`,
  `${cluster}/\${aws:PrincipalTag/none, 'prod'}`,
  'arn:aws:ecs:*:*:cluster/prod',
  'arn:aws:s3:::bucket/*',
)
const text = fc.constantFrom('prod', 'PROD', 'pr*', 'dev', '${aws:PrincipalTag/team}')
const condition = fc.oneof(
  fc.tuple(
    fc.constantFrom(
      'StringEquals',
      'StringNotEquals',
      'StringEqualsIgnoreCase',
      'StringNotEqualsIgnoreCase',
      'StringLike',
      'StringNotLike',
      'StringEqualsIfExists',
      'StringNotLikeIfExists',
    ),
    fc.constantFrom('aws:PrincipalTag/team', 'aws:RequestTag/stage', 'aws:RequestTag/none'),
    oneOrMore(text),
  ),
  fc.tuple(
    fc.constantFrom('ForAllValues:StringEquals', 'ForAnyValue:StringEquals', 'ForAllValues:StringLike'),
    fc.constantFrom('aws:TagKeys'),
    oneOrMore(fc.constantFrom('stage', 'owner', 's*')),
  ),
  fc.tuple(
    fc.constantFrom('NumericLessThan', 'NumericGreaterThanEquals', 'NumericEquals', 'NumericNotEquals'),
    fc.constantFrom('ecs:task-cpu'),
    oneOrMore(fc.constantFrom('256', '1024', '2048')),
  ),
  fc.tuple(fc.constant('Bool'), fc.constant('aws:SecureTransport'), fc.constantFrom('true', 'false')),
  fc.tuple(
    fc.constantFrom('IpAddress', 'NotIpAddress'),
    fc.constant('aws:SourceIp'),
    oneOrMore(fc.constantFrom('10.0.0.0/8', '10.1.2.3', '192.168.0.0/16')),
  ),
  fc.tuple(
    fc.constantFrom('ArnEquals', 'ArnLike', 'ArnNotLike'),
    fc.constant('ecs:cluster'),
    oneOrMore(fc.constantFrom(`${cluster}/prod`, `${cluster}/*`, 'arn:aws:ecs:*:*:cluster/prod')),
  ),
  fc.tuple(
    fc.constantFrom('DateLessThan', 'DateGreaterThan'),
    fc.constant('aws:CurrentTime'),
    fc.constantFrom('2026-01-01T00:00:00Z', '2030-01-01T00:00:00Z'),
  ),
  fc.tuple(
    fc.constant('Null'),
    fc.constantFrom('aws:RequestTag/stage', 'aws:RequestTag/none'),
    fc.constantFrom('true', 'false'),
  ),
)
const statement = fc
  .record({
    effect: fc.constantFrom('Allow', 'Allow', 'Deny'),
    action: oneOrMore(action),
    not: fc.constantFrom('', '', '', 'Action', 'Resource'),
    resource: oneOrMore(resource),
    conditions: fc.array(condition, { maxLength: 2 }),
  })
  .map(({ effect, action: actions, not, resource: resources, conditions }) => ({
    Effect: effect,
    [not === 'Action' ? 'NotAction' : 'Action']: actions,
    [not === 'Resource' ? 'NotResource' : 'Resource']: resources,
    ...(conditions.length > 0 && {
      Condition: Object.fromEntries(
        conditions.map(([operator, key, values]) => [operator, { [key]: values }]),
      ),
    }),
  }))
const policy = fc.record({
  Version: fc.constantFrom('2012-10-17'),
  Statement: fc.array(statement, { minLength: 1, maxLength: 3 }),
})
const context = fc.record(
  {
    'aws:PrincipalTag/team': fc.constantFrom('prod', 'dev'),
    'aws:RequestTag/stage': fc.constantFrom('prod', 'Prod', '*'),
    'aws:TagKeys': fc.subarray(['stage', 'owner', 'other'], { minLength: 1 }),
    'ecs:task-cpu': fc.constantFrom('256', '512', '1024'),
    'ecs:cluster': fc.constantFrom(`${cluster}/prod`, `${cluster}/dev`),
    'aws:SecureTransport': fc.constantFrom('true', 'false'),
    'aws:SourceIp': fc.constantFrom('10.1.2.3', '192.168.7.8', '8.8.8.8'),
    'aws:CurrentTime': fc.constant('2027-01-01T00:00:00Z'),
  },
  { requiredKeys: [] },
)

test('decides as another implementation of the rules', () => {
  const seen = new Set<string>()
  fc.assert(
    fc.property(
      fc.array(policy, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('ecs:RunTask', 'ecs:StopTask', 's3:GetObject'),
      fc.constantFrom(`${cluster}/prod`, `${cluster}/dev`),
      context,
      (policies, asked, target, variables) => {
        const keys = Object.fromEntries(
          Object.entries(variables).map(([key, value]) => [key.toLowerCase(), value]),
        )
        const decision = evaluate(
          policies.map((each) => parseIdentityPolicy(JSON.stringify(each))),
          { action: asked, resource: target, context: () => keys },
        )
        const expected = runUnsafeSimulation(
          {
            request: {
              principal: `arn:aws:iam::${account}:user/ann`,
              action: asked,
              resource: { resource: target, accountId: account },
              contextVariables: variables as Record<string, string | string[]>,
            },
            identityPolicies: policies.map((each, at) => ({ name: String(at), policy: each })),
            serviceControlPolicies: [],
            resourceControlPolicies: [],
          },
          {},
        )
        seen.add(decision)
        const names = {
          allowed: 'Allowed',
          explicitDeny: 'ExplicitlyDenied',
          implicitDeny: 'ImplicitlyDenied',
        }
        expect(names[decision]).toBe(expected)
      },
    ),
    {
      numRuns: Number(process.env['POLICY_RUNS'] ?? 500),
      seed: Number(process.env['POLICY_SEED'] ?? 20260101),
    },
  )
  expect([...seen].toSorted()).toEqual(['allowed', 'explicitDeny', 'implicitDeny'])
})
