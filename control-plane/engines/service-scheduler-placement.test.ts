/** Where services have their tasks, and from where they are taken. */
import type { ContainerInstance } from '#domain/container-instance.ts'
import { EngineBench } from '@berth/simulator/engine-bench.ts'
import { expect, onTestFinished, test } from 'vitest'
import type { Service } from '#domain/service.ts'
import { serviceScheduler } from './service-scheduler.ts'

const minute = 60_000
type Given = Partial<Service>

/** A service on instances named after their zone: `a1` is in zone a. */
async function serve(names: readonly string[], given: Given, more: Partial<ContainerInstance> = {}) {
  const bench = await EngineBench.open()
  for (const name of names)
    bench.putInstance(name, {
      attributes: [{ name: 'ecs.availability-zone', value: name.charAt(0) }],
      ...more,
    })
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet }))
  onTestFinished(async () => {
    await bench.close()
    expect(bench.errors).toEqual([])
  })
  bench.obey()
  bench.putService(bench.putTaskDefinition(1), given)
  await bench.run(2 * minute)
  return bench
}
const placesOf = (bench: EngineBench, revision?: number): string[] =>
  bench.wanted(revision).map(({ containerInstanceArn }) => containerInstanceArn?.split('/').at(-1) ?? '')
const counts = (names: readonly string[]): number[] =>
  [...Map.groupBy(names, String).values()].map(({ length }) => length).toSorted((one, two) => two - one)

test('five tasks without a strategy are two, two and one in three zones', async () => {
  expect(counts(placesOf(await serve(['a', 'b', 'c'], { desiredCount: 5 })))).toEqual([2, 2, 1])
})

test('spread over zones, then binpack: one instance of each zone fills first', async () => {
  const placementStrategy = [
    { type: 'spread', field: 'attribute:ecs.availability-zone' } as const,
    { type: 'binpack', field: 'CPU' } as const,
  ]
  const bench = await serve(['a1', 'a2', 'b1', 'b2'], { desiredCount: 6, placementStrategy })
  expect(counts(placesOf(bench))).toEqual([3, 3])
})

test('distinctInstance: three of four tasks run on three instances, and the service says why', async () => {
  const placementConstraints = [{ type: 'distinctInstance' } as const]
  const bench = await serve(['a', 'b', 'c'], { desiredCount: 4, placementConstraints })
  expect(placesOf(bench).toSorted()).toEqual(['a', 'b', 'c'])
  expect(bench.messages.join()).toContain(
    '(service web) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance ',
  )
})

test('distinctInstance is of the service, not of its deployments: a full one has no room for the next', async () => {
  const bench = await serve(['a', 'b'], {
    desiredCount: 2,
    placementConstraints: [{ type: 'distinctInstance' }],
    deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 200 },
  })
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(2 * minute)
  expect([placesOf(bench, 1).length, placesOf(bench, 2).length]).toEqual([2, 0])
})

test('scaling in from two, two and one stops a task of a zone with two', async () => {
  const bench = await serve(['a', 'b', 'c'], { desiredCount: 5 })
  bench.updateService({ desiredCount: 4 })
  await bench.run(minute)
  expect(counts(placesOf(bench))).toEqual([2, 1, 1])
})

test('scaling in under binpack stops the task whose instance becomes emptiest', async () => {
  const placementStrategy = [{ type: 'binpack', field: 'MEMORY' } as const]
  const registeredResources = ['CPU', 'MEMORY'].map((name) => ({
    name,
    type: 'INTEGER' as const,
    integerValue: 600,
  }))
  const bench = await serve(['a', 'b'], { desiredCount: 3, placementStrategy }, { registeredResources })
  expect(counts(placesOf(bench))).toEqual([2, 1])
  bench.updateService({ desiredCount: 2 })
  await bench.run(minute)
  expect(counts(placesOf(bench))).toEqual([2])
})
