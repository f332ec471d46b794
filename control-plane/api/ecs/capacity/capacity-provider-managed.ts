/** What CreateCapacityProvider and UpdateCapacityProvider check of a provider of managed instances. */
import type {
  CapacityReservationRequest,
  CreateManagedInstancesProviderConfiguration,
  InstanceLaunchTemplate,
  InstanceLaunchTemplateUpdate,
  InstanceRequirementsRequest,
  ManagedInstancesProvider,
  UpdateManagedInstancesProviderConfiguration,
} from '@aws-sdk/client-ecs'
import { parseArn } from '#domain/arn.ts'
import { checkOneOf, refuse } from '#api/ecs/tasks/placement-checks.ts'

// No source has the texts of these refusals; they are made in the manner of AWS's others.

const subnetsMax = 16
const securityGroupsMax = 5
const storageGiB = { min: 30, max: 16_384 }
const scaleInAfterMax = 3600
const instanceTypesMax = 400

/** The provider with every default filled in. Throws InvalidParameterException. */
export function managedInstancesProvider(
  asked: CreateManagedInstancesProviderConfiguration,
): ManagedInstancesProvider {
  const { capacityOptionType = 'ON_DEMAND', fipsEnabled } = asked.instanceLaunchTemplate ?? {}
  checkOneOf('capacityOptionType', capacityOptionType, ['ON_DEMAND', 'SPOT', 'RESERVED'])
  return changedManagedProvider(
    {
      instanceLaunchTemplate: {
        ec2InstanceProfileArn: undefined,
        networkConfiguration: undefined,
        capacityOptionType,
        monitoring: 'BASIC',
        instanceMetadataTagsPropagation: true,
        ...(fipsEnabled !== undefined && { fipsEnabled }),
      },
      propagateTags: 'NONE',
    },
    asked,
  )
}

/** What an update leaves of the provider: what is left out stays. Throws InvalidParameterException. */
export function changedManagedProvider(
  standing: ManagedInstancesProvider,
  asked: CreateManagedInstancesProviderConfiguration | UpdateManagedInstancesProviderConfiguration,
): ManagedInstancesProvider {
  const { infrastructureRoleArn, infrastructureOptimization, autoRepairConfiguration } = {
    ...standing,
    ...given(asked),
  }
  const { propagateTags = standing.propagateTags } = asked
  checkIamArn('infrastructureRoleArn', infrastructureRoleArn, 'role')
  checkOneOf('propagateTags', propagateTags, ['CAPACITY_PROVIDER', 'NONE'])
  checkOneOf('autoRepairConfiguration.actionsStatus', autoRepairConfiguration?.actionsStatus, [
    'ENABLED',
    'DISABLED',
  ])
  const { scaleInAfter } = infrastructureOptimization ?? {}
  if (scaleInAfter !== undefined && scaleInAfter !== null)
    between('scaleInAfter', scaleInAfter, -1, scaleInAfterMax)
  return {
    infrastructureRoleArn,
    instanceLaunchTemplate: launchTemplate(standing.instanceLaunchTemplate, asked.instanceLaunchTemplate),
    propagateTags,
    ...(infrastructureOptimization && { infrastructureOptimization }),
    ...(autoRepairConfiguration && { autoRepairConfiguration }),
  }
}

function launchTemplate(
  standing: InstanceLaunchTemplate | undefined,
  asked: InstanceLaunchTemplate | InstanceLaunchTemplateUpdate | undefined,
): InstanceLaunchTemplate {
  const kept = { capacityOptionType: standing?.capacityOptionType, fipsEnabled: standing?.fipsEnabled }
  const template = given({
    ec2InstanceProfileArn: undefined,
    networkConfiguration: undefined,
    ...standing,
    ...given(asked ?? {}),
    ...kept,
  }) as InstanceLaunchTemplate
  checkIamArn('ec2InstanceProfileArn', template.ec2InstanceProfileArn, 'instance-profile')
  const { subnets = [], securityGroups = [] } = template.networkConfiguration ?? {}
  if (subnets.length === 0) refuse('subnets can not be empty.')
  if (subnets.length > subnetsMax) refuse(`subnets can have at most ${subnetsMax} items.`)
  if (securityGroups.length > securityGroupsMax)
    refuse(`securityGroups can have at most ${securityGroupsMax} items.`)
  const { storageSizeGiB } = template.storageConfiguration ?? {}
  if (storageSizeGiB !== undefined) between('storageSizeGiB', storageSizeGiB, storageGiB.min, storageGiB.max)
  if (storageSizeGiB !== undefined && template.localStorageConfiguration?.useLocalStorage)
    refuse('storageSizeGiB cannot be specified when useLocalStorage is true.')
  checkOneOf('monitoring', template.monitoring, ['BASIC', 'DETAILED'])
  checkReservations(template.capacityOptionType, template.capacityReservations)
  if (template.instanceRequirements) checkRequirements(template.instanceRequirements)
  return template
}

function checkReservations(
  optionType: string | undefined,
  reservations: CapacityReservationRequest | undefined,
): void {
  if (!reservations) return
  if (optionType !== 'RESERVED')
    refuse('capacityReservations can be specified only when capacityOptionType is RESERVED.')
  checkOneOf('reservationPreference', reservations.reservationPreference, [
    'RESERVATIONS_ONLY',
    'RESERVATIONS_FIRST',
    'RESERVATIONS_EXCLUDED',
  ])
}

const ranges = [
  'vCpuCount',
  'memoryMiB',
  'memoryGiBPerVCpu',
  'networkInterfaceCount',
  'totalLocalStorageGB',
  'baselineEbsBandwidthMbps',
  'acceleratorCount',
  'acceleratorTotalMemoryMiB',
  'networkBandwidthGbps',
] as const
const inclusion = ['included', 'excluded', 'required']
/** The values of the members that are one of a few, or a list of them. */
const choices = {
  bareMetal: inclusion,
  burstablePerformance: inclusion,
  localStorage: inclusion,
  cpuManufacturers: ['intel', 'amd', 'amazon-web-services'],
  instanceGenerations: ['current', 'previous'],
  localStorageTypes: ['hdd', 'ssd'],
  acceleratorTypes: ['gpu', 'fpga', 'inference'],
  acceleratorManufacturers: ['amazon-web-services', 'amd', 'habana', 'nvidia', 'xilinx'],
} as const
const percentages = [
  'spotMaxPricePercentageOverLowestPrice',
  'onDemandMaxPricePercentageOverLowestPrice',
  'maxSpotPriceAsPercentageOfOptimalOnDemandPrice',
] as const

function checkRequirements(requirements: InstanceRequirementsRequest): void {
  for (const name of ['vCpuCount', 'memoryMiB'] as const)
    if (requirements[name]?.min === undefined) refuse(`instanceRequirements.${name}.min must be specified.`)
  for (const name of ranges) {
    const { min = 0, max = Infinity } = requirements[name] ?? {}
    if (min < 0 || max < 0) refuse(`instanceRequirements.${name} must not be negative.`)
    if (min > max) refuse(`The min of instanceRequirements.${name} must not be greater than its max.`)
  }
  for (const [name, allowed] of Object.entries(choices))
    for (const value of [requirements[name as keyof typeof choices] ?? []].flat())
      checkOneOf(`instanceRequirements.${name}`, value, allowed)
  for (const name of percentages)
    if ((requirements[name] ?? 0) < 0) refuse(`instanceRequirements.${name} must not be negative.`)
  const { allowedInstanceTypes = [], excludedInstanceTypes = [] } = requirements
  if (allowedInstanceTypes.length > 0 && excludedInstanceTypes.length > 0)
    refuse('Specify either allowedInstanceTypes or excludedInstanceTypes, but not both.')
  if (Math.max(allowedInstanceTypes.length, excludedInstanceTypes.length) > instanceTypesMax)
    refuse(`instanceRequirements can have at most ${instanceTypesMax} instance types.`)
  if (
    requirements.spotMaxPricePercentageOverLowestPrice !== undefined &&
    requirements.maxSpotPriceAsPercentageOfOptimalOnDemandPrice !== undefined
  )
    refuse(
      'Specify either spotMaxPricePercentageOverLowestPrice or maxSpotPriceAsPercentageOfOptimalOnDemandPrice, but not both.',
    )
}

function checkIamArn(name: string, ref: string | undefined, kind: 'role' | 'instance-profile'): void {
  const arn = parseArn(ref ?? '')
  if (arn?.service !== 'iam' || !arn.resource.startsWith(`${kind}/`))
    refuse(
      `The specified ${name} is invalid. Specify the ARN of an IAM ${kind.replace('-', ' ')} and try again.`,
    )
}

function between(name: string, value: number, min: number, max: number): void {
  if (value < min || value > max) refuse(`${name} must be between ${min} and ${max}.`)
}

/** Without the members that are left out: spreading them would take away what stands. */
function given<Members extends object>(members: Members): Partial<Members> {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined),
  ) as Partial<Members>
}
