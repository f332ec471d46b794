import type {
  DescribeAvailabilityZonesCommandInput,
  DescribeAvailabilityZonesCommandOutput,
  DescribeRegionsCommandInput,
  DescribeRegionsCommandOutput,
  DescribeSubnetsCommandInput,
  DescribeSubnetsCommandOutput,
  DescribeVpcsCommandInput,
  DescribeVpcsCommandOutput,
} from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import { scopeKey } from '#domain/arn.ts'
import { defaultNetwork } from '#domain/ec2-network.ts'
import type { Subnet, Vpc } from '#domain/instance.ts'
import { ensureDefaultNetwork } from '#state/default-network.ts'
import { freeAddressCount } from '#state/vpc.ts'
import type { View } from '#state/store.ts'
import { chosen, filtered, paged, refuseDryRun } from './list.ts'
import { subnetNotFound, vpcNotFound } from './network-lookup.ts'
import { ec2Arn, showTags, tagsOf } from './tag.ts'

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
      vpcNotFound,
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
      Vpcs: rows.map((row) => showVpc(tx, row)),
      ...next(nextToken),
    }
  })
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

/** A VPC as EC2 shows it. */
export function showVpc(view: View, { vpcId, cidrBlock, isDefault, ...scope }: Vpc) {
  return {
    VpcId: vpcId,
    CidrBlock: cidrBlock,
    IsDefault: isDefault,
    OwnerId: scope.accountId,
    State: 'available' as const,
    InstanceTenancy: 'default' as const,
    DhcpOptionsId: 'default',
    CidrBlockAssociationSet: [
      {
        AssociationId: vpcId.replace('vpc-', 'vpc-cidr-assoc-'),
        CidrBlock: cidrBlock,
        CidrBlockState: { State: 'associated' as const },
      },
    ],
    Tags: showTags(tagsOf(view, scope, 'vpc', vpcId)),
  }
}

/** A subnet as EC2 shows it. */
export function showSubnet(view: View, row: Subnet) {
  return {
    SubnetId: row.subnetId,
    SubnetArn: ec2Arn(row, 'subnet', row.subnetId),
    VpcId: row.vpcId,
    CidrBlock: row.cidrBlock,
    AvailabilityZone: row.availabilityZone,
    AvailabilityZoneId: row.availabilityZoneId,
    AvailableIpAddressCount: freeAddressCount(view, row),
    DefaultForAz: row.defaultForAz,
    MapPublicIpOnLaunch: row.mapPublicIpOnLaunch,
    AssignIpv6AddressOnCreation: false,
    OwnerId: row.accountId,
    State: 'available' as const,
    Tags: showTags(tagsOf(view, row, 'subnet', row.subnetId)),
  }
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
