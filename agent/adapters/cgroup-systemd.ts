/** Cgroups of tasks as slices of systemd, for Docker's systemd driver: `ecstasks-<task id>.slice` in `ecstasks.slice`. */
import { cpuWeightOf, type TaskLimits } from '#engine/task-limits.ts'
import type { TaskCgroups } from '#runtime/task-cgroup.ts'
import type { RunProgram } from './run-program.ts'

/** A property of a unit, its D-Bus type (`t` is an unsigned number), and its value. */
type Property = readonly [name: string, type: 't' | 'b' | 's', value: number | boolean | string]

const manager = [
  'call',
  'org.freedesktop.systemd1',
  '/org/freedesktop/systemd1',
  'org.freedesktop.systemd1.Manager',
]

export class SystemdSlices implements TaskCgroups {
  readonly #run: RunProgram
  readonly #version: 1 | 2

  constructor(run: RunProgram, version: 1 | 2) {
    this.#run = run
    this.#version = version
  }

  parentOf(taskId: string): string {
    return `ecstasks-${taskId}.slice`
  }

  async make(taskId: string, limits: TaskLimits): Promise<void> {
    const unit = this.parentOf(taskId)
    const properties = limitProperties(limits, this.#version)
    const described: readonly Property[] = [['Description', 's', `Amazon ECS task ${taskId}`], ...properties]
    try {
      const words = [unit, 'replace', ...written(described), '0']
      await this.#run('busctl', [...manager, 'StartTransientUnit', 'ssa(sv)a(sa(sv))', ...words])
    } catch (error) {
      if (!/already (?:exists|loaded)|has a fragment file/.test(String(error))) throw error
      const words = [unit, 'true', ...written(properties)]
      await this.#run('busctl', [...manager, 'SetUnitProperties', 'sba(sv)', ...words])
    }
  }

  async remove(taskId: string): Promise<void> {
    await this.#run('systemctl', ['stop', this.parentOf(taskId)]).catch((error: unknown) => {
      if (!/not loaded|not found/.test(String(error))) throw error
    })
  }
}

function limitProperties(
  { cpuQuotaUs, cpuShares, memoryBytes, pidsMax }: TaskLimits,
  version: 1 | 2,
): readonly Property[] {
  return [
    ['CPUAccounting', 'b', true],
    ['MemoryAccounting', 'b', true],
    ['TasksAccounting', 'b', true],
    // systemd counts in microseconds of a second, and the quota is of a tenth of one.
    ...(cpuQuotaUs === undefined ? [] : ([['CPUQuotaPerSecUSec', 't', cpuQuotaUs * 10]] as const)),
    ...(cpuShares === undefined
      ? []
      : version === 1
        ? ([['CPUShares', 't', cpuShares]] as const)
        : ([['CPUWeight', 't', cpuWeightOf(cpuShares)]] as const)),
    ...(memoryBytes === undefined
      ? []
      : ([[version === 1 ? 'MemoryLimit' : 'MemoryMax', 't', memoryBytes]] as const)),
    ...(pidsMax === undefined ? [] : ([['TasksMax', 't', pidsMax]] as const)),
  ]
}

const written = (properties: readonly Property[]): readonly string[] => [
  String(properties.length),
  ...properties.flatMap(([name, type, value]) => [name, type, String(value)]),
]
