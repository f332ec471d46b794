import type { Task } from './task.ts'

/** The agent that Amazon ECS manages in a container: there is only that of ECS Exec. */
export const executeCommandAgent = 'ExecuteCommandAgent'

/** What an instance must be able to do for a task with execute command. */
export const executeCommandAttribute = 'ecs.capability.execute-command'

/** The execute command agent of a container, as the container's agent reported it last. */
export interface ManagedAgent {
  readonly lastStatus: 'PENDING' | 'RUNNING' | 'STOPPED'
  readonly lastStartedAt?: number
  readonly reason?: string
}

export interface ManagedAgentReport {
  readonly containerName: string
  readonly managedAgentName: string
  readonly status: ManagedAgent['lastStatus']
  readonly reason?: string
}

/**
 * The task after its agent told what became of the managed agents in its containers. Unlike a container, one that has
 * stopped may be started again. A report that says nothing new gives the same object.
 */
export function observeManagedAgents(task: Task, reports: readonly ManagedAgentReport[], now: number): Task {
  if (!task.enableExecuteCommand || reports.length === 0) return task
  let changed = false
  const containers = task.containers.map((container) => {
    const told = reports
      .filter(
        ({ containerName, managedAgentName }) =>
          containerName === container.name && managedAgentName === executeCommandAgent,
      )
      .at(-1)
    if (!told) return container
    const { managedAgent } = container
    if (managedAgent?.lastStatus === told.status && managedAgent.reason === told.reason) return container
    changed = true
    const startedAt = told.status === 'RUNNING' ? now : managedAgent?.lastStartedAt
    return {
      ...container,
      managedAgent: {
        lastStatus: told.status,
        ...(startedAt !== undefined && { lastStartedAt: startedAt }),
        ...(told.reason !== undefined && { reason: told.reason }),
      },
    }
  })
  return changed ? { ...task, containers, version: task.version + 1 } : task
}
