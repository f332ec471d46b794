import { EngineBench, serviceArn } from '@berth/simulator/engine-bench.ts'
import { protect } from '#domain/task-protection.ts'
import type { Service } from '#domain/service.ts'
import { requestStop, type Task } from '#domain/task.ts'
import { expect, onTestFinished, test } from 'vitest'
import { serviceScheduler } from './service-scheduler.ts'

const minute = 60_000

/** A service that is steady, of so many tasks unless there is one on each instance. */
async function steady(desiredCount: number, given: Partial<Service> = {}): Promise<EngineBench> {
  const bench = await EngineBench.open()
  bench.putInstance('host1')
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet }))
  onTestFinished(async () => {
    await bench.close()
    expect(bench.errors).toEqual([])
  })
  bench.obey()
  bench.putService(bench.putTaskDefinition(1), { desiredCount, ...given })
  await bench.run(2 * minute)
  return bench
}

function protectTask(bench: EngineBench, { taskArn }: Pick<Task, 'taskArn'>, minutes: number): void {
  bench.store.update((tx) => {
    const task = tx.find('task', taskArn)
    if (task) tx.put('task', protect(task, minutes, bench.clock.now()))
  })
}

const arnsOf = (tasks: readonly Task[]): string[] => tasks.map(({ taskArn }) => taskArn).toSorted()
const troubles = (bench: EngineBench): string[] =>
  bench.messages
    .filter((message) => message.includes('protection'))
    .map((message) => message.replaceAll(/ecs-svc\/\d+/g, 'ecs-svc/N'))
const held = (count: number): string =>
  `(service web) was unable to reach steady state because (taskSet ecs-svc/N) was unable to scale in due to (reason ${count} tasks under protection)`

test('scaling in leaves protected tasks alone, says so once, and looks again when their time is over', async () => {
  const bench = await steady(4)
  const [one, two, ...others] = bench.wanted()
  if (!one || !two) throw new Error('there are no tasks')
  for (const task of [one, two]) protectTask(bench, task, 30)
  bench.updateService({ desiredCount: 1 })
  await bench.run(10 * minute)
  expect(arnsOf(bench.wanted())).toEqual(arnsOf([one, two]))
  expect(others.every(({ taskArn }) => bench.store.find('task', taskArn)?.desiredStatus === 'STOPPED')).toBe(
    true,
  )
  expect(troubles(bench)).toEqual([held(2)])
  await bench.run(20.1 * minute)
  expect(bench.wanted()).toHaveLength(1)
  expect(bench.messages.at(-1)).toContain('steady state')
})

test('a rolling update starts the new tasks and ends when the old one is no longer protected', async () => {
  const bench = await steady(2)
  const [old] = bench.wanted()
  if (!old) throw new Error('there are no tasks')
  protectTask(bench, old, 60)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(10 * minute)
  expect(bench.wanted()).toHaveLength(3)
  expect(arnsOf(bench.wanted())).toContain(old.taskArn)
  expect(bench.primary?.rolloutState).toBe('IN_PROGRESS')
  expect(troubles(bench)).toEqual([held(1)])
  bench.store.update((tx) => {
    const task = tx.find('task', old.taskArn)
    if (task) tx.put('task', protect(task, 0, 0))
  })
  await bench.run(minute)
  expect(bench.wanted()).toHaveLength(2)
  expect(bench.primary?.rolloutState).toBe('COMPLETED')
})

test('a service with a task on each instance waits for the protected one to be free', async () => {
  const bench = await steady(1, {
    schedulingStrategy: 'DAEMON',
    deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 100 },
  })
  const [old] = bench.wanted()
  if (!old) throw new Error('there is no task')
  protectTask(bench, old, 30)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(10 * minute)
  expect(arnsOf(bench.wanted())).toEqual([old.taskArn])
  expect(troubles(bench)).toEqual([held(1)])
  await bench.run(22 * minute)
  expect(bench.wanted(2)).toHaveLength(1)
  expect(bench.primary?.rolloutState).toBe('COMPLETED')
})

test('tasks leave a draining instance when they are no longer protected', async () => {
  const bench = await steady(1)
  const [old] = bench.wanted()
  if (!old) throw new Error('there is no task')
  protectTask(bench, old, 30)
  const [host] = bench.store.list('containerInstance')
  bench.putInstance('host2')
  if (host) bench.store.update((tx) => tx.put('containerInstance', { ...host, status: 'DRAINING' }))
  await bench.run(10 * minute)
  expect(arnsOf(bench.wanted())).toContain(old.taskArn)
  expect(bench.wanted()).toHaveLength(2)
  await bench.run(21 * minute)
  expect(bench.wanted().map(({ containerInstanceArn }) => containerInstanceArn?.endsWith('host2'))).toEqual([
    true,
  ])
})

test('what fails its health check is replaced, protected or not', async () => {
  const bench = await steady(1)
  bench.updateService({
    taskDefinitionArn: bench.putTaskDefinition(2, { healthCheck: { command: ['CMD', 'true'] } }),
  })
  await bench.run(minute)
  const [task] = bench.wanted(2)
  if (!task) throw new Error('there is no task')
  bench.setHealth(task, 'HEALTHY')
  protectTask(bench, task, 60)
  await bench.run(minute)
  bench.setHealth(task, 'UNHEALTHY')
  await bench.run(minute)
  for (const replacement of bench.wanted(2))
    if (replacement.taskArn !== task.taskArn) bench.setHealth(replacement, 'HEALTHY')
  await bench.run(minute)
  expect(bench.store.find('task', task.taskArn)).toMatchObject({
    desiredStatus: 'STOPPED',
    stoppedReason: 'Task failed container health checks',
  })
})

test('a deleted service takes its protected tasks with it, and a task that was asked to stop is replaced', async () => {
  const bench = await steady(2)
  for (const task of bench.wanted()) protectTask(bench, task, 60)
  const [one] = bench.wanted()
  bench.store.update((tx) => {
    if (one)
      tx.put(
        'task',
        requestStop(one, { stopCode: 'UserInitiated', stoppedReason: 'x', now: bench.clock.now() }),
      )
  })
  await bench.run(minute)
  expect(bench.wanted()).toHaveLength(2)
  bench.updateService({ status: 'DRAINING', desiredCount: 0 })
  await bench.run(minute)
  expect(bench.store.find('service', serviceArn)?.status).toBe('INACTIVE')
})
