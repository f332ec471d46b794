// What EC2's operations do with each member of their input, so that nothing is taken and silently ignored: it is honoured,
// it is refused, or it has a row in stored-only.ts. A test holds this page against the model.
import type * as EC2 from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'

import { networkInputs } from './network-inputs.ts'

type Sdk = typeof EC2
type Member<Command> = Command extends { readonly prototype: { readonly input: infer Input } }
  ? keyof Input & string
  : never

interface Members<M> {
  /** The answer is what it asks for, if only because nothing here could be different. */
  readonly honoured: readonly M[]
  /** Whoever asks for something by it is told that Berth does not have it. */
  readonly refused?: readonly M[]
}

const listed = ['Filters', 'MaxResults', 'NextToken', 'DryRun'] as const

export const inputs = {
  ...networkInputs,
  CreateTags: { honoured: ['Resources', 'Tags', 'DryRun'] },
  DeleteTags: { honoured: ['Resources', 'Tags', 'DryRun'] },
  // Every zone and region is shown always, since none has to be opted in to.
  DescribeAvailabilityZones: {
    honoured: ['ZoneNames', 'ZoneIds', 'Filters', 'DryRun', 'AllAvailabilityZones'],
  },
  DescribeRegions: { honoured: ['RegionNames', 'Filters', 'DryRun', 'AllRegions'] },
  // No image is deprecated or disabled.
  DescribeImages: {
    honoured: [...listed, 'ImageIds', 'Owners', 'ExecutableUsers', 'IncludeDeprecated', 'IncludeDisabled'],
  },
  DescribeInstanceAttribute: { honoured: ['InstanceId', 'Attribute', 'DryRun'] },
  // No instance and no interface is managed by a service of AWS.
  DescribeInstanceStatus: {
    honoured: [...listed, 'InstanceIds', 'IncludeAllInstances', 'IncludeManagedResources'],
  },
  DescribeInstances: { honoured: [...listed, 'InstanceIds', 'IncludeManagedResources'] },
  // Every type is supported in every region.
  DescribeInstanceTypes: { honoured: [...listed, 'InstanceTypes', 'IncludeUnsupportedInRegion'] },
  DescribeTags: { honoured: listed },
  // The output is always the latest.
  GetConsoleOutput: { honoured: ['InstanceId', 'DryRun', 'Latest'] },
  RebootInstances: { honoured: ['InstanceIds', 'DryRun'] },
  RunInstances: {
    honoured: [
      'MinCount',
      'MaxCount',
      'InstanceType',
      'Placement',
      'SubnetId',
      'PrivateIpAddress',
      'NetworkInterfaces',
      'TagSpecifications',
      'MetadataOptions',
      'ClientToken',
      'DryRun',
      // Those that ask for what AWS does anyhow are honoured, the others refused, one by one in launch-checks.ts.
      'BlockDeviceMappings',
      'CapacityReservationSpecification',
      'EnclaveOptions',
      'HibernationOptions',
      'PrivateDnsNameOptions',
    ],
    refused: [
      'CpuOptions',
      'DisableApiStop',
      'DisableApiTermination',
      'ElasticGpuSpecification',
      'ElasticInferenceAccelerators',
      'EnablePrimaryIpv6',
      'InstanceMarketOptions',
      'Ipv6AddressCount',
      'Ipv6Addresses',
      'KernelId',
      'LaunchTemplate',
      'LicenseSpecifications',
      'NetworkPerformanceOptions',
      'Operator',
      'RamdiskId',
      'SecondaryInterfaces',
    ],
  },
  StartInstances: { honoured: ['InstanceIds', 'DryRun'] },
  StopInstances: { honoured: ['InstanceIds', 'DryRun', 'Hibernate'] },
  TerminateInstances: { honoured: ['InstanceIds', 'DryRun'] },
} as const satisfies {
  readonly [Export in keyof Sdk as Export extends `${infer N}Command` ? N : never]?: Members<
    Member<Sdk[Export]>
  >
}

/** Whether a value asks for anything: `false`, an empty list and zero ask for what there is anyhow. */
export function asks(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}

type Refusing = {
  [Operation in keyof typeof inputs]: (typeof inputs)[Operation] extends { readonly refused: object }
    ? Operation
    : never
}[keyof typeof inputs]

/** Throws UnsupportedOperation for the first member that asks for what Berth does not have. */
export function refuseMembers(operation: Refusing, input: object): void {
  const refused: readonly string[] = inputs[operation].refused
  for (const name of refused)
    if (asks((input as Readonly<Record<string, unknown>>)[name])) throw unsupported(name, operation)
}

export function unsupported(what: string, operation: string): AwsError {
  return new AwsError('UnsupportedOperation', `Berth does not support ${what} in ${operation}.`)
}
