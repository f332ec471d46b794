/** Where RunTask places tasks, case by case as AWS's guide has them. */
import type { ContainerDefinition, PlacementStrategy, RunTaskRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import { putAttributes } from '#api/ecs/instances/attribute.ts'
import { runTask } from './run-task.ts'
import { putCluster, putContainerInstance, putTaskDefinition } from '#api/ecs/testing-rows.ts'

let context: TestContext
let cluster: Cluster
beforeEach(async () => {
  context = await testContext()
  cluster = putCluster(context, 'default')
  define({})
})

type More = Parameters<typeof putContainerInstance>[3]
const instance = (name: string, more: More = {}) => putContainerInstance(context, cluster, name, more)
const instances = (names: string, more: More = {}): void => {
  for (const name of names) instance(name, more)
}
const define = (app: ContainerDefinition, more: Partial<TaskDefinition> = {}): void => {
  putTaskDefinition(context, 'web:1', { memory: 1, ...app }, more)
}
/** Runs tasks; says where each is, in order, then the reasons of the failures. */
const run = (input: Partial<RunTaskRequest> = {}): string[] => {
  const { tasks = [], failures = [] } = runTask.run(context, { taskDefinition: 'web', ...input })
  const places = tasks.map(({ containerInstanceArn }) => containerInstanceArn?.split('/').at(-1) ?? '')
  return [...places, ...failures.map(({ reason = '' }) => reason)]
}
const by = (type: PlacementStrategy['type'], field?: string): Partial<RunTaskRequest> => ({
  placementStrategy: [{ type, ...(field !== undefined && { field }) }],
})
const only = (expression: string): Partial<RunTaskRequest> => ({
  placementConstraints: [{ type: 'memberOf', expression }],
})
const port = (hostPort: number, protocol: 'tcp' | 'udp' = 'tcp'): ContainerDefinition => ({
  portMappings: [{ hostPort, containerPort: hostPort === 0 ? 80 : hostPort, protocol }],
})
/** An instance of which so many ports are reserved. */
const reserving = (count: number): More => ({
  registeredResources: [
    { name: 'CPU', type: 'INTEGER', integerValue: 1024 },
    { name: 'MEMORY', type: 'INTEGER', integerValue: 1024 },
    {
      name: 'PORTS',
      type: 'STRINGSET',
      stringSetValue: Array.from({ length: count }, (_, at) => String(1000 + at)),
    },
  ],
})
const perInstance = (places: readonly string[]): number[] =>
  [...Map.groupBy(places, String).values()].map(({ length }) => length).toSorted((one, two) => two - one)

const unmet = 'MemberOf placement constraint unsatisfied'

test.each<[string, () => unknown, unknown]>([
  [
    'binpack memory fills the smaller instance, then goes to the other',
    () => {
      define({ memory: 512 })
      instance('small')
      instance('large', { memoryMiB: 2048 })
      return run({ ...by('binpack', 'memory'), count: 3 })
    },
    ['small', 'small', 'large'],
  ],
  [
    'an expression that nothing matches is a failure of each instance',
    () => (instances('ab'), run(only('attribute:stack == prod'))),
    [unmet, unmet],
  ],
  [
    'an attribute that is put makes its instance match',
    () => {
      instances('a')
      const { containerInstanceArn } = instance('b'.repeat(32))
      const attribute = { name: 'stack', value: 'prod', targetId: containerInstanceArn }
      putAttributes.run(context, { attributes: [attribute] })
      return run(only('attribute:stack == prod'))
    },
    ['b'.repeat(32)],
  ],
  [
    'not(task:group == database) keeps away from it',
    () => {
      instance('a')
      run({ group: 'database' })
      instance('b')
      return run({ ...only('not(task:group == database)'), count: 3 })
    },
    ['b', 'b', 'b'],
  ],
  [
    'task:group == web places nothing while nothing of the group runs',
    () => (instances('a'), run({ ...only('task:group == web'), group: 'web' })),
    [unmet],
  ],
  [
    'a host port is taken once for TCP and once for UDP',
    () => {
      instance('a')
      define(port(80), { networkMode: 'host' })
      const twice = [run(), run()]
      define(port(80, 'udp'), { networkMode: 'host' })
      return [...twice, run()]
    },
    [['a'], ['RESOURCE:PORTS'], ['a']],
  ],
  [
    'no static port fits beside a hundred, a dynamic one does',
    () => {
      instance('a', reserving(100))
      define(port(80))
      const fixed = run()
      define(port(0))
      return [fixed, run()]
    },
    [['RESOURCE:PORTS'], ['a']],
  ],
  [
    'an instance whose agent is gone says so at once',
    () => (instances('a', { agentConnected: false }), run()),
    ['AGENT'],
  ],
  [
    'a draining instance is not asked',
    () => (instances('a', { status: 'DRAINING' }), instances('b'), run({ count: 3 })),
    ['b', 'b', 'b'],
  ],
  [
    'ten tasks spread over five instances are two on each',
    () => (instances('abcde'), perInstance(run({ ...by('spread', 'instanceId'), count: 10 }))),
    [2, 2, 2, 2, 2],
  ],
  [
    'each of the tasks sees those before it',
    () => {
      define({ memory: 600 })
      instances('ab')
      return run({ count: 3 }).toSorted()
    },
    ['RESOURCE:MEMORY', 'RESOURCE:MEMORY', 'a', 'b'],
  ],
  [
    'what is reserved counts, not the limit',
    () => {
      define({ memory: 1024, memoryReservation: 256 })
      instance('a')
      return run({ count: 5 })
    },
    ['a', 'a', 'a', 'a', 'RESOURCE:MEMORY'],
  ],
  [
    "the task's own CPU counts instead of its containers'",
    () => {
      define({ cpu: 1000 }, { cpu: '256' })
      instance('a')
      return run({ count: 5 })
    },
    ['a', 'a', 'a', 'a', 'RESOURCE:CPU'],
  ],
  [
    'an attribute that an instance lacks is unequal to everything',
    () => (instances('a'), run(only('attribute:stack != prod'))),
    ['a'],
  ],
  [
    'a pattern must match the whole value',
    () => {
      instance('a', { attributes: [{ name: 'ecs.instance-type', value: 't2.small' }] })
      return [
        run(only('attribute:ecs.instance-type =~ t2')),
        run(only('attribute:ecs.instance-type =~ t2.*')),
      ]
    },
    [[unmet], ['a']],
  ],
  [
    'a strategy never is why there is no place',
    () => (instances('a'), run({ ...by('spread', 'attribute:nothing'), count: 2 })),
    ['a', 'a'],
  ],
  [
    'without a strategy chance decides, and leaves no instance out',
    () => {
      instances('abc')
      return new Set(Array.from({ length: 6 }, () => run({ count: 10 })).flat()).size
    },
    3,
  ],
])('%s', (_, places, expected) => {
  expect(places()).toEqual(expected)
})
