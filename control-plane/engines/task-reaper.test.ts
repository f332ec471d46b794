import { EngineBench, serviceArn } from '@berth/simulator/engine-bench.ts'
import { expect, onTestFinished, test } from 'vitest'
import type { Reconciler } from './reconciler.ts'
import { serviceScheduler } from './service-scheduler.ts'
import { taskReaper } from './task-reaper.ts'

const minute = 60_000

async function reap(): Promise<EngineBench> {
  const bench = await EngineBench.open()
  bench.putInstance('host1')
  bench.obey()
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet }))
  bench.drive(taskReaper())
  onTestFinished(async () => {
    await bench.close()
    expect(bench.errors).toEqual([])
  })
  return bench
}

test('a stopped task is shown for an hour and then forgotten with its tags', async () => {
  const bench = await reap()
  bench.putService(bench.putTaskDefinition(1), { enableECSManagedTags: true })
  await bench.run(17 * minute)
  const [task] = bench.wanted()
  bench.updateService({ desiredCount: 0 })
  await bench.run(59 * minute)
  expect(bench.store.size('task')).toBe(2)
  expect(bench.store.find('resourceTags', task?.taskArn ?? '')).toBeDefined()
  await bench.run(3 * minute)
  expect(bench.store.size('task')).toBe(0)
  expect(bench.store.size('resourceTags')).toBe(0)
})

test('a deleted service is forgotten with its events an hour after its last task', async () => {
  const bench = await reap()
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(minute)
  bench.updateService({ status: 'DRAINING', desiredCount: 0 })
  await bench.run(59 * minute)
  expect(bench.service.status).toBe('INACTIVE')
  await bench.run(3 * minute)
  expect(bench.store.find('service', serviceArn)).toBeUndefined()
  expect(bench.store.size('serviceEvent')).toBe(0)
  expect(bench.store.size('serviceDeployment')).toBe(0)
  expect(bench.store.size('serviceRevision')).toBe(0)
})

test('client tokens are forgotten when they expire, however many there are', async () => {
  const bench = await reap()
  await bench.run(minute)
  const now = bench.clock.now()
  bench.store.update((tx) => {
    for (let number = 0; number < 1200; number++)
      tx.put('idempotency', {
        key: String(number),
        fingerprint: '',
        resourceArns: [],
        expiresAt: now + 10 * minute,
      })
    tx.put('idempotency', { key: 'later', fingerprint: '', resourceArns: [], expiresAt: now + 600 * minute })
  })
  await bench.run(9 * minute)
  expect(bench.store.size('idempotency')).toBe(1201)
  await bench.run(3 * minute)
  expect(bench.store.list('idempotency').map(({ key }) => key)).toEqual(['later'])
})

test('a token is forgotten before its time when nothing it made is left', async () => {
  const bench = await reap()
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(minute)
  const [task] = bench.wanted()
  const now = bench.clock.now()
  const token = { fingerprint: '', expiresAt: now + 180 * minute, reviewAt: now + 60 * minute }
  bench.store.update((tx) => {
    tx.put('idempotency', { ...token, key: 'gone', resourceArns: ['no task', 'another'] })
    tx.put('idempotency', { ...token, key: 'runs', resourceArns: ['no task', task?.taskArn ?? ''] })
  })
  const keys = (): string[] => bench.store.list('idempotency').map(({ key }) => key)
  await bench.run(59 * minute)
  expect(keys()).toEqual(['gone', 'runs'])
  await bench.run(3 * minute)
  expect(keys()).toEqual(['runs'])
  await bench.run(116 * minute)
  expect(keys()).toEqual(['runs'])
  await bench.run(4 * minute)
  expect(keys()).toEqual([])
})

test('a deregistered instance is forgotten with its tags after an hour', async () => {
  const bench = await reap()
  const { containerInstanceArn } = bench.putInstance('host2')
  bench.store.update((tx) => {
    const row = tx.find('containerInstance', containerInstanceArn)
    if (row) tx.put('containerInstance', { ...row, status: 'INACTIVE', inactiveAt: bench.clock.now() })
    tx.put('resourceTags', { resourceArn: containerInstanceArn, tags: [{ key: 'rack', value: '7' }] })
  })
  await bench.run(59 * minute)
  expect(bench.store.find('containerInstance', containerInstanceArn)?.status).toBe('INACTIVE')
  await bench.run(3 * minute)
  expect(bench.store.list('containerInstance').map((row) => row.containerInstanceArn)).toEqual([
    expect.stringContaining('host1'),
  ])
  expect(bench.store.size('resourceTags')).toBe(0)
})

test('a deleted task definition goes when no task, deployment or service refers to it any more', async () => {
  const bench = await reap()
  const first = bench.putTaskDefinition(1)
  bench.putService(first)
  await bench.run(minute)
  bench.store.update((tx) => {
    const row = tx.find('taskDefinition', first)
    if (row) tx.put('taskDefinition', { ...row, status: 'DELETE_IN_PROGRESS' })
    tx.put('resourceTags', { resourceArn: first, tags: [{ key: 'team', value: 'web' }] })
  })
  await bench.run(10 * minute)
  expect(bench.store.find('taskDefinition', first)).toBeDefined()
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(10 * minute)
  expect(bench.wanted(2)).toHaveLength(2)
  expect(bench.store.list('taskDefinition').map(({ revision }) => revision)).toEqual([2])
  expect(bench.store.size('resourceTags')).toBe(0)
})

test('service deployments are shown for ninety days, and the revisions they name', async () => {
  const bench = await EngineBench.open()
  const scheduler = serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet })
  const look = (engine: Reconciler, places?: ReadonlySet<string>): void =>
    bench.store.update((tx) => void engine.reconcile(tx, bench.clock.now(), places))
  const deploy = (revision: number): void => {
    const taskDefinitionArn = bench.putTaskDefinition(revision)
    if (revision === 1) bench.putService(taskDefinitionArn, { desiredCount: 0 })
    else bench.updateService({ taskDefinitionArn })
    look(scheduler, new Set([serviceArn]))
  }
  const reaper = taskReaper()
  const day = 24 * 60 * minute
  const kept = (): string[] =>
    bench.store.list('serviceRevision').map(({ taskDefinitionArn }) => taskDefinitionArn.slice(-1))
  deploy(1)
  await bench.run(minute)
  deploy(2)
  await bench.run(89 * day)
  deploy(3)
  await bench.run(day - 2 * minute)
  look(reaper)
  expect(bench.store.size('serviceDeployment')).toBe(3)
  expect(kept()).toEqual(['1', '2', '3'])
  await bench.run(minute)
  look(reaper)
  expect(bench.store.size('serviceDeployment')).toBe(2)
  await bench.run(minute)
  look(reaper)
  // The newest still names what it came from.
  expect(bench.serviceDeployments).toMatchObject([{ status: 'SUCCESSFUL' }])
  expect(kept()).toEqual(['2', '3'])
  await bench.run(90 * day)
  look(reaper)
  expect(bench.store.size('serviceDeployment')).toBe(0)
  // What the service runs stays.
  expect(kept()).toEqual(['3'])
})

test('a deleted capacity provider is forgotten an hour after it became INACTIVE', async () => {
  const bench = await reap()
  const capacityProviderArn = 'arn:aws:ecs:us-east-1:000000000000:capacity-provider/mine'
  const provider = {
    accountId: '000000000000',
    region: 'us-east-1',
    capacityProviderArn,
    name: 'mine',
    status: 'INACTIVE',
    updateStatus: 'DELETE_COMPLETE',
    createdAt: 0,
    inactiveAt: bench.clock.now(),
  } as const
  bench.store.update((tx) => tx.put('capacityProvider', provider))
  await bench.run(59 * minute)
  expect(bench.store.find('capacityProvider', capacityProviderArn)).toBeDefined()
  await bench.run(3 * minute)
  expect(bench.store.size('capacityProvider')).toBe(0)
})
