import type { RunInstancesCommandInput } from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import { instanceTypes } from '#domain/ec2-instance-type.ts'
import { asks, refuseMembers, unsupported } from './inputs.ts'

const userDataBytesMax = 16_384
const instancesAtOnceMax = 1_000

type Input = RunInstancesCommandInput
const first = (input: Input) => input.NetworkInterfaces?.[0]
const not = <T>(value: T | undefined, ...usual: readonly T[]): boolean =>
  value !== undefined && !usual.includes(value)

/**
 * What a part of an input can ask and Berth does not do: refused, because nobody would notice that it has no effect. Whole
 * members that are refused are named in inputs.ts.
 */
const unsupportedParts: Readonly<Record<string, (input: Input) => unknown>> = {
  // An instance uses the disk of its machine: a volume would be neither its size nor its own.
  'BlockDeviceMappings that ask for volumes': (input) =>
    input.BlockDeviceMappings?.some((mapping) => mapping.NoDevice === undefined),
  'CapacityReservationSpecification.CapacityReservationTarget': (input) =>
    input.CapacityReservationSpecification?.CapacityReservationTarget,
  'CapacityReservationSpecification.CapacityReservationPreference': (input) =>
    not(input.CapacityReservationSpecification?.CapacityReservationPreference, 'open', 'none'),
  HibernationOptions: (input) => input.HibernationOptions?.Configured,
  EnclaveOptions: (input) => input.EnclaveOptions?.Enabled,
  'PrivateDnsNameOptions.HostnameType': (input) => not(input.PrivateDnsNameOptions?.HostnameType, 'ip-name'),
  'PrivateDnsNameOptions.EnableResourceNameDnsARecord': (input) =>
    input.PrivateDnsNameOptions?.EnableResourceNameDnsARecord,
  'PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord': (input) =>
    input.PrivateDnsNameOptions?.EnableResourceNameDnsAAAARecord,
  'Placement.AvailabilityZoneId': (input) => input.Placement?.AvailabilityZoneId,
  'Placement.Affinity': (input) => not(input.Placement?.Affinity, 'default'),
  'Placement.GroupId': (input) => input.Placement?.GroupId,
  'Placement.GroupName': (input) => input.Placement?.GroupName,
  'Placement.HostId': (input) => input.Placement?.HostId,
  'Placement.HostResourceGroupArn': (input) => input.Placement?.HostResourceGroupArn,
  'Placement.PartitionNumber': (input) => input.Placement?.PartitionNumber,
  'Placement.SpreadDomain': (input) => input.Placement?.SpreadDomain,
  'Placement.Tenancy': (input) => not(input.Placement?.Tenancy, 'default'),
  'MetadataOptions.HttpEndpoint': (input) => not(input.MetadataOptions?.HttpEndpoint, 'enabled'),
  'MetadataOptions.HttpProtocolIpv6': (input) => not(input.MetadataOptions?.HttpProtocolIpv6, 'disabled'),
  'MetadataOptions.InstanceMetadataTags': (input) =>
    not(input.MetadataOptions?.InstanceMetadataTags, 'disabled'),
  'a second NetworkInterface': (input) => (input.NetworkInterfaces?.length ?? 0) > 1,
  'NetworkInterface.AssociateCarrierIpAddress': (input) => first(input)?.AssociateCarrierIpAddress,
  'NetworkInterface.ConnectionTrackingSpecification': (input) =>
    first(input)?.ConnectionTrackingSpecification,
  'NetworkInterface.DeleteOnTermination': (input) => not(first(input)?.DeleteOnTermination, true),
  'NetworkInterface.DeviceIndex': (input) => first(input)?.DeviceIndex,
  'NetworkInterface.EnaQueueCount': (input) => first(input)?.EnaQueueCount,
  'NetworkInterface.EnaSrdSpecification': (input) => first(input)?.EnaSrdSpecification,
  'NetworkInterface.InterfaceType': (input) => not(first(input)?.InterfaceType, 'interface'),
  'NetworkInterface.Ipv4PrefixCount': (input) => first(input)?.Ipv4PrefixCount,
  'NetworkInterface.Ipv4Prefixes': (input) => first(input)?.Ipv4Prefixes,
  'NetworkInterface.Ipv6AddressCount': (input) => first(input)?.Ipv6AddressCount,
  'NetworkInterface.Ipv6Addresses': (input) => first(input)?.Ipv6Addresses,
  'NetworkInterface.Ipv6PrefixCount': (input) => first(input)?.Ipv6PrefixCount,
  'NetworkInterface.Ipv6Prefixes': (input) => first(input)?.Ipv6Prefixes,
  'NetworkInterface.NetworkCardIndex': (input) => first(input)?.NetworkCardIndex,
  'NetworkInterface.NetworkInterfaceId': (input) => first(input)?.NetworkInterfaceId,
  'NetworkInterface.PrimaryIpv6': (input) => first(input)?.PrimaryIpv6,
  'NetworkInterface.PrivateIpAddresses': (input) => first(input)?.PrivateIpAddresses,
  'NetworkInterface.SecondaryPrivateIpAddressCount': (input) => first(input)?.SecondaryPrivateIpAddressCount,
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
  refuseMembers('RunInstances', input)
  for (const [name, asked] of Object.entries(unsupportedParts))
    if (asks(asked(input))) throw unsupported(name, 'RunInstances')
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
