// Inputs of Amazon VPC's operations that succeed; see samples-testing.ts.
import { existing } from './any-input-testing.ts'

const GroupId = existing
const everything = [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }]
const http = [{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: '10.0.0.0/8' }] }]
const NetworkInterfaceId = existing
const InternetGatewayId = existing
const RouteTableId = existing
const VpcId = existing
const SubnetId = existing
const DestinationCidrBlock = '0.0.0.0/0'

export const networkSamples: Readonly<Record<string, readonly object[]>> = {
  CreateVpc: [{ CidrBlock: '10.1.0.0/16' }],
  CreateSubnet: [
    { VpcId, CidrBlock: '172.31.48.0/24' },
    { VpcId, CidrBlock: '10.1.0.0/24' },
  ],
  CreateSecurityGroup: [{ GroupName: 'web', Description: 'of the web' }],
  AuthorizeSecurityGroupIngress: [
    { GroupId, IpPermissions: http },
    { GroupId, IpPermissions: everything },
  ],
  AuthorizeSecurityGroupEgress: [{ GroupId, IpPermissions: http }],
  RevokeSecurityGroupIngress: [
    {
      GroupName: 'default',
      IpPermissions: [{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupName: 'default' }] }],
    },
  ],
  RevokeSecurityGroupEgress: [{ GroupId, IpPermissions: everything }],
  UpdateSecurityGroupRuleDescriptionsEgress: [{ GroupId, IpPermissions: everything }],
  UpdateSecurityGroupRuleDescriptionsIngress: [{ GroupId, IpPermissions: http }],
  ModifySecurityGroupRules: [{ GroupId, SecurityGroupRules: [] }],
  CreateNetworkInterface: [{ SubnetId }],
  ModifyNetworkInterfaceAttribute: [{ NetworkInterfaceId, Description: { Value: 'mine' } }],
  DeleteNetworkInterface: [{ NetworkInterfaceId }],
  AttachInternetGateway: [{ InternetGatewayId, VpcId }],
  DetachInternetGateway: [{ InternetGatewayId, VpcId }],
  DeleteInternetGateway: [{ InternetGatewayId }],
  CreateRouteTable: [{ VpcId }],
  AssociateRouteTable: [{ RouteTableId, SubnetId }],
  CreateRoute: [{ RouteTableId, DestinationCidrBlock, GatewayId: 'local' }],
  ReplaceRoute: [{ RouteTableId, DestinationCidrBlock, GatewayId: 'local' }],
  DeleteRoute: [{ RouteTableId, DestinationCidrBlock }],
  DeleteRouteTable: [{ RouteTableId }],
  DescribeVpcAttribute: [{ VpcId, Attribute: 'enableDnsSupport' }],
  ModifyVpcAttribute: [{ VpcId, EnableDnsHostnames: { Value: true } }],
  ModifySubnetAttribute: [{ SubnetId, MapPublicIpOnLaunch: { Value: true } }],
  DeleteSubnet: [{ SubnetId }],
  DeleteSecurityGroup: [{ GroupId }],
  DeleteVpc: [{ VpcId }],
}
