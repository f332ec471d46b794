// Rows for the tests of placement and of what is derived from rows.
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { Demand } from '#domain/resources.ts'
import type { Task } from '#domain/task.ts'
import { ClusterView } from './cluster-view.ts'

export const clusterArn = 'arn:aws:ecs:us-east-1:000000000000:cluster/demo'
const scope = { accountId: '000000000000', region: 'us-east-1' }

/** What a test says of an instance; the rest is filled in. */
export interface InstanceSketch extends Partial<ContainerInstance> {
  readonly name: string
  readonly cpu?: number
  readonly memory?: number
  readonly gpus?: readonly string[]
  readonly ports?: readonly number[]
  /** Attributes by name. */
  readonly has?: Readonly<Record<string, string>>
}

export function instanceRow(sketch: InstanceSketch): ContainerInstance {
  const { name, cpu = 4096, memory = 8192, gpus = [], ports = [22], has = {}, ...row } = sketch
  return {
    ...scope,
    containerInstanceArn: name,
    clusterArn,
    ec2InstanceId: `i-${name}`,
    external: false,
    status: 'ACTIVE',
    agentConnected: true,
    versionInfo: { agentVersion: '1.84.0' },
    registeredResources: [
      { name: 'CPU', type: 'INTEGER', integerValue: cpu },
      { name: 'MEMORY', type: 'INTEGER', integerValue: memory },
      { name: 'PORTS', type: 'STRINGSET', stringSetValue: ports.map(String) },
      { name: 'PORTS_UDP', type: 'STRINGSET', stringSetValue: [] },
      ...(gpus.length > 0 ? [{ name: 'GPU', type: 'STRINGSET', stringSetValue: [...gpus] }] : []),
    ],
    attributes: Object.entries(has).map(([attribute, value]) => ({ name: attribute, value })),
    registeredAt: 0,
    version: 1,
    ...row,
  }
}

/** What a test says of a task; the rest is filled in. */
export interface TaskSketch extends Omit<Partial<Task>, 'demand'> {
  readonly demand?: Partial<Demand>
}

let made = 0

export function taskRow({ demand, ...row }: TaskSketch = {}): Task {
  return {
    ...scope,
    taskArn: `task-${made++}`,
    clusterArn,
    taskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1',
    group: 'family:web',
    launchType: 'EC2',
    enableExecuteCommand: false,
    cpuArchitecture: 'x86_64',
    cpu: '0',
    memory: '0',
    demand: demandOf(demand),
    overrides: {},
    desiredStatus: 'RUNNING',
    lastStatus: 'RUNNING',
    containers: [],
    healthStatus: 'UNKNOWN',
    connectivity: 'CONNECTED',
    createdAt: 0,
    version: 1,
    ...row,
  }
}

export function demandOf(demand: Partial<Demand> = {}): Demand {
  return { cpu: 0, memoryMiB: 0, ports: [], gpu: 0, ...demand }
}

/** A cluster of such instances without tasks. */
export function clusterOf(...sketches: readonly InstanceSketch[]): ClusterView {
  const view = new ClusterView()
  for (const sketch of sketches) view.setInstance(sketch.name, instanceRow(sketch))
  return view
}
