import type { Contribution } from '#engine/contribution.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import { ResourceError, type TaskResource } from './task-resources.ts'

/**
 * Gives containers the GPUs that the control plane chose for them. With nvidia's runtime the variable says which; on
 * hosts outside EC2 Docker is asked for the devices itself, as the official agent does.
 */
export function taskGpus({
  gpus,
  external,
  runtime,
}: {
  /** The ids of all GPUs here. */
  readonly gpus: readonly string[]
  readonly external: boolean
  /** Docker's name for nvidia's runtime. */
  readonly runtime: string
}): TaskResource {
  return {
    name: 'gpus',
    isNeeded: (record) => gpusByContainer(record).size > 0,
    provide(record) {
      const byContainer = [...gpusByContainer(record)]
      const unknown = byContainer.flatMap(([, ids]) => ids).find((id) => !gpus.includes(id))
      if (unknown !== undefined)
        return Promise.reject(new ResourceError(`GPU ${unknown} is not on this host`))
      const contribution = (ids: readonly string[]): Contribution =>
        external
          ? { hostConfig: { DeviceRequests: [{ Capabilities: [['gpu']], DeviceIDs: ids }] } }
          : {
              environmentOver: { NVIDIA_VISIBLE_DEVICES: ids.join(',') },
              hostConfig: { Runtime: runtime },
            }
      return Promise.resolve(
        Object.fromEntries(byContainer.map(([container, ids]) => [container, contribution(ids)])),
      )
    },
  }
}

function gpusByContainer({ task }: TaskRecord): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const { type, name, containers } of task.associations ?? [])
    if (type === 'gpu')
      for (const container of containers) found.set(container, [...(found.get(container) ?? []), name])
  return found
}
