import type * as EC2 from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import { defaultNetwork } from '#domain/ec2-network.ts'
import type { Subnet } from '#domain/instance.ts'
import { contains, overlaps, parseIpv4Block } from '#domain/ipv4-block.ts'
import { ensureDefaultNetwork } from '#state/default-network.ts'
import { refuseMembers } from './inputs.ts'
import { refuseDryRun } from './list.ts'
import { showSubnet } from './network.ts'
import { blockOf, missing, refuseDependents, resolveSubnet, resolveVpc } from './network-lookup.ts'
import { ec2Arn, tagNew } from './tag.ts'

export function createSubnet(
  { store, scope, ids }: Context,
  input: EC2.CreateSubnetCommandInput,
): Answer<EC2.CreateSubnetCommandOutput> {
  refuseMembers('CreateSubnet', input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const vpc = resolveVpc(tx, scope, input.VpcId)
    if (input.CidrBlock === undefined) throw missing('cidrBlock')
    const { cidrBlock, block } = blockOf(input.CidrBlock)
    const whole = parseIpv4Block(vpc.cidrBlock)
    if (block.prefixLength < 16 || block.prefixLength > 28 || !whole || !contains(whole, block))
      throw new AwsError('InvalidSubnet.Range', `The CIDR '${cidrBlock}' is invalid.`)
    const others = tx.by('subnet', 'vpc', vpc.vpcId)
    const taken = others.some((other) => {
      const known = parseIpv4Block(other.cidrBlock)
      return known !== undefined && overlaps(known, block)
    })
    if (taken)
      throw new AwsError('InvalidSubnet.Conflict', `The CIDR '${cidrBlock}' conflicts with another subnet`)
    refuseDryRun(input)
    const subnet: Subnet = {
      ...scope,
      subnetId: `subnet-0${ids.hex(16)}`,
      vpcId: vpc.vpcId,
      cidrBlock,
      ...zoneOf(scope, input, others.length),
      mapPublicIpOnLaunch: false,
      defaultForAz: false,
    }
    tx.put('subnet', subnet)
    tagNew(tx, scope, 'subnet', subnet.subnetId, input.TagSpecifications)
    return { Subnet: showSubnet(tx, subnet) }
  })
}

/** The zone that is asked for; else subnets take turns. */
function zoneOf(
  scope: Context['scope'],
  { AvailabilityZone: zone, AvailabilityZoneId: zoneId }: EC2.CreateSubnetCommandInput,
  turn: number,
): Pick<Subnet, 'availabilityZone' | 'availabilityZoneId'> {
  const zones = defaultNetwork(scope).subnets
  const found =
    zone === undefined && zoneId === undefined
      ? zones[turn % zones.length]
      : zones.find((one) => one.availabilityZone === zone || one.availabilityZoneId === zoneId)
  if (!found)
    throw new AwsError(
      'InvalidParameterValue',
      `Value (${zone ?? zoneId}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: ${zones.map(({ availabilityZone }) => availabilityZone).join(', ')}.`,
    )
  return { availabilityZone: found.availabilityZone, availabilityZoneId: found.availabilityZoneId }
}

export function deleteSubnet(
  { store, scope }: Context,
  input: EC2.DeleteSubnetCommandInput,
): Record<string, never> {
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const { subnetId } = resolveSubnet(tx, scope, input.SubnetId)
    const instances = tx.by('instance', 'subnet', subnetId).some(({ state }) => state !== 'terminated')
    refuseDependents('subnet', subnetId, instances || tx.count('networkInterface', 'subnet', subnetId) > 0)
    for (const table of tx.by('routeTable', 'subnet', subnetId))
      tx.put('routeTable', {
        ...table,
        associations: table.associations.filter((one) => one.subnetId !== subnetId),
      })
    tx.delete('resourceTags', ec2Arn(scope, 'subnet', subnetId))
    tx.delete('subnet', subnetId)
    return {}
  })
}

export function modifySubnetAttribute(
  { store, scope }: Context,
  input: EC2.ModifySubnetAttributeCommandInput,
): Record<string, never> {
  refuseMembers('ModifySubnetAttribute', {
    ...input,
    AssignIpv6AddressOnCreation: input.AssignIpv6AddressOnCreation?.Value,
    EnableDns64: input.EnableDns64?.Value,
    EnableResourceNameDnsARecordOnLaunch: input.EnableResourceNameDnsARecordOnLaunch?.Value,
    EnableResourceNameDnsAAAARecordOnLaunch: input.EnableResourceNameDnsAAAARecordOnLaunch?.Value,
    MapCustomerOwnedIpOnLaunch: input.MapCustomerOwnedIpOnLaunch?.Value,
    PrivateDnsHostnameTypeOnLaunch: input.PrivateDnsHostnameTypeOnLaunch === 'resource-name',
  })
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const subnet = resolveSubnet(tx, scope, input.SubnetId)
    const mapPublicIpOnLaunch = input.MapPublicIpOnLaunch?.Value ?? subnet.mapPublicIpOnLaunch
    tx.put('subnet', { ...subnet, mapPublicIpOnLaunch })
    return {}
  })
}
