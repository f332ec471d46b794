import type * as EC2 from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import type { Vpc } from '#domain/instance.ts'
import { derivedId } from '#domain/vpc-routing.ts'
import { ensureDefaultNetwork } from '#state/default-network.ts'
import { refuseDryRun } from './list.ts'
import { refuseMembers } from './inputs.ts'
import { blockOf, missing, refuseDependents, resolveVpc } from './network-lookup.ts'
import { removeGroup } from './security-group.ts'
import { showVpc } from './network.ts'
import { ec2Arn, tagNew } from './tag.ts'

export function createVpc(
  { store, scope, ids }: Context,
  input: EC2.CreateVpcCommandInput,
): Answer<EC2.CreateVpcCommandOutput> {
  return store.update((tx) => {
    refuseMembers('CreateVpc', input)
    if (input.CidrBlock === undefined) throw missing('cidrBlock')
    const { cidrBlock, block } = blockOf(input.CidrBlock)
    if (block.prefixLength < 16 || block.prefixLength > 28)
      throw new AwsError('InvalidVpc.Range', `The CIDR '${cidrBlock}' is invalid.`)
    refuseDryRun(input)
    ensureDefaultNetwork(tx, scope)
    const vpc: Vpc = { ...scope, vpcId: `vpc-0${ids.hex(16)}`, cidrBlock, isDefault: false }
    tx.put('vpc', vpc)
    tx.put('securityGroup', {
      ...scope,
      groupId: derivedId('sg', vpc.vpcId),
      groupName: 'default',
      description: 'default VPC security group',
      vpcId: vpc.vpcId,
    })
    tagNew(tx, scope, 'vpc', vpc.vpcId, input.TagSpecifications)
    return { Vpc: { ...showVpc(tx, vpc), State: 'pending' } }
  })
}

export function deleteVpc(
  { store, scope }: Context,
  input: EC2.DeleteVpcCommandInput,
): Record<string, never> {
  refuseDryRun(input)
  return store.update((tx) => {
    const { vpcId } = resolveVpc(tx, scope, input.VpcId)
    const groups = tx.by('securityGroup', 'vpc', vpcId)
    const tables = tx.by('routeTable', 'vpc', vpcId)
    refuseDependents(
      'vpc',
      vpcId,
      tx.count('subnet', 'vpc', vpcId) > 0 ||
        tx.count('internetGateway', 'vpc', vpcId) > 0 ||
        tx.count('networkInterface', 'vpc', vpcId) > 0 ||
        groups.some(({ groupName }) => groupName !== 'default') ||
        tables.some(({ main }) => !main),
    )
    for (const group of groups) removeGroup(tx, group)
    for (const { routeTableId } of tables) tx.delete('routeTable', routeTableId)
    tx.delete('resourceTags', ec2Arn(scope, 'vpc', vpcId))
    tx.delete('vpc', vpcId)
    return {}
  })
}

export function modifyVpcAttribute(
  { store, scope }: Context,
  input: EC2.ModifyVpcAttributeCommandInput,
): Record<string, never> {
  return store.update((tx) => {
    const vpc = resolveVpc(tx, scope, input.VpcId)
    const { EnableDnsSupport, EnableDnsHostnames } = input
    tx.put('vpc', {
      ...vpc,
      ...(EnableDnsSupport?.Value !== undefined && { enableDnsSupport: EnableDnsSupport.Value }),
      ...(EnableDnsHostnames?.Value !== undefined && { enableDnsHostnames: EnableDnsHostnames.Value }),
    })
    return {}
  })
}

export function describeVpcAttribute(
  { store, scope }: Context,
  input: EC2.DescribeVpcAttributeCommandInput,
): Answer<EC2.DescribeVpcAttributeCommandOutput> {
  refuseDryRun(input)
  const vpc = store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    return resolveVpc(tx, scope, input.VpcId)
  })
  const VpcId = vpc.vpcId
  switch (input.Attribute) {
    case 'enableDnsSupport':
      return { VpcId, EnableDnsSupport: { Value: vpc.enableDnsSupport ?? true } }
    case 'enableDnsHostnames':
      return { VpcId, EnableDnsHostnames: { Value: vpc.enableDnsHostnames ?? vpc.isDefault } }
    case 'enableNetworkAddressUsageMetrics':
      return { VpcId, EnableNetworkAddressUsageMetrics: { Value: false } }
    case undefined:
    default:
      throw new AwsError(
        'InvalidParameterValue',
        `Value (${input.Attribute}) for parameter attribute is invalid. Unknown attribute.`,
      )
  }
}
