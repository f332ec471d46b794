/** What the Docker Engine API answers, as far as it is read, and what the agent makes of it. */
import type { HostPort } from '#engine/host-ports.ts'
import type { ContainerDetail, ContainerStats } from '#runtime/container-runtime.ts'
import type { EngineInfo } from './host-capabilities.ts'
import { type NetworkCounters, networkUse } from './network-counters.ts'

export interface InspectedContainer {
  readonly Id: string
  readonly Name: string
  readonly Image: string
  readonly Created: string
  readonly Config: {
    readonly Image: string
    readonly Labels?: Readonly<Record<string, string>> | null
    readonly Env?: readonly string[] | null
  }
  readonly State: {
    readonly Status: ContainerDetail['status']
    readonly Pid?: number
    readonly ExitCode: number
    readonly OOMKilled: boolean
    readonly Error: string
    readonly StartedAt: string
    readonly FinishedAt: string
    readonly Health?: {
      readonly Status: string
      readonly Log?: ReadonlyArray<{ readonly ExitCode: number; readonly Output: string }> | null
    } | null
  }
  readonly NetworkSettings?: {
    readonly IPAddress?: string
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string } | null>> | null
    /** By `80/tcp`; null where a port is not published. */
    readonly Ports?: Readonly<
      Record<string, ReadonlyArray<{ readonly HostIp: string; readonly HostPort: string }> | null>
    > | null
  }
  readonly HostConfig?: { readonly NetworkMode?: string }
  readonly Mounts?: ReadonlyArray<{
    readonly Name?: string
    readonly Source: string
    readonly Destination: string
  }>
}

/** Docker writes the year 1 for what has not happened. */
function time(text: string): number | undefined {
  const timeMs = Date.parse(text)
  return timeMs > 0 ? timeMs : undefined
}

export function containerDetail(found: InspectedContainer): ContainerDetail {
  const { State: state } = found
  const createdAt = time(found.Created)
  const startedAt = time(state.StartedAt)
  const finishedAt = time(state.FinishedAt)
  const health = state.Health
  const last = health?.Log?.at(-1)
  const running = state.Status === 'running' || state.Status === 'paused'
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ''),
    image: found.Config.Image,
    imageId: found.Image,
    labels: found.Config.Labels ?? {},
    status: state.Status,
    ...(running && state.Pid && { pid: state.Pid }),
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    error: state.Error,
    ...(createdAt !== undefined && { createdAt }),
    ...(startedAt !== undefined && { startedAt }),
    ...(finishedAt !== undefined && !running && { finishedAt }),
    ...(health &&
      (health.Status === 'starting' || health.Status === 'healthy' || health.Status === 'unhealthy') && {
        health: { status: health.Status, output: last?.Output ?? '', exitCode: last?.ExitCode ?? 0 },
      }),
    environment: found.Config.Env ?? [],
    publishedPorts: publishedPorts(found),
    networks: Object.entries(found.NetworkSettings?.Networks ?? {}).map(([name, network]) => ({
      name,
      ipv4Address: network?.IPAddress ?? '',
    })),
    mounts: (found.Mounts ?? []).map(({ Name, Source, Destination }) => ({
      source: Source,
      destination: Destination,
      ...(Name !== undefined && { name: Name }),
    })),
  }
}

/** Docker tells of each port once for IPv4 and once for IPv6. */
function publishedPorts({ NetworkSettings }: InspectedContainer): readonly HostPort[] {
  return Object.entries(NetworkSettings?.Ports ?? {}).flatMap(([port, bindings]) => {
    const [containerPort, protocol] = port.split('/')
    return [...new Set((bindings ?? []).map(({ HostPort }) => Number(HostPort)))].map((hostPort) => ({
      containerPort: Number(containerPort),
      hostPort,
      protocol: protocol === 'udp' ? ('udp' as const) : ('tcp' as const),
    }))
  })
}

export interface InspectedStats {
  readonly read: string
  readonly cpu_stats: {
    readonly cpu_usage: { readonly total_usage: number; readonly percpu_usage?: readonly number[] | null }
    readonly online_cpus?: number
  }
  readonly memory_stats: {
    readonly usage?: number
    readonly stats?: Readonly<Record<string, number>>
  }
  readonly blkio_stats: {
    readonly io_service_bytes_recursive?: ReadonlyArray<{
      readonly op: string
      readonly value: number
    }> | null
  }
  readonly networks?: NetworkCounters
}

export function containerStats(found: InspectedStats): ContainerStats | undefined {
  const atMs = time(found.read)
  // A container that ended meanwhile is answered with zeroes.
  if (atMs === undefined) return undefined
  const { cpu_usage: cpu, online_cpus: online } = found.cpu_stats
  const { usage = 0, stats = {} } = found.memory_stats
  const io = (operation: string): number =>
    (found.blkio_stats.io_service_bytes_recursive ?? [])
      .filter(({ op }) => op.toLowerCase() === operation)
      .reduce((sum, { value }) => sum + value, 0)
  const network = networkUse(found.networks ?? {})
  return {
    atMs,
    cpuNs: cpu.total_usage,
    cores: online || (cpu.percpu_usage?.length ?? 1),
    // The page cache is called `cache` by version 1 of control groups, and `file` is near it in version 2.
    memoryBytes: Math.max(0, usage - (stats['cache'] ?? stats['inactive_file'] ?? 0)),
    readBytes: io('read'),
    writeBytes: io('write'),
    ...(network && { network }),
  }
}

export interface ShownInfo {
  readonly Driver?: string
  readonly DockerRootDir?: string
  readonly CgroupDriver?: string
  readonly CgroupVersion?: string
  readonly Plugins?: { readonly Log?: readonly string[] | null; readonly Volume?: readonly string[] | null }
  readonly SecurityOptions?: readonly string[] | null
}

/** An engine that says nothing of cgroups' version is older than version 2. */
export function engineInfo(shown: ShownInfo): EngineInfo {
  return {
    storageDriver: shown.Driver ?? '',
    rootDirectory: shown.DockerRootDir ?? '',
    cgroupDriver: shown.CgroupDriver ?? '',
    cgroupVersion: shown.CgroupVersion === '2' ? 2 : 1,
    logDrivers: shown.Plugins?.Log ?? [],
    volumeDrivers: shown.Plugins?.Volume ?? [],
    // Each is written `name=apparmor,profile=default`.
    security: (shown.SecurityOptions ?? []).flatMap((option) => /^name=([^,]+)/.exec(option)?.[1] ?? []),
  }
}
