import type { ContainerInstance } from '#domain/container-instance.ts'
import { freeGpus } from '#domain/gpus.ts'
import { placedOn, type TaskPlacement } from '#domain/task.ts'
import type { View } from './store.ts'

/** What a task placed on the instance remembers of it and may have there; only where there are GPUs are its tasks read. */
export function placementOn(view: View, instance: ContainerInstance): TaskPlacement {
  const placement = placedOn(instance)
  if (!instance.registeredResources.some(({ name }) => name === 'GPU')) return placement
  const tasks = view.by('task', 'containerInstance', instance.containerInstanceArn)
  return { ...placement, freeGpus: freeGpus(instance, tasks) }
}
