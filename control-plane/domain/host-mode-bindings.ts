import type { NetworkBinding } from '@aws-sdk/client-ecs'
import type { TaskDefinition } from './task-definition.ts'

/** The ports of a container in host mode, for which Docker reports none: they are its definition's. */
export function hostModeBindings(
  name: string,
  taskDefinition: Pick<TaskDefinition, 'networkMode' | 'containerDefinitions'> | undefined,
): readonly NetworkBinding[] {
  if (taskDefinition?.networkMode !== 'host') return []
  const definition = taskDefinition.containerDefinitions.find((candidate) => candidate.name === name)
  return (definition?.portMappings ?? []).map(
    ({ containerPort, containerPortRange, hostPort, protocol = 'tcp' }) => ({
      bindIP: '0.0.0.0',
      ...(containerPort !== undefined && { containerPort, hostPort: hostPort || containerPort }),
      ...(containerPortRange !== undefined && { containerPortRange, hostPortRange: containerPortRange }),
      protocol,
    }),
  )
}
