import { arnOf, DaemonBench, daemonArn, hostOf, provider } from '@berth/simulator/daemon-bench.ts'
import { deleteDaemonTaskDefinition } from '#api/ecs/daemons/daemon-task-definition.ts'
import type { Task } from '#domain/task.ts'
import { expect, onTestFinished, test } from 'vitest'
import { taskReaper } from './task-reaper.ts'

const minute = 60_000

async function schedule(instances = 3, enforcesIam = false): Promise<DaemonBench> {
  const daemons = await DaemonBench.open(instances, enforcesIam)
  onTestFinished(async () => {
    await daemons.bench.close()
    expect(daemons.bench.errors).toEqual([])
  })
  return daemons
}

test.each([
  [25, [1, 1, 1, 1]],
  [50, [2, 2]],
  [100, [4]],
  [0, [1, 1, 1, 1]],
])(
  'an update with a drain percent of %i goes in batches, each healthy before the next',
  async (drainPercent, batches) => {
    const daemons = await schedule(4)
    daemons.bench.obey()
    daemons.create()
    await daemons.run(2 * minute)
    const seen: number[] = []
    let most = 0
    daemons.bench.store.watch((changes) => {
      const stops = changes.filter(
        ({ table, before, after }) =>
          table === 'task' &&
          (before as Task | undefined)?.desiredStatus === 'RUNNING' &&
          (after as Task | undefined)?.desiredStatus === 'STOPPED',
      ).length
      if (stops > 0) seen.push(stops)
      const tasks = daemons.bench.store.by('task', 'daemon', daemonArn)
      for (const some of Map.groupBy(tasks, hostOf).values()) most = Math.max(most, some.length)
    })
    daemons.update({ deploymentConfiguration: { drainPercent } })
    await daemons.run(30_000)
    expect(seen).toEqual(batches.slice(0, 1))
    await daemons.run(10 * minute)
    expect(seen).toEqual(batches)
    expect(most).toBe(1)
    expect(daemons.running).toEqual(['host1:2', 'host2:2', 'host3:2', 'host4:2'])
    expect(daemons.deployment?.status).toBe('SUCCESSFUL')
  },
)

test('the bake time passes after each batch, and after the last one', async () => {
  const daemons = await schedule(2)
  daemons.bench.obey()
  daemons.create()
  await daemons.run(2 * minute)
  daemons.update({ deploymentConfiguration: { drainPercent: 50, bakeTimeInMinutes: 10 } })
  await daemons.run(10 * minute)
  expect(daemons.running).toEqual(['host1:2', 'host2:1'])
  await daemons.run(10 * minute)
  expect(daemons.running).toEqual(['host1:2', 'host2:2'])
  expect(daemons.deployment?.status).toBe('IN_PROGRESS')
  await daemons.run(2 * minute)
  expect(daemons.deployment?.status).toBe('SUCCESSFUL')
})

test('a revision that cannot start is given up after ten failures, and the one before comes back', async () => {
  const daemons = await schedule(2)
  daemons.bench.obey((task) => !task.taskDefinitionArn.endsWith(':2'))
  daemons.create()
  await daemons.run(2 * minute)
  const before = daemons.bench.store.find('daemon', daemonArn)?.daemonRevisionArn
  daemons.update()
  await daemons.run(2 * minute)
  // The instance that was not its turn keeps what it has.
  expect(daemons.running).toContain('host2:1')
  await daemons.run(10 * minute)
  const failed = daemons.bench.store.list('task').filter((task) => task.taskDefinitionArn.endsWith(':2'))
  expect(failed).toHaveLength(10)
  expect(daemons.running).toEqual(['host1:1', 'host2:1'])
  expect(daemons.deployment).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    statusReason: 'Daemon deployment rolled back because the circuit breaker threshold was exceeded.',
    failureCount: 10,
    rollback: { revisionArn: before, capacityProviderArns: [provider] },
  })
  expect(daemons.bench.store.find('daemon', daemonArn)?.daemonRevisionArn).toBe(before)
})

test('a first deployment that fails has nothing to go back to, stops, and an update starts anew', async () => {
  const daemons = await schedule(1)
  daemons.bench.obey((task) => !task.taskDefinitionArn.endsWith(':1'))
  daemons.create()
  await daemons.run(30 * minute)
  expect(daemons.bench.store.size('task')).toBe(10)
  expect(daemons.deployment).toMatchObject({
    status: 'STOPPED',
    statusReason: 'Daemon deployment failed because the circuit breaker threshold was exceeded.',
    failureCount: 10,
  })
  daemons.update()
  await daemons.run(2 * minute)
  expect(daemons.running).toEqual(['host1:2'])
  expect(daemons.deployment?.status).toBe('SUCCESSFUL')
})

test('a rollback that fails too is said, and goes on being tried', async () => {
  const daemons = await schedule(1)
  let broken = false
  daemons.bench.obey(() => !broken)
  daemons.create()
  await daemons.run(2 * minute)
  broken = true
  daemons.update()
  await daemons.run(30 * minute)
  expect(daemons.deployment?.status).toBe('ROLLBACK_FAILED')
  broken = false
  await daemons.run(2 * minute)
  expect(daemons.running).toEqual(['host1:1'])
})

test('a newer update takes over, and the older deployment is STOPPED', async () => {
  const daemons = await schedule(4)
  daemons.bench.obey()
  daemons.create()
  await daemons.run(2 * minute)
  daemons.update()
  await daemons.run(10_000)
  const taken = daemons.deployment?.daemonDeploymentArn
  daemons.update()
  await daemons.run(20 * minute)
  expect(daemons.bench.store.find('daemonDeployment', taken ?? '')).toMatchObject({
    status: 'STOPPED',
    statusReason: 'A newer daemon deployment was started.',
  })
  expect(daemons.deployment?.status).toBe('SUCCESSFUL')
  expect(daemons.running).toEqual(['host1:3', 'host2:3', 'host3:3', 'host4:3'])
})

test('a full instance does not keep the others from an update', async () => {
  const daemons = await schedule(3)
  daemons.bench.putStandalone('host1', { memoryMiB: 4_096 })
  daemons.bench.obey()
  daemons.create()
  await daemons.run(2 * minute)
  daemons.update()
  await daemons.run(5 * minute)
  expect(daemons.running).toEqual(['host2:2', 'host3:2'])
})

test('deployments are shown for ninety days and daemon task definitions until nothing needs them', async () => {
  const daemons = await schedule(0)
  const { store } = daemons.bench
  const reaper = taskReaper()
  const reap = (): void =>
    store.update((tx) => void reaper.reconcile(tx, daemons.bench.clock.now(), undefined))
  const day = 24 * 60 * minute
  daemons.create()
  await daemons.run(minute)
  const status = (revision: number): string | undefined =>
    store.find('daemonTaskDefinition', arnOf(`daemon-task-definition/logs:${revision}`))?.status
  deleteDaemonTaskDefinition.run(daemons.context, { daemonTaskDefinition: 'logs:1' })
  reap()
  expect(status(1)).toBe('DELETE_IN_PROGRESS')
  daemons.update()
  await daemons.run(minute)
  reap()
  expect(status(1)).toBe('DELETED')
  expect(store.size('daemonDeployment')).toBe(2)
  await daemons.run(2 * 60 * minute)
  reap()
  expect([status(1), status(2)]).toEqual([undefined, 'ACTIVE'])
  expect(store.list('taskDefinition').map(({ revision }) => revision)).toEqual([2])
  await daemons.run(90 * day)
  reap()
  // The most recent one stays with its daemon.
  expect(store.list('daemonDeployment').map((row) => row.daemonDeploymentArn)).toEqual([
    daemons.deployment?.daemonDeploymentArn,
  ])
})

test('a revision whose role cannot be assumed is given up like one whose tasks do not start', async () => {
  const daemons = await schedule(3, true)
  for (const host of ['host1', 'host2', 'host3'])
    daemons.change(host, { attributes: [{ name: 'com.amazonaws.ecs.capability.task-iam-role' }] })
  daemons.bench.obey()
  daemons.create()
  await daemons.run(2 * minute)
  const role = 'arn:aws:iam::000000000000:role/app'
  daemons.update({ daemonTaskDefinitionArn: daemons.register(64, role) })
  await daemons.run(10 * minute)
  expect(daemons.deployment?.status).toBe('ROLLBACK_SUCCESSFUL')
  expect(daemons.running).toEqual(['host1:1', 'host2:1', 'host3:1'])
})
