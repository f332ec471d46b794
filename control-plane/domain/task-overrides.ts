/** What a caller may change of a task definition for one task. */
import type { ContainerDefinition, ContainerOverride, KeyValuePair, TaskOverride } from '@aws-sdk/client-ecs'
import { cpuUnitsOf, memoryMiBOf, type TaskDefinition } from './task-definition.ts'

/** Of the overrides as JSON, all containers together. */
const overridesLengthMax = 8192

type Overridable = Pick<TaskDefinition, 'containerDefinitions'>

/** Why AWS refuses these overrides, in its words (an InvalidParameterException); undefined when it does not. */
export function overridesFault(
  taskDefinition: Overridable,
  overrides: TaskOverride = {},
): string | undefined {
  if (JSON.stringify(overrides).length > overridesLengthMax)
    return `Container Overrides length must be at most ${overridesLengthMax}`
  const names = new Set(taskDefinition.containerDefinitions.map(({ name }) => name))
  for (const override of overrides.containerOverrides ?? []) {
    if (Object.keys(override).length === 0) continue
    if (!override.name) return 'Container name must be specified in container overrides.'
    if (!names.has(override.name))
      return `Override for container named ${override.name} is not a container in the TaskDefinition.`
    const fault = containerFault(override)
    if (fault !== undefined) return fault
  }
  if (overrides.cpu !== undefined && cpuUnitsOf(overrides.cpu) === undefined)
    return `Invalid 'cpu' setting for task.`
  if (overrides.memory !== undefined && memoryMiBOf(overrides.memory) === undefined)
    return `Invalid 'memory' setting for task.`
  if ((overrides.inferenceAcceleratorOverrides ?? []).length > 0)
    return 'Elastic Inference accelerators are no longer available.'
  if (overrides.ephemeralStorage !== undefined)
    return 'Ephemeral storage overrides are supported for the FARGATE launch type only.'
  return undefined
}

function containerFault({
  name,
  cpu,
  memory,
  memoryReservation,
  resourceRequirements = [],
  environmentFiles = [],
}: ContainerOverride): string | undefined {
  if (cpu !== undefined && cpu < 0)
    return `Invalid cpu override for container ${name}: it must not be negative.`
  if (memory !== undefined && memory < 6)
    return `Invalid memory override for container ${name}: Docker gives a container no less than 6 MiB.`
  if (memory !== undefined && memoryReservation !== undefined && memoryReservation > memory)
    return `Invalid overrides for container ${name}: memoryReservation must not exceed memory.`
  const other = resourceRequirements.find(({ type }) => type !== 'GPU')
  if (other) return `Resource requirements of type ${other.type} are not supported.`
  if (resourceRequirements.some(({ value = '' }) => !/^[1-9]\d*$/.test(value)))
    return `Invalid 'resourceRequirements' setting for container '${name}'.`
  if (environmentFiles.length > 10)
    return 'The maximum number of environment files was exceeded. Specify ten or less and try again.'
  return undefined
}

/** The overrides as AWS shows them, sizes in CPU units and MiB: every container is named, in the definition's order, also where nothing is overridden. */
export function completeOverrides(taskDefinition: Overridable, overrides: TaskOverride = {}): TaskOverride {
  const { cpu, memory, taskRoleArn, executionRoleArn } = overrides
  const asked = new Map(overrides.containerOverrides?.map((override) => [override.name, override]))
  return {
    containerOverrides: taskDefinition.containerDefinitions.map(({ name = '' }) => ({
      ...asked.get(name),
      name,
    })),
    inferenceAcceleratorOverrides: [],
    ...(cpu !== undefined && { cpu: String(cpuUnitsOf(cpu) ?? cpu) }),
    ...(memory !== undefined && { memory: String(memoryMiBOf(memory) ?? memory) }),
    ...(taskRoleArn !== undefined && { taskRoleArn }),
    ...(executionRoleArn !== undefined && { executionRoleArn }),
  }
}

/**
 * The task definition as one task runs it. Environments are merged by name and the override wins; all else that an
 * override gives takes the place of what stood there.
 */
export function applyOverrides(taskDefinition: TaskDefinition, overrides: TaskOverride = {}): TaskDefinition {
  const { containerOverrides, cpu, memory, taskRoleArn, executionRoleArn } = completeOverrides(
    taskDefinition,
    overrides,
  )
  return {
    ...taskDefinition,
    containerDefinitions: taskDefinition.containerDefinitions.map((definition, index) =>
      applyTo(definition, containerOverrides?.[index] ?? {}),
    ),
    ...(cpu !== undefined && { cpu }),
    ...(memory !== undefined && { memory }),
    ...(taskRoleArn !== undefined && { taskRoleArn }),
    ...(executionRoleArn !== undefined && { executionRoleArn }),
  }
}

function applyTo(definition: ContainerDefinition, override: ContainerOverride): ContainerDefinition {
  const { name: _, environment, ...others } = override
  const given = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined))
  return {
    ...definition,
    ...given,
    ...(environment && { environment: mergeEnvironment(definition.environment ?? [], environment) }),
  }
}

function mergeEnvironment(standing: readonly KeyValuePair[], asked: readonly KeyValuePair[]): KeyValuePair[] {
  const merged = new Map([...standing, ...asked].map((pair) => [pair.name, pair]))
  return [...merged.values()]
}
