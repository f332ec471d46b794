import type {
  DescribeAvailabilityZonesCommandInput,
  DescribeAvailabilityZonesCommandOutput,
  DescribeRegionsCommandInput,
  DescribeRegionsCommandOutput,
  DescribeSecurityGroupsCommandInput,
  DescribeSecurityGroupsCommandOutput,
  DescribeSubnetsCommandInput,
  DescribeSubnetsCommandOutput,
  DescribeVpcsCommandInput,
  DescribeVpcsCommandOutput,
} from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import { type Scope, scopeKey } from '#domain/arn.ts'
import { type DefaultNetwork, defaultNetwork } from '#domain/ec2-network.ts'
import type { Subnet } from '#domain/instance.ts'
import type { Transaction, View } from '#state/store.ts'
import { chosen, filtered, paged, refuseDryRun } from './list.ts'
import { ec2Arn, showTags, tagsOf } from './tag.ts'

/** The default VPC of a scope with all that belongs to it, made when it is first needed. */
export function ensureDefaultNetwork(tx: Transaction, scope: Scope): DefaultNetwork {
  const network = defaultNetwork(scope)
  if (!tx.find('vpc', network.vpc.vpcId)) {
    tx.put('vpc', network.vpc)
    for (const subnet of network.subnets) tx.put('subnet', subnet)
    tx.put('securityGroup', network.securityGroup)
  }
  return network
}

const next = (nextToken: string | undefined): { NextToken?: string } =>
  nextToken === undefined ? {} : { NextToken: nextToken }

export function describeVpcs(
  { store, scope }: Context,
  input: DescribeVpcsCommandInput,
): Answer<DescribeVpcsCommandOutput> {
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const all = chosen(
      tx.by('vpc', 'scope', scopeKey(scope)),
      input.VpcIds,
      ({ vpcId }) => vpcId,
      (id) => new AwsError('InvalidVpcID.NotFound', `The vpc ID '${id}' does not exist`),
    )
    const matching = filtered(
      all,
      input.Filters,
      {
        'vpc-id': (row) => row.vpcId,
        cidr: (row) => row.cidrBlock,
        'cidr-block-association.cidr-block': (row) => row.cidrBlock,
        'is-default': (row) => row.isDefault,
        isDefault: (row) => row.isDefault,
        'owner-id': (row) => row.accountId,
        state: () => 'available',
      },
      (row) => tagsOf(tx, scope, 'vpc', row.vpcId),
    )
    const { rows, nextToken } = paged(matching, input, (row) => row.vpcId)
    return {
      Vpcs: rows.map(({ vpcId, cidrBlock, isDefault, accountId }) => ({
        VpcId: vpcId,
        CidrBlock: cidrBlock,
        IsDefault: isDefault,
        OwnerId: accountId,
        State: 'available',
        InstanceTenancy: 'default',
        DhcpOptionsId: 'default',
        CidrBlockAssociationSet: [
          {
            AssociationId: vpcId.replace('vpc-', 'vpc-cidr-assoc-'),
            CidrBlock: cidrBlock,
            CidrBlockState: { State: 'associated' },
          },
        ],
        Tags: showTags(tagsOf(tx, scope, 'vpc', vpcId)),
      })),
      ...next(nextToken),
    }
  })
}

/** Addresses of a subnet that AWS would still give: all but its own five and those of instances. */
function freeAddresses(view: View, subnet: Subnet): number {
  const held = view.by('instance', 'subnet', subnet.subnetId).filter(({ state }) => state !== 'terminated')
  return 2 ** (32 - Number(subnet.cidrBlock.split('/')[1])) - 5 - held.length
}

export function describeSubnets(
  { store, scope }: Context,
  input: DescribeSubnetsCommandInput,
): Answer<DescribeSubnetsCommandOutput> {
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const all = chosen(
      tx.by('subnet', 'scope', scopeKey(scope)),
      input.SubnetIds,
      ({ subnetId }) => subnetId,
      subnetNotFound,
    )
    const matching = filtered(
      all,
      input.Filters,
      {
        'subnet-id': (row) => row.subnetId,
        'subnet-arn': (row) => ec2Arn(scope, 'subnet', row.subnetId),
        'vpc-id': (row) => row.vpcId,
        'availability-zone': (row) => row.availabilityZone,
        availabilityZone: (row) => row.availabilityZone,
        'availability-zone-id': (row) => row.availabilityZoneId,
        'cidr-block': (row) => row.cidrBlock,
        cidr: (row) => row.cidrBlock,
        cidrBlock: (row) => row.cidrBlock,
        'default-for-az': (row) => row.defaultForAz,
        defaultForAz: (row) => row.defaultForAz,
        'map-public-ip-on-launch': (row) => row.mapPublicIpOnLaunch,
        'owner-id': (row) => row.accountId,
        state: () => 'available',
      },
      (row) => tagsOf(tx, scope, 'subnet', row.subnetId),
    )
    const { rows, nextToken } = paged(matching, input, (row) => row.subnetId)
    return { Subnets: rows.map((row) => showSubnet(tx, row)), ...next(nextToken) }
  })
}

function showSubnet(view: View, row: Subnet) {
  return {
    SubnetId: row.subnetId,
    SubnetArn: ec2Arn(row, 'subnet', row.subnetId),
    VpcId: row.vpcId,
    CidrBlock: row.cidrBlock,
    AvailabilityZone: row.availabilityZone,
    AvailabilityZoneId: row.availabilityZoneId,
    AvailableIpAddressCount: freeAddresses(view, row),
    DefaultForAz: row.defaultForAz,
    MapPublicIpOnLaunch: row.mapPublicIpOnLaunch,
    AssignIpv6AddressOnCreation: false,
    OwnerId: row.accountId,
    State: 'available' as const,
    Tags: showTags(tagsOf(view, row, 'subnet', row.subnetId)),
  }
}

export function subnetNotFound(id: string): AwsError {
  return new AwsError('InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`)
}

export function groupNotFound(id: string): AwsError {
  return new AwsError('InvalidGroup.NotFound', `The security group '${id}' does not exist`)
}

const everywhere = { IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }

export function describeSecurityGroups(
  { store, scope }: Context,
  input: DescribeSecurityGroupsCommandInput,
): Answer<DescribeSecurityGroupsCommandOutput> {
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const ofScope = tx.by('securityGroup', 'scope', scopeKey(scope))
    const byId = chosen(ofScope, input.GroupIds, ({ groupId }) => groupId, groupNotFound)
    const all = chosen(byId, input.GroupNames, ({ groupName }) => groupName, groupNotFound)
    const matching = filtered(
      all,
      input.Filters,
      {
        'group-id': (row) => row.groupId,
        'group-name': (row) => row.groupName,
        description: (row) => row.description,
        'vpc-id': (row) => row.vpcId,
        'owner-id': (row) => row.accountId,
      },
      (row) => tagsOf(tx, scope, 'security-group', row.groupId),
    )
    const { rows, nextToken } = paged(matching, input, (row) => row.groupId)
    return {
      SecurityGroups: rows.map((row) => ({
        GroupId: row.groupId,
        GroupName: row.groupName,
        Description: row.description,
        VpcId: row.vpcId,
        OwnerId: row.accountId,
        SecurityGroupArn: ec2Arn(row, 'security-group', row.groupId),
        // Groups filter nothing here, and their rules say so: all may come in, all may go out.
        IpPermissions: [everywhere],
        IpPermissionsEgress: [everywhere],
        Tags: showTags(tagsOf(tx, scope, 'security-group', row.groupId)),
      })),
      ...next(nextToken),
    }
  })
}

export function describeAvailabilityZones(
  { scope }: Context,
  input: DescribeAvailabilityZonesCommandInput,
): Answer<DescribeAvailabilityZonesCommandOutput> {
  refuseDryRun(input)
  const notFound = (id: string): AwsError =>
    new AwsError('InvalidParameterValue', `Invalid availability zone: [${id}]`)
  const { subnets } = defaultNetwork(scope)
  const named = chosen(subnets, input.ZoneNames, (zone) => zone.availabilityZone, notFound)
  const all = chosen(named, input.ZoneIds, (zone) => zone.availabilityZoneId, notFound)
  const matching = filtered(all, input.Filters, {
    'zone-name': (row) => row.availabilityZone,
    'zone-id': (row) => row.availabilityZoneId,
    'zone-type': () => 'availability-zone',
    'region-name': (row) => row.region,
    'group-name': (row) => row.region,
    'opt-in-status': () => 'opt-in-not-required',
    state: () => 'available',
  })
  return {
    AvailabilityZones: matching.map((row) => ({
      ZoneName: row.availabilityZone,
      ZoneId: row.availabilityZoneId,
      RegionName: row.region,
      GroupName: row.region,
      NetworkBorderGroup: row.region,
      ZoneType: 'availability-zone',
      OptInStatus: 'opt-in-not-required',
      State: 'available',
      Messages: [],
    })),
  }
}

const regions = [
  'us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 sa-east-1',
  'eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-north-1',
  'ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 ap-southeast-2',
].flatMap((names) => names.split(' '))

/** The regions that every account of AWS has. Any other region name works too: a region here is only a scope of names. */
export function describeRegions(
  { installation }: Context,
  input: DescribeRegionsCommandInput,
): Answer<DescribeRegionsCommandOutput> {
  refuseDryRun(input)
  const all = chosen(
    regions,
    input.RegionNames,
    (name) => name,
    (id) => new AwsError('InvalidParameterValue', `Invalid region name: [${id}]`),
  )
  const matching = filtered(all, input.Filters, {
    'region-name': (name) => name,
    endpoint: () => new URL(installation.url).host,
    'opt-in-status': () => 'opt-in-not-required',
  })
  return {
    Regions: matching.map((name) => ({
      RegionName: name,
      Endpoint: new URL(installation.url).host,
      OptInStatus: 'opt-in-not-required',
    })),
  }
}
