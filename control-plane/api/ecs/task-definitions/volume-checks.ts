import type { ServiceVolumeConfiguration, TaskVolumeConfiguration } from '@aws-sdk/client-ecs'
import type { TaskDefinition } from '#domain/task-definition.ts'
import { refuse } from '#api/ecs/tasks/placement-checks.ts'

type VolumeConfiguration = TaskVolumeConfiguration | ServiceVolumeConfiguration

/** What each type of EBS volume can be, as the SDK describes it: sizes in GiB, and I/O operations a second. */
const volumeTypes: Readonly<Record<string, { readonly sizes: Range; readonly iops?: Range }>> = {
  gp2: { sizes: [1, 16_384] },
  gp3: { sizes: [1, 16_384], iops: [3_000, 16_000] },
  io1: { sizes: [4, 16_384], iops: [100, 64_000] },
  io2: { sizes: [4, 16_384], iops: [100, 256_000] },
  st1: { sizes: [125, 16_384] },
  sc1: { sizes: [125, 16_384] },
  standard: { sizes: [1, 1_024] },
}
type Range = readonly [least: number, most: number]

const throughputMax = 1_000
const reservedTags = ['AmazonECSCreated', 'AmazonECSManaged']

/**
 * Whether volumes are configured that the task definition leaves to be configured at launch, and only those. Throws
 * InvalidParameterException; the words about the volumes' own settings are ours, in AWS's manner.
 */
export function checkVolumeConfigurations(
  { volumes }: TaskDefinition,
  configurations: readonly VolumeConfiguration[] = [],
): void {
  const atLaunch = volumes.filter(({ configuredAtLaunch }) => configuredAtLaunch)
  if (configurations.length === 0) {
    if (atLaunch.length > 0)
      refuse('Task definition has configuredAtLaunch volume but no volume configuration provided at runtime')
    return
  }
  if (atLaunch.length === 0)
    refuse(
      'Volume configuration provided but no matching configuredAtLaunch volume found in task definition.',
    )
  for (const { name = '', managedEBSVolume } of configurations) {
    if (!atLaunch.some((volume) => volume.name === name))
      refuse(
        `The volume name '${name}' in your request does not have a matching volume in your Task Definition that is configurable at launch.`,
      )
    if (!managedEBSVolume) return refuse(`Volume configuration '${name}' must specify managedEBSVolume.`)
    checkManagedVolume(managedEBSVolume)
  }
  if (configurations.length > atLaunch.length) refuse('volumeConfigurations can have at most 1 items.')
}

function checkManagedVolume(volume: NonNullable<VolumeConfiguration['managedEBSVolume']>): void {
  const { volumeType = 'gp3', sizeInGiB, snapshotId, iops, throughput } = volume
  const type = volumeTypes[volumeType]
  if (!type) return refuse(`volumeType should be one of [${Object.keys(volumeTypes).join(',')}]`)
  if (!volume.roleArn) refuse('managedEBSVolume.roleArn should not be null or empty.')
  if (sizeInGiB === undefined && snapshotId === undefined)
    refuse('You must specify either a volume size or a snapshot ID.')
  checkRange(`sizeInGiB of a ${volumeType} volume`, sizeInGiB, type.sizes)
  if (iops === undefined && volumeType.startsWith('io'))
    refuse(`iops must be specified for ${volumeType} volumes.`)
  if (iops !== undefined && !type.iops) refuse(`iops is not supported for ${volumeType} volumes.`)
  if (type.iops) checkRange(`iops of a ${volumeType} volume`, iops, type.iops)
  if (throughput !== undefined && volumeType !== 'gp3')
    refuse(`throughput is not supported for ${volumeType} volumes.`)
  checkRange('throughput', throughput, [1, throughputMax])
  if (volume.volumeInitializationRate !== undefined && snapshotId === undefined)
    refuse('volumeInitializationRate can be specified with a snapshotId only.')
  if (volume.filesystemType !== undefined && !['ext3', 'ext4', 'xfs', 'ntfs'].includes(volume.filesystemType))
    refuse('filesystemType should be one of [ext3,ext4,xfs,ntfs]')
  for (const { resourceType, tags = [] } of volume.tagSpecifications ?? []) {
    if (resourceType !== 'volume') refuse('resourceType should be one of [volume]')
    const reserved = tags.find(({ key = '' }) => reservedTags.includes(key))
    if (reserved) refuse(`The tag key '${reserved.key}' is reserved for Amazon ECS.`)
  }
}

function checkRange(name: string, value: number | undefined, [least, most]: Range): void {
  if (value !== undefined && (value < least || value > most))
    refuse(`${name} must be between ${least} and ${most}.`)
}
