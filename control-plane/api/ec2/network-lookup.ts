// Finding what requests name of VPCs, with EC2's errors for what is not there.
import { AwsError } from '@berth/wire/error.ts'
import { type Scope, scopeKey } from '#domain/arn.ts'
import { defaultNetwork } from '#domain/ec2-network.ts'
import type { SecurityGroup, Subnet, Vpc } from '#domain/instance.ts'
import { type Ipv4Block, parseIpv4Block, showIpv4Block } from '#domain/ipv4-block.ts'
import type { NetworkInterface } from '#domain/network-interface.ts'
import type { View } from '#state/store.ts'

const isIn = (scope: Scope, row: Scope | undefined): boolean =>
  row !== undefined && scopeKey(row) === scopeKey(scope)

export function missing(parameter: string): AwsError {
  return new AwsError('MissingParameter', `The request must contain the parameter ${parameter}`)
}

export function vpcNotFound(id: string): AwsError {
  return new AwsError('InvalidVpcID.NotFound', `The vpc ID '${id}' does not exist`)
}

export function subnetNotFound(id: string): AwsError {
  return new AwsError('InvalidSubnetID.NotFound', `The subnet ID '${id}' does not exist`)
}

export function groupNotFound(id: string): AwsError {
  return new AwsError('InvalidGroup.NotFound', `The security group '${id}' does not exist`)
}

export function interfaceNotFound(id: string): AwsError {
  return new AwsError('InvalidNetworkInterfaceID.NotFound', `The networkInterface ID '${id}' does not exist`)
}

/** Throws InvalidVpcID.NotFound. */
export function resolveVpc(view: View, scope: Scope, id: string | undefined): Vpc {
  if (!id) throw missing('vpcId')
  const row = view.find('vpc', id)
  if (!row || !isIn(scope, row)) throw vpcNotFound(id)
  return row
}

/** Throws InvalidSubnetID.NotFound. */
export function resolveSubnet(view: View, scope: Scope, id: string | undefined): Subnet {
  if (!id) throw missing('subnetId')
  const row = view.find('subnet', id)
  if (!row || !isIn(scope, row)) throw subnetNotFound(id)
  return row
}

/** The group of an id, or of a name in the default VPC. Throws InvalidGroupId.Malformed or InvalidGroup.NotFound. */
export function resolveGroup(
  view: View,
  scope: Scope,
  {
    GroupId: id,
    GroupName: name,
  }: { readonly GroupId?: string | undefined; readonly GroupName?: string | undefined },
): SecurityGroup {
  if (id) {
    if (!id.startsWith('sg-'))
      throw new AwsError('InvalidGroupId.Malformed', `Invalid id: "${id}" (expecting "sg-...")`)
    const row = view.find('securityGroup', id)
    if (!row || !isIn(scope, row)) throw groupNotFound(id)
    return row
  }
  if (!name) throw missing('groupName or groupId')
  const row = groupNamed(view, defaultNetwork(scope).vpc.vpcId, name)
  if (!row)
    throw new AwsError('InvalidGroup.NotFound', `The security group '${name}' does not exist in default VPC`)
  return row
}

export function groupNamed(view: View, vpcId: string, name: string): SecurityGroup | undefined {
  return view.by('securityGroup', 'vpc', vpcId).find(({ groupName }) => groupName === name)
}

/** Throws InvalidNetworkInterfaceID.NotFound. Interfaces of instances are not among these. */
export function resolveInterface(view: View, scope: Scope, id: string | undefined): NetworkInterface {
  if (!id) throw missing('networkInterfaceId')
  const row = view.find('networkInterface', id)
  if (!row || !isIn(scope, row)) throw interfaceNotFound(id)
  return row
}

/** The block as EC2 writes it, and as numbers. Throws InvalidParameterValue. */
export function blockOf(text: string): { readonly cidrBlock: string; readonly block: Ipv4Block } {
  const block = parseIpv4Block(text)
  if (!block)
    throw new AwsError(
      'InvalidParameterValue',
      `Value (${text}) for parameter cidrBlock is invalid. This is not a valid CIDR block.`,
    )
  return { cidrBlock: showIpv4Block(block), block }
}

/** Throws DependencyViolation, in AWS's words. */
export function refuseDependents(kind: string, id: string, has: boolean): void {
  if (has)
    throw new AwsError('DependencyViolation', `The ${kind} '${id}' has dependencies and cannot be deleted.`)
}
