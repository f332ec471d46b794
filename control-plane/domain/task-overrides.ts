/** What a caller may change of a task definition for one task. */
import type {
  ContainerDefinition,
  ContainerOverride,
  KeyValuePair,
  LaunchType,
  TaskOverride,
} from '@aws-sdk/client-ecs'
import { parseArn } from './arn.ts'
import { fargateSizeProblem } from './task-definition-compatibility.ts'
import { cpuUnitsOf, memoryMiBOf, type TaskDefinition } from './task-definition.ts'

/** Of the overrides as JSON, all containers together. */
const overridesLengthMax = 8192
/** Of a task, in CPU units. */
const cpuMin = 128
const cpuMax = 196_608
/** Of a task on Fargate, in GiB. */
const ephemeralStorageMin = 21
const ephemeralStorageMax = 200
const environmentFilesMax = 10

type Overridable = Pick<TaskDefinition, 'containerDefinitions'>
type Sized = Overridable & Pick<TaskDefinition, 'cpu' | 'memory' | 'runtimePlatform'>

/** Why AWS refuses these overrides, in its words (an InvalidParameterException); undefined when it does not. */
export function overridesFault(
  taskDefinition: Sized,
  overrides: TaskOverride | undefined,
  launchType: LaunchType,
): string | undefined {
  if (!overrides) return undefined
  const [fault] = faults(taskDefinition, overrides, launchType)
  return fault
}

type Faults = Generator<string, void, undefined>

function* faults(taskDefinition: Sized, overrides: TaskOverride, launchType: LaunchType): Faults {
  if (JSON.stringify(overrides).length > overridesLengthMax)
    yield `Container Overrides length must be at most ${overridesLengthMax}`
  yield* taskFaults(taskDefinition, overrides, launchType)
  const memory = overrides.memory ?? taskDefinition.memory
  for (const override of overrides.containerOverrides ?? []) {
    if (Object.keys(override).length === 0) continue
    if (!override.name) yield 'Container name must be specified in container overrides.'
    const definition = taskDefinition.containerDefinitions.find(({ name }) => name === override.name)
    if (!definition)
      yield `Override for container named ${override.name} is not a container in the TaskDefinition.`
    else yield* containerFaults(override, definition, memory === undefined ? undefined : memoryMiBOf(memory))
  }
}

function* taskFaults(taskDefinition: Sized, overrides: TaskOverride, launchType: LaunchType): Faults {
  const { cpu, memory } = overrides
  const units = cpu === undefined ? undefined : (cpuUnitsOf(cpu) ?? 0)
  if (units !== undefined && (units < cpuMin || units > cpuMax)) yield `Invalid 'cpu' setting for task.`
  const mebibytes = memory === undefined ? undefined : (memoryMiBOf(memory) ?? 0)
  if (mebibytes !== undefined && mebibytes < 1) yield `Invalid 'memory' setting for task.`
  if (launchType === 'FARGATE' && (units ?? mebibytes) !== undefined) {
    const size = fargateSizeProblem({
      ...taskDefinition,
      ...(units !== undefined && { cpu: String(units) }),
      ...(mebibytes !== undefined && { memory: String(mebibytes) }),
    })
    if (size !== undefined) yield size
  }
  for (const role of [overrides.taskRoleArn, overrides.executionRoleArn])
    if (role?.startsWith('arn:') && !/^role\/.+/.test(parseArn(role)?.resource ?? ''))
      yield 'Role is not valid'
  if ((overrides.inferenceAcceleratorOverrides ?? []).length > 0)
    yield 'Elastic Inference accelerators are no longer available.'
  yield* storageFaults(overrides, launchType)
}

function* storageFaults({ ephemeralStorage }: TaskOverride, launchType: LaunchType): Faults {
  if (ephemeralStorage === undefined) return
  if (launchType !== 'FARGATE')
    yield 'Ephemeral storage overrides are supported for the FARGATE launch type only.'
  const { sizeInGiB = 0 } = ephemeralStorage
  if (sizeInGiB < ephemeralStorageMin) yield `EphemeralStorage size should be at least ${ephemeralStorageMin}`
  if (sizeInGiB > ephemeralStorageMax) yield `EphemeralStorage size should be at most ${ephemeralStorageMax}`
}

/** `taskMemoryMiB` is what the whole task has, where it says so. */
function* containerFaults(
  override: ContainerOverride,
  definition: ContainerDefinition,
  taskMemoryMiB: number | undefined,
): Faults {
  const { name, cpu, environment = [], environmentFiles = [], resourceRequirements = [] } = override
  if (cpu !== undefined && cpu < 0)
    yield `Invalid setting for container '${name}'. 'cpu' must not be negative.`
  yield* memoryFaults(override, definition, taskMemoryMiB)
  if (environment.some((pair) => !pair.name)) yield 'Environment variable name should not be null or empty.'
  if (environmentFiles.length > environmentFilesMax)
    yield 'The maximum number of environment files was exceeded. Specify ten or less and try again.'
  for (const { type, value = '' } of environmentFiles) {
    if (type !== 's3') yield `${type} is not a valid environment file type. Must be one of [s3]`
    if (parseArn(value)?.service !== 's3') yield 'Invalid arn syntax.'
  }
  for (const { type, value = '' } of resourceRequirements)
    if (type !== 'GPU') yield `Resource requirements of type ${type} are not supported.`
    else if (!/^[1-9]\d*$/.test(value))
      yield `Invalid 'resourceRequirements' setting for container '${name}'.`
}

function* memoryFaults(
  { name, memory, memoryReservation }: ContainerOverride,
  definition: ContainerDefinition,
  taskMemoryMiB: number | undefined,
): Faults {
  if (memory === undefined && memoryReservation === undefined) return
  const setting = `Invalid setting for container '${name}'.`
  if (memory !== undefined && memory < 6)
    yield `${setting} 'memory' must be at least 6: Docker gives a container no less than 6 MiB.`
  if (memoryReservation !== undefined && memoryReservation < 1)
    yield `${setting} 'memoryReservation' must be greater than zero.`
  const hard = memory ?? definition.memory
  const soft = memoryReservation ?? definition.memoryReservation
  if (hard !== undefined && soft !== undefined && hard < soft)
    yield `${setting} 'memory' must be greater than or equal to 'memoryReservation'.`
  if (taskMemoryMiB !== undefined && (hard ?? soft ?? 0) > taskMemoryMiB)
    yield `The 'memory' setting for container '${name}' is greater than for the task.`
}

/** The overrides as AWS shows them, sizes in CPU units and MiB: every container is named, in the definition's order, also where nothing is overridden. */
export function completeOverrides(taskDefinition: Overridable, overrides: TaskOverride = {}): TaskOverride {
  const { cpu, memory, taskRoleArn, executionRoleArn, ephemeralStorage } = overrides
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
    ...(ephemeralStorage && { ephemeralStorage }),
  }
}

/**
 * The task definition as one task runs it. Environments are merged by name and the override wins; all else that an
 * override gives takes the place of what stood there.
 */
export function applyOverrides(taskDefinition: TaskDefinition, overrides?: TaskOverride): TaskDefinition {
  if (!overrides) return taskDefinition
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
