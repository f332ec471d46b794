import { expect, test } from 'vitest'
import type { IamRole } from '#domain/iam/entities.ts'
import { assumeForService } from './assume-role.ts'
import { memoryJournal } from './journal.ts'
import { Store } from './store.ts'

const accountId = '012345678901'
const roleArn = `arn:aws:iam::${accountId}:role/app`
const service = 'ecs-tasks.amazonaws.com'
const taskArn = `arn:aws:ecs:us-east-1:${accountId}:task/c/1`
const refusal = `ECS was unable to assume the role '${roleArn}' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.`

const store = await Store.open(memoryJournal)
const trust = (Service: string, Condition?: object): void => {
  const row: IamRole = {
    accountId,
    roleName: 'app',
    roleId: 'AROAAPP',
    path: '/',
    arn: roleArn,
    createdAt: 0,
    trustPolicy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole', Condition }],
    }),
    maxSessionSeconds: 3600,
    inlinePolicies: [],
    attachedPolicyArns: [],
    tags: [],
  }
  store.update((tx) => tx.put('iamRole', row))
}
const assume = (enforce: boolean, arn = roleArn, account = accountId): object =>
  assumeForService(store, account, arn, service, enforce, taskArn)
const assumed = { roleArn, accountId, roleName: 'app' }

test('a role that is not there is assumed unless policies are enforced', () => {
  expect(assume(false)).toEqual(assumed)
  expect(assume(true)).toEqual({ refused: refusal })
  expect(assume(false, 'app')).toHaveProperty('refused')
})

test('a role is assumed by the service it trusts, for what it trusts it with', () => {
  trust(service)
  expect(assume(true)).toEqual(assumed)
  expect(assume(true, roleArn, '999999999999')).toEqual({ refused: refusal })
  trust('ec2.amazonaws.com')
  expect(assume(true)).toEqual({ refused: refusal })
  trust(service, { ArnLike: { 'aws:SourceArn': `arn:aws:ecs:us-east-1:${accountId}:*` } })
  expect(assume(true)).toEqual(assumed)
  trust(service, { StringEquals: { 'aws:SourceAccount': '999999999999' } })
  expect(assume(true)).toEqual({ refused: refusal })
})
