import type {
  _InstanceType,
  Instance as ShownInstance,
  InstanceState,
  NetworkInterface,
  Reservation,
} from '@aws-sdk/client-ec2'
import { instanceTypes } from '#domain/ec2-instance-type.ts'
import { instanceRole, instanceState, type Instance } from '#domain/instance.ts'
import type { View } from '#state/store.ts'
import { showTags, tagsOf } from './tag.ts'

const stateCodes = {
  pending: 0,
  running: 16,
  'shutting-down': 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
} as const

/** The state of an instance as AWS gives it: a code and a name. */
export function showState(row: Instance): InstanceState {
  const name = instanceState(row)
  return { Code: stateCodes[name], Name: name }
}

export function stateCode(row: Instance): number {
  return stateCodes[instanceState(row)]
}

/** Instances by the request that launched them, in the order given. */
export function showReservations(view: View, rows: readonly Instance[]): Reservation[] {
  const byReservation = Map.groupBy(rows, ({ reservationId }) => reservationId)
  return [...byReservation].map(([reservationId, instances]) => ({
    ReservationId: reservationId,
    OwnerId: instances[0]?.accountId,
    Groups: [],
    Instances: instances.map((row) => showInstance(view, row)),
  }))
}

const groupsOf = (view: View, row: Instance) =>
  row.securityGroupIds.map((groupId) => ({
    GroupId: groupId,
    GroupName: view.find('securityGroup', groupId)?.groupName,
  }))

function showInstance(view: View, row: Instance): ShownInstance {
  const type = instanceTypes.get(row.instanceType)
  const onNetwork = row.state !== 'terminated'
  const { instanceProfileArn, instanceProfileId } = instanceRole(row)
  const groups = groupsOf(view, row)
  return {
    InstanceId: row.instanceId,
    ImageId: row.imageId,
    State: showState(row),
    PrivateDnsName: onNetwork ? row.privateDnsName : '',
    PublicDnsName: onNetwork ? (row.publicDnsName ?? '') : '',
    StateTransitionReason: row.stateTransitionReason,
    ...(row.stateReason && { StateReason: { Code: row.stateReason.code, Message: row.stateReason.message } }),
    ...(row.keyName !== undefined && { KeyName: row.keyName }),
    AmiLaunchIndex: row.launchIndex,
    ProductCodes: [],
    InstanceType: row.instanceType as _InstanceType,
    LaunchTime: new Date(row.launchTime),
    Placement: { AvailabilityZone: row.availabilityZone, GroupName: '', Tenancy: 'default' },
    Monitoring: { State: 'disabled' },
    ...(onNetwork && {
      SubnetId: row.subnetId,
      VpcId: row.vpcId,
      PrivateIpAddress: row.privateIpAddress,
      ...(row.publicIpAddress !== undefined && { PublicIpAddress: row.publicIpAddress }),
      NetworkInterfaces: [showAttachedInterface(view, row)],
      SecurityGroups: groups,
    }),
    Architecture: type?.architecture ?? 'x86_64',
    BlockDeviceMappings: [],
    ...(row.clientToken !== undefined && { ClientToken: row.clientToken }),
    EbsOptimized: false,
    EnaSupport: false,
    Hypervisor: 'xen',
    IamInstanceProfile: { Arn: instanceProfileArn, Id: instanceProfileId },
    RootDeviceName: '/dev/xvda',
    RootDeviceType: 'ebs',
    SourceDestCheck: true,
    Tags: showTags(tagsOf(view, row, 'instance', row.instanceId)),
    VirtualizationType: 'hvm',
    CpuOptions: { CoreCount: type?.vcpu ?? 1, ThreadsPerCore: 1 },
    MetadataOptions: {
      State: 'applied',
      HttpTokens: row.metadataOptions.httpTokens,
      HttpPutResponseHopLimit: row.metadataOptions.httpPutResponseHopLimit,
      HttpEndpoint: 'enabled',
      HttpProtocolIpv6: 'disabled',
      InstanceMetadataTags: 'disabled',
    },
    PlatformDetails: 'Linux/UNIX',
  }
}

const association = ({ publicIpAddress, publicDnsName }: Instance) =>
  publicIpAddress === undefined
    ? {}
    : { Association: { PublicIp: publicIpAddress, PublicDnsName: publicDnsName, IpOwnerId: 'amazon' } }

function addressesOf(row: Instance) {
  return [
    {
      Primary: true,
      PrivateIpAddress: row.privateIpAddress,
      PrivateDnsName: row.privateDnsName,
      ...association(row),
    },
  ]
}

const attachmentOf = (row: Instance) => ({
  AttachmentId: row.networkInterfaceId.replace('eni-', 'eni-attach-'),
  AttachTime: new Date(row.launchTime),
  DeleteOnTermination: true,
  DeviceIndex: 0,
  NetworkCardIndex: 0,
  Status: 'attached' as const,
})

function interfaceBasics(view: View, row: Instance) {
  return {
    NetworkInterfaceId: row.networkInterfaceId,
    SubnetId: row.subnetId,
    VpcId: row.vpcId,
    OwnerId: row.accountId,
    Description: '',
    MacAddress: row.macAddress,
    PrivateIpAddress: row.privateIpAddress,
    PrivateDnsName: row.privateDnsName,
    PrivateIpAddresses: addressesOf(row),
    Groups: groupsOf(view, row),
    Ipv6Addresses: [],
    InterfaceType: 'interface' as const,
    SourceDestCheck: true,
    Status: 'in-use' as const,
    ...association(row),
  }
}

const showAttachedInterface = (view: View, row: Instance) => ({
  ...interfaceBasics(view, row),
  Attachment: attachmentOf(row),
})

/** The one network interface of an instance, as DescribeNetworkInterfaces gives it. */
export function showNetworkInterface(view: View, row: Instance): NetworkInterface {
  return {
    ...interfaceBasics(view, row),
    AvailabilityZone: row.availabilityZone,
    Attachment: { ...attachmentOf(row), InstanceId: row.instanceId, InstanceOwnerId: row.accountId },
    RequesterManaged: false,
    TagSet: showTags(tagsOf(view, row, 'network-interface', row.networkInterfaceId)),
  }
}
