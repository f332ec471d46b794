import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { expect, test } from 'vitest'
import type { Service } from './service.ts'
import {
  beginRollback,
  finish,
  isFinished,
  isUnderWay,
  newServiceDeployment,
  newServiceRevision,
  requestRollback,
  requestStop,
  type ServiceDeployment,
  serviceDeploymentStatuses,
  start,
  withDigests,
  withRevision,
} from './service-deployment.ts'
import type { TaskDefinition } from './task-definition.ts'
import type { Task } from './task.ts'

const service = {
  accountId: '000000000000',
  region: 'us-east-1',
  serviceArn: 'arn:aws:ecs:us-east-1:000000000000:service/c/web',
  clusterArn: 'arn:aws:ecs:us-east-1:000000000000:cluster/c',
  taskDefinitionArn: 'web:1',
  launchType: 'EC2',
  loadBalancers: [],
  serviceRegistries: [],
  desiredCount: 2,
} as unknown as Service
const taskDefinition = {
  containerDefinitions: [
    { name: 'app', image: 'nginx' },
    { name: 'side', image: 'envoy' },
  ],
} as unknown as TaskDefinition
const deploymentId = 'ecs-svc/1234567890123456789'
const revision = newServiceRevision(service, taskDefinition, { deploymentId, now: 1 })
const begun = newServiceDeployment(revision, { deploymentId, sources: ['a'], ids: idsFrom(prng(1)), now: 1 })

test('a revision is named by its deployment, a service deployment by 21 characters of its own', () => {
  expect(revision.serviceRevisionArn).toBe(
    'arn:aws:ecs:us-east-1:000000000000:service-revision/c/web/1234567890123456789',
  )
  expect(begun.serviceDeploymentArn).toMatch(
    /^arn:aws:ecs:us-east-1:000000000000:service-deployment\/c\/web\/[A-Za-z0-9_-]{21}$/,
  )
  expect(begun).toMatchObject({ status: 'PENDING', targetServiceRevisionArn: revision.serviceRevisionArn })
})

const outcome = {} as NonNullable<ServiceDeployment['outcome']>
const moves = {
  IN_PROGRESS: (row) => start(row, 2),
  STOP_REQUESTED: (row) => requestStop(row, { now: 2, reason: 'why' }),
  ROLLBACK_REQUESTED: (row) => requestRollback(row, { now: 2, reason: 'why' }),
  ROLLBACK_IN_PROGRESS: (row) => beginRollback(row, { now: 2, reason: 'why', serviceRevisionArn: 'a' }),
  SUCCESSFUL: (row) => finish(row, 'SUCCESSFUL', { now: 2, outcome }),
  STOPPED: (row) => finish(row, 'STOPPED', { now: 2, reason: 'why', outcome }),
  ROLLBACK_SUCCESSFUL: (row) => finish(row, 'ROLLBACK_SUCCESSFUL', { now: 2, outcome }),
  ROLLBACK_FAILED: (row) => finish(row, 'ROLLBACK_FAILED', { now: 2, outcome }),
} satisfies Partial<Record<ServiceDeployment['status'], (row: ServiceDeployment) => ServiceDeployment>>
/** The graph of the developer guide, written anew. */
const arrows = new Set([
  'PENDING IN_PROGRESS',
  'PENDING ROLLBACK_REQUESTED',
  'PENDING STOP_REQUESTED',
  'PENDING STOPPED',
  'IN_PROGRESS SUCCESSFUL',
  'IN_PROGRESS STOP_REQUESTED',
  'IN_PROGRESS ROLLBACK_REQUESTED',
  'IN_PROGRESS ROLLBACK_IN_PROGRESS',
  'IN_PROGRESS STOPPED',
  'STOP_REQUESTED STOPPED',
  'ROLLBACK_REQUESTED SUCCESSFUL',
  'ROLLBACK_REQUESTED ROLLBACK_IN_PROGRESS',
  'ROLLBACK_REQUESTED STOPPED',
  'ROLLBACK_IN_PROGRESS ROLLBACK_SUCCESSFUL',
  'ROLLBACK_IN_PROGRESS ROLLBACK_FAILED',
])

test.each(
  serviceDeploymentStatuses.flatMap((from) => Object.entries(moves).map((to) => [from, ...to] as const)),
)('from %s to %s goes only what the graph lets go', (from, to, move) => {
  const row = { ...begun, status: from }
  const attempt = (): string => {
    try {
      return move(row).status
    } catch (error) {
      return String(error)
    }
  }
  const refusal = `Error: assertion failed: ${begun.serviceDeploymentArn} went from ${from} to ${to}`
  expect(attempt()).toBe(arrows.has(`${from} ${to}`) ? to : refusal)
})

test.each(serviceDeploymentStatuses)('%s has its place and its times', (status) => {
  const final = [...arrows].every((arrow) => !arrow.startsWith(`${status} `))
  expect(isFinished({ status })).toBe(final)
  expect(isUnderWay({ status })).toBe(status === 'PENDING' || status === 'IN_PROGRESS')
})

test('each move leaves its time and its reason', () => {
  const started = start(begun, 2)
  expect(started).toMatchObject({ startedAt: 2, createdAt: 1 })
  const rolling = beginRollback(started, { now: 3, reason: 'why', serviceRevisionArn: 'a' })
  expect(rolling).toMatchObject({
    statusReason: 'why',
    rollback: { reason: 'why', startedAt: 3, serviceRevisionArn: 'a' },
  })
  const over = finish(rolling, 'ROLLBACK_SUCCESSFUL', { now: 4, outcome })
  expect(over).toMatchObject({ finishedAt: 4, statusReason: 'why', outcome })
  expect(over.stoppedAt).toBeUndefined()
  expect(finish(started, 'STOPPED', { now: 4, outcome })).toMatchObject({ finishedAt: 4, stoppedAt: 4 })
})

test('a service gets back what a revision has recorded, and keeps what no deployment changes', () => {
  const changed = {
    ...service,
    taskDefinitionArn: 'web:2',
    desiredCount: 5,
    platformVersion: '1.4.0',
    capacityProviderStrategy: [{ capacityProvider: 'x' }],
    networkConfiguration: { awsvpcConfiguration: { subnets: ['x'] } },
  } as Service
  expect(withRevision(changed, revision)).toEqual({ ...service, desiredCount: 5 })
})

test('the first digest that tasks tell of an image stays', () => {
  const task = (digests: Readonly<Record<string, string>>): Task =>
    ({
      containers: Object.entries(digests).map(([name, imageDigest]) => ({ name, imageDigest })),
    }) as unknown as Task
  expect(withDigests(revision, [])).toBe(revision)
  const half = withDigests(revision, [task({ app: 'sha256:1' }), task({ app: 'sha256:2' })])
  expect(half.containerImages).toEqual([
    { containerName: 'app', image: 'nginx', imageDigest: 'sha256:1' },
    { containerName: 'side', image: 'envoy' },
  ])
  const whole = withDigests(half, [task({ app: 'sha256:2', side: 'sha256:3' })])
  expect(whole.containerImages.map(({ imageDigest }) => imageDigest)).toEqual(['sha256:1', 'sha256:3'])
  expect(withDigests(whole, [task({ app: 'sha256:9', side: 'sha256:9' })])).toBe(whole)
})
