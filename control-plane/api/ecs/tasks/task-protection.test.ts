import type { UpdateTaskProtectionRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { Service } from '#domain/service.ts'
import { newTask } from '#domain/task.ts'
import { stopTask } from './task.ts'
import { getTaskProtection, updateTaskProtection } from './task-protection.ts'
import { putCluster, putService, putTaskDefinition, refusalOf } from '#api/ecs/testing-rows.ts'

let context: TestContext
let cluster: Cluster
const minuteMs = 60_000
const nobody = 'f'.repeat(32)

beforeEach(async () => {
  context = await testContext()
  cluster = putCluster(context, 'c')
  putCluster(context, 'other')
})

const serviceOf = (desiredCount: number): Service => putService(context, cluster, 'api', { desiredCount })

function putTask(service?: Service): string {
  const task = newTask({
    scope: context.scope,
    cluster,
    taskDefinition: putTaskDefinition(context, 'web:1'),
    ids: context.ids,
    now: 0,
    group: service ? 'service:api' : 'family:web',
    ...(service && { service: { serviceArn: service.serviceArn, deploymentId: 'ecs-svc/1' } }),
    launchType: 'EC2',
    enableExecuteCommand: false,
  })
  context.store.update((tx) => tx.put('task', task))
  return task.taskArn
}

const update = (tasks: string[], more: Partial<UpdateTaskProtectionRequest> = {}) =>
  updateTaskProtection.run(context, { cluster: 'c', protectionEnabled: true, ...more, tasks })
const get = (tasks: string[]) => getTaskProtection.run(context, { cluster: 'c', tasks })
const inMinutes = (minutes: number): Date => new Date(context.clock.now() + minutes * minuteMs)

test('a task of a service is protected for two hours, one of its own and an unknown one are not', () => {
  const [served, alone] = [putTask(serviceOf(1)), putTask()]
  const failures = [
    { arn: alone, reason: 'TASK_NOT_VALID' },
    { arn: `arn:aws:ecs:us-east-1:000000000000:task/c/${nobody}`, reason: 'MISSING' },
  ]
  const protectedTasks = [{ taskArn: served, protectionEnabled: true, expirationDate: inMinutes(120) }]
  expect(update([served.slice(-32), alone, nobody])).toEqual({ protectedTasks, failures })
  expect(get([served, alone, nobody])).toEqual({ protectedTasks, failures })
})

test('what was never protected, is no longer and whose time is over reads the same', () => {
  const [never, cleared, expired] = [serviceOf(3)].flatMap((service) => [
    putTask(service),
    putTask(service),
    putTask(service),
  ])
  if (never === undefined || cleared === undefined || expired === undefined) throw new Error('no tasks')
  update([cleared, expired], { expiresInMinutes: 1 })
  expect(update([cleared], { protectionEnabled: false })).toEqual({
    protectedTasks: [{ taskArn: cleared, protectionEnabled: false }],
    failures: [],
  })
  context.clock.advance(minuteMs - 1)
  expect(get([expired]).protectedTasks).toMatchObject([{ protectionEnabled: true }])
  context.clock.advance(1)
  const tasks = [never, cleared, expired]
  expect(get(tasks)).toEqual({
    protectedTasks: tasks.map((taskArn) => ({ taskArn, protectionEnabled: false })),
    failures: [],
  })
})

test('protecting a task again resets its time, to more or to less', () => {
  const task = putTask(serviceOf(1))
  for (const minutes of [60, 2880, 1]) {
    context.clock.advance(1000)
    expect(update([task], { expiresInMinutes: minutes }).protectedTasks).toEqual([
      { taskArn: task, protectionEnabled: true, expirationDate: inMinutes(minutes) },
    ])
  }
})

test('while more tasks are protected than the service is to have, no further protection is given', () => {
  const tasks = [1, 2, 3, 4].map(() => putTask(serviceOf(3)))
  const [one = '', two = '', three = '', four = ''] = tasks
  expect(update([one, two, three, four]).failures).toEqual([])
  expect(update([one]).failures).toEqual([{ arn: one, reason: 'DEPLOYMENT_BLOCKED' }])
  expect(get([one]).protectedTasks).toMatchObject([{ expirationDate: inMinutes(120) }])
  expect(update([two], { protectionEnabled: false }).failures).toEqual([])
  expect(update([one, three]).failures).toEqual([])
  serviceOf(1)
  expect(update([three]).failures).toEqual([{ arn: three, reason: 'DEPLOYMENT_BLOCKED' }])
  context.clock.advance(120 * minuteMs)
  expect(update([three]).failures).toEqual([])
})

test('a protected task is stopped when somebody asks for it, and then counts no more', () => {
  const [one, two] = [putTask(serviceOf(1)), putTask(serviceOf(1))]
  update([one, two])
  expect(stopTask.run(context, { cluster: 'c', task: one }).task).toMatchObject({ desiredStatus: 'STOPPED' })
  expect(update([two]).failures).toEqual([])
})

test('protection is no change of state that an event would tell of', () => {
  const task = putTask(serviceOf(1))
  update([task])
  expect(context.store.find('task', task)?.version).toBe(1)
})

const invalid = 'InvalidParameterException: '
test.each<[string, () => unknown, string]>([
  ['nothing', () => update([]), `${invalid}Tasks cannot be empty.`],
  ['nothing to be shown', () => get([]), `${invalid}Tasks cannot be empty.`],
  [
    '11 tasks',
    () => update(Array.from({ length: 11 }, () => nobody)),
    `${invalid}taskIds can have at most 10 items.`,
  ],
  [
    '101 tasks',
    () => get(Array.from({ length: 101 }, () => nobody)),
    `${invalid}taskIds can have at most 100 items.`,
  ],
  [
    'no minutes',
    () => update([nobody], { expiresInMinutes: 0 }),
    `${invalid}expiresInMinutes must be between`,
  ],
  [
    '2881 minutes',
    () => update([nobody], { expiresInMinutes: 2881 }),
    `${invalid}expiresInMinutes must be between`,
  ],
  ['what is no id', () => update(['x']), `${invalid}taskId length should be one of [32,36]`],
  [
    'a task of another cluster',
    () => get([`arn:aws:ecs:us-east-1:000000000000:task/other/${nobody}`]),
    invalid,
  ],
  [
    'an unknown cluster',
    () => update([nobody], { cluster: 'x' }),
    'ClusterNotFoundException: Cluster not found.',
  ],
])('refuses %s', (_, act, message) => {
  expect(refusalOf(act).slice(0, message.length)).toBe(message)
})
