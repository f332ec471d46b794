import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import { operations } from './operations.ts'

const PolicyArn = 'arn:aws:iam::000000000000:policy/p'
const document = (more: object): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...more }] })

let context: TestContext
const call = (operation: keyof typeof operations, input: object): unknown => {
  const row = operations[operation]
  if (!('run' in row)) throw new Error(`${operation} is not there`)
  return row.run(context, input as never)
}
beforeEach(async () => {
  context = await testContext()
  const trust = document({ Principal: { AWS: '*' }, Action: 'sts:AssumeRole' })
  call('CreateRole', { RoleName: 'web', AssumeRolePolicyDocument: trust })
  call('CreateUser', { UserName: 'ann' })
  call('CreatePolicy', { PolicyName: 'p', PolicyDocument: document({ Action: '*', Resource: '*' }) })
  call('AttachRolePolicy', { RoleName: 'web', PolicyArn })
  call('PutUserPermissionsBoundary', { UserName: 'ann', PermissionsBoundary: PolicyArn })
})

test.each([
  [{}, ['web'], ['ann']],
  [{ PolicyUsageFilter: 'PermissionsPolicy' }, ['web'], []],
  [{ PolicyUsageFilter: 'PermissionsBoundary' }, [], ['ann']],
  [{ EntityFilter: 'User' }, [], ['ann']],
])('lists whom a policy serves, also as a boundary: %j', (filters, roles, users) => {
  expect(call('ListEntitiesForPolicy', { PolicyArn, ...filters })).toMatchObject({
    PolicyRoles: roles.map((RoleName) => ({ RoleName })),
    PolicyUsers: users.map((UserName) => ({ UserName })),
  })
})

test('knows no other uses of policies', () => {
  expect(() => call('ListEntitiesForPolicy', { PolicyArn, PolicyUsageFilter: 'Other' })).toThrow(
    'policyUsageFilter',
  )
})
