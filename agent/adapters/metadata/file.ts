/**
 * The container metadata file, in a directory that each container finds mounted.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/container-metadata.html
 */
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Contributions } from '#engine/contribution.ts'
import { containerPayload, containerRecord } from '#engine/task-plan.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import type { TaskResource } from '#runtime/task-resources.ts'
import type { DockerRuntime } from '#adapters/docker.ts'
import type { InspectedContainer } from '#adapters/docker-shapes.ts'
import type { Location } from './source.ts'

const fileName = 'ecs-container-metadata.json'
const mountPoint = '/opt/ecs/metadata'

export interface MetadataFileOptions {
  readonly docker: Pick<DockerRuntime, 'inspectRaw'>
  /** Where this agent keeps its data, and what dockerd calls that place. */
  readonly directory: string
  readonly directoryOnHost: string
  readonly cluster: string
  readonly containerInstanceArn: () => string | undefined
  readonly location: Location
}

export function metadataFiles(options: MetadataFileOptions): TaskResource {
  const { directory, directoryOnHost, docker } = options
  const write = (record: TaskRecord, name: string, document: object): Promise<void> =>
    writeWhole(join(directory, placeOf(record, name)), JSON.stringify(document, undefined, '\t'))
  return {
    name: 'container metadata files',
    isNeeded: () => true,
    async provide(record): Promise<Contributions> {
      const contributions: Record<string, Contributions[string]> = {}
      for (const { name, metadataId } of record.containers) {
        await write(record, name, beforeCreation(options, record, name))
        const inside = `${mountPoint}/${metadataId}`
        contributions[name] = {
          binds: [`${join(directoryOnHost, placeOf(record, name))}:${inside}`],
          environmentOver: { ECS_CONTAINER_METADATA_FILE: `${inside}/${fileName}` },
        }
      }
      return contributions
    },
    async started(record, name): Promise<void> {
      const { runtimeId = '' } = containerRecord(record, name)
      const inspected = await docker.inspectRaw(runtimeId)
      if (inspected?.State.Status !== 'running') return
      await write(record, name, afterStart(options, record, name, inspected))
    },
    release: (record) => rm(join(directory, taskPlace(record)), { recursive: true, force: true }),
  }
}

/** `metadata/CLUSTER/TASKID`, as in the task's ARN. */
const taskPlace = ({ task }: TaskRecord): string =>
  join('metadata', ...task.arn.slice(task.arn.indexOf('/') + 1).split('/'))
const placeOf = (record: TaskRecord, name: string): string => join(taskPlace(record), name)

async function writeWhole(directory: string, text: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const temporary = join(directory, `.${fileName}`)
  await writeFile(temporary, text)
  await chmod(temporary, 0o644)
  await rename(temporary, join(directory, fileName))
}

function beforeCreation(options: MetadataFileOptions, { task }: TaskRecord, name: string): object {
  return {
    Cluster: options.cluster,
    ContainerInstanceARN: options.containerInstanceArn(),
    TaskARN: task.arn,
    TaskDefinitionFamily: task.family,
    TaskDefinitionRevision: task.version,
    ContainerName: name,
    AvailabilityZone: options.location.availabilityZone,
    HostPrivateIPv4Address: options.location.privateIpAddress,
    HostPublicIPv4Address: options.location.publicIpAddress,
  }
}

function afterStart(
  options: MetadataFileOptions,
  record: TaskRecord,
  name: string,
  inspected: InspectedContainer,
): object {
  const { hostPorts, dockerName } = containerRecord(record, name)
  const networks = Object.entries(inspected.NetworkSettings?.Networks ?? {})
  const { ContainerName, AvailabilityZone, HostPrivateIPv4Address, HostPublicIPv4Address, ...known } =
    beforeCreation(options, record, name) as Readonly<Record<string, unknown>>
  return {
    ...known,
    ContainerID: inspected.Id,
    ContainerName,
    DockerContainerName: `/${dockerName}`,
    ImageID: inspected.Image,
    ImageName: containerPayload(record, name).image,
    PortMappings: hostPorts.length
      ? hostPorts.map(({ containerPort, hostPort, protocol }) => ({
          ContainerPort: containerPort,
          HostPort: hostPort,
          BindIp: '0.0.0.0',
          Protocol: protocol,
        }))
      : undefined,
    Networks: networks.length
      ? networks.map(([NetworkMode, network]) => ({
          NetworkMode,
          IPv4Addresses: [network?.IPAddress ?? ''],
        }))
      : undefined,
    MetadataFileStatus: 'READY',
    AvailabilityZone,
    HostPrivateIPv4Address,
    HostPublicIPv4Address,
  }
}
