/** What AWS checks of tasks for Fargate before it looks for capacity. */
import type { RunTaskRequest, TaskOverride } from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import { isWindows, platforms } from '#domain/fargate.ts'
import { isFargateSize } from '#domain/task-definition-compatibility.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import { completeOverrides } from '#domain/task-overrides.ts'
import { refuse } from '#api/ecs/tasks/placement-checks.ts'

/** Throws InvalidParameterException for what goes with a task definition on instances only, or with no Fargate size. */
export function checkFargate(
  taskDefinition: TaskDefinition,
  {
    placementConstraints = [],
    placementStrategy = [],
    overrides = {},
  }: Pick<RunTaskRequest, 'placementConstraints' | 'placementStrategy' | 'overrides'>,
): void {
  if (placementConstraints.length > 0)
    refuse('Placement constraints are not supported with FARGATE launch type.')
  if (placementStrategy.length > 0) refuse('Placement strategies are not supported with FARGATE launch type.')
  const { cpu = taskDefinition.cpu, memory = taskDefinition.memory } = completeOverrides(
    taskDefinition,
    overrides,
  )
  const { runtimePlatform } = taskDefinition
  if (
    !isFargateSize({
      ...(cpu !== undefined && { cpu }),
      ...(memory !== undefined && { memory }),
      ...(runtimePlatform && { runtimePlatform }),
    })
  )
    refuse(
      `No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory. See the Amazon ECS documentation for the valid values.`,
    )
  if (overrides.containerOverrides?.some(({ resourceRequirements = [] }) => resourceRequirements.length > 0))
    refuse('Tasks using the Fargate launch type do not support GPU resource requirements.')
}

const allVersions: readonly string[] = platforms.linux.versions

/**
 * Throws PlatformUnknownException for a version that there is not, and PlatformTaskDefinitionIncompatibilityException for
 * one that lacks what the tasks need.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/platform-fargate.html
 */
export function checkPlatform(
  taskDefinition: TaskDefinition,
  {
    platformVersion = 'LATEST',
    spot = false,
    enableExecuteCommand = false,
    overrides,
  }: {
    readonly platformVersion?: string | undefined
    /** Whether a provider of Fargate Spot may start them. */
    readonly spot?: boolean
    readonly enableExecuteCommand?: boolean | undefined
    readonly overrides?: TaskOverride | undefined
  },
): void {
  if (platformVersion !== 'LATEST' && !allVersions.includes(platformVersion))
    throw new AwsError('PlatformUnknownException', 'The specified platform does not exist.')
  const windows = isWindows(taskDefinition)
  const { versions, latest } = windows ? platforms.windows : platforms.linux
  const version = platformVersion === 'LATEST' ? latest : platformVersion
  const { ephemeralStorage } = overrides ?? {}
  const task = { ...taskDefinition, ...(ephemeralStorage && { ephemeralStorage }) }
  const needed = neededVersion(task, { spot, enableExecuteCommand })
  const lacking =
    !versions.some((known) => known === version) ||
    (windows ? spot : allVersions.indexOf(version) < allVersions.indexOf(needed))
  if (lacking)
    throw new AwsError(
      'PlatformTaskDefinitionIncompatibilityException',
      'One or more of the requested capabilities are not supported.',
    )
}

/** The oldest Linux platform version that has all the tasks need. */
function neededVersion(
  { containerDefinitions, volumes, runtimePlatform, ephemeralStorage, pidMode }: TaskDefinition,
  { spot, enableExecuteCommand }: { readonly spot: boolean; readonly enableExecuteCommand: boolean },
): string {
  const newest =
    runtimePlatform?.cpuArchitecture === 'ARM64' ||
    enableExecuteCommand ||
    ephemeralStorage !== undefined ||
    pidMode !== undefined ||
    volumes.some(({ efsVolumeConfiguration }) => efsVolumeConfiguration) ||
    containerDefinitions.some(
      ({ environmentFiles = [], linuxParameters }) =>
        environmentFiles.length > 0 || (linuxParameters?.capabilities?.add ?? []).length > 0,
    )
  if (newest) return '1.4.0'
  const secrets = containerDefinitions.some(
    ({ secrets: given = [], logConfiguration }) =>
      given.length > 0 || (logConfiguration?.secretOptions ?? []).length > 0,
  )
  return spot || secrets ? '1.3.0' : '1.0.0'
}
