import type { PlacementStrategy } from '@aws-sdk/client-ecs'
import type { EngineBench } from '@berth/simulator/engine-bench.ts'
import { EngineBench as Bench } from '@berth/simulator/engine-bench.ts'
import type { Service } from '#domain/service.ts'
import { expect, onTestFinished, test } from 'vitest'
import { serviceScheduler } from './service-scheduler.ts'

const minute = 60_000
const zone = (name: string) => ({ attributes: [{ name: 'ecs.availability-zone', value: name }] })
const spread: PlacementStrategy = { type: 'spread', field: 'attribute:ecs.availability-zone' }

/** A service of four tasks, all of them in one zone, and then an instance in each of two more. */
async function lopsided(
  given: Partial<Service> = {},
  more: readonly string[] = ['az-b'],
): Promise<EngineBench> {
  const bench = await Bench.open()
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet }))
  bench.obey()
  onTestFinished(async () => {
    await bench.close()
    expect(bench.errors).toEqual([])
  })
  bench.putInstance('a', zone('az-a'))
  bench.putService(bench.putTaskDefinition(1), {
    desiredCount: 4,
    availabilityZoneRebalancing: 'ENABLED',
    ...given,
  })
  await bench.run(2 * minute)
  for (const name of more) bench.putInstance(name, zone(name))
  return bench
}

const perZone = (bench: EngineBench): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { availabilityZone = '' } of bench.wanted())
    counts[availabilityZone] = (counts[availabilityZone] ?? 0) + 1
  return counts
}

const newMessages = (bench: EngineBench): string[] =>
  bench.messages.slice(3).map((message) => message.replaceAll(/[0-9a-f]{32}/g, 'ID'))

test('a steady service moves tasks to the zones that have too few, starting before it stops', async () => {
  const bench = await lopsided()
  await bench.run(4 * minute)
  let least = Infinity
  bench.store.watch(() => (least = Math.min(least, bench.wanted().length)))
  await bench.run(10 * minute)
  expect(least).toBeGreaterThanOrEqual(4)
  expect(perZone(bench)).toEqual({ 'az-a': 2, 'az-b': 2 })
  expect(newMessages(bench)).toEqual([
    '(service web) is not AZ balanced with 4 tasks in az-a, 0 tasks in az-b. AZ Rebalancing in progress.',
    '(service web) has started 2 tasks in az-b to AZ Rebalance: (task ID) (task ID).',
    '(service web) has stopped 2 running tasks in az-a due to AZ rebalancing: (task ID) (task ID).',
    '(service web) is AZ balanced with 2 tasks in az-a, 2 tasks in az-b.',
  ])
  expect(bench.service).not.toHaveProperty('rebalancing')
})

test('three zones get one task at least, and the maximum bounds how many move at a time', async () => {
  const deploymentConfiguration = { minimumHealthyPercent: 100, maximumPercent: 125 }
  const bench = await lopsided({ deploymentConfiguration, placementStrategy: [spread] }, ['az-b', 'az-c'])
  let most = 0
  bench.store.watch(() => (most = Math.max(most, bench.wanted().length)))
  await bench.run(15 * minute)
  expect(most).toBe(5)
  expect(Object.values(perZone(bench)).toSorted((one, other) => one - other)).toEqual([1, 1, 2])
})

test.each<[string, Partial<Service>]>([
  ['that does not ask for it', { availabilityZoneRebalancing: 'DISABLED' }],
  ['with another first strategy', { placementStrategy: [{ type: 'binpack', field: 'cpu' }] }],
  [
    'without room for another task',
    { deploymentConfiguration: { maximumPercent: 100, minimumHealthyPercent: 0 } },
  ],
])('a service %s stays where it is', async (_, given) => {
  const bench = await lopsided(given)
  await bench.run(15 * minute)
  expect(perZone(bench)).toEqual({ 'az-a': 4 })
  expect(newMessages(bench)).toEqual([])
})

test('protected tasks do not move', async () => {
  const bench = await lopsided()
  const protectedUntil = bench.clock.now() + 60 * minute
  for (const task of bench.wanted()) bench.store.update((tx) => tx.put('task', { ...task, protectedUntil }))
  await bench.run(15 * minute)
  expect(perZone(bench)).toEqual({ 'az-a': 4 })
})

test('a new deployment ends rebalancing, and spreads its own tasks', async () => {
  const bench = await lopsided()
  while (bench.wanted().length === 4) await bench.run(1_000)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(10 * minute)
  expect(perZone(bench)).toEqual({ 'az-a': 2, 'az-b': 2 })
  expect(bench.wanted(2)).toHaveLength(4)
  expect(newMessages(bench)).toContain('(service web) stopped AZ Rebalancing.')
})

test('a task that fails while it should take over ends rebalancing for a while', async () => {
  const bench = await lopsided()
  while (bench.wanted().length === 4) await bench.run(1_000)
  const [lost] = bench.wanted().filter(({ availabilityZone }) => availabilityZone === 'az-b')
  await bench.run(2_000)
  if (lost) bench.report(lost, 'STOPPED', { exitCode: 1 })
  await bench.run(5 * minute)
  expect(perZone(bench)['az-a']).toBeGreaterThanOrEqual(3)
  expect(newMessages(bench)).toContain('(service web) stopped AZ Rebalancing.')
  await bench.run(20 * minute)
  expect(perZone(bench)).toEqual({ 'az-a': 2, 'az-b': 2 })
})
