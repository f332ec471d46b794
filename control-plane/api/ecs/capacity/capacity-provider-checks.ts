/** What CreateCapacityProvider and UpdateCapacityProvider check of a provider of an Auto Scaling group. */
import type {
  AutoScalingGroupProvider,
  AutoScalingGroupProviderUpdate,
  ManagedScaling,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import { isProviderName } from '#domain/capacity-provider.ts'
import { parseArn } from '#domain/arn.ts'
import { checkOneOf } from '#api/ecs/tasks/placement-checks.ts'

export function refuseProvider(message: string): never {
  throw new AwsError('ClientException', message)
}

/** Throws ClientException. */
export function checkProviderName(name: string): void {
  if (!isProviderName(name))
    refuseProvider(
      'The specified capacity provider name is invalid. Up to 255 characters are allowed, including letters (upper and lowercase), numbers, underscores, and hyphens. The name cannot be prefixed with "aws", "ecs", or "fargate". Specify a valid name and try again.',
    )
}

const scalingDefaults = {
  status: 'DISABLED',
  targetCapacity: 100,
  minimumScalingStepSize: 1,
  maximumScalingStepSize: 10_000,
  instanceWarmupPeriod: 300,
} as const satisfies ManagedScaling

/** From and to, and how AWS calls it; of its texts only the beginning of the one about the step size is known. */
const scalingRanges = [
  ['targetCapacity', 1, 100, 'target capacity'],
  ['minimumScalingStepSize', 1, 10_000, 'minimum scaling step size'],
  ['maximumScalingStepSize', 1, 10_000, 'maximum scaling step size'],
  ['instanceWarmupPeriod', 0, 10_000, 'instance warmup period'],
] as const

/** The provider with every default filled in. Throws ClientException and InvalidParameterException. */
export function autoScalingGroupProvider(asked: AutoScalingGroupProvider): AutoScalingGroupProvider {
  const { autoScalingGroupArn = '' } = asked
  // AWS takes the group's name too. Whether there is such a group is not asked: Berth has none yet.
  const arn = parseArn(autoScalingGroupArn)
  const valid = arn
    ? arn.service === 'autoscaling' && /^autoScalingGroup:[^:]+:autoScalingGroupName\/./.test(arn.resource)
    : /^(?!arn:).{1,255}$/.test(autoScalingGroupArn)
  if (!valid)
    refuseProvider('The specified Auto Scaling group ARN is invalid. Specify a valid ARN and try again.')
  return changedGroupProvider({ autoScalingGroupArn }, asked)
}

/** What an update leaves of the provider: what is left out stays. Throws as `autoScalingGroupProvider` does. */
export function changedGroupProvider(
  standing: AutoScalingGroupProvider,
  asked: AutoScalingGroupProviderUpdate,
): AutoScalingGroupProvider {
  const managedScaling = {
    ...scalingDefaults,
    ...standing.managedScaling,
    ...given(asked.managedScaling ?? {}),
  }
  const {
    managedTerminationProtection = standing.managedTerminationProtection ?? 'DISABLED',
    managedDraining = standing.managedDraining ?? 'ENABLED',
  } = asked
  checkScaling(managedScaling)
  checkOneOf('managedTerminationProtection', managedTerminationProtection, ['ENABLED', 'DISABLED'])
  checkOneOf('managedDraining', managedDraining, ['ENABLED', 'DISABLED'])
  if (managedTerminationProtection === 'ENABLED' && managedScaling.status !== 'ENABLED')
    refuseProvider(
      'The managed termination protection setting for the capacity provider is invalid. To enable managed termination protection for a capacity provider, managed scaling must be enabled.',
    )
  const { autoScalingGroupArn } = standing
  return { autoScalingGroupArn, managedScaling, managedTerminationProtection, managedDraining }
}

function checkScaling(scaling: Required<ManagedScaling>): void {
  checkOneOf('managedScaling status', scaling.status, ['ENABLED', 'DISABLED'])
  for (const [member, from, to, name] of scalingRanges) {
    const value = scaling[member] ?? from
    if (value < from || value > to)
      refuseProvider(
        `The specified ${name} is invalid. Specify a value between ${from} and ${to} and try again.`,
      )
  }
  const { minimumScalingStepSize = 1, maximumScalingStepSize = 1 } = scaling
  if (minimumScalingStepSize > maximumScalingStepSize)
    refuseProvider(
      'The minimum or maximum scaling step size value is invalid. Specify a minimum scaling step size value that is less than or equal to the maximum scaling step size value and try again.',
    )
}

/** Without the members that are left out: spreading them would take away what stands. */
function given(scaling: ManagedScaling): ManagedScaling {
  return Object.fromEntries(Object.entries(scaling).filter(([, value]) => value !== undefined))
}
