import { type SandboxOptions, sandboxContributions, sandboxFault } from '#engine/fargate-sandbox.ts'
import { ResourceError, type TaskResource } from './task-resources.ts'

/** Keeps tasks within what Fargate allows, on a host of its pool; a task that asks for more stops before it starts. */
export function fargateSandbox(options: SandboxOptions): TaskResource {
  return {
    name: 'fargate sandbox',
    isNeeded: () => true,
    provide({ task }) {
      const fault = sandboxFault(task)
      return fault === undefined
        ? Promise.resolve(sandboxContributions(task, options))
        : Promise.reject(new ResourceError(fault))
    },
  }
}
