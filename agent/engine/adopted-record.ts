/** The record of a task whose containers another agent made: from its payload and from what is found of it. */
import type { PayloadContainer, PayloadTask } from '@berth/agent-protocol/acs.ts'
import type { Ids } from '@berth/std/id.ts'
import { containerNameLabel } from './container-spec.ts'
import type { HostPort } from './host-ports.ts'
import { newTaskRecord, type TaskRecord } from './task-record.ts'

/** A container with what its maker decided, and this agent could not guess. */
interface FoundContainer {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly status: string
  readonly createdAt?: number
  readonly environment?: readonly string[]
  readonly publishedPorts?: readonly HostPort[]
  readonly mounts?: ReadonlyArray<{ readonly name?: string; readonly destination: string }>
}

const metadataVariable = 'ECS_CONTAINER_METADATA_URI_V4='

/**
 * Each container keeps its Docker name, its ports, its volumes and the id in its metadata address; what the runtime shows
 * of it is still to be looked at. Containers that are not found are as those of a new task: its start goes on. Undefined
 * for a task that has containers beyond its definition, as one with a network of its own: this agent cannot go on with
 * another's network.
 * @throws InvalidTaskError for a task that cannot be run
 */
export function adoptedTaskRecord(
  task: PayloadTask,
  found: readonly FoundContainer[],
  ids: Ids,
  now: number,
): TaskRecord | undefined {
  const payloads = task.containers ?? []
  const names = new Set(payloads.map(({ name }) => name))
  if (found.some(({ labels }) => !names.has(labels[containerNameLabel] ?? ''))) return undefined
  const record = newTaskRecord({ ...task, desiredStatus: 'RUNNING' }, ids, now)
  const stopRequested = task.desiredStatus === 'STOPPED'
  const chosen = new Map(payloads.map((payload) => [payload.name, liveliest(found, payload.name)]))
  return {
    ...record,
    task: { ...record.task, desiredStatus: task.desiredStatus },
    desiredStatus: task.desiredStatus,
    stopRequested,
    containers: record.containers.map((container) => {
      const mine = chosen.get(container.name)
      const payload = payloads.find(({ name }) => name === container.name)
      if (!mine || !payload) return container
      const address = mine.environment?.find((entry) => entry.startsWith(metadataVariable))
      return {
        ...container,
        dockerName: mine.name,
        metadataId: address?.slice(address.lastIndexOf('/') + 1) ?? container.metadataId,
        hostPorts: (mine.publishedPorts ?? []).map((port) => inRange(port, payload)),
      }
    }),
    volumes: record.volumes.map((volume) => {
      const dockerName = volumeOf(volume.name, payloads, chosen)
      return dockerName === undefined ? volume : { ...volume, dockerName, ready: true }
    }),
  }
}

/** Of several containers made for one of the task, the one that runs, or else the last. */
function liveliest(found: readonly FoundContainer[], name: string): FoundContainer | undefined {
  const all = found.filter(({ labels }) => labels[containerNameLabel] === name)
  const running = all.find(({ status }) => status === 'running' || status === 'paused')
  return running ?? all.toSorted((one, other) => (other.createdAt ?? 0) - (one.createdAt ?? 0))[0]
}

function inRange(port: HostPort, { portMappings }: PayloadContainer): HostPort {
  const range = portMappings.find(({ containerPortRange, protocol }) => {
    const [low = 0, high = 0] = containerPortRange?.split('-').map(Number) ?? []
    return (protocol ?? 'tcp') === port.protocol && low <= port.containerPort && port.containerPort <= high
  })?.containerPortRange
  return range === undefined ? port : { ...port, range }
}

/** Docker's name of a volume, by where the containers that mount it have it. */
function volumeOf(
  name: string,
  payloads: readonly PayloadContainer[],
  chosen: ReadonlyMap<string, FoundContainer | undefined>,
): string | undefined {
  for (const payload of payloads)
    for (const { sourceVolume, containerPath } of payload.mountPoints)
      if (sourceVolume === name) {
        const mount = chosen
          .get(payload.name)
          ?.mounts?.find(({ destination }) => destination === containerPath)
        if (mount?.name !== undefined) return mount.name
      }
  return undefined
}
