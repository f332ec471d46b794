import type { PlacementConstraint, TaskOverride } from '@aws-sdk/client-ecs'
import type { Requirements } from './placement/admission.ts'
import { executeCommandAttribute } from './managed-agent.ts'
import type { Demand } from './resources.ts'
import { overridesAttributesOf } from './task-definition-attributes.ts'
import type { TaskDefinition } from './task-definition.ts'

/** What a task of this definition asks of the instance it is placed on, its request's constraints included. */
export function requirementsOf(
  taskDefinition: TaskDefinition,
  task: {
    readonly demand: Demand
    readonly group: string
    readonly launchType: 'EC2' | 'EXTERNAL'
    readonly capacityProviderName?: string | undefined
    readonly constraints: readonly PlacementConstraint[]
    readonly overrides?: TaskOverride | undefined
    readonly enableExecuteCommand?: boolean | undefined
    /** Of the subnets that it may be in, as far as it has a network interface of its own. */
    readonly zones?: readonly string[] | undefined
  },
): Requirements {
  const { demand, group, launchType, capacityProviderName, overrides = {}, zones } = task
  return {
    demand,
    group,
    launchType,
    ...(capacityProviderName !== undefined && { capacityProviderName }),
    ...(zones !== undefined && taskDefinition.networkMode === 'awsvpc' && { zones }),
    requiresAttributes: [
      ...taskDefinition.requiresAttributes.map((name) => ({ name })),
      ...platformAttributes(taskDefinition),
      ...overridesAttributesOf(overrides).map((name) => ({ name })),
      ...(task.enableExecuteCommand ? [{ name: executeCommandAttribute }] : []),
    ],
    constraints: [...taskDefinition.placementConstraints, ...task.constraints],
  }
}

function platformAttributes({
  runtimePlatform = {},
}: TaskDefinition): Array<{ name: string; value: string }> {
  const { cpuArchitecture, operatingSystemFamily } = runtimePlatform
  const windows = operatingSystemFamily?.startsWith('WINDOWS')
  return [
    ...(cpuArchitecture === undefined
      ? []
      : [{ name: 'ecs.cpu-architecture', value: cpuArchitecture.toLowerCase() }]),
    ...(operatingSystemFamily === undefined
      ? []
      : [{ name: 'ecs.os-type', value: windows ? 'windows' : 'linux' }]),
    // A container of Windows runs on the edition that it was built for only.
    ...(windows && operatingSystemFamily !== undefined
      ? [{ name: 'ecs.os-family', value: operatingSystemFamily }]
      : []),
  ]
}
