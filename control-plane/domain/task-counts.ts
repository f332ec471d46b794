import type { Task } from './task.ts'

/** Tasks that do not run yet, and shall. A task on its way down is not on its way up. */
const pending: ReadonlySet<string> = new Set(['PROVISIONING', 'PENDING', 'ACTIVATING'])

/** How many of the tasks run, and how many are on their way up, as services and their deployments show it. */
export function countTasks(tasks: readonly Task[]): {
  readonly pendingCount: number
  readonly runningCount: number
} {
  return {
    pendingCount: tasks.filter((task) => pending.has(task.lastStatus) && task.desiredStatus === 'RUNNING')
      .length,
    runningCount: tasks.filter((task) => task.lastStatus === 'RUNNING').length,
  }
}
