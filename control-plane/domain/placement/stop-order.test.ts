import { prng } from '@berth/std/prng.ts'
import type { PlacementStrategy } from '@aws-sdk/client-ecs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Task } from '#domain/task.ts'
import type { ClusterView } from './cluster-view.ts'
import { defaultServiceStrategy } from './place.ts'
import { StopOrder } from './stop-order.ts'
import { clusterOf, demandOf, taskRow } from './testing.ts'

const zone = (value: string): Record<string, string> => ({ 'ecs.availability-zone': value })
const memory: PlacementStrategy = { type: 'binpack', field: 'MEMORY' }

const run = (view: ClusterView, task: Partial<Task> & { containerInstanceArn: string }): Task => {
  const row = taskRow({ group: 'service:web', ...task })
  view.count(task.containerInstanceArn, row, 1)
  return row
}
const order = (
  view: ClusterView,
  tasks: readonly Task[],
  strategies: readonly PlacementStrategy[],
  count: number,
  seed = 1,
): Task[] => {
  const stops = new StopOrder(view, tasks, { strategies, fraction: prng(seed) })
  return Array.from({ length: count }, () => stops.next()).filter((task) => task !== undefined)
}
const places = (tasks: readonly Task[]) => tasks.map(({ containerInstanceArn }) => containerInstanceArn)

describe('the order in which tasks are stopped', () => {
  test('one that does not run yet, then an unhealthy one, then one on a draining instance', () => {
    const view = clusterOf({ name: 'a' }, { name: 'b', status: 'DRAINING' })
    const healthy = run(view, { containerInstanceArn: 'a' })
    const draining = run(view, { containerInstanceArn: 'b' })
    const unhealthy = run(view, { containerInstanceArn: 'a', healthStatus: 'UNHEALTHY' })
    const pending = run(view, { containerInstanceArn: 'a', lastStatus: 'PENDING' })
    const waiting = taskRow({ group: 'service:web', lastStatus: 'PROVISIONING' })
    const all = [healthy, draining, unhealthy, pending, waiting]
    const stopped = order(view, all, defaultServiceStrategy, 9)
    expect(new Set(stopped.slice(0, 2))).toEqual(new Set([pending, waiting]))
    expect(stopped.slice(2)).toEqual([unhealthy, draining, healthy])
  })

  test('scaling in five tasks in zones 2/2/1 stops one of a zone with two', () => {
    const view = clusterOf(...['a', 'b', 'c'].map((name) => ({ name, has: zone(name) })))
    const tasks = ['a', 'b', 'a', 'c', 'b'].map((containerInstanceArn) => run(view, { containerInstanceArn }))
    for (const seed of [1, 2, 3, 4, 5])
      expect(['a', 'b']).toContain(places(order(view, tasks, defaultServiceStrategy, 1, seed))[0])
    expect(new Set(places(order(view, tasks, defaultServiceStrategy, 2)))).toEqual(new Set(['a', 'b']))
  })

  test('Fargate tasks go from their own zones with most, as their hosts are in no cluster', () => {
    const tasks = ['a', 'b', 'a', 'c', 'b'].map((availabilityZone, index) =>
      taskRow({
        group: 'service:web',
        launchType: 'FARGATE',
        containerInstanceArn: `host${index % 2}`,
        availabilityZone,
      }),
    )
    for (const seed of [1, 2, 3, 4, 5]) {
      const stopped = order(clusterOf(), tasks, defaultServiceStrategy, 2, seed)
      expect(new Set(stopped.map(({ availabilityZone }) => availabilityZone))).toEqual(new Set(['a', 'b']))
    }
  })

  test('from a zone with most tasks, and there from the instance with most', () => {
    const view = clusterOf(...['a1', 'b1', 'b2', 'c1'].map((name) => ({ name, has: zone(name.charAt(0)) })))
    const tasks = ['a1', 'c1', 'b1', 'b2', 'b2', 'a1'].map((containerInstanceArn) =>
      run(view, { containerInstanceArn }),
    )
    expect(places(order(view, tasks, defaultServiceStrategy, 1))).toEqual(['b2'])
  })

  test('a zone counts all of its tasks, also those that may not be stopped', () => {
    const view = clusterOf({ name: 'a', has: zone('a') }, { name: 'b', has: zone('b') })
    for (let count = 0; count < 2; count++) run(view, { containerInstanceArn: 'b' })
    const tasks = ['a', 'a', 'b'].map((containerInstanceArn) => run(view, { containerInstanceArn }))
    expect(places(order(view, tasks, defaultServiceStrategy, 1))).toEqual(['b'])
  })

  test('with binpack from the instance that will have most left, reckoning with what went before', () => {
    const view = clusterOf({ name: 'a', memory: 1000 }, { name: 'b', memory: 1000 })
    const tasks = ['a', 'a', 'b'].map((containerInstanceArn) =>
      run(view, { containerInstanceArn, demand: demandOf({ memoryMiB: 300 }) }),
    )
    expect(places(order(view, tasks, [memory], 3))).toEqual(['b', 'a', 'a'])
  })

  test('chance decides among equals, from the seed', () => {
    const view = clusterOf({ name: 'a' })
    const tasks = Array.from({ length: 4 }, () => run(view, { containerInstanceArn: 'a' }))
    const first = Array.from({ length: 40 }, (_, seed) => order(view, tasks, [], 1, seed)[0])
    expect(new Set(first)).toEqual(new Set(tasks))
    expect(order(view, tasks, [], 4, 7)).toEqual(order(view, tasks, [], 4, 7))
  })

  test('a part is asked for its own tasks only', () => {
    const view = clusterOf({ name: 'a' })
    const tasks = ['on', 'spot', 'on'].map((capacityProviderName) =>
      run(view, { containerInstanceArn: 'a', capacityProviderName }),
    )
    const stops = new StopOrder(view, tasks, {
      strategies: [],
      fraction: () => 0,
      partOf: ({ capacityProviderName = '' }) => capacityProviderName,
    })
    expect([stops.next('spot'), stops.next('spot'), stops.next('nothing')]).toEqual([
      tasks[1],
      undefined,
      undefined,
    ])
  })
})

test('each task that is stopped is one of the best to stop, reckoning with those before it', () => {
  const strategies = fc.uniqueArray(
    fc.constantFrom<PlacementStrategy>(
      { type: 'spread', field: 'attribute:ecs.availability-zone' },
      { type: 'spread', field: 'instanceId' },
      memory,
      { type: 'random' },
    ),
    { maxLength: 3 },
  )
  const task = fc.record({
    on: fc.constantFrom('a', 'b', 'c', 'd'),
    memoryMiB: fc.constantFrom(100, 100, 200),
    lastStatus: fc.constantFrom('RUNNING' as const, 'RUNNING' as const, 'PENDING' as const),
  })
  fc.assert(
    fc.property(
      fc.array(task, { minLength: 1, maxLength: 12 }),
      strategies,
      fc.nat(),
      (sketches, chain, seed) => {
        const zones: Record<string, string> = { a: 'x', b: 'x', c: 'y' }
        const view = clusterOf(
          ...['a', 'b', 'c', 'd'].map((name) => ({
            name,
            memory: 2000,
            has: zones[name] === undefined ? {} : zone(zones[name]),
          })),
        )
        const tasks = sketches.map(({ on, memoryMiB, lastStatus }) =>
          run(view, { containerInstanceArn: on, demand: demandOf({ memoryMiB }), lastStatus }),
        )
        let left = tasks
        for (const stopped of order(view, tasks, chain, tasks.length, seed)) {
          expect(best(left, chain, zones)).toContain(stopped)
          left = left.filter((other) => other !== stopped)
        }
        expect(left).toEqual([])
      },
    ),
  )
})

/** By the rules as they are written; all tasks are of one service, and none is protected. */
function best(
  left: readonly Task[],
  chain: readonly PlacementStrategy[],
  zones: Readonly<Record<string, string>>,
): Task[] {
  const of = ({ containerInstanceArn = '' }: Task): string => containerInstanceArn
  let some = left.filter(({ lastStatus }) => lastStatus === 'PENDING')
  if (some.length === 0) some = [...left]
  for (const { type, field } of chain) {
    if (type === 'random') break
    const score = (task: Task): number => {
      const here = left.filter((other) => of(other) === of(task))
      if (type === 'binpack')
        return task.demand.memoryMiB - here.reduce((sum, { demand }) => sum + demand.memoryMiB, 0)
      if (field === 'instanceId') return here.length
      return left.filter((other) => zones[of(other)] === zones[of(task)]).length
    }
    const most = Math.max(...some.map(score))
    some = some.filter((task) => score(task) === most)
  }
  return some
}
