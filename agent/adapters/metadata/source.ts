import type { ElasticNetworkInterface } from '@berth/agent-protocol/network-interface.ts'
import type { Clock } from '@berth/std/clock.ts'
import type { ContainerRecord, TaskRecord } from '#engine/task-record.ts'
import type { Agent } from '#runtime/agent.ts'
import type { TaskApi } from '#adapters/aws-api.ts'
import type { DockerRuntime } from '#adapters/docker.ts'
import type { StatsStreams } from './stats.ts'

/** Where the container instance is, as far as its own metadata service says. */
export interface Location {
  readonly availabilityZone?: string
  readonly availabilityZoneId?: string
  readonly vpcId?: string
  readonly privateIpAddress?: string
  readonly publicIpAddress?: string
}

/** Whom the agent's local endpoints ask for what they show. */
export interface MetadataSource {
  readonly agent: Pick<Agent, 'records' | 'identity' | 'credentials'>
  readonly docker: Pick<DockerRuntime, 'inspectRaw'>
  readonly stats: Pick<StatsStreams, 'latest'>
  readonly api: TaskApi
  readonly clock: Clock
  /** The cluster as the agent was configured: a name, as a rule. */
  readonly cluster: string
  readonly region: string
  readonly location: Location
  readonly versionText: string
}

export interface Found {
  readonly record: TaskRecord
  readonly container: ContainerRecord
}

/** Whose metadata address ends with this id. */
export function byEndpointId({ agent }: Pick<MetadataSource, 'agent'>, id: string): Found | undefined {
  for (const record of agent.records())
    for (const container of record.containers) if (container.metadataId === id) return { record, container }
  return undefined
}

/** The network interface of a task that has one of its own. */
export function taskInterface({ task }: TaskRecord): ElasticNetworkInterface | undefined {
  return task.elasticNetworkInterfaces?.[0]
}

/** Whose network interface has this address: only tasks with a network of their own are known by it. */
export function byAddress({ agent }: Pick<MetadataSource, 'agent'>, address: string): TaskRecord | undefined {
  return agent.records().find((record) => {
    const { ipv4Addresses = [], ipv6Addresses = [] } = taskInterface(record) ?? {}
    if (record.stoppedAt !== undefined) return false
    return (
      ipv4Addresses.some(({ privateAddress }) => privateAddress === address) ||
      ipv6Addresses.some((one) => one.address === address)
    )
  })
}
