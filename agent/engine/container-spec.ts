/** The container Docker is asked to create for a container of a task. */
import type { PayloadContainer } from '@berth/agent-protocol/acs.ts'
import { type Contribution, type Contributions, contributionsTo } from './contribution.ts'
import type { HostPort } from './host-ports.ts'
import { withoutSharedSysctls } from './shared-sysctls.ts'
import { cpuPeriodUs, cpuSharesOf } from './task-limits.ts'
import { containerPayload, containerRecord } from './task-plan.ts'
import { parseDockerConfig, type TaskRecord } from './task-record.ts'

/** The body of Docker's `POST /containers/create`; members not named here come from the task definition as they are. */
export interface CreateBody {
  readonly Image: string
  readonly Cmd?: readonly string[]
  readonly Entrypoint?: readonly string[]
  readonly Env: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
  readonly ExposedPorts?: Readonly<Record<string, object>>
  readonly StopSignal?: string
  readonly HostConfig: HostConfig
  readonly [member: string]: unknown
}

interface HostConfig {
  readonly CpuShares?: number
  /** Bytes. */
  readonly Memory?: number
  readonly PortBindings?: Readonly<
    Record<string, ReadonlyArray<{ readonly HostPort: string; readonly HostIp?: string }>>
  >
  readonly Binds?: readonly string[]
  readonly Links?: readonly string[]
  readonly VolumesFrom?: readonly string[]
  readonly NetworkMode?: string
  readonly [member: string]: unknown
}

export const taskArnLabel = 'com.amazonaws.ecs.task-arn'
export const containerNameLabel = 'com.amazonaws.ecs.container-name'

const mib = 2 ** 20
/** Docker refuses containers with less. */
const memoryMiBMin = 6
/** Where containers find the agent; the host's packet filter leads there (adapters/metadata-address.ts). */
const metadataAddress = 'http://169.254.170.2'

export interface CreateOptions {
  readonly cluster: string
  readonly region: string
  /** Whether a task's own cpu and memory bind each of its containers: where tasks have no cgroup of their own. */
  readonly taskCpuMemoryLimit: boolean
  /** What the task's resources add. */
  readonly contributions?: readonly Contributions[]
}

/** Whether a container's ports are published on the host. */
export function publishesPorts(record: TaskRecord, name: string): boolean {
  if (record.task.networkMode === 'awsvpc') return false
  const { hostConfig, config } = parseDockerConfig(containerPayload(record, name))
  const mode = typeof hostConfig['NetworkMode'] === 'string' ? hostConfig['NetworkMode'] : 'default'
  return (
    mode !== 'host' && mode !== 'none' && !mode.startsWith('container:') && config['NetworkDisabled'] !== true
  )
}

/**
 * The agent's own settings with the task definition's `dockerConfig` laid over them, then what the task's resources add,
 * and the ECS labels over all.
 */
export function createBody(record: TaskRecord, name: string, options: CreateOptions): CreateBody {
  const container = containerPayload(record, name)
  const { config, hostConfig } = parseDockerConfig(container)
  const command = (JSON.parse(container.overrides || '{}') as { command?: readonly string[] }).command
  const cmd = command ?? container.command
  const ports = containerRecord(record, name).hostPorts
  const added = contributionsTo(name, options.contributions ?? [])
  const own: CreateBody = {
    Image: container.image,
    ...(cmd && { Cmd: cmd }),
    ...(container.entryPoint && { Entrypoint: container.entryPoint }),
    Env: environment(record, container, options, added),
    Labels: {},
    ...(ports.length > 0 && {
      ExposedPorts: Object.fromEntries(ports.map((port) => [dockerPort(port), {}])),
    }),
    HostConfig: ownHostConfig(record, container, ports, options),
  }
  const over = { HostConfig: withoutSharedSysctls(hostConfig, record.task) }
  let merged = layOver(layOver(own, config), over) as CreateBody
  for (const contribution of added) merged = withContribution(merged, contribution)
  return { ...merged, Labels: { ...merged.Labels, ...ecsLabels(record, name, options.cluster) } }
}

function withContribution(
  body: CreateBody,
  { binds, links, logConfig, logOptions, config, hostConfig }: Contribution,
): CreateBody {
  const over = {
    ...config,
    HostConfig: {
      ...hostConfig,
      ...(binds && { Binds: [...(body.HostConfig.Binds ?? []), ...binds] }),
      ...(links && { Links: [...(body.HostConfig.Links ?? []), ...links] }),
      ...(logOptions && { LogConfig: { Config: logOptions } }),
    },
  }
  const merged = layOver(body, over) as CreateBody
  return logConfig ? { ...merged, HostConfig: { ...merged.HostConfig, LogConfig: logConfig } } : merged
}

function ecsLabels(record: TaskRecord, name: string, cluster: string): Readonly<Record<string, string>> {
  const { launchType, taskClusterArn = cluster } = record.task
  return {
    // The cluster of a Fargate task is not that of its host.
    'com.amazonaws.ecs.cluster': launchType === 'FARGATE' ? taskClusterArn : cluster,
    [containerNameLabel]: name,
    [taskArnLabel]: record.task.arn,
    'com.amazonaws.ecs.task-definition-family': record.task.family ?? '',
    'com.amazonaws.ecs.task-definition-version': record.task.version ?? '',
  }
}

const dockerPort = ({ containerPort, protocol }: HostPort): string => `${containerPort}/${protocol}`

function ownHostConfig(
  record: TaskRecord,
  container: PayloadContainer,
  ports: readonly HostPort[],
  options: CreateOptions,
): HostConfig {
  const portBindings: Record<string, ReadonlyArray<{ HostPort: string }>> = {}
  for (const port of ports)
    portBindings[dockerPort(port)] = [
      ...(portBindings[dockerPort(port)] ?? []),
      { HostPort: String(port.hostPort) },
    ]
  const memoryMiB = memoryLimitMiB(record, container, options)
  const taskCpu = options.taskCpuMemoryLimit ? (record.task.cpu ?? 0) : 0
  const binds = mounts(record, container)
  const dockerNameOf = (other: string): string => containerRecord(record, other).dockerName
  return {
    CpuShares: cpuSharesOf(container.cpu),
    ...(taskCpu > 0 && { CpuPeriod: cpuPeriodUs, CpuQuota: Math.round(taskCpu * cpuPeriodUs) }),
    ...(memoryMiB > 0 && { Memory: Math.max(memoryMiB, memoryMiBMin) * mib }),
    ...(ports.length > 0 && { PortBindings: portBindings }),
    ...(binds.length > 0 && { Binds: binds }),
    ...(container.links?.length && {
      Links: container.links.map((link) => {
        const [other = '', alias = other] = link.split(':')
        return `${dockerNameOf(other)}:${alias}`
      }),
    }),
    ...(container.volumesFrom.length > 0 && {
      VolumesFrom: container.volumesFrom.map(
        ({ sourceContainer, readOnly }) => `${dockerNameOf(sourceContainer)}${readOnly ? ':ro' : ''}`,
      ),
    }),
    ...(record.task.ipcMode === 'host' || record.task.ipcMode === 'none'
      ? { IpcMode: record.task.ipcMode }
      : {}),
    ...(record.task.pidMode === 'host' && { PidMode: 'host' }),
  }
}

/** A container without a limit of its own may use all that its task may. */
function memoryLimitMiB(record: TaskRecord, container: PayloadContainer, options: CreateOptions): number {
  if (container.memory > 0) return container.memory
  return options.taskCpuMemoryLimit ? (record.task.memory ?? 0) : 0
}

function mounts(record: TaskRecord, container: PayloadContainer): readonly string[] {
  return container.mountPoints.map(({ sourceVolume, containerPath, readOnly }) => {
    const volume = record.task.volumes?.find(({ name }) => name === sourceVolume)
    const inDocker = record.volumes.find(({ name }) => name === sourceVolume)
    const source = inDocker?.dockerName ?? volume?.host?.sourcePath ?? sourceVolume
    return `${source}:${containerPath}${readOnly ? ':ro' : ''}`
  })
}

function environment(
  record: TaskRecord,
  container: PayloadContainer,
  { region }: CreateOptions,
  added: readonly Contribution[],
): readonly string[] {
  const { metadataId } = containerRecord(record, container.name)
  const given = container.environment ?? {}
  const all: Record<string, string> = {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    ...Object.assign({}, ...added.map((one) => one.environment)),
    ...given,
    ECS_CONTAINER_METADATA_URI: `${metadataAddress}/v3/${metadataId}`,
    ECS_CONTAINER_METADATA_URI_V4: `${metadataAddress}/v4/${metadataId}`,
    ECS_AGENT_URI: `${metadataAddress}/api/${metadataId}`,
    ...(record.credentialsId !== undefined && {
      AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: `/v2/credentials/${record.credentialsId}`,
    }),
    ...Object.assign({}, ...added.map((one) => one.environmentOver)),
  }
  return Object.entries(all).map(([key, value]) => `${key}=${value}`)
}

/** As Go decodes JSON over a struct: objects are merged member by member, everything else is replaced. */
function layOver(
  under: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const merged: Record<string, unknown> = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    if (value === null) continue
    merged[key] = isObject(value) && isObject(below) ? layOver(below, value) : value
  }
  return merged
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
