/** The agent's configuration from environment variables, under the official agent's names. */
import { readFileSync } from 'node:fs'
import { parseEfsServers } from '#engine/efs.ts'
import { type AgentConfig, agentDefaults } from '#runtime/ports.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** A variable that cannot be understood; the message says which and what it may be. */
export class ConfigurationError extends Error {}

/**
 * The environment with the `NAME=value` lines of the file that ECS_CONFIG_FILE names under it: what stands in the
 * environment itself counts first.
 */
export function withConfigFile(environment: Environment): Environment {
  const path = environment['ECS_CONFIG_FILE']
  if (!path) return environment
  const file: Record<string, string> = {}
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const [, name, value] = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line) ?? []
    if (name !== undefined && value !== undefined) file[name] = unquote(value.trim())
  }
  return { ...file, ...environment }
}

const unquote = (value: string): string => /^(["'])(.*)\1$/.exec(value)?.[2] ?? value

/** @throws ConfigurationError */
export function agentConfig(environment: Environment, region: string): AgentConfig {
  const read = new Reader(environment)
  const cleanup = read.flag('ECS_DISABLE_IMAGE_CLEANUP')
  const range = read.portRange('ECS_DYNAMIC_HOST_PORT_RANGE')
  const base = agentDefaults
  const { imageCleanup: cleanupDefaults, ...rest } = base
  return {
    ...rest,
    cluster: environment['ECS_CLUSTER'] ?? '',
    region,
    external: read.flag('ECS_EXTERNAL'),
    instanceAttributes: read.map('ECS_INSTANCE_ATTRIBUTES'),
    instanceTags: read.map('ECS_CONTAINER_INSTANCE_TAGS'),
    reservedMemoryMiB: read.number('ECS_RESERVED_MEMORY') ?? base.reservedMemoryMiB,
    reservedPorts: read.list('ECS_RESERVED_PORTS')?.map(Number) ?? base.reservedPorts,
    reservedPortsUdp: read.list('ECS_RESERVED_PORTS_UDP')?.map(Number) ?? base.reservedPortsUdp,
    ...(range && { dynamicHostPortRange: range }),
    loggingDrivers: read.list('ECS_AVAILABLE_LOGGING_DRIVERS')?.map(String) ?? base.loggingDrivers,
    imagePullBehavior: read.pullBehavior() ?? base.imagePullBehavior,
    imagePullTimeoutMs: read.duration('ECS_IMAGE_PULL_TIMEOUT', 1000) ?? base.imagePullTimeoutMs,
    imagePullInactivityMs:
      read.duration('ECS_IMAGE_PULL_INACTIVITY_TIMEOUT', 1000) ?? base.imagePullInactivityMs,
    imagePullsAtOnceMax: read.count('BERTH_IMAGE_PULLS_AT_ONCE') ?? base.imagePullsAtOnceMax,
    containerStopsAtOnceMax: read.count('BERTH_CONTAINER_STOPS_AT_ONCE') ?? base.containerStopsAtOnceMax,
    containerStopTimeoutMs: read.duration('ECS_CONTAINER_STOP_TIMEOUT', 1000) ?? base.containerStopTimeoutMs,
    containerStartTimeoutMs:
      read.duration('ECS_CONTAINER_START_TIMEOUT', 1000) ?? base.containerStartTimeoutMs,
    containerCreateTimeoutMs:
      read.duration('ECS_CONTAINER_CREATE_TIMEOUT', 1000) ?? base.containerCreateTimeoutMs,
    taskCleanupWaitMs: read.duration('ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION', 1000) ?? base.taskCleanupWaitMs,
    taskCpuMemoryLimit: environment['ECS_ENABLE_TASK_CPU_MEM_LIMIT'] !== 'false',
    taskPidsMax: read.number('ECS_TASK_PIDS_LIMIT') ?? base.taskPidsMax,
    privileged: !read.flag('ECS_DISABLE_PRIVILEGED'),
    efsServers: read.efsServers(),
    ...(!cleanup &&
      cleanupDefaults && {
        imageCleanup: {
          intervalMs: read.duration('ECS_IMAGE_CLEANUP_INTERVAL', 1000) ?? cleanupDefaults.intervalMs,
          minimumAgeMs: read.duration('ECS_IMAGE_MINIMUM_CLEANUP_AGE', 0) ?? cleanupDefaults.minimumAgeMs,
          imagesPerCycle: read.number('ECS_NUM_IMAGES_DELETE_PER_CYCLE') ?? cleanupDefaults.imagesPerCycle,
          diskUsedPercentMax:
            read.number('BERTH_IMAGE_CLEANUP_DISK_PERCENT') ?? cleanupDefaults.diskUsedPercentMax,
          ...(read.flag('ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP') && {
            untracked: {
              minimumAgeMs: read.duration('NON_ECS_IMAGE_MINIMUM_CLEANUP_AGE', 0) ?? 3_600_000,
              excluded: read.names('ECS_EXCLUDE_UNTRACKED_IMAGE'),
            },
          }),
        },
      }),
    metricsEnabled: !read.flag('ECS_DISABLE_METRICS'),
    // The official agent's bounds.
    metricsPollMs: Math.min(
      20_000,
      read.duration('ECS_POLLING_METRICS_WAIT_DURATION', 5000) ?? base.metricsPollMs,
    ),
  }
}

class Reader {
  readonly #environment: Environment
  constructor(environment: Environment) {
    this.#environment = environment
  }

  flag(name: string): boolean {
    return this.#environment[name] === 'true'
  }

  number(name: string): number | undefined {
    const value = this.#environment[name]
    if (!value) return undefined
    if (!/^\d+$/.test(value)) throw new ConfigurationError(`${name} must be a number, not ${value}`)
    return Number(value)
  }

  efsServers(): AgentConfig['efsServers'] {
    const servers = parseEfsServers(this.#environment['BERTH_EFS_SERVERS'] ?? '')
    if ('strange' in servers)
      throw new ConfigurationError(
        `BERTH_EFS_SERVERS must be like fs-1=10.0.0.5:/export,fsap-2=nfs.local:/two,amazon, not ${servers.strange}`,
      )
    return servers
  }

  /** How many at once: one at least. */
  count(name: string): number | undefined {
    const value = this.number(name)
    if (value === 0) throw new ConfigurationError(`${name} must be at least 1`)
    return value
  }

  /** Names with commas between them, or a JSON array: both are in use. */
  names(name: string): readonly string[] {
    const value = this.#environment[name]?.trim() ?? ''
    if (value.startsWith('[')) return (this.list(name) ?? []).map(String)
    return value
      .split(',')
      .map((text) => text.trim())
      .filter(Boolean)
  }

  list(name: string): readonly unknown[] | undefined {
    const value = this.#json(name)
    if (value === undefined) return undefined
    if (!Array.isArray(value)) throw new ConfigurationError(`${name} must be a JSON array`)
    return value as readonly unknown[]
  }

  map(name: string): Readonly<Record<string, string>> {
    const value = this.#json(name) ?? {}
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new ConfigurationError(`${name} must be a JSON object`)
    return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)]))
  }

  /** Go's durations (`1h30m`, `10s`), in milliseconds and not below `leastMs`. */
  duration(name: string, leastMs: number): number | undefined {
    const value = this.#environment[name]
    if (!value) return undefined
    const units = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
    if (!/^(?:\d+(?:\.\d+)?(?:ms|h|m|s))+$/.test(value))
      throw new ConfigurationError(`${name} must be a duration such as 30s or 1h30m, not ${value}`)
    let totalMs = 0
    for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g))
      totalMs += Number(amount) * units[unit as keyof typeof units]
    return Math.max(leastMs, totalMs)
  }

  portRange(name: string): readonly [number, number] | undefined {
    const value = this.#environment[name]
    if (!value) return undefined
    const [, first, last] = /^(\d+)-(\d+)$/.exec(value) ?? []
    if (first === undefined || last === undefined || Number(first) > Number(last))
      throw new ConfigurationError(`${name} must be a range such as 32768-60999, not ${value}`)
    return [Number(first), Number(last)]
  }

  pullBehavior(): AgentConfig['imagePullBehavior'] | undefined {
    const value = this.#environment['ECS_IMAGE_PULL_BEHAVIOR']
    if (!value) return undefined
    if (value === 'default' || value === 'always' || value === 'once' || value === 'prefer-cached')
      return value
    throw new ConfigurationError(
      `ECS_IMAGE_PULL_BEHAVIOR must be default, always, once or prefer-cached, not ${value}`,
    )
  }

  #json(name: string): unknown {
    const value = this.#environment[name]
    if (!value) return undefined
    try {
      return JSON.parse(value) as unknown
    } catch {
      throw new ConfigurationError(`${name} must be JSON, not ${value}`)
    }
  }
}
