// How many tasks the placement engine places a second, how well it packs them, and what a failure costs: one JSON line
// a figure. Times are those of this thread's processor, so that other programs do not count. Arguments: instances.
import type { PlacementConstraint, PlacementStrategy } from '@aws-sdk/client-ecs'
import { ClusterView } from '@berth/control-plane/domain/placement/cluster-view.ts'
import {
  defaultServiceStrategy,
  type PlacementRequest,
  placeTask,
} from '@berth/control-plane/domain/placement/place.ts'
import { StopOrder } from '@berth/control-plane/domain/placement/stop-order.ts'
import type { ContainerInstance } from '@berth/control-plane/domain/container-instance.ts'
import type { Task } from '@berth/control-plane/domain/task.ts'
import { prng } from '@berth/std/prng.ts'

const cpuOf = 4096
const memoryOf = 8192
/** The fleet is filled to nine tenths of its CPU. */
const filled = 0.9
/** CPU units and MiB of the tasks, one as frequent as the other: on the average 192 units and 352 MiB. */
const sizes = [
  [64, 128],
  [128, 256],
  [256, 256],
  [128, 512],
  [256, 512],
  [320, 448],
] as const

const zone: PlacementStrategy = { type: 'spread', field: 'attribute:ecs.availability-zone' }
const instance: PlacementStrategy = { type: 'spread', field: 'instanceId' }
const binpack: PlacementStrategy = { type: 'binpack', field: 'memory' }
interface Case {
  readonly name: string
  readonly strategies: readonly PlacementStrategy[]
  readonly constraints?: readonly PlacementConstraint[]
  /** How many services ask in turn. */
  readonly services?: number
  /** What part of the instances is asked. */
  readonly share?: number
}
const cases: readonly Case[] = [
  { name: 'random', strategies: [] },
  { name: 'binpack-memory', strategies: [binpack] },
  { name: 'spread-az', strategies: [zone] },
  { name: 'spread-az-instance', strategies: [zone, instance] },
  { name: 'spread-az-binpack', strategies: [zone, binpack] },
  {
    name: 'member-of',
    strategies: [],
    constraints: [{ type: 'memberOf', expression: 'attribute:ecs.instance-type =~ m5.*' }],
    share: 0.75,
  },
  { name: 'distinct-instance', strategies: [], constraints: [{ type: 'distinctInstance' }], services: 20 },
  { name: 'ten-services', strategies: [zone, instance], services: 10 },
]

function fleet(count: number): ClusterView {
  const view = new ClusterView()
  for (let index = 0; index < count; index++) {
    const arn = `arn:aws:ecs:us-east-1:000000000000:container-instance/demo/${index}`
    view.setInstance(arn, {
      accountId: '000000000000',
      region: 'us-east-1',
      containerInstanceArn: arn,
      clusterArn: 'arn:aws:ecs:us-east-1:000000000000:cluster/demo',
      external: false,
      status: 'ACTIVE',
      agentConnected: true,
      versionInfo: {},
      registeredResources: [
        { name: 'CPU', type: 'INTEGER', integerValue: cpuOf },
        { name: 'MEMORY', type: 'INTEGER', integerValue: memoryOf },
        { name: 'PORTS', type: 'STRINGSET', stringSetValue: ['22', '2375', '2376', '51678', '51679'] },
      ],
      attributes: [
        { name: 'ecs.availability-zone', value: `us-east-1${'abc'.charAt(index % 3)}` },
        { name: 'ecs.instance-type', value: index % 4 === 0 ? 't3.large' : 'm5.large' },
        { name: 'com.amazonaws.ecs.capability.docker-remote-api.1.18' },
      ],
      registeredAt: 0,
      version: 1,
    } satisfies ContainerInstance)
  }
  return view
}

function requestOf({ strategies, constraints = [], services = 1 }: Case, number: number): PlacementRequest {
  const service = number % services
  // The tasks of one service are of one size; what only one asks for comes in all.
  const [cpu, memoryMiB] = sizes[(services === 1 ? number : service) % sizes.length] ?? sizes[0]
  return {
    demand: { cpu, memoryMiB, ports: [], gpu: 0 },
    group: `service:s${service}`,
    launchType: 'EC2',
    requiresAttributes: [{ name: 'com.amazonaws.ecs.capability.docker-remote-api.1.18' }],
    constraints,
    strategies,
    fraction,
  }
}
const fraction = prng(1)

/** A task row has more members; placement reads these. */
const taskOf = (request: PlacementRequest): Task =>
  ({
    desiredStatus: 'RUNNING',
    lastStatus: 'PENDING',
    demand: request.demand,
    group: request.group,
  }) as unknown as Task

/** Places so many tasks; gives the microseconds that took. */
function place(view: ClusterView, row: Case, wanted: number): number {
  const started = process.threadCpuUsage().user
  for (let placed = 0; placed < wanted; placed++) {
    const request = requestOf(row, placed)
    const placement = placeTask(view, request)
    if ('failures' in placement) throw new Error(`placed only ${placed} of ${wanted}`)
    view.count(placement.containerInstanceArn, taskOf(request), 1)
  }
  return process.threadCpuUsage().user - started
}

/** How often a task of 10 GiB is refused a second by a full cluster, of which the one or the other place is taken and freed. */
function refuse(view: ClusterView, changes: boolean): number {
  const request = { ...requestOf({ name: '', strategies: [zone, instance] }, 0) }
  const large = { ...request, demand: { ...request.demand, memoryMiB: memoryOf } }
  const [first] = view.instances()
  const times = 10_000
  placeTask(view, large)
  const started = process.threadCpuUsage().user
  for (let time = 0; time < times; time++) {
    if (changes && first) view.count(first.arn, taskOf(request), time % 2 === 0 ? -1 : 1)
    const placement = placeTask(view, large)
    if (!('failures' in placement) || !placement.closest) throw new Error('there is no room')
  }
  return times / ((process.threadCpuUsage().user - started) / 1e6)
}

/** Microseconds until every instance of a full cluster has said why not, asked for the first time. */
function explain(view: ClusterView): number {
  const request = requestOf({ name: '', strategies: [zone] }, 0)
  const started = process.threadCpuUsage().user
  const placement = placeTask(view, { ...request, demand: { ...request.demand, memoryMiB: memoryOf - 1 } })
  if (!('failures' in placement) || placement.failures.length === 0) throw new Error('there is no room')
  return process.threadCpuUsage().user - started
}

/** How many tasks of a service are chosen a second when half of ten on each instance are to be stopped. */
function stop(instances: number): number {
  const view = fleet(instances)
  const request = requestOf({ name: '', strategies: [], services: 2 }, 0)
  const arns = [...view.instances()].map(({ arn }) => arn)
  const tasks = Array.from({ length: 10 * instances }, (_, number) => {
    const containerInstanceArn = arns[number % instances] ?? ''
    const task: Task = { ...taskOf(request), containerInstanceArn }
    view.count(containerInstanceArn, task, 1)
    return task
  })
  const started = process.threadCpuUsage().user
  const order = new StopOrder(view, tasks, { strategies: defaultServiceStrategy, fraction })
  const wanted = tasks.length / 2
  for (let stopped = 0; stopped < wanted; stopped++) order.next()
  return wanted / ((process.threadCpuUsage().user - started) / 1e6)
}

/** Instances that a half-full cluster uses, as a multiple of the fewest on which its tasks could be. */
function packing(row: Case, instances: number): number {
  const view = fleet(instances)
  const wanted = Math.floor((instances * cpuOf * 0.5) / 192)
  place(view, row, wanted)
  let cpu = 0
  let memory = 0
  for (let number = 0; number < wanted; number++) {
    const { demand } = requestOf(row, number)
    cpu += demand.cpu
    memory += demand.memoryMiB
  }
  const fewest = Math.max(Math.ceil(cpu / cpuOf), Math.ceil(memory / memoryOf))
  return [...view.instances()].filter(({ tasksCount }) => tasksCount > 0).length / fewest
}

const say = (name: string, value: number, unit: string, instances: number): void =>
  console.log(JSON.stringify({ name: `placement.${name}`, value, unit, instances }))

const asked = process.argv.slice(2).map(Number)
for (const instances of asked.length > 0 ? asked : [100, 1000, 10_000]) {
  for (const row of cases) {
    const view = fleet(instances)
    const wanted = Math.floor((instances * cpuOf * filled * (row.share ?? 1)) / 192)
    say(row.name, Math.round(wanted / (place(view, row, wanted) / 1e6)), 'tasks/s', instances)
    if (row.name !== 'ten-services') continue
    say('refused-again', Math.round(refuse(view, false)), 'requests/s', instances)
    say('refused-after-change', Math.round(refuse(view, true)), 'requests/s', instances)
    say('full-cluster-failure', explain(view) / 1000, 'ms', instances)
  }
  say('stop-half', Math.round(stop(instances)), 'tasks/s', instances)
  for (const row of cases.filter(({ name }) => name.includes('binpack')))
    say(`packing.${row.name}`, Math.round(packing(row, instances) * 1000) / 1000, 'of the fewest', instances)
}
