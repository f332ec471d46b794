import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import type { IamRole } from '#domain/iam/entities.ts'
import { putCluster, putContainerInstance, putTaskDefinition, refusalOf } from '#api/ecs/testing-rows.ts'
import { runTask } from './run-task.ts'
import { scheduledRuns } from './scheduled-run.ts'

const trusting = (service: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
  })
const role = (roleName: string, trustPolicy: string): IamRole => ({
  accountId: '000000000000',
  path: '/',
  arn: `arn:aws:iam::000000000000:role/${roleName}`,
  createdAt: 0,
  roleName,
  roleId: `AROA${roleName}`,
  trustPolicy,
  maxSessionSeconds: 3600,
  inlinePolicies: [],
  attachedPolicyArns: [],
  tags: [],
})

let context: TestContext
beforeEach(async () => {
  const plain = await testContext()
  context = { ...plain, installation: { ...plain.installation, enforcesIam: true } }
  putContainerInstance(context, putCluster(context, 'c'), 'one')
  context.store.update((tx) => {
    tx.put('iamRole', role('good', trusting('ecs-tasks.amazonaws.com')))
    tx.put('iamRole', role('strange', trusting('ec2.amazonaws.com')))
  })
})
const run = (taskRoleArn: string, from = context) => {
  putTaskDefinition(from, 'web:1', {}, { taskRoleArn })
  return runTask.run(from, { cluster: 'c', taskDefinition: 'web' })
}

test('a role that ECS may assume is taken, named by its ARN or its name', () => {
  expect(run('good').tasks).toHaveLength(1)
  expect(run('arn:aws:iam::000000000000:role/good').failures).toEqual([])
})

test.each(['strange', 'missing'])('the %s role is refused, and no task is made', (name) => {
  const arn = `arn:aws:iam::000000000000:role/${name}`
  expect(refusalOf(() => run(name))).toBe(
    `ClientException: ECS was unable to assume the role '${arn}' that was provided for this task. Please verify that the role being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.`,
  )
  expect(context.store.size('task')).toBe(0)
})

test('where IAM is not enforced a role need not exist', () => {
  const { enforcesIam: _enforced, ...installation } = context.installation
  expect(run('missing', { ...context, installation }).tasks).toHaveLength(1)
})

test('a schedule runs no task whose role is refused, and is told why', () => {
  putTaskDefinition(context, 'web:1', {}, { taskRoleArn: 'strange' })
  const scope = { accountId: '000000000000', region: 'us-east-1' }
  const request = { cluster: 'c', taskDefinition: 'web' }
  const outcome = context.store.update((tx) => scheduledRuns(context)(tx, scope, 'arn:role', request))
  expect(outcome).toHaveProperty(
    'refused',
    expect.stringContaining("unable to assume the role 'arn:aws:iam::"),
  )
})

test('a trust policy may name whom ECS acts for', () => {
  const trusting = (arn: string): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'ecs-tasks.amazonaws.com' },
          Action: 'sts:AssumeRole',
          Condition: { ArnLike: { 'aws:SourceArn': arn } },
        },
      ],
    })
  context.store.update((tx) => {
    tx.put('iamRole', role('own', trusting('arn:aws:ecs:us-east-1:000000000000:*')))
    tx.put('iamRole', role('other', trusting('arn:aws:ecs:us-east-1:999999999999:*')))
  })
  expect(run('own').tasks).toHaveLength(1)
  expect(refusalOf(() => run('other'))).toContain('unable to assume the role')
})
