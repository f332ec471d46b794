/** What containers and people are shown of the agent's tasks. */
import { networkBindings } from '#engine/network-bindings.ts'
import { createBody, type CreateOptions } from '#engine/container-spec.ts'
import { knownStatus } from '#engine/report.ts'
import { containerPayload } from '#engine/task-plan.ts'
import type { ContainerRecord, ContainerState, TaskRecord } from '#engine/task-record.ts'
import type { ContainerDetail } from '#runtime/container-runtime.ts'

export interface TaskMetadataContext {
  readonly options: CreateOptions
  readonly availabilityZone?: string
  readonly detailOf: (runtimeId: string) => Promise<ContainerDetail | undefined>
}

const iso = (timeMs: number | undefined): string | undefined =>
  timeMs === undefined ? undefined : new Date(timeMs).toISOString()

const shown: Readonly<Record<ContainerState, string>> = {
  NONE: 'NONE',
  PULLED: 'PULLED',
  CREATED: 'CREATED',
  RUNNING: 'RUNNING',
  STOPPED: 'STOPPED',
}

/** A container as `$ECS_CONTAINER_METADATA_URI_V4` shows it; version 3 leaves a few members out. */
export async function containerMetadata(
  record: TaskRecord,
  container: ContainerRecord,
  version: 'v3' | 'v4',
  { options, detailOf }: TaskMetadataContext,
): Promise<object> {
  const detail = container.runtimeId === undefined ? undefined : await detailOf(container.runtimeId)
  const payload = containerPayload(record, container.name)
  const body = createBody(record, container.name, options)
  const { HostConfig: host } = body
  const log = host['LogConfig'] as { readonly Type?: string; readonly Config?: object } | undefined
  const mode = host.NetworkMode ?? 'bridge'
  const v4 = version === 'v4'
  return {
    DockerId: container.runtimeId ?? '',
    Name: container.name,
    DockerName: container.dockerName,
    Image: payload.image,
    ImageID: detail?.imageId ?? container.imageId ?? '',
    Ports: ports(container, v4),
    Labels: body.Labels,
    DesiredStatus: record.desiredStatus,
    KnownStatus: shown[container.state],
    ExitCode: container.exitCode,
    Limits: { CPU: host.CpuShares, Memory: Math.floor((host.Memory ?? 0) / 2 ** 20) },
    CreatedAt: iso(container.createdAt),
    StartedAt: iso(container.startedAt),
    FinishedAt: iso(container.finishedAt),
    Type: 'NORMAL',
    Health: container.health && {
      status: container.health.status,
      statusSince: iso(container.health.since),
      output: container.health.output,
    },
    Volumes: detail?.mounts?.map(({ name, source, destination }) => ({
      DockerName: name,
      Source: source,
      Destination: destination,
    })),
    ...(v4 && {
      LogDriver: log?.Type ?? 'json-file',
      LogOptions: log?.Config ?? {},
      ContainerARN: payload.containerArn,
    }),
    Networks: [
      {
        NetworkMode: mode === 'default' ? 'bridge' : mode,
        IPv4Addresses: (detail?.networks ?? []).flatMap(({ ipv4Address }) => ipv4Address || []),
      },
    ],
    ...(payload.restartPolicy?.enabled && { RestartCount: container.restarts?.count ?? 0 }),
  }
}

function ports(container: ContainerRecord, withAddress: boolean): readonly object[] | undefined {
  if (!container.hostPorts.length) return undefined
  return container.hostPorts.flatMap(({ containerPort, hostPort, protocol }) =>
    ['0.0.0.0', '::'].map((HostIp) => ({
      ContainerPort: containerPort,
      Protocol: protocol,
      HostPort: hostPort,
      ...(withAddress && { HostIp }),
    })),
  )
}

/** A task as `$ECS_CONTAINER_METADATA_URI_V4/task` shows it. */
export async function taskMetadata(
  record: TaskRecord,
  version: 'v3' | 'v4',
  context: TaskMetadataContext,
): Promise<object> {
  const { task } = record
  return {
    Cluster: context.options.cluster,
    TaskARN: task.arn,
    Family: task.family,
    Revision: task.version,
    DesiredStatus: record.desiredStatus,
    KnownStatus: taskStatus(record),
    ...((task.cpu || task.memory) && { Limits: { CPU: task.cpu, Memory: task.memory } }),
    PullStartedAt: iso(record.pullStartedAt),
    PullStoppedAt: iso(record.pullStoppedAt),
    ExecutionStoppedAt: iso(record.executionStoppedAt),
    AvailabilityZone: context.availabilityZone,
    ...(version === 'v4' && { LaunchType: task.launchType }),
    Containers: await Promise.all(
      record.containers.map((container) => containerMetadata(record, container, version, context)),
    ),
    ...(version === 'v4' && task.serviceName !== undefined && { ServiceName: task.serviceName }),
  }
}

/** Of the steps before RUNNING only NONE, PULLED and CREATED are shown: the least advanced container's. */
function taskStatus(record: TaskRecord): string {
  const status = knownStatus(record)
  if (status !== 'PENDING') return status
  const order: readonly ContainerState[] = ['NONE', 'PULLED', 'CREATED', 'RUNNING']
  return order.find((state) => record.containers.some((container) => container.state === state)) ?? 'NONE'
}

/** A task as the introspection endpoint shows it. */
export function introspectedTask(record: TaskRecord): object {
  return {
    Arn: record.task.arn,
    DesiredStatus: record.desiredStatus,
    KnownStatus: taskStatus(record),
    Family: record.task.family ?? '',
    Version: record.task.version ?? '',
    Containers: record.containers.map((container) => ({
      DockerId: container.runtimeId ?? '',
      DockerName: container.dockerName,
      Name: container.name,
      Image: containerPayload(record, container.name).image,
      ImageID: container.imageId ?? '',
      CreatedAt: iso(container.createdAt),
      StartedAt: iso(container.startedAt),
      ...(container.hostPorts.length > 0 && {
        Ports: networkBindings(container.hostPorts).map(({ containerPort, hostPort, protocol }) => ({
          ContainerPort: containerPort,
          Protocol: protocol,
          HostPort: hostPort,
        })),
      }),
    })),
  }
}
