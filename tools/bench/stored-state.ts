import { openSqliteJournal } from '@berth/control-plane/adapters/journal-sqlite.ts'
import type { Cluster } from '@berth/control-plane/domain/cluster.ts'
import type { ContainerInstance } from '@berth/control-plane/domain/container-instance.ts'
import type { Task } from '@berth/control-plane/domain/task.ts'
import { Store } from '@berth/control-plane/state/store.ts'

/** The fleet of a control plane: the cluster `bench`, its instances, and running tasks spread over them. */
interface FleetSize {
  readonly instances: number
  readonly tasks: number
}
export const largeFleet: FleetSize = { instances: 1000, tasks: 100_000 }

const scope = { accountId: '000000000000', region: 'us-east-1' }
const arn = (resource: string): string => `arn:aws:ecs:us-east-1:000000000000:${resource}`
const hex = (index: number): string => index.toString(16).padStart(32, '0')

/** A running task as large as a usual one of two containers. */
export function taskRow(index: number, { instances }: FleetSize = largeFleet): Task {
  const taskArn = arn(`task/bench/${hex(index)}`)
  const container = (name: string): Task['containers'][number] => ({
    containerArn: arn(`container/bench/${hex(index)}/00000000-0000-4000-8000-${hex(index).slice(20)}`),
    name,
    image: 'localhost:4566/web:1',
    imageDigest: `sha256:${hex(index)}${hex(index)}`,
    runtimeId: `${hex(index)}${hex(index)}`,
    lastStatus: 'RUNNING',
    networkBindings: [{ bindIP: '0.0.0.0', containerPort: 80, hostPort: 32_768, protocol: 'tcp' }],
    healthStatus: 'HEALTHY',
    cpu: '64',
    memory: '128',
  })
  return {
    ...scope,
    taskArn,
    clusterArn: arn('cluster/bench'),
    taskDefinitionArn: arn('task-definition/bench:1'),
    containerInstanceArn: arn(`container-instance/bench/${hex(index % instances)}`),
    availabilityZone: 'us-east-1a',
    group: 'family:bench',
    startedBy: 'ecs-svc/0123456789012345678',
    launchType: 'EC2',
    enableExecuteCommand: false,
    cpuArchitecture: 'x86_64',
    cpu: '128',
    memory: '256',
    demand: { cpu: 128, memoryMiB: 256, ports: [], gpu: 0 },
    overrides: { containerOverrides: [] },
    desiredStatus: 'RUNNING',
    lastStatus: 'RUNNING',
    containers: [container('web'), container('sidecar')],
    healthStatus: 'HEALTHY',
    connectivity: 'DISCONNECTED',
    connectivityAt: 1_700_000_000_000,
    pullStartedAt: 1_700_000_000_000,
    pullStoppedAt: 1_700_000_000_000,
    startedAt: 1_700_000_000_000,
    createdAt: 1_700_000_000_000,
    version: 3,
  }
}

function instanceRow(index: number): ContainerInstance {
  const integer = (name: string, integerValue: number) => ({ name, type: 'INTEGER', integerValue })
  return {
    ...scope,
    containerInstanceArn: arn(`container-instance/bench/${hex(index)}`),
    clusterArn: arn('cluster/bench'),
    external: false,
    status: 'ACTIVE',
    agentConnected: false,
    versionInfo: {},
    registeredResources: [integer('CPU', 16_384), integer('MEMORY', 65_536)],
    attributes: [{ name: 'ecs.availability-zone', value: 'us-east-1a' }],
    registeredAt: 0,
    version: 1,
  }
}

/** Stores the fleet in a new journal at `path`; the ARNs of its tasks. */
export async function writeFleet(path: string, size: FleetSize = largeFleet): Promise<string[]> {
  const { instances, tasks } = size
  const store = await Store.open(await openSqliteJournal(path))
  const cluster: Cluster = {
    ...scope,
    clusterArn: arn('cluster/bench'),
    clusterName: 'bench',
    status: 'ACTIVE',
    settings: [],
    capacityProviders: [],
    defaultCapacityProviderStrategy: [],
    createdAt: 0,
  }
  const arns: string[] = []
  store.update((tx) => {
    tx.put('cluster', cluster)
    for (let index = 0; index < instances; index++) tx.put('containerInstance', instanceRow(index))
    for (let index = 0; index < tasks; index++) {
      const row = taskRow(index, size)
      arns.push(row.taskArn)
      tx.put('task', row)
    }
  })
  await store.close()
  return arns
}
