// What instances can be made of: types and the one image.
import type {
  _InstanceType,
  DescribeImagesCommandInput,
  DescribeImagesCommandOutput,
  DescribeInstanceTypesCommandInput,
  DescribeInstanceTypesCommandOutput,
  InstanceTypeInfo,
} from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import { type InstanceType, instanceTypes } from '#domain/ec2-instance-type.ts'
import { chosen, filtered, paged, refuseDryRun } from './list.ts'

export function describeInstanceTypes(
  _context: Context,
  input: DescribeInstanceTypesCommandInput,
): Answer<DescribeInstanceTypesCommandOutput> {
  refuseDryRun(input)
  const unknown = (input.InstanceTypes ?? []).filter((name) => !instanceTypes.has(name))
  if (unknown.length > 0)
    throw new AwsError(
      'InvalidInstanceType',
      `The following supplied instance types do not exist: [${unknown.join(', ')}]`,
    )
  const all = chosen(
    [...instanceTypes.values()],
    input.InstanceTypes,
    ({ instanceType }) => instanceType,
    (id) =>
      new AwsError('InvalidInstanceType', `The following supplied instance types do not exist: [${id}]`),
  )
  const matching = filtered(all, input.Filters, {
    'instance-type': (row) => row.instanceType,
    'processor-info.supported-architecture': (row) => row.architecture,
    'burstable-performance-supported': (row) => row.burstable,
    'current-generation': () => true,
    'bare-metal': () => false,
    'vcpu-info.default-vcpus': (row) => row.vcpu,
    'memory-info.size-in-mib': (row) => row.memoryMiB,
  })
  const sorted = matching.toSorted((left, right) => (left.instanceType < right.instanceType ? -1 : 1))
  const { rows, nextToken } = paged(sorted, input, (row) => row.instanceType)
  return { InstanceTypes: rows.map(showType), ...(nextToken !== undefined && { NextToken: nextToken }) }
}

function showType({
  instanceType,
  vcpu,
  memoryMiB,
  architecture,
  burstable,
}: InstanceType): InstanceTypeInfo {
  return {
    InstanceType: instanceType as _InstanceType,
    CurrentGeneration: true,
    BareMetal: false,
    BurstablePerformanceSupported: burstable,
    SupportedUsageClasses: ['on-demand'],
    SupportedRootDeviceTypes: ['ebs'],
    SupportedVirtualizationTypes: ['hvm'],
    ProcessorInfo: { SupportedArchitectures: [architecture] },
    VCpuInfo: { DefaultVCpus: vcpu },
    MemoryInfo: { SizeInMiB: memoryMiB },
    InstanceStorageSupported: false,
    NetworkInfo: {
      MaximumNetworkInterfaces: 1,
      Ipv4AddressesPerInterface: 1,
      Ipv6AddressesPerInterface: 0,
      Ipv6Supported: false,
      EnaSupport: 'unsupported',
    },
  }
}

/** The image of an instance launched without one. Instances of any image are the same: Docker and the agent. */
export const builtInImageId = 'ami-0be7400000000000a'

export const builtInImage = {
  ImageId: builtInImageId,
  Name: 'berth-ecs-optimized',
  ImageLocation: 'berth/berth-ecs-optimized',
  Description: 'Docker and the Berth agent, in a network and a cgroup of their own',
  ImageType: 'machine',
  OwnerId: '000000000000',
  ImageOwnerAlias: 'berth',
  Public: true,
  State: 'available',
  CreationDate: '2026-01-01T00:00:00.000Z',
  RootDeviceType: 'ebs',
  RootDeviceName: '/dev/xvda',
  VirtualizationType: 'hvm',
  PlatformDetails: 'Linux/UNIX',
} as const

export function describeImages(
  _context: Context,
  input: DescribeImagesCommandInput,
): Answer<DescribeImagesCommandOutput> {
  refuseDryRun(input)
  const all = chosen(
    [builtInImage],
    input.ImageIds,
    (image) => image.ImageId,
    (id) => new AwsError('InvalidAMIID.NotFound', `The image id '[${id}]' does not exist`),
  )
  const owned = all.filter(
    (image) =>
      (input.Owners === undefined ||
        input.Owners.some((owner) => ['amazon', image.ImageOwnerAlias, image.OwnerId].includes(owner))) &&
      // Everybody may launch it, and nobody was given leave by name.
      (input.ExecutableUsers === undefined || input.ExecutableUsers.includes('all')),
  )
  const matching = filtered(
    owned,
    input.Filters,
    {
      architecture: () => ['x86_64', 'arm64'],
      description: (image) => image.Description,
      'image-id': (image) => image.ImageId,
      'image-type': (image) => image.ImageType,
      'is-public': (image) => image.Public,
      name: (image) => image.Name,
      'owner-alias': (image) => ['amazon', image.ImageOwnerAlias],
      'owner-id': (image) => image.OwnerId,
      'root-device-type': (image) => image.RootDeviceType,
      state: (image) => image.State,
      'virtualization-type': (image) => image.VirtualizationType,
    },
    () => [],
  )
  const { rows, nextToken } = paged(matching, input, (image) => image.ImageId)
  return { Images: [...rows], ...(nextToken !== undefined && { NextToken: nextToken }) }
}
