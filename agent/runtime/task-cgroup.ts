import { limitsFault, type TaskLimits, taskLimits } from '#engine/task-limits.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import { messageOf } from './agent-error.ts'
import { ResourceError, type TaskResource } from './task-resources.ts'

/** The cgroups of tasks on a host. */
export interface TaskCgroups {
  /** Where Docker is to make the cgroups of a task's containers. */
  parentOf(taskId: string): string
  /** Makes the task's cgroup with these limits; one that is there gets them anew. */
  make(taskId: string, limits: TaskLimits): Promise<void>
  /** Removes it; one that is gone is fine. Throws while a process is in it. */
  remove(taskId: string): Promise<void>
}

/**
 * A cgroup for each task with the task's cpu and memory, in which Docker makes those of its containers. Its name follows
 * from the task's id alone, so that it is found again after a restart of the agent.
 */
export function taskCgroup(cgroups: TaskCgroups, { pidsMax = 0 } = {}): TaskResource {
  return {
    name: 'cgroup',
    isNeeded: () => true,
    async provide({ task }) {
      const fault = limitsFault(task)
      if (fault !== undefined) throw new ResourceError(`task memory spec builder: ${fault}`)
      try {
        await cgroups.make(taskIdOf(task.arn), taskLimits(task, pidsMax))
      } catch (error) {
        throw new ResourceError(
          `cgroup resource: setup cgroup: unable to create cgroup at ${cgroups.parentOf(taskIdOf(task.arn))}: ${messageOf(error)}`,
        )
      }
      return { '*': { hostConfig: { CgroupParent: cgroups.parentOf(taskIdOf(task.arn)) } } }
    },
    release: ({ task }: TaskRecord) => cgroups.remove(taskIdOf(task.arn)),
  }
}

const taskIdOf = (arn: string): string => arn.slice(arn.lastIndexOf('/') + 1)
