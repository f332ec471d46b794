/** What a task may be on a host of Fargate, and how its containers are held there: pure. */
import type { PayloadContainer, PayloadTask } from '@berth/agent-protocol/payload.ts'
import type { Contributions } from './contribution.ts'
import { parseDockerConfig } from './task-record.ts'

/** Whatever else Docker gives every container, of these a task may ask for more. */
const capabilitiesAllowed: readonly string[] = ['SYS_PTRACE', 'CAP_SYS_PTRACE']
/**
 * What a container may have open unless its definition says so.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html#fargate-resource-limits
 */
export const openFilesMaxOfFargate = 65_535

export interface SandboxOptions {
  /** The OCI runtime that starts containers, as Docker knows it; absent: Docker's own. */
  readonly ociRuntime?: string
  /** Whether Docker can bound what a container writes. */
  readonly bindsStorage: boolean
  /** The host's own bound, where that is lower than Fargate's. */
  readonly openFilesMax: number
}

/**
 * Why a task is not let onto a host of Fargate; undefined when it may run. RegisterTaskDefinition has refused all this
 * before: here it is looked at once more, by whoever would have to answer for it.
 */
export function sandboxFault(task: PayloadTask): string | undefined {
  const { networkMode, pidMode, ipcMode, volumes = [], containers = [], associations = [] } = task
  if (networkMode !== 'awsvpc') return `network mode ${networkMode ?? 'bridge'} is not allowed on Fargate`
  if (pidMode === 'host' || ipcMode === 'host') return 'namespaces of the host are not allowed on Fargate'
  if (associations.length > 0) return 'devices of the host are not allowed on Fargate'
  const mounted = volumes.find(
    ({ type, host }) => type === 'docker' || (host?.sourcePath !== undefined && host.sourcePath !== ''),
  )
  if (mounted) return `volume ${mounted.name} is not allowed on Fargate`
  for (const container of containers) {
    const what = hostAccess(container)
    if (what !== undefined) return `container ${container.name}: ${what} is not allowed on Fargate`
  }
  return undefined
}

const lists = ['Binds', 'Devices', 'DeviceRequests', 'SecurityOpt', 'Links'] as const
const modes = [
  'NetworkMode',
  'PidMode',
  'IpcMode',
  'UTSMode',
  'UsernsMode',
  'CgroupParent',
  'Runtime',
] as const

function hostAccess(container: PayloadContainer): string | undefined {
  const { hostConfig } = parseDockerConfig(container)
  if (hostConfig['Privileged'] === true) return 'privileged'
  const added = (hostConfig['CapAdd'] ?? []) as readonly string[]
  const capability = added.find((name) => !capabilitiesAllowed.includes(name))
  if (capability !== undefined) return `the capability ${capability}`
  return (
    lists.find((member) => listOf(hostConfig[member]).length > 0) ??
    modes.find((member) => typeof hostConfig[member] === 'string' && hostConfig[member] !== '')
  )
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** What the host lays over every container of a task that it lets on. */
export function sandboxContributions(
  { containers = [], ephemeralStorageGiB }: PayloadTask,
  { ociRuntime, bindsStorage, openFilesMax }: SandboxOptions,
): Contributions {
  const all = {
    ...(ociRuntime !== undefined && { Runtime: ociRuntime }),
    ...(bindsStorage &&
      ephemeralStorageGiB !== undefined && { StorageOpt: { size: `${ephemeralStorageGiB}G` } }),
  }
  const openFiles = { Name: 'nofile', Soft: openFilesMax, Hard: openFilesMax }
  return {
    '*': { hostConfig: all },
    ...Object.fromEntries(
      containers.flatMap((container) => {
        const ulimits = listOf(parseDockerConfig(container).hostConfig['Ulimits'])
        if (ulimits.some((one) => (one as { readonly Name?: unknown }).Name === openFiles.Name)) return []
        return [[container.name, { hostConfig: { Ulimits: [...ulimits, openFiles] } }]]
      }),
    ),
  }
}
