import type { RoleCredentials } from '@berth/agent-protocol/payload.ts'
import { expect, test } from 'vitest'
import type { TaskRecord } from '#engine/task-record.ts'
import { TaskCredentials } from './credentials.ts'
import { fargateLogs, LogStreamRefused, type LogStreamPlace } from './fargate-logs.ts'

const options = {
  'awslogs-group': '/web',
  'awslogs-region': 'us-east-1',
  'awslogs-stream': 'ecs/web/1',
  'awslogs-endpoint': 'http://10.0.0.1:4566',
}
const container = (name: string, LogConfig: object): object => ({
  name,
  dockerConfig: { config: '{}', hostConfig: JSON.stringify({ LogConfig }), version: '1.18' },
})
const record = (...containers: readonly object[]): TaskRecord =>
  ({
    task: { arn: 'arn:task/1', launchType: 'FARGATE', containers },
    executionCredentialsId: 'execution',
  }) as unknown as TaskRecord

function maker(refusal?: string) {
  const made: LogStreamPlace[] = []
  const credentials = new TaskCredentials({ now: () => 0, at: () => () => undefined })
  credentials.keep('arn:task/1', 'execution', { credentialsId: 'execution' } as RoleCredentials)
  const resource = fargateLogs((place) => {
    made.push(place)
    return refusal === undefined ? Promise.resolve() : Promise.reject(new LogStreamRefused(refusal))
  }, credentials)
  return { made, resource }
}

test('makes the streams of a Fargate task before its containers', async () => {
  const { made, resource } = maker()
  const task = record(
    container('web', { Type: 'awslogs', Config: options }),
    container('own', { Type: 'awslogs', Config: { ...options, 'awslogs-create-group': 'true' } }),
    container('plain', { Type: 'json-file', Config: {} }),
  )
  expect(resource.isNeeded(task)).toBe(true)
  expect(await resource.provide(task)).toEqual({})
  expect(made).toEqual([
    {
      logGroupName: '/web',
      logStreamName: 'ecs/web/1',
      region: 'us-east-1',
      endpoint: 'http://10.0.0.1:4566',
    },
  ])
})

test('a group that is not there stops the task, in the words of Fargate', async () => {
  const { resource } = maker('ResourceNotFoundException: The specified log group does not exist.')
  const task = record(container('web', { Type: 'awslogs', Config: options }))
  await expect(resource.provide(task)).rejects.toMatchObject({
    reason:
      'ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist. : exit status 1',
  })
})
