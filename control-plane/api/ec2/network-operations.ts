// The rows of EC2's table that are Amazon VPC's.
import type * as EC2 from '@aws-sdk/client-ec2'
import type { Context } from '#api/operation.ts'
import type { OperationTable } from '#api/operation-table.ts'
import {
  createNetworkInterface,
  deleteNetworkInterface,
  describeNetworkInterfaces,
  modifyNetworkInterfaceAttribute,
} from './network-interface.ts'
import { describeSubnets, describeVpcs } from './network.ts'
import {
  authorize,
  describeRules,
  describeSecurityGroupRules,
  modifySecurityGroupRules,
  revoke,
} from './security-group-rule.ts'
import { createSecurityGroup, deleteSecurityGroup, describeSecurityGroups } from './security-group.ts'
import { createSubnet, deleteSubnet, modifySubnetAttribute } from './subnet.ts'
import { ec2Arn, type TaggedType } from './tag.ts'
import {
  attachInternetGateway,
  createInternetGateway,
  deleteInternetGateway,
  describeInternetGateways,
  detachInternetGateway,
} from './vpc-gateway.ts'
import {
  associateRouteTable,
  createRoute,
  createRouteTable,
  deleteRoute,
  deleteRouteTable,
  describeRouteTables,
  disassociateRouteTable,
  replaceRoute,
  replaceRouteTableAssociation,
} from './vpc-route-table.ts'
import { createVpc, deleteVpc, describeVpcAttribute, modifyVpcAttribute } from './vpc.ts'

const anything = (): readonly string[] => ['*']
const anyOf =
  (type: TaggedType) =>
  ({ scope }: Context): readonly string[] => [ec2Arn(scope, type, '*')]
const groupOf = (
  { scope }: Context,
  { GroupId = '*' }: { readonly GroupId?: string | undefined },
): readonly string[] => [ec2Arn(scope, 'security-group', GroupId)]
const vpcOf = ({ scope }: Context, { VpcId = '*' }: { readonly VpcId?: string | undefined }) => [
  ec2Arn(scope, 'vpc', VpcId),
]
const subnetOf = ({ scope }: Context, { SubnetId = '*' }: { readonly SubnetId?: string | undefined }) => [
  ec2Arn(scope, 'subnet', SubnetId),
]
const interfaceOf = (
  { scope }: Context,
  { NetworkInterfaceId = '*' }: { readonly NetworkInterfaceId?: string | undefined },
) => [ec2Arn(scope, 'network-interface', NetworkInterfaceId)]
const gatewayOf = (
  { scope }: Context,
  { InternetGatewayId = '*' }: { readonly InternetGatewayId?: string | undefined },
) => [ec2Arn(scope, 'internet-gateway', InternetGatewayId)]
const tableOf = (
  { scope }: Context,
  { RouteTableId = '*' }: { readonly RouteTableId?: string | undefined },
) => [ec2Arn(scope, 'route-table', RouteTableId)]

export const networkOperations = {
  AssociateRouteTable: { resources: tableOf, run: associateRouteTable },
  AttachInternetGateway: { resources: gatewayOf, run: attachInternetGateway },
  AuthorizeSecurityGroupEgress: { resources: groupOf, run: authorize('egress') },
  AuthorizeSecurityGroupIngress: { resources: groupOf, run: authorize('ingress') },
  CreateInternetGateway: { resources: anyOf('internet-gateway'), run: createInternetGateway },
  CreateNetworkInterface: { resources: subnetOf, run: createNetworkInterface },
  CreateRoute: { resources: tableOf, run: createRoute },
  CreateRouteTable: { resources: vpcOf, run: createRouteTable },
  CreateSecurityGroup: { resources: vpcOf, run: createSecurityGroup },
  CreateSubnet: { resources: vpcOf, run: createSubnet },
  CreateVpc: { resources: anyOf('vpc'), run: createVpc },
  DeleteInternetGateway: { resources: gatewayOf, run: deleteInternetGateway },
  DeleteNetworkInterface: { resources: interfaceOf, run: deleteNetworkInterface },
  DeleteRoute: { resources: tableOf, run: deleteRoute },
  DeleteRouteTable: { resources: tableOf, run: deleteRouteTable },
  DeleteSecurityGroup: { resources: groupOf, run: deleteSecurityGroup },
  DeleteSubnet: { resources: subnetOf, run: deleteSubnet },
  DeleteVpc: { resources: vpcOf, run: deleteVpc },
  DescribeInternetGateways: { resources: anything, run: describeInternetGateways },
  DescribeNetworkInterfaces: { resources: anything, run: describeNetworkInterfaces },
  DescribeRouteTables: { resources: anything, run: describeRouteTables },
  DescribeSecurityGroupRules: { resources: anything, run: describeSecurityGroupRules },
  DescribeSecurityGroups: { resources: anything, run: describeSecurityGroups },
  DescribeSubnets: { resources: anything, run: describeSubnets },
  DescribeVpcAttribute: { resources: vpcOf, run: describeVpcAttribute },
  DescribeVpcs: { resources: anything, run: describeVpcs },
  DetachInternetGateway: { resources: gatewayOf, run: detachInternetGateway },
  DisassociateRouteTable: { resources: anyOf('route-table'), run: disassociateRouteTable },
  ModifyNetworkInterfaceAttribute: { resources: interfaceOf, run: modifyNetworkInterfaceAttribute },
  ModifySecurityGroupRules: { resources: groupOf, run: modifySecurityGroupRules },
  ModifySubnetAttribute: { resources: subnetOf, run: modifySubnetAttribute },
  ModifyVpcAttribute: { resources: vpcOf, run: modifyVpcAttribute },
  ReplaceRoute: { resources: tableOf, run: replaceRoute },
  ReplaceRouteTableAssociation: { resources: tableOf, run: replaceRouteTableAssociation },
  RevokeSecurityGroupEgress: { resources: groupOf, run: revoke('egress') },
  RevokeSecurityGroupIngress: { resources: groupOf, run: revoke('ingress') },
  UpdateSecurityGroupRuleDescriptionsEgress: { resources: groupOf, run: describeRules('egress') },
  UpdateSecurityGroupRuleDescriptionsIngress: { resources: groupOf, run: describeRules('ingress') },
} satisfies Partial<OperationTable<typeof EC2>>
