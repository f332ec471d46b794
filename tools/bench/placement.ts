// How many tasks the placement engine places a second: one JSON line a figure.
import type { PlacementConstraint, PlacementStrategy } from '@aws-sdk/client-ecs'
import { ClusterView } from '@berth/control-plane/domain/placement/cluster-view.ts'
import { type PlacementRequest, placeTask } from '@berth/control-plane/domain/placement/place.ts'
import type { ContainerInstance } from '@berth/control-plane/domain/container-instance.ts'
import type { Task } from '@berth/control-plane/domain/task.ts'
import { prng } from '@berth/std/prng.ts'

const cpuOf = 4096
const memoryOf = 8192
/** The fleet is filled to nine tenths of its CPU. */
const filled = 0.9

const zone: PlacementStrategy = { type: 'spread', field: 'attribute:ecs.availability-zone' }
const instance: PlacementStrategy = { type: 'spread', field: 'instanceId' }
const binpack: PlacementStrategy = { type: 'binpack', field: 'memory' }
const cases: ReadonlyArray<{
  readonly name: string
  readonly strategies: readonly PlacementStrategy[]
  readonly constraints?: readonly PlacementConstraint[]
  /** How many services ask in turn. */
  readonly services?: number
}> = [
  { name: 'random', strategies: [] },
  { name: 'binpack-memory', strategies: [binpack] },
  { name: 'spread-az', strategies: [zone] },
  { name: 'spread-az-instance', strategies: [zone, instance] },
  { name: 'spread-az-binpack', strategies: [zone, binpack] },
  {
    name: 'member-of',
    strategies: [],
    constraints: [{ type: 'memberOf', expression: 'attribute:ecs.instance-type =~ m5.*' }],
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

/** A task row has more members; placement reads these. */
const taskOf = (request: PlacementRequest): Task =>
  ({
    desiredStatus: 'RUNNING',
    lastStatus: 'PENDING',
    demand: request.demand,
    group: request.group,
  }) as unknown as Task

function measure(
  { strategies, constraints = [], services = 1 }: (typeof cases)[number],
  instances: number,
): number {
  const view = fleet(instances)
  const fraction = prng(1)
  const share = constraints.some(({ type }) => type === 'memberOf') ? 0.75 : 1
  const wanted = Math.floor((instances * cpuOf * filled * share) / 192)
  const started = performance.now()
  for (let placed = 0; placed < wanted; placed++) {
    const request: PlacementRequest = {
      demand: { cpu: placed % 2 === 0 ? 128 : 256, memoryMiB: 256, ports: [], gpu: 0 },
      group: `service:s${placed % services}`,
      launchType: 'EC2',
      requiresAttributes: [{ name: 'com.amazonaws.ecs.capability.docker-remote-api.1.18' }],
      constraints,
      strategies,
      fraction,
    }
    const placement = placeTask(view, request)
    if ('failures' in placement) throw new Error(`placed only ${placed} of ${wanted}`)
    view.count(placement.containerInstanceArn, taskOf(request), 1)
  }
  return wanted / ((performance.now() - started) / 1000)
}

for (const instances of [1000, 10_000])
  for (const row of cases) {
    const value = Math.round(measure(row, instances))
    console.log(JSON.stringify({ name: `placement.${row.name}`, value, unit: 'tasks/s', instances }))
  }
