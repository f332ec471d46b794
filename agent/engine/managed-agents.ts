/** What is said of the agent of ECS Exec in a container: here it is this agent itself, which needs only the toolbox there. */
import type { PayloadContainer } from '@berth/agent-protocol/acs.ts'
import type { ContainerChange, TaskRecord } from './task-record.ts'

const executeCommandAgent = 'ExecuteCommandAgent'
/** What a host says that has a toolbox. */
export const executeCommandCapability = 'ecs.capability.execute-command'

export const isExecEnabled = ({ managedAgents = [] }: PayloadContainer): boolean =>
  managedAgents.some(({ name }) => name === executeCommandAgent)

/** Where the toolbox lies in a container. The name is the container's own, as at AWS, and the same after a restart. */
export function toolboxPath(record: TaskRecord, containerName: string): string {
  const found = record.containers.find(({ name }) => name === containerName)
  return `/ecs-execute-command-${found?.metadataId ?? ''}`
}

/** Goes with the changes of containers in a report; the reasons are those of the official agent. */
export function managedAgentChanges(
  { task }: TaskRecord,
  changes: readonly ContainerChange[],
): Array<{
  containerName: string
  managedAgentName: typeof executeCommandAgent
  status: 'RUNNING' | 'STOPPED'
  reason: string
}> {
  const enabled = new Set((task.containers ?? []).filter(isExecEnabled).map(({ name }) => name))
  return changes.flatMap(({ containerName, status }) =>
    status !== 'PENDING' && enabled.has(containerName)
      ? [
          {
            containerName,
            managedAgentName: executeCommandAgent,
            status,
            reason: status === 'RUNNING' ? 'ExecuteCommandAgent started' : 'Received Container Stopped event',
          },
        ]
      : [],
  )
}
