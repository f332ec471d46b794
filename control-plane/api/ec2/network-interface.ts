import { createHash } from 'node:crypto'
import type * as EC2 from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import { scopeKey } from '#domain/arn.ts'
import { privateDnsName, publicDnsName } from '#domain/ec2-network.ts'
import { contains, parseIpv4Block } from '#domain/ipv4-block.ts'
import { macAddressOf, type NetworkInterface } from '#domain/network-interface.ts'
import { ensureDefaultNetwork } from '#state/default-network.ts'
import type { Transaction, View } from '#state/store.ts'
import { defaultGroupOf, freeAddress, isAddressTaken } from '#state/vpc.ts'
import { refuseMembers } from './inputs.ts'
import { listedInstances } from './instance.ts'
import { chosen, type FilterTable, filtered, paged, refuseDryRun } from './list.ts'
import { interfaceNotFound, resolveGroup, resolveInterface, resolveSubnet } from './network-lookup.ts'
import { showNetworkInterface } from './show-instance.ts'
import { ec2Arn, showTags, tagNew, tagsOf } from './tag.ts'

/** Who asks EC2 for the interfaces of tasks: ECS, in an account of AWS's own. */
const requester = (scope: Context['scope']): string => `${scope.accountId}:ecs`

export function createNetworkInterface(
  { store, scope, ids, clock }: Context,
  input: EC2.CreateNetworkInterfaceCommandInput,
): Answer<EC2.CreateNetworkInterfaceCommandOutput> {
  refuseMembers('CreateNetworkInterface', {
    ...input,
    InterfaceType: input.InterfaceType !== undefined && input.InterfaceType !== ('interface' as string),
  })
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const token = input.ClientToken
    const known = token === undefined ? undefined : tx.find('networkInterface', tokenId(scope, token))
    if (known) return { NetworkInterface: showInterface(tx, known), ClientToken: token }
    const subnet = resolveSubnet(tx, scope, input.SubnetId)
    const securityGroupIds = groupsOf(tx, scope, subnet.vpcId, input.Groups)
    const wanted = input.PrivateIpAddress
    if (wanted !== undefined) checkAddress(tx, subnet.cidrBlock, wanted)
    const privateIpAddress = wanted ?? freeAddress(tx, subnet, () => ids.fraction())
    if (privateIpAddress === undefined)
      throw new AwsError(
        'InsufficientFreeAddressesInSubnet',
        `The specified subnet does not have enough free addresses to satisfy the request.`,
      )
    const row: NetworkInterface = {
      ...scope,
      networkInterfaceId: token === undefined ? `eni-0${ids.hex(16)}` : tokenId(scope, token),
      vpcId: subnet.vpcId,
      subnetId: subnet.subnetId,
      availabilityZone: subnet.availabilityZone,
      privateIpAddress,
      macAddress: macAddressOf(privateIpAddress),
      securityGroupIds,
      description: input.Description ?? '',
      sourceDestCheck: true,
      createdAt: clock.now(),
    }
    tx.put('networkInterface', row)
    tagNew(tx, scope, 'network-interface', row.networkInterfaceId, input.TagSpecifications)
    return {
      // EC2's own word, which the SDK's enum lacks.
      NetworkInterface: { ...showInterface(tx, row), Status: 'pending' as 'available' },
      ...(token !== undefined && { ClientToken: token }),
    }
  })
}

/** A request that is repeated finds by its id what it made. */
function tokenId(scope: Context['scope'], token: string): string {
  const digest = createHash('sha256')
    .update(`${scopeKey(scope)} ${token}`)
    .digest('hex')
  return `eni-0${digest.slice(0, 16)}`
}

function checkAddress(view: View, cidrBlock: string, address: string): void {
  const [inner, outer] = [parseIpv4Block(`${address}/32`), parseIpv4Block(cidrBlock)]
  if (!inner || !outer || !contains(outer, inner))
    throw new AwsError(
      'InvalidParameterValue',
      `Address ${address} does not fall within the subnet's address range`,
    )
  if (isAddressTaken(view, address))
    throw new AwsError('InvalidIPAddress.InUse', `Address ${address} is in use.`)
}

function groupsOf(
  tx: Transaction,
  scope: Context['scope'],
  vpcId: string,
  ids: readonly string[] = [],
): readonly string[] {
  if (ids.length === 0) return [defaultGroupOf(tx, vpcId) ?? ''].filter(Boolean)
  return ids.map((GroupId) => {
    const group = resolveGroup(tx, scope, { GroupId })
    if (group.vpcId !== vpcId)
      throw new AwsError(
        'InvalidGroup.NotFound',
        'You have specified two resources that belong to different networks.',
      )
    return group.groupId
  })
}

export function deleteNetworkInterface(
  { store, scope }: Context,
  input: EC2.DeleteNetworkInterfaceCommandInput,
): Record<string, never> {
  refuseDryRun(input)
  return store.update((tx) => {
    const id = input.NetworkInterfaceId
    const carrier = listedInstances(tx, scope).find((row) => row.networkInterfaceId === id)
    if (carrier) throw new AwsError('InvalidParameterValue', `Network interface '${id}' is currently in use.`)
    const { networkInterfaceId, taskArn } = resolveInterface(tx, scope, id)
    if (taskArn !== undefined)
      throw new AwsError(
        'OperationNotPermitted',
        `You are not allowed to manage '${networkInterfaceId}' attachments.`,
      )
    tx.delete('resourceTags', ec2Arn(scope, 'network-interface', networkInterfaceId))
    tx.delete('networkInterface', networkInterfaceId)
    return {}
  })
}

export function modifyNetworkInterfaceAttribute(
  { store, scope }: Context,
  input: EC2.ModifyNetworkInterfaceAttributeCommandInput,
): Record<string, never> {
  refuseMembers('ModifyNetworkInterfaceAttribute', input)
  refuseDryRun(input)
  const { Description, SourceDestCheck, Groups } = input
  const said = [Description, SourceDestCheck, Groups].filter((one) => one !== undefined)
  if (said.length !== 1)
    throw new AwsError('InvalidParameterCombination', 'Fields for multiple attribute types specified')
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const row = resolveInterface(tx, scope, input.NetworkInterfaceId)
    if (row.taskArn !== undefined && Groups === undefined)
      throw new AwsError(
        'OperationNotPermitted',
        `You do not have permission to access the specified resource.`,
      )
    tx.put('networkInterface', {
      ...row,
      ...(Description?.Value !== undefined && { description: Description.Value }),
      ...(SourceDestCheck?.Value !== undefined && { sourceDestCheck: SourceDestCheck.Value }),
      ...(Groups && { securityGroupIds: groupsOf(tx, scope, row.vpcId, Groups) }),
    })
    return {}
  })
}

/** Of each interface what filters look at, and how it is shown. */
interface Listed {
  readonly id: string
  readonly shown: EC2.NetworkInterface
}

const groupIds = ({ shown }: Listed): string[] => (shown.Groups ?? []).map(({ GroupId = '' }) => GroupId)
const filters: FilterTable<Listed> = {
  'addresses.private-ip-address': ({ shown }) => shown.PrivateIpAddress,
  'association.public-ip': ({ shown }) => shown.Association?.PublicIp,
  'attachment.attachment-id': ({ shown }) => shown.Attachment?.AttachmentId,
  'attachment.instance-id': ({ shown }) => shown.Attachment?.InstanceId,
  'attachment.instance-owner-id': ({ shown }) => shown.Attachment?.InstanceOwnerId,
  'attachment.status': ({ shown }) => shown.Attachment?.Status,
  'availability-zone': ({ shown }) => shown.AvailabilityZone,
  description: ({ shown }) => shown.Description,
  'group-id': groupIds,
  'group-name': ({ shown }) => (shown.Groups ?? []).map(({ GroupName }) => GroupName),
  'interface-type': ({ shown }) => shown.InterfaceType,
  'mac-address': ({ shown }) => shown.MacAddress,
  'network-interface-id': ({ id }) => id,
  'owner-id': ({ shown }) => shown.OwnerId,
  'private-dns-name': ({ shown }) => shown.PrivateDnsName,
  'private-ip-address': ({ shown }) => shown.PrivateIpAddress,
  'requester-id': ({ shown }) => shown.RequesterId,
  'requester-managed': ({ shown }) => shown.RequesterManaged,
  'source-dest-check': ({ shown }) => shown.SourceDestCheck,
  status: ({ shown }) => shown.Status,
  'subnet-id': ({ shown }) => shown.SubnetId,
  'vpc-id': ({ shown }) => shown.VpcId,
}

export function describeNetworkInterfaces(
  { store, scope }: Context,
  input: EC2.DescribeNetworkInterfacesCommandInput,
): Answer<EC2.DescribeNetworkInterfacesCommandOutput> {
  refuseDryRun(input)
  const instances = listedInstances(store, scope).filter(({ state }) => state !== 'terminated')
  const all: Listed[] = [
    ...instances.map((row) => ({
      id: row.networkInterfaceId,
      shown: showNetworkInterface(store, row),
    })),
    ...store.by('networkInterface', 'scope', scopeKey(scope)).map((row) => ({
      id: row.networkInterfaceId,
      shown: showInterface(store, row),
    })),
  ]
  const sorted = all.toSorted((one, other) => (one.id < other.id ? -1 : 1))
  const named = chosen(sorted, input.NetworkInterfaceIds, ({ id }) => id, interfaceNotFound)
  const matching = filtered(named, input.Filters, filters, ({ id }) =>
    tagsOf(store, scope, 'network-interface', id),
  )
  const { rows, nextToken } = paged(matching, input, ({ id }) => id)
  return {
    NetworkInterfaces: rows.map(({ shown }) => shown),
    ...(nextToken !== undefined && { NextToken: nextToken }),
  }
}

function showInterface(view: View, row: NetworkInterface): EC2.NetworkInterface {
  const name = privateDnsName(row.privateIpAddress, row.region)
  const isTasks = row.taskArn !== undefined
  const carrier = view.find('instance', row.instanceId ?? '')
  const association = row.hasPublicAddress && {
    Association: {
      PublicIp: row.privateIpAddress,
      PublicDnsName: publicDnsName(row.privateIpAddress, row.region),
      IpOwnerId: 'amazon',
    },
  }
  return {
    NetworkInterfaceId: row.networkInterfaceId,
    InterfaceType: 'interface',
    Description: row.description,
    OwnerId: row.accountId,
    ...(isTasks && { RequesterId: requester(row) }),
    RequesterManaged: isTasks,
    VpcId: row.vpcId,
    SubnetId: row.subnetId,
    AvailabilityZone: row.availabilityZone,
    Status: isTasks ? 'in-use' : 'available',
    MacAddress: row.macAddress,
    PrivateIpAddress: row.privateIpAddress,
    PrivateDnsName: name,
    ...association,
    PrivateIpAddresses: [
      { Primary: true, PrivateIpAddress: row.privateIpAddress, PrivateDnsName: name, ...association },
    ],
    Ipv6Addresses: [],
    Groups: row.securityGroupIds.map((GroupId) => ({
      GroupId,
      GroupName: view.find('securityGroup', GroupId)?.groupName,
    })),
    SourceDestCheck: row.sourceDestCheck,
    ...(isTasks && {
      Attachment: {
        AttachmentId: row.networkInterfaceId.replace('eni-', 'eni-attach-'),
        AttachTime: new Date(row.createdAt),
        DeleteOnTermination: false,
        DeviceIndex: 1,
        NetworkCardIndex: 0,
        // Where it is on a host of Fargate's, the owner is another, and its host nobody's to see.
        ...(carrier?.accountId === row.accountId && { InstanceId: carrier.instanceId }),
        InstanceOwnerId: carrier?.accountId ?? row.accountId,
        Status: 'attached' as const,
      },
    }),
    TagSet: showTags(tagsOf(view, row, 'network-interface', row.networkInterfaceId)),
  }
}
