/** Which GPUs of an instance a task's containers get. */
import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import type { ContainerInstance } from './container-instance.ts'
import type { Task } from './task.ts'

/** The ids of an instance's GPUs that none of these tasks holds. */
export function freeGpus(
  { registeredResources }: Pick<ContainerInstance, 'registeredResources'>,
  tasks: ReadonlyArray<Pick<Task, 'containers'>>,
): readonly string[] {
  const held = new Set(tasks.flatMap(({ containers }) => containers.flatMap(({ gpuIds = [] }) => gpuIds)))
  const all = registeredResources.find(({ name }) => name === 'GPU')?.stringSetValue ?? []
  return all.filter((id) => !held.has(id))
}

/** How many GPUs a container asks for. */
export function gpuCountOf({ resourceRequirements = [] }: ContainerDefinition): number {
  return resourceRequirements.reduce(
    (sum, { type, value }) => (type === 'GPU' ? sum + Number(value) : sum),
    0,
  )
}

/** One container after the other takes what it asks for; each GPU goes to one. In the order of the containers. */
export function assignGpus(
  containers: readonly ContainerDefinition[],
  free: readonly string[],
): ReadonlyArray<readonly string[]> {
  let taken = 0
  return containers.map((container) => free.slice(taken, (taken += gpuCountOf(container))))
}
