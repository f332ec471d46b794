// The cgroups of embedded instances, on both versions of cgroups: DIR's group, in it one group an instance, in that
// `host` (init, daemons, agent: not limited) and `containers` (the limits of the instance type).
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface CgroupMounts {
  readonly version: 1 | 2
  /** Where each hierarchy is mounted: one a controller in version 1, where version 2 may stand beside them without any. */
  readonly hierarchies: readonly string[]
  readonly cpu: string
  readonly memory: string
}

const cpuPeriodUs = 100_000

/** Where cgroups are mounted, from the text of /proc/mounts; undefined when cpu and memory cannot be limited here. */
export function cgroupMounts(mounts: string): CgroupMounts | undefined {
  const entries = mounts.split('\n').map((line) => line.split(' '))
  const all = entries.flatMap(([, path = '', type = '']) => (type.startsWith('cgroup') ? [path] : []))
  const version1 = entries.filter(([, , type]) => type === 'cgroup')
  const of = (controller: string): string | undefined =>
    version1.find(([, , , options]) => options?.split(',').includes(controller))?.[1]
  const cpu = of('cpu')
  const memory = of('memory')
  if (cpu !== undefined && memory !== undefined) return { version: 1, hierarchies: all, cpu, memory }
  const unified = entries.find(([, , type]) => type === 'cgroup2')?.[1]
  if (unified === undefined || version1.length > 0) return undefined
  return { version: 2, hierarchies: [unified], cpu: unified, memory: unified }
}

/** Makes the instance's groups and sets the limits. Returns the file into which its init writes its process id. */
export function makeCgroup(
  mounts: CgroupMounts,
  group: string,
  limits: { readonly vcpu: number; readonly memoryMiB: number },
): string {
  const containers = `${group}/containers`
  for (const hierarchy of new Set([mounts.cpu, mounts.memory])) {
    if (mounts.version === 2) delegate(hierarchy, group)
    mkdirSync(join(hierarchy, group, 'host'), { recursive: true })
    mkdirSync(join(hierarchy, containers), { recursive: true })
  }
  const quotaUs = String(limits.vcpu * cpuPeriodUs)
  const memoryBytes = String(limits.memoryMiB * 1024 * 1024)
  if (mounts.version === 1) {
    writeFileSync(join(mounts.cpu, containers, 'cpu.cfs_period_us'), String(cpuPeriodUs))
    writeFileSync(join(mounts.cpu, containers, 'cpu.cfs_quota_us'), quotaUs)
    writeFileSync(join(mounts.memory, containers, 'memory.limit_in_bytes'), memoryBytes)
  } else {
    writeFileSync(join(mounts.cpu, containers, 'cpu.max'), `${quotaUs} ${cpuPeriodUs}`)
    writeFileSync(join(mounts.memory, containers, 'memory.max'), memoryBytes)
  }
  return join(mounts.memory, group, 'host', 'cgroup.procs')
}

/** In version 2 each group above must hand its controllers down. */
function delegate(hierarchy: string, group: string): void {
  let path = hierarchy
  for (const name of ['', ...group.split('/').filter(Boolean)]) {
    path = join(path, name)
    mkdirSync(path, { recursive: true })
    const available = readFileSync(join(path, 'cgroup.controllers'), 'utf8').trim().split(' ')
    const wanted = ['cpu', 'memory', 'pids', 'io', 'cpuset'].filter((controller) =>
      available.includes(controller),
    )
    writeFileSync(
      join(path, 'cgroup.subtree_control'),
      wanted.map((controller) => `+${controller}`).join(' '),
    )
  }
}

/** The processes of a group and of all groups in it. */
export function cgroupProcesses(mounts: CgroupMounts, group: string): number[] {
  const inside = (path: string): number[] =>
    unlessGone(() => {
      const own = readFileSync(join(path, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
      return [...own, ...groupsIn(path).flatMap((name) => inside(join(path, name)))]
    }) ?? []
  return inside(join(mounts.memory, group))
}

/** The groups right inside a group. */
export function cgroupChildren(mounts: CgroupMounts, group: string): string[] {
  return unlessGone(() => groupsIn(join(mounts.memory, group))) ?? []
}

/** Removes a group, which has no processes any more, and all groups in it, from every hierarchy. */
export function removeCgroup(mounts: CgroupMounts, group: string): void {
  const remove = (path: string): void =>
    unlessGone(() => {
      for (const name of groupsIn(path)) remove(join(path, name))
      rmdirSync(path)
    })
  for (const hierarchy of mounts.hierarchies) remove(join(hierarchy, group))
}

/** Groups of containers go away at any moment, by the daemon's own hand. */
function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

const groupsIn = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
