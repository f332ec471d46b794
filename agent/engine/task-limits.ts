/** What all containers of a task may take together, as the official agent works it out: pure. */
import type { PayloadTask } from '@berth/agent-protocol/payload.ts'

const cpuSharesMin = 2
const cpuSharesMax = 262_144
export const cpuPeriodUs = 100_000
const mib = 2 ** 20

export interface TaskLimits {
  /** Of each 100 ms, in microseconds; absent when the task has no size of its own. */
  readonly cpuQuotaUs?: number
  /** How the task weighs against other tasks; only without a quota. */
  readonly cpuShares?: number
  readonly memoryBytes?: number
  readonly pidsMax?: number
}

/** CPU units as shares of a cgroup: fewer than two are not possible, and none would mean a whole core to Docker. */
export function cpuSharesOf(units: number): number {
  return Math.min(Math.max(units, cpuSharesMin), cpuSharesMax)
}

/** The weight in version 2 of cgroups that shares of version 1 stand for, as OCI runtimes convert it. */
export function cpuWeightOf(shares: number): number {
  return 1 + Math.floor(((shares - cpuSharesMin) * 9999) / (cpuSharesMax - cpuSharesMin))
}

/** With a size of its own a task has a quota; else it weighs as much as its containers. `pidsMax` 0 is no limit. */
export function taskLimits({ cpu = 0, memory = 0, containers = [] }: PayloadTask, pidsMax = 0): TaskLimits {
  const shares = containers.reduce((sum, container) => sum + cpuSharesOf(container.cpu), 0)
  return {
    ...(cpu > 0 ? { cpuQuotaUs: Math.trunc(cpu * cpuPeriodUs) } : { cpuShares: cpuSharesOf(shares) }),
    ...(memory > 0 && { memoryBytes: memory * mib }),
    ...(pidsMax > 0 && { pidsMax }),
  }
}

/** Why the limits of a task and those of its containers cannot be had together; undefined when they can. */
export function limitsFault({ memory = 0, containers = [] }: PayloadTask): string | undefined {
  const greater = containers.find((container) => memory > 0 && container.memory > memory)
  return (
    greater &&
    `container memory limit(${greater.memory}) greater than task memory limit(${memory}) for container ${greater.name}`
  )
}
