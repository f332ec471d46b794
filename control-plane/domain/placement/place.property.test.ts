import type { PlacementConstraint, PlacementStrategy } from '@aws-sdk/client-ecs'
import { present } from '@berth/std/assert.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { Task } from '#domain/task.ts'
import { ClusterView } from './cluster-view.ts'
import { type PlacementRequest, placeTask } from './place.ts'
import { demandOf, instanceRow, taskRow } from './testing.ts'

/** The rows, and every answer got by looking at all of them: what the engine must agree with. */
class PlainCluster {
  instances: ContainerInstance[] = []
  tasks: Task[] = []

  on(instance: ContainerInstance): Task[] {
    return this.tasks.filter((task) => task.containerInstanceArn === instance.containerInstanceArn)
  }

  free(instance: ContainerInstance, name: 'CPU' | 'MEMORY'): number {
    const has = instance.registeredResources.find((resource) => resource.name === name)?.integerValue ?? 0
    return this.on(instance).reduce(
      (left, { demand }) => left - (name === 'CPU' ? demand.cpu : demand.memoryMiB),
      has,
    )
  }

  inGroup(instance: ContainerInstance, group: string): number {
    return this.on(instance).filter((task) => task.group === group && task.desiredStatus === 'RUNNING').length
  }

  reason(instance: ContainerInstance, request: PlacementRequest): string | undefined {
    const { demand, requiresAttributes, constraints, group } = request
    const value = (name: string): string | undefined =>
      instance.attributes.find((one) => one.name === name)?.value
    const taken = this.on(instance).flatMap((task) => task.demand.ports.map(({ port }) => port))
    if (!instance.agentConnected) return 'AGENT'
    if (demand.cpu > 0 && demand.cpu > this.free(instance, 'CPU')) return 'RESOURCE:CPU'
    if (demand.memoryMiB > 0 && demand.memoryMiB > this.free(instance, 'MEMORY')) return 'RESOURCE:MEMORY'
    if (demand.ports.some(({ port }) => taken.includes(port))) return 'RESOURCE:PORTS'
    if (requiresAttributes.some(({ name }) => value(name) === undefined)) return 'ATTRIBUTE'
    if (constraints.some(({ type }) => type === 'memberOf') && value('zone') === 'a')
      return 'MemberOf placement constraint unsatisfied'
    if (constraints.some(({ type }) => type === 'distinctInstance') && this.inGroup(instance, group) > 0)
      return 'DistinctInstance placement constraint unsatisfied'
    return undefined
  }

  candidates(): ContainerInstance[] {
    return this.instances.filter(({ status }) => status === 'ACTIVE')
  }

  best(request: PlacementRequest): string[] {
    let left = this.candidates().filter((instance) => this.reason(instance, request) === undefined)
    for (const strategy of request.strategies) {
      if (strategy.type === 'random') break
      const scores = left.map((instance) => this.score(instance, strategy, request.group))
      left = left.filter((_, index) => scores[index] === Math.min(...scores))
    }
    return left.map(({ containerInstanceArn }) => containerInstanceArn)
  }

  score(instance: ContainerInstance, { type, field }: PlacementStrategy, group: string): number {
    if (type === 'binpack') return this.free(instance, field === 'cpu' ? 'CPU' : 'MEMORY')
    if (field === 'instanceId') return this.inGroup(instance, group)
    const value = (one: ContainerInstance): string | undefined =>
      one.attributes.find(({ name }) => name === 'zone')?.value
    const sameZone = this.instances.filter((other) => value(other) === value(instance))
    return sameZone.reduce((count, other) => count + this.inGroup(other, group), 0)
  }
}

const name = fc.constantFrom('i1', 'i2', 'i3', 'i4', 'i5', 'i6')
const instance = fc.record({
  name,
  cpu: fc.constantFrom(0, 512, 1024),
  memory: fc.constantFrom(512, 1024, 2048),
  agentConnected: fc.constantFrom(true, true, true, false),
  status: fc.constantFrom('ACTIVE', 'ACTIVE', 'ACTIVE', 'DRAINING'),
  has: fc.constantFrom(
    { zone: 'a', gp: '' },
    { zone: 'b', gp: '' },
    { zone: 'c', gp: '' },
    { zone: 'b' },
    { gp: '' },
  ),
})
const strategy = fc.constantFrom<PlacementStrategy>(
  { type: 'spread', field: 'attribute:zone' },
  { type: 'spread', field: 'instanceId' },
  { type: 'binpack', field: 'cpu' },
  { type: 'binpack', field: 'memory' },
  { type: 'random' },
)
const constraint = fc.constantFrom<PlacementConstraint>(
  { type: 'distinctInstance' },
  { type: 'memberOf', expression: 'not(attribute:zone == a)' },
)
const request = fc.record({
  demand: fc
    .record({
      cpu: fc.constantFrom(0, 128, 256),
      memoryMiB: fc.constantFrom(0, 128, 512),
      ports: fc.constantFrom([], [], [], [{ protocol: 'tcp' as const, port: 80 }]),
    })
    .map(demandOf),
  group: fc.constantFrom('service:web', 'service:db'),
  launchType: fc.constant('EC2' as const),
  requiresAttributes: fc.constantFrom([], [{ name: 'gp' }]),
  constraints: fc.uniqueArray(constraint, { maxLength: 2 }),
  strategies: fc.uniqueArray(strategy, { maxLength: 3 }),
})
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ place: fc.nat(1), chance: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
  },
  { weight: 1, arbitrary: fc.record({ register: instance }) },
  { weight: 1, arbitrary: fc.record({ deregister: name }) },
  { weight: 4, arbitrary: fc.record({ stop: fc.nat(40), gone: fc.boolean() }) },
)

test('each placement is one of the best there are, and each failure has its first reason', () => {
  fc.assert(
    fc.property(
      fc.array(instance, { minLength: 1, maxLength: 6 }),
      fc.array(request, { minLength: 2, maxLength: 2 }),
      fc.array(step, { maxLength: 100, size: 'max' }),
      (instances, requests, steps) => {
        const plain = new PlainCluster()
        const view = new ClusterView()
        const verdicts: Array<ReturnType<typeof place>> = []
        const register = (sketch: (typeof instances)[number]): void => {
          const row = instanceRow({ ...sketch, status: sketch.status as ContainerInstance['status'] })
          plain.instances = [
            ...plain.instances.filter((one) => one.containerInstanceArn !== sketch.name),
            row,
          ]
          view.setInstance(sketch.name, row)
        }
        for (const sketch of instances) register(sketch)
        for (const one of steps) {
          if ('register' in one) register(one.register)
          else if ('deregister' in one) {
            plain.instances = plain.instances.filter((row) => row.containerInstanceArn !== one.deregister)
            view.setInstance(one.deregister, undefined)
          } else if ('stop' in one) stop(plain, view, one)
          else {
            const wanted = present(requests[one.place], 'one of two')
            verdicts.push(place(plain, view, { ...wanted, fraction: () => one.chance }))
          }
        }
        expect(verdicts.map(({ said }) => said)).toEqual(verdicts.map(({ mayBe }) => mayBe))
      },
    ),
    { numRuns: 400 },
  )
})

function stop(plain: PlainCluster, view: ClusterView, step: { stop: number; gone: boolean }): void {
  const task = plain.tasks[step.stop % Math.max(1, plain.tasks.length)]
  if (!task) return
  const asked: Task = { ...task, desiredStatus: 'STOPPED' }
  plain.tasks = plain.tasks.flatMap((row) => (row !== task ? [row] : step.gone ? [] : [asked]))
  view.count(task.containerInstanceArn ?? '', task, -1)
  if (!step.gone) view.count(task.containerInstanceArn ?? '', asked, 1)
}

/** Places a task in both; gives what the engine said, and the same again if that is right. */
function place(
  plain: PlainCluster,
  view: ClusterView,
  wanted: PlacementRequest,
): { readonly said: unknown; readonly mayBe: unknown } {
  const best = plain.best(wanted)
  const placement = placeTask(view, wanted)
  if ('failures' in placement) {
    const refused = plain
      .candidates()
      .map((row) => ({ arn: row.containerInstanceArn, reason: plain.reason(row, wanted) }))
    const byArn = (one: { arn: string }, other: { arn: string }): number => (one.arn < other.arn ? -1 : 1)
    return { said: [...placement.failures].toSorted(byArn), mayBe: refused.toSorted(byArn) }
  }
  const { containerInstanceArn } = placement
  const { group, demand } = wanted
  const task = taskRow({ containerInstanceArn, group, demand, lastStatus: 'PENDING' })
  plain.tasks.push(task)
  view.count(containerInstanceArn, task, 1)
  return { said: containerInstanceArn, mayBe: best.find((arn) => arn === containerInstanceArn) }
}
