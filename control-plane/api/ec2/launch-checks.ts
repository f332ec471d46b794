import type { RunInstancesCommandInput } from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import { instanceTypes } from '#domain/ec2-instance-type.ts'

const userDataBytesMax = 16_384
const instancesAtOnceMax = 1_000

/** What RunInstances can be asked and Berth does not do: refused, because nobody would notice that it has no effect. */
const unsupported: Readonly<Record<string, (input: RunInstancesCommandInput) => unknown>> = {
  LaunchTemplate: (input) => input.LaunchTemplate,
  InstanceMarketOptions: (input) => input.InstanceMarketOptions,
  KernelId: (input) => input.KernelId,
  RamdiskId: (input) => input.RamdiskId,
  DisableApiTermination: (input) => input.DisableApiTermination,
  DisableApiStop: (input) => input.DisableApiStop,
  HibernationOptions: (input) => input.HibernationOptions?.Configured,
  EnclaveOptions: (input) => input.EnclaveOptions?.Enabled,
  LicenseSpecifications: (input) => input.LicenseSpecifications?.length,
  ElasticGpuSpecification: (input) => input.ElasticGpuSpecification?.length,
  ElasticInferenceAccelerators: (input) => input.ElasticInferenceAccelerators?.length,
  SecondaryInterfaces: (input) => input.SecondaryInterfaces?.length,
  Ipv6Addresses: (input) => input.Ipv6Addresses?.length,
  Ipv6AddressCount: (input) => input.Ipv6AddressCount,
  'Placement.GroupName': (input) => input.Placement?.GroupName,
  'Placement.HostId': (input) => input.Placement?.HostId,
  'Placement.Tenancy': (input) =>
    input.Placement?.Tenancy !== undefined && input.Placement.Tenancy !== 'default',
  'MetadataOptions.HttpEndpoint': (input) => input.MetadataOptions?.HttpEndpoint === 'disabled',
  'MetadataOptions.InstanceMetadataTags': (input) =>
    input.MetadataOptions?.InstanceMetadataTags === 'enabled',
  'a second NetworkInterface': (input) => (input.NetworkInterfaces?.length ?? 0) > 1,
  'NetworkInterface.NetworkInterfaceId': (input) => input.NetworkInterfaces?.[0]?.NetworkInterfaceId,
}

/** Refuses a RunInstances that AWS refuses for its values alone, and one that asks for what Berth does not have. */
export function checkLaunch(input: RunInstancesCommandInput): void {
  const { MinCount: minCount = 0, MaxCount: maxCount = 0, InstanceType: type, ImageId: imageId } = input
  if (minCount < 1)
    throw invalid(`Value (${minCount}) for parameter minCount is invalid. Expecting a value greater than 0.`)
  if (maxCount < minCount)
    throw invalid(
      `Value (${minCount}) for parameter minCount is invalid. 'minCount' must be less than or equal to 'maxCount'.`,
    )
  if (maxCount > instancesAtOnceMax)
    throw new AwsError(
      'InstanceLimitExceeded',
      `You have requested more instances (${maxCount}) than Berth launches at once (${instancesAtOnceMax}).`,
    )
  if (imageId !== undefined && !/^ami-[0-9a-z]+$/.test(imageId))
    throw new AwsError('InvalidAMIID.Malformed', `Invalid id: "${imageId}" (expecting "ami-...")`)
  if (type !== undefined && !instanceTypes.has(type))
    throw invalid(`Invalid value '${type}' for InstanceType.`)
  if ((input.NetworkInterfaces?.length ?? 0) > 0 && (input.SubnetId !== undefined || input.SecurityGroupIds))
    throw new AwsError(
      'InvalidParameterCombination',
      'Network interfaces and an instance-level subnet ID or security groups may not be specified on the same request',
    )
  const address = input.PrivateIpAddress ?? input.NetworkInterfaces?.[0]?.PrivateIpAddress
  if (address !== undefined && maxCount > 1)
    throw new AwsError(
      'InvalidParameterCombination',
      'A private IP address may be given for one instance only.',
    )
  for (const { ResourceType: resourceType } of input.TagSpecifications ?? [])
    if (!['instance', 'network-interface', 'volume'].includes(resourceType ?? ''))
      throw invalid(`'${resourceType}' is not a valid taggable resource type for this operation.`)
  for (const [name, isAsked] of Object.entries(unsupported))
    if (isAsked(input))
      throw new AwsError('UnsupportedOperation', `Berth does not support ${name} in RunInstances.`)
}

/** The user data, if it is what AWS takes: base64 of at most 16 KiB. */
export function userDataOf(base64: string | undefined): string | undefined {
  if (base64 === undefined || base64 === '') return undefined
  const compact = base64.replaceAll(/\s/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(compact) || compact.length % 4 === 1)
    throw new AwsError('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data.')
  if (Buffer.from(compact, 'base64').length > userDataBytesMax)
    throw invalid(`User data is limited to ${userDataBytesMax} bytes`)
  return compact
}

const invalid = (message: string): AwsError => new AwsError('InvalidParameterValue', message)
