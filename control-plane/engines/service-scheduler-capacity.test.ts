import { EngineBench } from '@berth/simulator/engine-bench.ts'
import type { Service } from '#domain/service.ts'
import { expect, onTestFinished, test } from 'vitest'
import { serviceScheduler } from './service-scheduler.ts'

const minute = 60_000
const baseAndShares: Service['capacityProviderStrategy'] = [
  { capacityProvider: 'steady', base: 1, weight: 1 },
  { capacityProvider: 'spot', base: 0, weight: 3 },
]
const halves: Service['capacityProviderStrategy'] = [
  { capacityProvider: 'steady', base: 0, weight: 1 },
  { capacityProvider: 'spot', base: 0, weight: 1 },
]

/** One instance of each provider named, and one of none. */
async function schedule(...providers: readonly string[]): Promise<EngineBench> {
  const bench = await EngineBench.open()
  bench.putInstance('alone')
  for (const capacityProviderName of providers)
    bench.putInstance(capacityProviderName, { capacityProviderName })
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet }))
  bench.obey()
  onTestFinished(async () => {
    await bench.close()
    expect(bench.errors).toEqual([])
  })
  return bench
}

/** How many tasks that are to run each provider has; their instances must be of it. */
function shares(bench: EngineBench, revision?: number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const task of bench.wanted(revision)) {
    const provider = task.capacityProviderName ?? 'none'
    counts[provider] = (counts[provider] ?? 0) + 1
    const instance = bench.store.find('containerInstance', task.containerInstanceArn ?? '')
    expect(instance?.capacityProviderName ?? 'none').toBe(provider)
  }
  return counts
}

test('tasks are shared by base and weight, and scaled in to the base', async () => {
  const bench = await schedule('steady', 'spot')
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 9, capacityProviderStrategy: baseAndShares })
  await bench.run(2 * minute)
  expect(shares(bench)).toEqual({ steady: 3, spot: 6 })
  bench.updateService({ desiredCount: 5 })
  await bench.run(2 * minute)
  expect(shares(bench)).toEqual({ steady: 2, spot: 3 })
  bench.updateService({ desiredCount: 1 })
  await bench.run(2 * minute)
  expect(shares(bench)).toEqual({ steady: 1 })
  bench.updateService({ desiredCount: 5 })
  await bench.run(2 * minute)
  expect(shares(bench)).toEqual({ steady: 2, spot: 3 })
})

test('a new revision has the base and the shares of its own', async () => {
  const bench = await schedule('steady', 'spot')
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 5, capacityProviderStrategy: baseAndShares })
  await bench.run(2 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(3 * minute)
  expect(bench.wanted(1)).toEqual([])
  expect(shares(bench, 2)).toEqual({ steady: 2, spot: 3 })
})

test('no provider stands in for another: its tasks wait until it has room', async () => {
  const bench = await schedule('steady')
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 4, capacityProviderStrategy: halves })
  await bench.run(10 * minute)
  expect(shares(bench)).toEqual({ steady: 2 })
  expect(bench.messages.at(1)).toBe(
    '(service web) was unable to place a task because no container instance met all of its requirements. Reason: No Container Instances were found in your capacity provider. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.',
  )
  bench.putInstance('late', { capacityProviderName: 'spot' })
  await bench.run(minute)
  expect(shares(bench)).toEqual({ steady: 2, spot: 2 })
})

test('a task that must leave its instance is replaced on the same provider', async () => {
  const bench = await schedule('steady', 'spot')
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 2, capacityProviderStrategy: halves })
  await bench.run(2 * minute)
  bench.putInstance('spot', { capacityProviderName: 'spot', status: 'DRAINING' })
  bench.putInstance('spot2', { capacityProviderName: 'spot' })
  await bench.run(3 * minute)
  expect(shares(bench)).toEqual({ steady: 1, spot: 1 })
  expect(bench.wanted().some((task) => task.containerInstanceArn?.endsWith('spot2'))).toBe(true)
})

test('a launch type brings tasks to the instances of every provider and of none, but not to managed ones', async () => {
  const bench = await schedule('steady')
  bench.putInstance('managed', { capacityProviderName: 'own', managed: true })
  bench.putService(bench.putTaskDefinition(1), {
    desiredCount: 4,
    placementStrategy: [{ type: 'spread', field: 'instanceId' }],
  })
  await bench.run(2 * minute)
  const hosts = new Set(bench.wanted().map((task) => task.containerInstanceArn?.split('/').at(-1)))
  expect(hosts).toEqual(new Set(['alone', 'steady']))
  expect(bench.wanted().map((task) => task.capacityProviderName)).toEqual(Array.from({ length: 4 }))
})

test('a task of a strategy shows the launch type of its provider', async () => {
  const bench = await schedule()
  bench.store.update((tx) =>
    tx.put('capacityProvider', {
      accountId: '000000000000',
      region: 'us-east-1',
      capacityProviderArn: 'arn:aws:ecs:us-east-1:000000000000:capacity-provider/own',
      name: 'own',
      status: 'ACTIVE',
      updateStatus: 'CREATE_COMPLETE',
      managedInstancesProvider: {},
      createdAt: 0,
    }),
  )
  bench.putInstance('managed', { capacityProviderName: 'own', managed: true })
  bench.putService(bench.putTaskDefinition(1), {
    desiredCount: 1,
    capacityProviderStrategy: [{ capacityProvider: 'own', base: 0, weight: 1 }],
  })
  await bench.run(2 * minute)
  expect(bench.wanted()).toMatchObject([{ launchType: 'MANAGED_INSTANCES', capacityProviderName: 'own' }])
})

test.each<[string, Partial<Service>]>([
  ['launch type FARGATE', { launchType: 'FARGATE' }],
  [
    'a Fargate provider',
    { capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', base: 0, weight: 1 }] },
  ],
])('a service of %s finds no capacity, and says so once', async (_, service) => {
  const bench = await schedule('steady')
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 2, ...service })
  await bench.run(30 * minute)
  expect(bench.wanted()).toEqual([])
  expect(bench.messages).toEqual([
    '(service web) was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a different availability zone.',
  ])
})
