import type { ContainerDefinition, KernelCapabilities, LinuxParameters } from '@aws-sdk/client-ecs'
import type { PayloadContainer } from '@berth/agent-protocol/payload.ts'
import { logConfig, type LogFacts } from './task-payload-logs.ts'

/** Docker refuses containers with less. */
const memoryMiBMin = 6
const bytesOf = (mebibytes: number): number => mebibytes * 1024 * 1024
const nanosecondsOf = (seconds: number): number => seconds * 1_000_000_000

/** A member of the Docker Engine API's `Config` or `HostConfig`, and the API version that brought it. */
interface Setting {
  readonly key: string
  readonly value: unknown
  readonly since: string
}

const setting = (key: string, value: unknown, since = '1.17'): readonly Setting[] =>
  value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [{ key, value, since }]

/**
 * What of a container definition has no member of its own on the agent's wire: it goes to the agent as two JSON strings
 * in Docker's own words, which the agent lays over what it made of the rest. So nothing that the agent makes itself
 * (environment, image, command, memory, ports, binds) may stand here.
 */
export function dockerConfig(
  container: ContainerDefinition,
  networkMode: string | undefined,
  facts: LogFacts,
): PayloadContainer['dockerConfig'] {
  const config = configSettings(container)
  const hostConfig = hostConfigSettings(container, networkMode, facts)
  return {
    config: jsonOf(config),
    hostConfig: jsonOf(hostConfig),
    version: lowestVersion([...config, ...hostConfig]),
  }
}

const jsonOf = (settings: readonly Setting[]): string =>
  JSON.stringify(Object.fromEntries(settings.map(({ key, value }) => [key, value])))

/** The lowest API version that knows all the settings: the agent talks to Docker in that version. */
function lowestVersion(settings: readonly Setting[]): string {
  const minor = (version: string): number => Number(version.slice(version.indexOf('.') + 1))
  return `1.${Math.max(17, ...settings.map(({ since }) => minor(since)))}`
}

function configSettings(container: ContainerDefinition): readonly Setting[] {
  const { healthCheck } = container
  return [
    ...setting('User', container.user),
    ...setting('WorkingDir', container.workingDirectory),
    ...setting('Hostname', container.hostname),
    ...setting('Tty', container.pseudoTerminal),
    ...setting('OpenStdin', container.interactive),
    ...setting('Labels', container.dockerLabels),
    ...setting('NetworkDisabled', container.disableNetworking),
    ...setting(
      'Healthcheck',
      healthCheck && {
        Test: healthCheck.command,
        Interval: nanosecondsOf(healthCheck.interval ?? 30),
        Timeout: nanosecondsOf(healthCheck.timeout ?? 5),
        Retries: healthCheck.retries ?? 3,
        ...(healthCheck.startPeriod !== undefined && { StartPeriod: nanosecondsOf(healthCheck.startPeriod) }),
      },
      healthCheck?.startPeriod === undefined ? '1.24' : '1.29',
    ),
  ]
}

function hostConfigSettings(
  container: ContainerDefinition,
  networkMode: string | undefined,
  facts: LogFacts,
): readonly Setting[] {
  const { memoryReservation, linuxParameters = {} } = container
  return [
    // With awsvpc the agent puts the container into the network of the task's own.
    ...setting('NetworkMode', networkMode === 'awsvpc' ? undefined : (networkMode ?? 'bridge')),
    ...setting('LogConfig', logConfig(container, facts), '1.18'),
    ...setting(
      'MemoryReservation',
      memoryReservation === undefined ? undefined : bytesOf(memoryReservation),
      '1.21',
    ),
    ...setting('Privileged', container.privileged),
    ...setting('ReadonlyRootfs', container.readonlyRootFilesystem),
    ...linuxSettings(linuxParameters, container.memory),
    ...setting(
      'Ulimits',
      container.ulimits?.map(({ name, softLimit, hardLimit }) => ({
        Name: name,
        Soft: softLimit,
        Hard: hardLimit,
      })),
      '1.18',
    ),
    ...setting(
      'ExtraHosts',
      container.extraHosts?.map(({ hostname, ipAddress }) => `${hostname}:${ipAddress}`),
    ),
    ...setting('Dns', container.dnsServers),
    ...setting('DnsSearch', container.dnsSearchDomains),
    ...setting(
      'Sysctls',
      container.systemControls?.length
        ? Object.fromEntries(container.systemControls.map(({ namespace, value }) => [namespace, value]))
        : undefined,
      '1.24',
    ),
    ...setting('SecurityOpt', container.dockerSecurityOptions?.map(securityOption)),
  ]
}

/** ECS writes `label:…` and `no-new-privileges:true`; Docker has given the colon up for an equals sign. */
const securityOption = (option: string): string =>
  option.replace(/^(label|apparmor|seccomp|no-new-privileges):/, '$1=')

function linuxSettings(linux: LinuxParameters, memoryMiB: number | undefined): readonly Setting[] {
  const capabilities: KernelCapabilities = linux.capabilities ?? {}
  const { devices = [], tmpfs = [], sharedMemorySize, maxSwap, swappiness } = linux
  return [
    ...setting('CapAdd', capabilities.add),
    ...setting('CapDrop', capabilities.drop),
    ...setting(
      'Devices',
      devices.map(({ hostPath, containerPath, permissions }) => ({
        PathOnHost: hostPath,
        PathInContainer: containerPath ?? hostPath,
        CgroupPermissions: permissions?.length
          ? permissions.map((permission) => permission.charAt(0)).join('')
          : 'rwm',
      })),
    ),
    ...setting(
      'Tmpfs',
      tmpfs.length > 0
        ? Object.fromEntries(
            tmpfs.map(({ containerPath, size, mountOptions = [] }) => [
              containerPath,
              [`size=${size}m`, ...mountOptions].join(','),
            ]),
          )
        : undefined,
      '1.22',
    ),
    ...setting('ShmSize', sharedMemorySize === undefined ? undefined : bytesOf(sharedMemorySize), '1.22'),
    // ECS counts swap alone, Docker memory and swap together. Without maxSwap, ECS ignores swappiness. Agents raise a
    // lower memory limit to Docker's least, and Docker refuses a sum below the limit.
    ...(maxSwap === undefined || memoryMiB === undefined
      ? []
      : [
          ...setting('MemorySwap', bytesOf(Math.max(memoryMiB, memoryMiBMin) + maxSwap), '1.18'),
          ...setting('MemorySwappiness', swappiness, '1.20'),
        ]),
    ...setting('Init', linux.initProcessEnabled, '1.25'),
  ]
}
