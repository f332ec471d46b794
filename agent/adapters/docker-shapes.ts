/** What the Docker Engine API answers, as far as it is read, and what the agent makes of it. */
import type { ContainerDetail, ContainerStats, NetworkCounter } from '#runtime/container-runtime.ts'

export interface InspectedContainer {
  readonly Id: string
  readonly Name: string
  readonly Image: string
  readonly Created: string
  readonly Config: { readonly Image: string; readonly Labels?: Readonly<Record<string, string>> | null }
  readonly State: {
    readonly Status: ContainerDetail['status']
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
    readonly Networks?: Readonly<Record<string, { readonly IPAddress?: string } | null>> | null
  }
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
  readonly networks?: Readonly<Record<string, Readonly<Record<string, number>>>>
}

const counterNames: Readonly<Record<NetworkCounter, string>> = {
  rxBytes: 'rx_bytes',
  rxPackets: 'rx_packets',
  rxErrors: 'rx_errors',
  rxDropped: 'rx_dropped',
  txBytes: 'tx_bytes',
  txPackets: 'tx_packets',
  txErrors: 'tx_errors',
  txDropped: 'tx_dropped',
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
  const interfaces = Object.values(found.networks ?? {})
  return {
    atMs,
    cpuNs: cpu.total_usage,
    cores: online || (cpu.percpu_usage?.length ?? 1),
    // The page cache is called `cache` by version 1 of control groups, and `file` is near it in version 2.
    memoryBytes: Math.max(0, usage - (stats['cache'] ?? stats['inactive_file'] ?? 0)),
    readBytes: io('read'),
    writeBytes: io('write'),
    ...(interfaces.length > 0 && {
      network: Object.fromEntries(
        Object.entries(counterNames).map(([counter, name]) => [
          counter,
          interfaces.reduce((sum, counted) => sum + (counted[name] ?? 0), 0),
        ]),
      ) as Record<NetworkCounter, number>,
    }),
  }
}
