import { expect, test } from 'vitest'
import type { Task } from '#domain/task.ts'
import { verifySession } from '#state/session-credentials.ts'
import { credentialsLifeMs, credentialsRefreshMs } from './agent-gateway-credentials.ts'
import {
  arnOf,
  connect,
  gatewayOn,
  instanceArn,
  taskRow,
  type TestGateway,
  testGateway,
} from './agent-gateway-testing.ts'

const roleArn = 'arn:aws:iam::000000000000:role/app'
const withRole: Partial<Task> = { overrides: { taskRoleArn: roleArn, executionRoleArn: 'pull' } }
const running: Partial<Task> = { ...withRole, lastStatus: 'RUNNING' }

function run(at: TestGateway, durationMs: number): void {
  for (let left = durationMs; left > 0; left -= 1000) at.clock.advance(Math.min(1000, left))
}

test('a payload brings credentials of both roles that sign as the roles, for six hours', async () => {
  const at = await testGateway(taskRow('a', withRole))
  const agent = await connect(at.gateway, at)
  await at.gateway.tell(instanceArn, [arnOf('a')])
  const [task] = agent.heard('PayloadMessage')[0]?.tasks ?? []
  expect(task?.roleCredentials?.roleArn).toBe(roleArn)
  // A role that is named by its name alone is one of the task's account.
  expect(task?.executionRoleCredentials?.roleArn).toBe('arn:aws:iam::000000000000:role/pull')
  expect(task?.roleCredentials?.credentialsId).not.toBe(task?.executionRoleCredentials?.credentialsId)
  const { accessKeyId = '', sessionToken = '', expiration = '' } = task?.roleCredentials ?? {}
  const session = verifySession(at.store, { accessKeyId, sessionToken })
  expect(session?.claims.principalArn).toBe('arn:aws:sts::000000000000:assumed-role/app/a')
  expect(Date.parse(expiration) - at.clock.now()).toBeGreaterThan(credentialsLifeMs - 1000)
})

test('a task without a role has no credentials', async () => {
  const at = await testGateway(taskRow('a'))
  const agent = await connect(at.gateway, at)
  await at.gateway.tell(instanceArn, [arnOf('a')])
  const [task] = agent.heard('PayloadMessage')[0]?.tasks ?? []
  expect(task).not.toHaveProperty('roleCredentials')
  expect(task).not.toHaveProperty('executionRoleCredentials')
})

test('an agent that has just started gets the credentials of all its tasks at once, under the ids it had', async () => {
  const at = await testGateway(taskRow('a', withRole))
  const before = await connect(at.gateway, at)
  await at.gateway.tell(instanceArn, [arnOf('a')])
  const [first] = before.heard('PayloadMessage')[0]?.tasks ?? []
  at.put(taskRow('a', running), taskRow('over', { ...running, lastStatus: 'STOPPED' }))
  const after = await connect(at.gateway, at, { sendCredentials: true })
  const sent = after.heard('IAMRoleCredentialsMessage')
  expect(sent.map(({ taskArn, roleType }) => [taskArn, roleType])).toEqual([
    [arnOf('a'), 'TaskApplication'],
    [arnOf('a'), 'TaskExecution'],
  ])
  expect(sent[0]?.roleCredentials.credentialsId).toBe(first?.roleCredentials?.credentialsId)
  expect(sent[0]?.roleCredentials.accessKeyId).not.toBe(first?.roleCredentials?.accessKeyId)
})

test('credentials are sent anew each hour, also over a lost connection, and never to an agent that is away', async () => {
  const at = await testGateway(taskRow('a', running))
  const first = await connect(at.gateway, at, { sendCredentials: true, protocolVersion: 1 })
  run(at, credentialsRefreshMs / 2)
  first.hangUp()
  const second = await connect(at.gateway, at, { sendCredentials: false, protocolVersion: 1 })
  run(at, credentialsRefreshMs / 2 - 1)
  expect(second.heard('IAMRoleCredentialsMessage')).toHaveLength(0)
  run(at, 1)
  expect(second.heard('IAMRoleCredentialsMessage')).toHaveLength(2)
  run(at, credentialsRefreshMs)
  expect(second.heard('IAMRoleCredentialsMessage')).toHaveLength(4)
  expect(first.heard('IAMRoleCredentialsMessage')).toHaveLength(2)
})

test('after a restart the control plane sends new credentials within a minute, because it knows of none', async () => {
  const at = await testGateway(taskRow('a', running))
  at.gateway.close()
  const gateway = gatewayOn(at, at.metrics, at.problems)
  const agent = await connect(gateway, at, { sendCredentials: false, protocolVersion: 1 })
  run(at, 60_000)
  expect(agent.heard('IAMRoleCredentialsMessage')).toHaveLength(2)
  expect(at.problems).toEqual([])
})
