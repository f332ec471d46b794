import { clusterArn, EngineBench, serviceArn } from '@berth/simulator/engine-bench.ts'
import type { Task } from '#domain/task.ts'
import { expect, onTestFinished, test } from 'vitest'
import { serviceScheduler } from './service-scheduler.ts'

const minute = 60_000

async function schedule({ instances = 2 } = {}): Promise<EngineBench> {
  const bench = await EngineBench.open()
  for (let number = 1; number <= instances; number++) bench.putInstance(`host${number}`)
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet }))
  onTestFinished(async () => {
    await bench.close()
    expect(bench.errors).toEqual([])
  })
  return bench
}

const named = (messages: readonly string[]): string[] =>
  messages.map((message) =>
    message.replaceAll(/[0-9a-f]{32}/g, 'ID').replaceAll(/ecs-svc\/\d+/g, 'ecs-svc/N'),
  )

test('a new service starts its tasks, completes its deployment and is steady', async () => {
  const bench = await schedule()
  bench.obey()
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  expect(bench.wanted().map((task) => [task.lastStatus, task.startedBy])).toEqual([
    ['RUNNING', bench.primary?.deploymentId],
    ['RUNNING', bench.primary?.deploymentId],
  ])
  expect(new Set(bench.wanted().map((task) => task.containerInstanceArn)).size).toBe(2)
  expect(bench.primary).toMatchObject({
    rolloutState: 'COMPLETED',
    rolloutStateReason: `ECS deployment ${bench.primary?.deploymentId} completed.`,
  })
  expect(named(bench.messages)).toEqual([
    '(service web) has started 2 tasks: (task ID) (task ID).',
    '(service web) (deployment ecs-svc/N) deployment completed.',
    '(service web) has reached a steady state.',
  ])
})

test('a steady state is said again after six hours', async () => {
  const bench = await schedule()
  bench.obey()
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(6.1 * 60 * minute)
  expect(bench.messages.filter((message) => message.includes('steady'))).toHaveLength(2)
})

test('a new revision runs for forty seconds before the old task is asked to stop', async () => {
  const bench = await schedule()
  bench.obey()
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 1 })
  await bench.run(2 * minute)
  const [old] = bench.wanted()
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(2 * minute)
  const [task] = bench.wanted()
  const stopped = bench.store.find('task', old?.taskArn ?? '')
  expect(stopped?.stoppingAt).toBe((task?.startedAt ?? 0) + 40_000)
  expect(stopped).toMatchObject({
    lastStatus: 'STOPPED',
    stopCode: 'ServiceSchedulerInitiated',
    stoppedReason: `Scaling activity initiated by (deployment ${bench.primary?.deploymentId})`,
  })
  expect(bench.deployments).toHaveLength(1)
  expect(named(bench.messages).slice(3)).toEqual([
    '(service web) has started 1 tasks: (task ID).',
    '(service web) has stopped 1 running tasks: (task ID).',
    '(service web) (deployment ecs-svc/N) deployment completed.',
    '(service web) has reached a steady state.',
  ])
})

test('an update that the percentages forbid stops nothing and says so once', async () => {
  const bench = await schedule()
  bench.obey()
  const deploymentConfiguration = { minimumHealthyPercent: 100, maximumPercent: 125 }
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 3, deploymentConfiguration })
  await bench.run(2 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(30 * minute)
  expect(bench.wanted(1)).toHaveLength(3)
  expect(bench.wanted(2)).toHaveLength(0)
  expect(
    bench.messages.filter((message) => message.includes('was unable to stop or start tasks')),
  ).toHaveLength(1)
})

test('three failed starts break the circuit and roll back to the deployment that completed', async () => {
  const bench = await schedule()
  bench.obey((task) => !task.taskDefinitionArn.endsWith(':2'))
  const first = bench.putTaskDefinition(1)
  bench.putService(first, {
    desiredCount: 1,
    deploymentConfiguration: {
      minimumHealthyPercent: 100,
      maximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
    },
  })
  await bench.run(2 * minute)
  const [old] = bench.wanted()
  const completed = bench.primary?.deploymentId
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(5 * minute)
  expect(bench.store.list('task').filter((task) => task.taskDefinitionArn.endsWith(':2'))).toHaveLength(3)
  expect(bench.wanted()).toEqual([old])
  expect(bench.service.taskDefinitionArn).toBe(first)
  expect(bench.deployments).toMatchObject([
    { deploymentId: completed, status: 'PRIMARY', rolloutState: 'COMPLETED' },
  ])
  expect(named(bench.messages).slice(-5)).toEqual([
    '(service web) is unable to consistently start tasks successfully.',
    '(service web) (deployment ecs-svc/N) deployment failed: tasks failed to start.',
    `(service web) rolling back to deployment ecs-svc/N.`,
    '(service web) (deployment ecs-svc/N) deployment completed.',
    '(service web) has reached a steady state.',
  ])
})

test('a first deployment that fails has nothing to roll back to and starts no more', async () => {
  const bench = await schedule()
  bench.obey(() => false)
  bench.putService(bench.putTaskDefinition(1), {
    desiredCount: 1,
    deploymentConfiguration: {
      minimumHealthyPercent: 100,
      maximumPercent: 200,
      deploymentCircuitBreaker: { enable: true, rollback: true },
    },
  })
  await bench.run(60 * minute)
  expect(bench.store.size('task')).toBe(3)
  expect(bench.primary).toMatchObject({ rolloutState: 'FAILED', failedTasks: 3 })
})

test('without a circuit breaker tasks that never run are started at growing distances', async () => {
  const bench = await schedule()
  bench.obey(() => false)
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 1 })
  await bench.run(60 * minute)
  const times = bench.store.list('task').map((task) => task.createdAt)
  const distances = times.slice(1).map((time, index) => time - (times[index] ?? 0))
  expect(distances).toEqual(distances.toSorted((one, other) => one - other))
  expect(times.length).toBeLessThan(16)
  expect(bench.messages.filter((message) => message.includes('unable to consistently start'))).toHaveLength(1)
})

test('a task that exits after it was healthy is replaced at once', async () => {
  const bench = await schedule()
  bench.obey()
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  const [task] = bench.wanted()
  if (task) bench.report(task, 'STOPPED', { exitCode: 1 })
  await bench.run(1_500)
  expect(bench.wanted().map(({ lastStatus }) => lastStatus)).toEqual(['RUNNING', 'RUNNING'])
  expect(bench.primary).toMatchObject({ failedTasks: 0, rolloutState: 'COMPLETED' })
})

test('an unhealthy task is replaced before it is stopped', async () => {
  const bench = await schedule()
  bench.obey()
  const healthCheck = { command: ['CMD-SHELL', 'true'] }
  bench.putService(bench.putTaskDefinition(1, { healthCheck }), { desiredCount: 1 })
  await bench.run(minute)
  const [task] = bench.wanted()
  expect(bench.primary?.rolloutState).toBe('IN_PROGRESS')
  if (task) bench.setHealth(task, 'HEALTHY')
  await bench.run(minute)
  expect(bench.primary?.rolloutState).toBe('COMPLETED')
  if (task) bench.setHealth(task, 'UNHEALTHY')
  await bench.run(minute)
  const replacement = bench.wanted().find(({ taskArn }) => taskArn !== task?.taskArn)
  expect(bench.wanted()).toHaveLength(2)
  if (replacement) bench.setHealth(replacement, 'HEALTHY')
  await bench.run(minute)
  expect(bench.wanted().map(({ taskArn }) => taskArn)).toEqual([replacement?.taskArn])
  expect(bench.store.find('task', task?.taskArn ?? '')?.stoppedReason).toBe(
    'Task failed container health checks',
  )
  expect(named(bench.messages)).toContain('(service web) (task ID) failed container health checks.')
  expect(named(bench.messages)).toContain(
    '(service web) has started 1 tasks: (task ID). Amazon ECS replaced 1 tasks due to an unhealthy status.',
  )
})

test('a task without a place is started as soon as an instance comes', async () => {
  const bench = await schedule({ instances: 0 })
  bench.obey()
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(20 * minute)
  expect(bench.messages).toEqual([
    '(service web) was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your cluster.',
  ])
  bench.putInstance('host1')
  await bench.run(100)
  expect(bench.wanted()).toHaveLength(2)
})

test('a task without a place names the closest match, and is started as soon as room is freed', async () => {
  const bench = await schedule({ instances: 1 })
  bench.obey()
  bench.putService(bench.putTaskDefinition(1, { cpu: 4000 }))
  await bench.run(10 * minute)
  expect(bench.wanted()).toHaveLength(1)
  expect(bench.messages.at(1)).toBe(
    '(service web) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance host1) has insufficient CPU units available. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.',
  )
  bench.putInstance('host2', { status: 'DRAINING' })
  bench.store.update((tx) => {
    const host = tx.by('containerInstance', 'cluster', clusterArn).find(({ status }) => status === 'DRAINING')
    if (host) tx.put('containerInstance', { ...host, status: 'ACTIVE' })
  })
  await bench.run(100)
  expect(bench.wanted()).toHaveLength(2)
})

test('a task without a place is started as soon as another task ends', async () => {
  const bench = await schedule({ instances: 1 })
  bench.obey()
  bench.putService(bench.putTaskDefinition(1, { cpu: 4000 }))
  await bench.run(30 * minute)
  const [held] = bench.wanted()
  if (held) bench.report(held, 'STOPPED', { exitCode: 0 })
  await bench.run(3_000)
  expect(bench.wanted().map(({ lastStatus }) => lastStatus)).toEqual(['RUNNING'])
  expect(bench.wanted()[0]?.taskArn).not.toBe(held?.taskArn)
})

test('a task that crashes soon after it ran is started again a little later, and never breaks the circuit', async () => {
  const bench = await schedule()
  bench.obey()
  bench.store.watch((changes) => {
    for (const { table, before, after } of changes) {
      const [was, task] = [before as Task | undefined, after as Task | undefined]
      if (table !== 'task' || task?.lastStatus !== 'RUNNING' || was?.lastStatus === 'RUNNING') continue
      bench.clock.at(bench.clock.now() + 500, () => bench.report(task, 'STOPPED', { exitCode: 1 }))
    }
  })
  bench.putService(bench.putTaskDefinition(1), {
    desiredCount: 1,
    deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: false } },
  })
  await bench.run(30 * minute)
  expect(bench.primary).toMatchObject({ rolloutState: 'IN_PROGRESS', failedTasks: 0 })
  expect(bench.store.size('task')).toBeGreaterThan(30)
  expect(bench.store.size('task')).toBeLessThan(90)
})

test('tasks leave a draining instance once their replacements are healthy', async () => {
  const bench = await schedule({ instances: 1 })
  bench.obey()
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  const [host] = bench.store.list('containerInstance')
  bench.putInstance('host2')
  if (host) bench.store.update((tx) => tx.put('containerInstance', { ...host, status: 'DRAINING' }))
  await bench.run(20_000)
  expect(bench.wanted()).toHaveLength(4)
  await bench.run(minute)
  expect(bench.wanted().map((task) => task.containerInstanceArn?.endsWith('host2'))).toEqual([true, true])
  expect(bench.primary?.rolloutState).toBe('COMPLETED')
})

test('a deleted service stops its tasks and is INACTIVE when they have stopped', async () => {
  const bench = await schedule()
  bench.obey()
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  bench.updateService({ status: 'DRAINING', desiredCount: 0 })
  await bench.run(500)
  expect(bench.service.status).toBe('DRAINING')
  expect(bench.wanted()).toHaveLength(0)
  await bench.run(minute)
  expect(bench.service.status).toBe('INACTIVE')
  expect(bench.deployments).toEqual([])
})

test('scaling by a thousand starts all tasks, a slice a look', async () => {
  const bench = await schedule({ instances: 0 })
  for (let number = 0; number < 70; number++) bench.putInstance(`big${number}`)
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 1000 })
  await bench.run(1_000)
  expect(bench.wanted()).toHaveLength(1000)
  expect(bench.store.count('serviceEvent', 'service', serviceArn)).toBe(10)
})
