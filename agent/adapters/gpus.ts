import { readFile } from 'node:fs/promises'
import type { RunProgram } from './run-program.ts'

export interface Gpus {
  readonly ids: readonly string[]
  readonly driverVersion: string
}

/** Where ECS-optimized images write down what GPUs there are. */
const infoFile = '/var/lib/ecs/gpu/nvidia-gpu-info.json'

/**
 * The NVIDIA GPUs of the machine: from the file of ECS-optimized images where there is one, else from the driver's own
 * tool. Undefined when there are none, or nothing tells.
 */
export async function nvidiaGpus(run: RunProgram, file = infoFile): Promise<Gpus | undefined> {
  try {
    const info = JSON.parse(await readFile(file, 'utf8')) as { DriverVersion?: string; GPUIDs?: string[] }
    const { DriverVersion: driverVersion = '', GPUIDs: ids = [] } = info
    return ids.length > 0 ? { ids, driverVersion } : undefined
  } catch {
    // No such image; the driver is asked.
  }
  try {
    const printed = await run('nvidia-smi', ['--query-gpu=uuid,driver_version', '--format=csv,noheader'])
    const rows = printed
      .trim()
      .split('\n')
      .map((line) => line.split(',').map((word) => word.trim()))
    const ids = rows.flatMap(([id]) => id || [])
    return ids.length > 0 ? { ids, driverVersion: rows[0]?.[1] ?? '' } : undefined
  } catch {
    return undefined
  }
}
