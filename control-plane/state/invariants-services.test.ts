import { present } from '@berth/std/assert.ts'
import { beforeEach, expect, test } from 'vitest'
import { services } from '#api/services.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import { brokenInvariants } from './invariants.ts'
import type { Transaction } from './store.ts'
import type { TableName, Tables } from './tables.ts'

const document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
const PolicyArn = 'arn:aws:iam::000000000000:policy/p'
const Value = 'x'

let context: TestContext
const call = (service: keyof typeof services, operation: string, input: object): void => {
  const row = services[service][operation]
  if (!row || !('run' in row)) throw new Error(`${operation} is not there`)
  row.run(context, input as never)
}
beforeEach(async () => {
  context = await testContext()
  call('ec2', 'DescribeSubnets', {})
  const { subnetId } = first(context.store, 'subnet')
  call('ec2', 'CreateNetworkInterface', { SubnetId: subnetId })
  call('iam', 'CreateUser', { UserName: 'ann' })
  call('iam', 'CreateGroup', { GroupName: 'devs' })
  call('iam', 'AddUserToGroup', { UserName: 'ann', GroupName: 'devs' })
  call('iam', 'CreatePolicy', { PolicyName: 'p', PolicyDocument: document })
  call('iam', 'AttachUserPolicy', { UserName: 'ann', PolicyArn })
  call('secretsmanager', 'CreateSecret', { Name: 's', SecretString: 'x', ClientRequestToken: 'a'.repeat(32) })
  call('ssm', 'PutParameter', { Name: 'p', Type: 'String', Value })
  call('events', 'PutRule', { Name: 'r', ScheduleExpression: 'rate(1 minute)' })
  call('logs', 'CreateLogGroup', { logGroupName: 'g' })
})

const first = <T extends TableName>(view: Pick<Transaction, 'list'>, table: T): Tables[T] =>
  present(view.list(table)[0], `a row of ${table}`)

test('nothing is broken of rows that operations made', () => {
  expect(brokenInvariants(context.store, context.fleet)).toEqual([])
})

test.each<[string, (tx: Transaction) => void, string]>([
  [
    'two interfaces with one address',
    (tx) => tx.put('networkInterface', { ...first(tx, 'networkInterface'), networkInterfaceId: 'eni-2' }),
    'the address 172.31.',
  ],
  [
    'an interface that is attached to nothing',
    (tx) => tx.put('networkInterface', { ...first(tx, 'networkInterface'), attachmentId: 'a' }),
    'is attached to nothing',
  ],
  [
    'an interface in a group that is gone',
    (tx) => tx.put('networkInterface', { ...first(tx, 'networkInterface'), securityGroupIds: ['sg-1'] }),
    'is in the security group sg-1, which is not there',
  ],
  [
    'a user in a group that is gone',
    (tx) => tx.delete('iamGroup', '000000000000/devs'),
    'is in the group devs, which is not there',
  ],
  [
    'a policy that is gone and attached',
    (tx) => tx.delete('iamPolicy', '000000000000/p'),
    `has the policy ${PolicyArn}, which is not there`,
  ],
  [
    'a policy without its default version',
    (tx) => tx.put('iamPolicy', { ...first(tx, 'iamPolicy'), defaultVersionId: 'v9' }),
    'has no version v9',
  ],
  [
    'a label on two versions of a secret',
    (tx) => tx.put('secretVersion', { ...first(tx, 'secretVersion'), versionId: 'b'.repeat(32) }),
    'AWSCURRENT is there twice',
  ],
  [
    'a version of no secret',
    (tx) => tx.delete('secret', first(tx, 'secret').secretArn),
    'is a version of arn:aws:secretsmanager',
  ],
  [
    'a parameter without its newest version',
    (tx) => tx.put('parameter', { ...first(tx, 'parameter'), version: 2 }),
    'says it is of version 2, and has 1',
  ],
  [
    'a disabled rule that is to fire',
    (tx) => tx.put('rule', { ...first(tx, 'rule'), state: 'DISABLED' }),
    'is DISABLED and is to fire',
  ],
  [
    'two groups of logs with one store',
    (tx) => tx.put('logGroup', { ...first(tx, 'logGroup'), logGroupArn: 'arn:other' }),
    'the store of logs',
  ],
])('says that there is %s', (_, change, said) => {
  context.store.update((tx) => change(tx) as undefined)
  expect(brokenInvariants(context.store, context.fleet).join('\n')).toContain(said)
})
