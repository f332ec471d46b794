import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { expect, test } from 'vitest'
import { newTaskRecord } from '#engine/task-record.ts'
import { logCredentials } from './log-credentials.ts'

const container = (name: string, more: object = {}): object => ({
  name,
  image: 'i',
  volumesFrom: [],
  mountPoints: [],
  portMappings: [],
  ...more,
})
const record = (more: object): Parameters<ReturnType<typeof logCredentials>['provide']>[0] =>
  newTaskRecord(
    {
      arn: 'arn:aws:ecs:us-east-1:000000000000:task/c/1',
      desiredStatus: 'RUNNING',
      containers: [container('logged', { logsAuthStrategy: 'ExecutionRole' }), container('silent')],
      ...more,
    } as never,
    idsFrom(prng(1)),
    0,
  )
const executionRoleCredentials = { credentialsId: 'c-1' }

test('Docker is told where the execution role is, for the containers that log as it', async () => {
  const given = record({ executionRoleCredentials })
  expect(logCredentials().isNeeded(given)).toBe(true)
  expect(await logCredentials().provide(given)).toEqual({
    logged: { logOptions: { 'awslogs-credentials-endpoint': '/v2/credentials/c-1' } },
  })
})

test('without an execution role the instance signs', () => {
  expect(logCredentials().isNeeded(record({}))).toBe(false)
  const other = { executionRoleCredentials, containers: [container('silent')] }
  expect(logCredentials().isNeeded(record(other))).toBe(false)
})
