/** Cgroups of tasks in the file systems of the kernel, on both versions, for Docker's cgroupfs driver. */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cpuPeriodUs, cpuWeightOf, type TaskLimits } from '#engine/task-limits.ts'
import type { TaskCgroups } from '#runtime/task-cgroup.ts'

export interface CgroupHierarchy {
  readonly path: string
  /** `unified` stands for version 2, where one hierarchy has all controllers. */
  readonly controllers: readonly string[]
}

/** The hierarchies that cpu and memory can be limited in, from the text of /proc/mounts; empty when they cannot. */
export function cgroupHierarchies(mounts: string): readonly CgroupHierarchy[] {
  const entries = mounts.split('\n').map((line) => line.split(' '))
  const version1 = entries.flatMap(([, path = '', type, options = '']) =>
    type === 'cgroup' ? [{ path, controllers: options.split(',') }] : [],
  )
  const limits = (controller: string): boolean =>
    version1.some(({ controllers }) => controllers.includes(controller))
  if (limits('cpu') && limits('memory')) return version1
  const unified = entries.find(([, , type]) => type === 'cgroup2')?.[1]
  if (unified === undefined || version1.length > 0) return []
  return [{ path: unified, controllers: ['unified'] }]
}

/** Under `parent`, which Docker too has for the parent of containers without a task, or at the top. */
export class CgroupFiles implements TaskCgroups {
  readonly #hierarchies: readonly CgroupHierarchy[]
  readonly #group: string

  constructor(hierarchies: readonly CgroupHierarchy[], parent = '') {
    this.#hierarchies = hierarchies
    this.#group = `${parent}/ecs`
  }

  parentOf(taskId: string): string {
    return `${this.#group}/${taskId}`
  }

  async make(taskId: string, limits: TaskLimits): Promise<void> {
    const group = this.parentOf(taskId)
    for (const { path, controllers } of this.#hierarchies) {
      const files = controllers.includes('unified')
        ? unifiedFiles(limits)
        : version1Files(limits, controllers)
      if (files.length === 0) continue
      if (controllers.includes('unified')) await handDown(path, group)
      else await mkdir(join(path, group), { recursive: true })
      for (const [file, value] of files) await writeFile(join(path, group, file), String(value))
    }
  }

  async remove(taskId: string): Promise<void> {
    for (const { path } of this.#hierarchies) await removeGroup(join(path, this.parentOf(taskId)))
  }
}

type Files = ReadonlyArray<readonly [file: string, value: number | string]>

function version1Files(limits: TaskLimits, controllers: readonly string[]): Files {
  const { cpuQuotaUs, cpuShares, memoryBytes, pidsMax } = limits
  return [
    ...(!controllers.includes('cpu')
      ? []
      : cpuQuotaUs === undefined
        ? ([['cpu.shares', cpuShares ?? 2]] as const)
        : ([
            ['cpu.cfs_period_us', cpuPeriodUs],
            ['cpu.cfs_quota_us', cpuQuotaUs],
          ] as const)),
    ...(controllers.includes('memory') && memoryBytes !== undefined
      ? ([['memory.limit_in_bytes', memoryBytes]] as const)
      : []),
    ...(controllers.includes('pids') && pidsMax !== undefined ? ([['pids.max', pidsMax]] as const) : []),
  ]
}

function unifiedFiles({ cpuQuotaUs, cpuShares, memoryBytes, pidsMax }: TaskLimits): Files {
  return [
    cpuQuotaUs === undefined
      ? ['cpu.weight', cpuWeightOf(cpuShares ?? 2)]
      : ['cpu.max', `${cpuQuotaUs} ${cpuPeriodUs}`],
    ...(memoryBytes === undefined ? [] : ([['memory.max', memoryBytes]] as const)),
    ...(pidsMax === undefined ? [] : ([['pids.max', pidsMax]] as const)),
  ]
}

/** Makes a group of version 2, each group above which must hand its controllers down, and so must it itself. */
async function handDown(hierarchy: string, group: string): Promise<void> {
  let path = hierarchy
  for (const name of ['', ...group.split('/').filter(Boolean)]) {
    path = join(path, name)
    await mkdir(path, { recursive: true })
    const words = async (file: string): Promise<readonly string[]> =>
      (await readFile(join(path, file), 'utf8')).trim().split(/\s+/)
    const handed = await words('cgroup.subtree_control')
    const missing = (await words('cgroup.controllers')).filter(
      (controller) =>
        ['cpu', 'memory', 'pids', 'io', 'cpuset'].includes(controller) && !handed.includes(controller),
    )
    if (missing.length > 0)
      await writeFile(
        join(path, 'cgroup.subtree_control'),
        missing.map((controller) => `+${controller}`).join(' '),
      )
  }
}

/** With the groups in it, which are those of containers that have ended. */
async function removeGroup(path: string): Promise<void> {
  try {
    for (const entry of await readdir(path, { withFileTypes: true }))
      if (entry.isDirectory()) await removeGroup(join(path, entry.name))
    await rmdir(path)
  } catch (error) {
    if (!['ENOENT', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}
