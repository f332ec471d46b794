/** Kernel parameters of namespaces that the containers of a task share: they are set where the namespace is made. */
import type { PayloadTask } from '@berth/agent-protocol/payload.ts'
import { parseDockerConfig } from './task-record.ts'

type Sysctls = Readonly<Record<string, string>>

const isShared = (name: string, { networkMode, ipcMode }: PayloadTask): boolean =>
  name.startsWith('net.') ? networkMode === 'awsvpc' : ipcMode === 'task'

const sysctlsOf = (hostConfig: Readonly<Record<string, unknown>>): Sysctls =>
  (hostConfig['Sysctls'] ?? {}) as Sysctls

/** What the container that holds the task's namespaces is to set. Of two that differ the later container's holds. */
export function sharedSysctls(task: PayloadTask): Sysctls {
  const all = (task.containers ?? []).map((container) => sysctlsOf(parseDockerConfig(container).hostConfig))
  return Object.fromEntries(
    all.flatMap((sysctls) => Object.entries(sysctls).filter(([name]) => isShared(name, task))),
  )
}

/** A container's `HostConfig` with those parameters only that are of its own namespaces: Docker refuses the others. */
export function withoutSharedSysctls(
  hostConfig: Readonly<Record<string, unknown>>,
  task: PayloadTask,
): Readonly<Record<string, unknown>> {
  if (hostConfig['Sysctls'] === undefined) return hostConfig
  const own = Object.entries(sysctlsOf(hostConfig)).filter(([name]) => !isShared(name, task))
  return { ...hostConfig, Sysctls: Object.fromEntries(own) }
}
