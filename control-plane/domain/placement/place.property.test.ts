import type { PlacementStrategy } from '@aws-sdk/client-ecs'
import { present } from '@berth/std/assert.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { HostPort } from '#domain/resources.ts'
import type { Task } from '#domain/task.ts'
import { ClusterView } from './cluster-view.ts'
import { explainPlacement } from './explain.ts'
import { type PlacementRequest, closestMatch, placeTask } from './place.ts'
import { type Expression, NaiveCluster, type NaiveRequest, written } from './testing-naive.ts'
import { demandOf, instanceRow, taskRow } from './testing.ts'

const names = ['i1', 'i2', 'i3', 'i4', 'i5', 'i6'] as const
const manyPorts = Array.from({ length: 99 }, (_, index) => 1000 + index)
const instance = fc
  .record({
    name: fc.constantFrom(...names),
    cpu: fc.constantFrom(0, 512, 1024),
    memory: fc.constantFrom(512, 1024, 2048),
    gpus: fc.constantFrom<string[][]>([], [], ['g0', 'g1']),
    ports: fc.constantFrom([22], [22], [22], manyPorts),
    agentConnected: fc.constantFrom(true, true, true, true, false),
    external: fc.constantFrom(false, false, false, false, false, true),
    status: fc.constantFrom<Array<ContainerInstance['status']>>('ACTIVE', 'ACTIVE', 'ACTIVE', 'DRAINING'),
    provider: fc.constantFrom(
      {},
      {},
      { capacityProviderName: 'spot' },
      { capacityProviderName: 'own', managed: true as const },
    ),
    has: fc
      .record(
        {
          'ecs.availability-zone': fc.constantFrom('a', 'b', 'c'),
          stack: fc.constantFrom('prod', 'test', ''),
          gp: fc.constant(''),
        },
        { requiredKeys: [] },
      )
      .map((attributes): Record<string, string> => ({ ...attributes })),
    eni: fc.constantFrom(undefined, undefined, 0, 2),
  })
  .map(({ provider, eni, ...sketch }) => {
    const row = instanceRow({ ...sketch, ...provider })
    const slots =
      eni === undefined ? [] : [{ name: 'ENI', type: 'INTEGER', integerValue: eni } satisfies object]
    return { ...row, registeredResources: [...row.registeredResources, ...slots] }
  })

const { expression } = fc.letrec<{ expression: Expression }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 2, withCrossShrink: true },
    fc.record({
      attribute: fc.constantFrom('stack', 'ecs.availability-zone', 'other'),
      operator: fc.constantFrom('==', '!='),
      value: fc.constantFrom('prod', 'test', 'a', 'b'),
    }),
    fc.record({ attribute: fc.constantFrom('stack', 'gp'), exists: fc.boolean() }),
    fc.record({ group: fc.constantFrom('service:web', 'service:db') }),
    fc.record({ runningTasksBelow: fc.constantFrom(0, 1, 2, 9) }),
    fc.record({ not: tie('expression') }),
    fc.record({ all: fc.array(tie('expression'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ any: fc.array(tie('expression'), { minLength: 1, maxLength: 3 }) }),
  ) as fc.Arbitrary<Expression>,
}))
const strategy = fc.constantFrom<PlacementStrategy>(
  { type: 'spread', field: 'attribute:ecs.availability-zone' },
  { type: 'spread', field: 'attribute:stack' },
  { type: 'spread', field: 'instanceId' },
  { type: 'binpack', field: 'CPU' },
  { type: 'binpack', field: 'memory' },
  { type: 'random' },
)
const strategies = fc.uniqueArray(strategy, { maxLength: 4 })
const group = fc.constantFrom('service:web', 'service:db')
const sizes = { cpu: fc.constantFrom(0, 128, 256), memoryMiB: fc.constantFrom(0, 128, 512) }
/** What most instances take, so that strategies, and what tasks do to expressions, come to matter. */
const modest: fc.Arbitrary<NaiveRequest> = fc.record({
  demand: fc.record(sizes).map(demandOf),
  group,
  launchType: fc.constant('EC2'),
  requiresAttributes: fc.constant([]),
  memberOf: fc.constantFrom<Expression[][]>(
    [],
    [],
    [{ runningTasksBelow: 1 }],
    [{ not: { group: 'service:db' } }],
  ),
  distinct: fc.constantFrom(false, false, false, true),
  strategies,
})
/** What hardly any instance takes, each for another reason. */
const exacting: fc.Arbitrary<NaiveRequest> = fc
  .record({
    demand: fc
      .record({
        ...sizes,
        gpu: fc.constantFrom(0, 0, 0, 1),
        eni: fc.constantFrom(0, 0, 1),
        ports: fc.constantFrom<readonly HostPort[]>(
          ...([[], [], []] as const),
          [{ protocol: 'tcp', port: 80 }],
          [
            { protocol: 'udp', port: 80 },
            { protocol: 'tcp', port: 443 },
          ],
        ),
      })
      .map(demandOf),
    group,
    launchType: fc.constantFrom('EC2' as const, 'EC2' as const, 'EC2' as const, 'EXTERNAL' as const),
    requiresAttributes: fc.constantFrom([], [], [{ name: 'gp' }], [{ name: 'stack', value: 'prod' }]),
    memberOf: fc.oneof(fc.constant([]), fc.array(expression, { minLength: 1, maxLength: 2 })),
    distinct: fc.boolean(),
    strategies,
    provider: fc.constantFrom({}, {}, {}, { capacityProviderName: 'spot' }, { capacityProviderName: 'own' }),
    zones: fc.constantFrom({}, {}, {}, { zones: ['a', 'b'] }),
  })
  .map(({ provider, zones, ...rest }) => ({ ...rest, ...provider, ...zones }))
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ place: fc.nat(2), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 2, arbitrary: fc.record({ register: instance }) },
  { weight: 1, arbitrary: fc.record({ deregister: fc.constantFrom(...names) }) },
  { weight: 2, arbitrary: fc.record({ start: fc.nat(40) }) },
  { weight: 4, arbitrary: fc.record({ stop: fc.nat(40), gone: fc.boolean() }) },
)

test('the engine and the rules as they are written say the same of every cluster, after every change', () => {
  fc.assert(
    fc.property(
      fc.array(instance, { minLength: 3, maxLength: 8 }),
      fc.tuple(modest, modest, exacting),
      fc.array(step, { maxLength: 60, size: 'max' }),
      (instances, requests, steps) => {
        const both = new Both()
        for (const row of instances) both.register(row)
        for (const one of steps) {
          if ('register' in one) both.register(one.register)
          else if ('deregister' in one) both.deregister(one.deregister)
          else if ('start' in one) both.change(one.start, (task) => ({ ...task, lastStatus: 'RUNNING' }))
          else if ('stop' in one)
            both.change(one.stop, (task) => (one.gone ? undefined : { ...task, desiredStatus: 'STOPPED' }))
          else
            for (let task = 0; task < one.count; task++)
              both.place(present(requests[one.place], 'one of three'))
        }
        expect(both.said).toEqual(both.mayBe)
      },
    ),
    { numRuns: 80 },
  )
}, 30_000)

/** The same cluster twice, and what the engine said of it beside what it may say. */
class Both {
  readonly said: unknown[] = []
  readonly mayBe: unknown[] = []
  readonly #naive = new NaiveCluster()
  readonly #view = new ClusterView()

  register(row: ContainerInstance): void {
    const { containerInstanceArn } = row
    const others = this.#naive.instances.filter((one) => one.containerInstanceArn !== containerInstanceArn)
    this.#naive.instances = [...others, row]
    this.#view.setInstance(containerInstanceArn, row)
  }

  deregister(arn: string): void {
    this.#naive.instances = this.#naive.instances.filter((one) => one.containerInstanceArn !== arn)
    this.#view.setInstance(arn, undefined)
  }

  change(number: number, how: (task: Task) => Task | undefined): void {
    const { tasks } = this.#naive
    const task = tasks[number % Math.max(1, tasks.length)]
    if (!task) return
    const after = how(task)
    this.#naive.tasks = tasks.flatMap((one) => (one !== task ? [one] : after ? [after] : []))
    this.#view.count(task.containerInstanceArn ?? '', task, -1)
    if (after) this.#view.count(task.containerInstanceArn ?? '', after, 1)
  }

  place(wanted: NaiveRequest): void {
    const { memberOf, distinct, ...rest } = wanted
    const constraints = [
      ...memberOf.map((one) => ({ type: 'memberOf', expression: written(one) }) as const),
      ...(distinct ? [{ type: 'distinctInstance' } as const] : []),
    ]
    const asked = { ...rest, constraints }
    const best = this.#naive.best(wanted)
    this.#explains(wanted, asked, best)
    if (best.length === 0) return this.#refuses(wanted, asked)
    // A chance in the middle of each of the equal parts finds each of the best once.
    const chosen = best.map((_, index) => {
      const placement = placeTask(this.#view, { ...asked, fraction: () => (index + 0.5) / best.length })
      return 'failures' in placement ? 'none' : placement.containerInstanceArn
    })
    this.#agree(chosen.toSorted(), best.toSorted())
    const [containerInstanceArn = ''] = chosen
    const { group, demand } = wanted
    const task = taskRow({ containerInstanceArn, group, demand, lastStatus: 'PENDING' })
    this.#naive.tasks.push(task)
    this.#view.count(containerInstanceArn, task, 1)
  }

  #agree(said: unknown, mayBe: unknown): void {
    this.said.push(said)
    this.mayBe.push(mayBe)
  }

  #refuses(wanted: NaiveRequest, asked: Omit<PlacementRequest, 'fraction'>): void {
    const placement = placeTask(this.#view, { ...asked, fraction: () => 0 })
    if (!('failures' in placement)) return this.#agree(placement, undefined)
    const refused = this.#naive
      .candidates(wanted)
      .map((row) => ({ arn: row.containerInstanceArn, reason: this.#naive.reason(row, wanted) }))
    this.#agree([...placement.failures].toSorted(byArn), refused.toSorted(byArn))
    if (refused.length === 0) return this.#agree(placement.closest, undefined)
    this.#agree(this.#naive.closest(wanted).includes(placement.closest?.arn ?? ''), true)
    this.#agree(closestMatch(placement.failures)?.reason, placement.closest?.reason)
    // Asked again without a change, the answer is the same.
    const again = placeTask(this.#view, { ...asked, fraction: () => 0 })
    const twice = 'failures' in again && [again.failures, again.closest]
    this.#agree(twice, [placement.failures, placement.closest])
  }

  #explains(wanted: NaiveRequest, asked: Omit<PlacementRequest, 'fraction'>, best: readonly string[]): void {
    const { instances, filters, eligibleCount, instancesCount } = explainPlacement(this.#view, asked)
    const first = instances.filter(({ place }) => place === 1)
    this.#agree(first.map(({ containerInstanceArn }) => containerInstanceArn).toSorted(), best.toSorted())
    const candidates = this.#naive.candidates(wanted)
    for (const { containerInstanceArn, reason } of instances) {
      const row = candidates.find((one) => one.containerInstanceArn === containerInstanceArn)
      if (row) this.#agree(reason, this.#naive.reason(row, wanted))
      else this.#agree(['STATUS', 'LAUNCH TYPE', 'CAPACITY PROVIDER'].includes(reason ?? ''), true)
    }
    const fallen = filters.reduce((sum, { ruledOut }) => sum + ruledOut, 0)
    this.#agree([instancesCount, eligibleCount + fallen], Array(2).fill(this.#naive.instances.length))
  }
}

function byArn(one: { readonly arn: string }, other: { readonly arn: string }): number {
  return one.arn < other.arn ? -1 : 1
}
