import type { HealthStatus, Task } from './task.ts'

/**
 * The task after its agent told the health of containers. Only containers with a health check in the task definition
 * have one. The task's own is that of its essential containers: UNHEALTHY if one is, else UNKNOWN if one is, else
 * HEALTHY. An event does not carry health, so the version stays.
 */
export function observeHealth(
  task: Task,
  healths: ReadonlyArray<{ readonly containerName: string; readonly status: HealthStatus }>,
  essentials: readonly string[],
): Task {
  if (task.lastStatus === 'STOPPED') return task
  const told = new Map(healths.map(({ containerName, status }) => [containerName, status]))
  const containers = task.containers.map((container) => {
    const healthStatus = told.get(container.name) ?? container.healthStatus
    return healthStatus === container.healthStatus ? container : { ...container, healthStatus }
  })
  const essential = containers.filter(({ name }) => essentials.includes(name))
  const has = (status: HealthStatus): boolean =>
    essential.some((container) => container.healthStatus === status)
  const unknown = has('UNKNOWN') || essential.length === 0
  const healthStatus = has('UNHEALTHY') ? 'UNHEALTHY' : unknown ? 'UNKNOWN' : 'HEALTHY'
  const same = containers.every((container, index) => container === task.containers[index])
  return same && healthStatus === task.healthStatus ? task : { ...task, containers, healthStatus }
}
