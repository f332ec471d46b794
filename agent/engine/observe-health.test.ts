import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { expect, test } from 'vitest'
import { observeContainer, type Sighting } from './observe.ts'
import { newTaskRecord, type TaskRecord } from './task-record.ts'

const running: Sighting = {
  id: 'c0ffee',
  imageId: 'sha256:1',
  status: 'running',
  exitCode: 0,
  oomKilled: false,
  error: '',
  startedAt: 10,
  health: { status: 'healthy', output: '' },
}
const record: TaskRecord = newTaskRecord(
  {
    arn: 'arn:aws:ecs:us-east-1:000000000000:task/demo/1',
    desiredStatus: 'RUNNING',
    containers: [
      {
        name: 'main',
        image: 'busybox',
        essential: true,
        cpu: 0,
        memory: 16,
        environment: {},
        portMappings: [],
        volumesFrom: [],
        mountPoints: [],
        overrides: '{}',
        dockerConfig: {
          config: '{"Healthcheck":{"Test":["CMD","true"]}}',
          hostConfig: '{}',
          version: '1.24',
        },
        healthCheckType: 'docker',
      },
    ],
  },
  idsFrom(prng(1)),
  0,
)
const seen = (from: TaskRecord, sighting: Sighting, now: number): TaskRecord =>
  observeContainer(from, 'main', sighting, now)

test('what the check of a running container finds is its health', () => {
  const healthy = seen(record, running, 20)
  expect(healthy.containers[0]?.health?.status).toBe('HEALTHY')
  const unhealthy = seen(healthy, { ...running, health: { status: 'unhealthy', output: 'no answer' } }, 30)
  expect(unhealthy.containers[0]?.health).toEqual({ status: 'UNHEALTHY', since: 30, output: 'no answer' })
})

test('a container that is killed is not unhealthy, though Docker says so of what has ended', () => {
  const healthy = seen(record, running, 20)
  const health = { status: 'unhealthy', output: '' } as const
  const killed = seen(healthy, { ...running, status: 'exited', exitCode: 137, finishedAt: 40, health }, 41)
  expect(killed.containers[0]).toMatchObject({
    state: 'STOPPED',
    exitCode: 137,
    health: { status: 'HEALTHY' },
  })
})
