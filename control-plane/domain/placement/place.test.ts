import { prng } from '@berth/std/prng.ts'
import { describe, expect, test } from 'vitest'
import type { ClusterView } from './cluster-view.ts'
import { remainingResources } from './instance-load.ts'
import { type PlacementRequest, closestMatch, defaultServiceStrategy, placeTask, refusal } from './place.ts'
import { clusterOf, demandOf, instanceRow, taskRow } from './testing.ts'

const requestOf = (request: Partial<PlacementRequest> = {}): PlacementRequest => ({
  demand: demandOf(),
  group: 'service:web',
  launchType: 'EC2',
  requiresAttributes: [],
  constraints: [],
  strategies: [],
  fraction: prng(1),
  ...request,
})
/** Places so many tasks one after the other; gives the instance of each, or the reasons why there is none. */
const placeMany = (view: ClusterView, count: number, request: PlacementRequest): Array<string | string[]> =>
  Array.from({ length: count }, () => {
    const placement = placeTask(view, request)
    if ('failures' in placement) return placement.failures.map(({ reason }) => reason)
    const task = taskRow({ group: request.group, demand: request.demand, lastStatus: 'PENDING' })
    view.count(placement.containerInstanceArn, task, 1)
    return placement.containerInstanceArn
  })
const zone = (value: string): Record<string, string> => ({ 'ecs.availability-zone': value })
const binpackMemory = [{ type: 'binpack', field: 'MEMORY' } as const]
const binpackCpu = { type: 'binpack', field: 'cpu' } as const
const spreadZone = { type: 'spread', field: 'attribute:ecs.availability-zone' } as const
const tally = (names: ReadonlyArray<string | string[]>): number[] =>
  [...Map.groupBy(names, String).values()].map((same) => same.length).toSorted((one, other) => other - one)

describe('strategies', () => {
  test('binpack fills the instance with the least memory left that still fits', () => {
    const view = clusterOf({ name: 'big', memory: 2048 }, { name: 'small', memory: 1024 })
    const request = requestOf({ demand: demandOf({ memoryMiB: 512 }), strategies: binpackMemory })
    expect(placeMany(view, 3, request)).toEqual(['small', 'small', 'big'])
  })

  test('a service without strategies is spread over zones, then over instances', () => {
    const view = clusterOf(
      { name: 'a', has: zone('a') },
      { name: 'b', has: zone('b') },
      { name: 'c', has: zone('c') },
    )
    expect(tally(placeMany(view, 5, requestOf({ strategies: defaultServiceStrategy })))).toEqual([2, 2, 1])
  })

  test('spread over zones, then binpack, fills one instance in each zone first', () => {
    const view = clusterOf(
      ...['a1', 'a2', 'b1', 'b2'].map((name) => ({ name, cpu: 1024, has: zone(name.charAt(0)) })),
    )
    const request = requestOf({ demand: demandOf({ cpu: 512 }), strategies: [spreadZone, binpackCpu] })
    expect(new Set(placeMany(view, 4, request)).size).toBe(2)
    expect(tally(placeMany(view, 4, request))).toEqual([2, 2])
  })

  test('equally good zones are compared as one by the next strategy', () => {
    const view = clusterOf(
      { name: 'a', cpu: 2048, has: zone('a') },
      { name: 'b', cpu: 1024, has: zone('b') },
      { name: 'c', cpu: 3072, has: zone('c') },
    )
    const request = requestOf({ demand: demandOf({ cpu: 1 }), strategies: [spreadZone, binpackCpu] })
    expect(placeMany(view, 3, request)).toEqual(['b', 'a', 'c'])
  })

  test('a spread over five instances puts exactly two of ten tasks on each', () => {
    const view = clusterOf(...['a', 'b', 'c', 'd', 'e'].map((name) => ({ name })))
    const request = requestOf({ strategies: [{ type: 'spread', field: 'instanceId' }] })
    expect(tally(placeMany(view, 10, request))).toEqual([2, 2, 2, 2, 2])
  })

  test('a spread counts the tasks of its own group only', () => {
    const view = clusterOf({ name: 'a' }, { name: 'b' })
    for (let count = 0; count < 3; count++) view.count('a', taskRow({ group: 'service:other' }), 1)
    view.count('b', taskRow({ group: 'service:web' }), 1)
    const request = requestOf({ strategies: [{ type: 'spread', field: 'host' }] })
    expect(placeMany(view, 1, request)).toEqual(['a'])
  })

  test('a spread over zones goes back to where tasks have stopped', () => {
    const view = clusterOf({ name: 'a', has: zone('a') }, { name: 'b', has: zone('b') })
    const request = requestOf({ strategies: [spreadZone] })
    const tasks = ['a', 'b', 'a', 'b'].map((containerInstanceArn) =>
      taskRow({ containerInstanceArn, group: request.group }),
    )
    for (const task of tasks) {
      view.count(task.containerInstanceArn ?? '', task, 1)
      placeTask(view, request)
    }
    for (const task of tasks.filter(({ containerInstanceArn }) => containerInstanceArn === 'a')) {
      view.count('a', task, -1)
      placeTask(view, request)
    }
    expect(placeMany(view, 2, request)).toEqual(['a', 'a'])
  })

  test('a zone without an eligible instance does not hold the others back', () => {
    const view = clusterOf({ name: 'a', has: zone('a'), status: 'DRAINING' }, { name: 'b', has: zone('b') })
    expect(placeMany(view, 3, requestOf({ strategies: [spreadZone] }))).toEqual(['b', 'b', 'b'])
  })

  test('random ends a chain and reaches every instance', () => {
    const view = clusterOf({ name: 'a' }, { name: 'b' }, { name: 'c' })
    const placed = placeMany(view, 60, requestOf({ strategies: [{ type: 'random' }, binpackCpu] }))
    expect(new Set(placed)).toEqual(new Set(['a', 'b', 'c']))
  })
})

describe('constraints', () => {
  test('distinctInstance places one task of a group on an instance, whatever its deployment', () => {
    const view = clusterOf({ name: 'a' }, { name: 'b' }, { name: 'c' })
    const placed = placeMany(view, 4, requestOf({ constraints: [{ type: 'distinctInstance' }] }))
    expect(new Set(placed.slice(0, 3))).toEqual(new Set(['a', 'b', 'c']))
    expect(placed[3]).toEqual(Array(3).fill('DistinctInstance placement constraint unsatisfied'))
  })

  test('memberOf is refused until the attribute is put, and places then', () => {
    const view = clusterOf({ name: 'a' }, { name: 'b' })
    const request = requestOf({ constraints: [{ type: 'memberOf', expression: 'attribute:stack == prod' }] })
    expect(placeMany(view, 1, request)).toEqual([Array(2).fill('MemberOf placement constraint unsatisfied')])
    view.setInstance('b', instanceRow({ name: 'b', has: { stack: 'prod' } }))
    expect(placeMany(view, 1, request)).toEqual(['b'])
  })

  test('not(task:group == database) keeps away from the database', () => {
    const view = clusterOf({ name: 'a' }, { name: 'b' })
    view.count('a', taskRow({ group: 'database' }), 1)
    const request = requestOf({
      constraints: [{ type: 'memberOf', expression: 'not(task:group == database)' }],
    })
    expect(placeMany(view, 2, request)).toEqual(['b', 'b'])
  })

  test('all expressions must hold', () => {
    const view = clusterOf({ name: 'a', has: { x: '1' } }, { name: 'b', has: { x: '1', y: '1' } })
    const constraints = ['x', 'y'].map(
      (name) => ({ type: 'memberOf', expression: `attribute:${name} == 1` }) as const,
    )
    expect(placeMany(view, 2, requestOf({ constraints }))).toEqual(['b', 'b'])
  })
})

describe('resources', () => {
  const port = (protocol: 'tcp' | 'udp', number = 80): PlacementRequest =>
    requestOf({ demand: demandOf({ ports: [{ protocol, port: number }] }) })

  test('a host port is held once, and TCP and UDP are told apart', () => {
    const view = clusterOf({ name: 'a' })
    expect(placeMany(view, 2, port('tcp'))).toEqual(['a', ['RESOURCE:PORTS']])
    expect(placeMany(view, 1, port('udp'))).toEqual(['a'])
    expect(placeMany(view, 1, port('tcp', 22))).toEqual([['RESOURCE:PORTS']])
  })

  test('no more than a hundred ports are reserved, and a task without static ports still fits', () => {
    const view = clusterOf({ name: 'a', ports: Array.from({ length: 100 }, (_, index) => 1000 + index) })
    expect(placeMany(view, 1, port('tcp'))).toEqual([['RESOURCE:PORTS']])
    expect(placeMany(view, 1, requestOf())).toEqual(['a'])
  })

  test.each([
    ['RESOURCE:CPU', { cpu: 4097 }],
    ['RESOURCE:MEMORY', { memoryMiB: 8193 }],
    ['RESOURCE:GPU', { gpu: 3 }],
  ])('%s is the reason when there is too little', (reason, demand) => {
    const view = clusterOf({ name: 'a', gpus: ['g0', 'g1'] })
    expect(placeMany(view, 1, requestOf({ demand: demandOf(demand) }))).toEqual([[reason]])
  })

  test('network interfaces are counted where the instance has registered how many it has', () => {
    const { registeredResources } = instanceRow({ name: 'a' })
    const eni = { name: 'ENI', type: 'INTEGER', integerValue: 2 }
    const request = requestOf({ demand: demandOf({ eni: 1 }) })
    const view = clusterOf({ name: 'a', registeredResources: [...registeredResources, eni] })
    expect(placeMany(view, 3, request)).toEqual(['a', 'a', ['RESOURCE:ENI']])
    view.setInstance('a', instanceRow({ name: 'a' }))
    expect(placeMany(view, 2, request)).toEqual(['a', 'a'])
  })

  test('a task with a network interface goes where its subnets are', () => {
    const view = clusterOf({ name: 'a', has: zone('a') }, { name: 'b', has: zone('b') }, { name: 'nowhere' })
    expect(placeMany(view, 3, requestOf({ zones: ['b', 'c'] }))).toEqual(['b', 'b', 'b'])
    expect(placeMany(view, 1, requestOf({ zones: ['c'] }))).toEqual([Array(3).fill('LOCATION')])
  })

  test('a task that asks for nothing fits on a full instance', () => {
    const view = clusterOf({ name: 'a', cpu: 0, memory: 0 })
    expect(placeMany(view, 1, requestOf())).toEqual(['a'])
  })

  test('what remains is shown with the ports that are taken', () => {
    const view = clusterOf({ name: 'a', gpus: ['g0', 'g1'] })
    const ports = [{ protocol: 'tcp', port: 80 } as const, { protocol: 'udp', port: 53 } as const]
    view.count(
      'a',
      taskRow({ demand: { cpu: 96, memoryMiB: 192, ports, gpu: 1 }, desiredStatus: 'STOPPED' }),
      1,
    )
    const load = view.find('a')
    expect(load && remainingResources(load)).toEqual([
      { name: 'CPU', type: 'INTEGER', integerValue: 4000 },
      { name: 'MEMORY', type: 'INTEGER', integerValue: 8000 },
      { name: 'PORTS', type: 'STRINGSET', stringSetValue: ['22', '80'] },
      { name: 'PORTS_UDP', type: 'STRINGSET', stringSetValue: ['53'] },
      { name: 'GPU', type: 'STRINGSET', stringSetValue: ['g0'] },
    ])
  })
})

test('a kind of task that is asked for again after very many changes finds them all', () => {
  const view = clusterOf({ name: 'a', cpu: 256 }, { name: 'b', cpu: 256 })
  const rare = requestOf({ demand: demandOf({ cpu: 200 }) })
  const frequent = requestOf({ demand: demandOf({ cpu: 1 }) })
  placeTask(view, rare)
  view.count('a', taskRow({ demand: { cpu: 100 } }), 1)
  for (let change = 0; change < 5000; change++) {
    const task = taskRow({ demand: { cpu: 1 } })
    view.count('b', task, 1)
    placeTask(view, frequent)
    view.count('b', task, -1)
  }
  expect(placeMany(view, 2, rare)).toEqual(['b', ['RESOURCE:CPU', 'RESOURCE:CPU']])
})

describe('candidates and failures', () => {
  test('only ACTIVE instances of the launch type are asked', () => {
    const view = clusterOf(
      { name: 'draining', status: 'DRAINING' },
      { name: 'external', external: true },
      { name: 'off', agentConnected: false },
    )
    expect(placeTask(view, requestOf())).toEqual({
      failures: [{ arn: 'off', reason: 'AGENT' }],
      closest: { arn: 'off', reason: 'AGENT' },
    })
    expect(placeTask(view, requestOf({ launchType: 'EXTERNAL' }))).toEqual({
      containerInstanceArn: 'external',
    })
  })

  test('required attributes are asked by name, and by value where one is given', () => {
    const view = clusterOf({ name: 'a', has: { os: 'linux' } })
    const ask = (value?: string): PlacementRequest =>
      requestOf({ requiresAttributes: [{ name: 'os', ...(value !== undefined && { value }) }] })
    expect(placeMany(view, 1, ask())).toEqual(['a'])
    expect(placeMany(view, 1, ask('linux'))).toEqual(['a'])
    expect(placeMany(view, 1, ask('windows'))).toEqual([['ATTRIBUTE']])
  })

  test('the closest match is the instance that met most requirements', () => {
    const view = clusterOf(
      { name: 'off', agentConnected: false },
      { name: 'wrong', has: {} },
      { name: 'full', memory: 1 },
    )
    const placement = placeTask(
      view,
      requestOf({ demand: demandOf({ memoryMiB: 2 }), requiresAttributes: [{ name: 'os' }] }),
    )
    expect('failures' in placement && closestMatch(placement.failures)).toEqual({
      arn: 'wrong',
      reason: 'ATTRIBUTE',
    })
    expect(closestMatch([])).toBeUndefined()
  })

  test('one named instance is asked the same', () => {
    const view = clusterOf({ name: 'a', cpu: 1 })
    expect(refusal(view, 'a', requestOf())).toBeUndefined()
    expect(refusal(view, 'a', requestOf({ demand: demandOf({ cpu: 2 }) }))).toEqual({
      arn: 'a',
      reason: 'RESOURCE:CPU',
    })
    expect(refusal(view, 'b', requestOf())).toEqual({ arn: 'b', reason: 'MISSING' })
  })
})
