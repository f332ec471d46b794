import { beforeEach, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import {
  createNetworkInterface,
  deleteNetworkInterface,
  describeNetworkInterfaces,
  modifyNetworkInterfaceAttribute,
} from './network-interface.ts'
import { errorOf } from './network-testing.ts'
import { describeSubnets, describeVpcs } from './network.ts'
import { describeSecurityGroups } from './security-group.ts'
import { createSubnet, deleteSubnet, modifySubnetAttribute } from './subnet.ts'
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
  deleteRouteTable,
  describeRouteTables,
  disassociateRouteTable,
} from './vpc-route-table.ts'
import { createVpc, deleteVpc, describeVpcAttribute, modifyVpcAttribute } from './vpc.ts'

let context: TestContext
let VpcId: string
beforeEach(async () => {
  context = await testContext()
  VpcId = createVpc(context, { CidrBlock: '10.0.1.2/16' }).Vpc?.VpcId ?? ''
})
const subnet = (CidrBlock: string, AvailabilityZone?: 'us-east-1b'): string =>
  createSubnet(context, { VpcId, CidrBlock, AvailabilityZone }).Subnet?.SubnetId ?? ''

test('a VPC has its block, a default group and a main route table', () => {
  const { Vpcs } = describeVpcs(context, { VpcIds: [VpcId] })
  expect(Vpcs).toMatchObject([{ CidrBlock: '10.0.0.0/16', IsDefault: false, State: 'available' }])
  const Filters = [{ Name: 'vpc-id', Values: [VpcId] }]
  expect(describeSecurityGroups(context, { Filters }).SecurityGroups).toMatchObject([
    { GroupName: 'default' },
  ])
  const main = [...Filters, { Name: 'association.main', Values: ['true'] }]
  expect(describeRouteTables(context, { Filters: main }).RouteTables).toMatchObject([
    { Routes: [{ DestinationCidrBlock: '10.0.0.0/16', GatewayId: 'local' }] },
  ])
  deleteVpc(context, { VpcId })
  expect(errorOf(() => describeVpcs(context, { VpcIds: [VpcId] }))).toBe(
    `InvalidVpcID.NotFound: The vpc ID '${VpcId}' does not exist`,
  )
})

test('attributes of VPCs and subnets are kept', () => {
  const hostnames = () => describeVpcAttribute(context, { VpcId, Attribute: 'enableDnsHostnames' })
  expect(hostnames()).toMatchObject({ EnableDnsHostnames: { Value: false } })
  modifyVpcAttribute(context, { VpcId, EnableDnsHostnames: { Value: true } })
  expect(hostnames()).toMatchObject({ EnableDnsHostnames: { Value: true } })
  const SubnetId = subnet('10.0.1.0/24', 'us-east-1b')
  modifySubnetAttribute(context, { SubnetId, MapPublicIpOnLaunch: { Value: true } })
  expect(describeSubnets(context, { SubnetIds: [SubnetId] }).Subnets).toMatchObject([
    { AvailabilityZone: 'us-east-1b', AvailableIpAddressCount: 251, MapPublicIpOnLaunch: true },
  ])
})

test('what Terraform makes of a network is made, shown and taken away in turn', () => {
  const SubnetId = subnet('10.0.1.0/24')
  const InternetGatewayId = createInternetGateway(context, {}).InternetGateway?.InternetGatewayId ?? ''
  attachInternetGateway(context, { InternetGatewayId, VpcId })
  const RouteTableId = createRouteTable(context, { VpcId }).RouteTable?.RouteTableId ?? ''
  createRoute(context, { RouteTableId, DestinationCidrBlock: '0.0.0.0/0', GatewayId: InternetGatewayId })
  const { AssociationId } = associateRouteTable(context, { RouteTableId, SubnetId })
  expect(describeRouteTables(context, { RouteTableIds: [RouteTableId] }).RouteTables).toMatchObject([
    {
      Associations: [{ SubnetId, Main: false }],
      Routes: [{ GatewayId: 'local' }, { GatewayId: InternetGatewayId, State: 'active' }],
    },
  ])
  expect(describeInternetGateways(context, {}).InternetGateways).toMatchObject([
    { Attachments: [{ VpcId, State: 'available' }] },
  ])
  expect(errorOf(() => deleteVpc(context, { VpcId }))).toBe(
    `DependencyViolation: The vpc '${VpcId}' has dependencies and cannot be deleted.`,
  )
  disassociateRouteTable(context, { AssociationId })
  deleteRouteTable(context, { RouteTableId })
  detachInternetGateway(context, { InternetGatewayId, VpcId })
  deleteInternetGateway(context, { InternetGatewayId })
  deleteSubnet(context, { SubnetId })
  deleteVpc(context, { VpcId })
  expect(context.store.list('routeTable')).toEqual([])
})

test('an interface that a user makes is available until it is deleted', () => {
  const SubnetId = subnet('10.0.1.0/24')
  const made = createNetworkInterface(context, {
    SubnetId,
    PrivateIpAddress: '10.0.1.9',
    Description: 'mine',
  })
  const NetworkInterfaceId = made.NetworkInterface?.NetworkInterfaceId ?? ''
  modifyNetworkInterfaceAttribute(context, { NetworkInterfaceId, Description: { Value: 'yours' } })
  const Filters = [{ Name: 'subnet-id', Values: [SubnetId] }]
  expect(describeNetworkInterfaces(context, { Filters }).NetworkInterfaces).toMatchObject([
    { Description: 'yours', Status: 'available', RequesterManaged: false, PrivateIpAddress: '10.0.1.9' },
  ])
  expect(errorOf(() => deleteSubnet(context, { SubnetId }))).toMatch(/^DependencyViolation/)
  deleteNetworkInterface(context, { NetworkInterfaceId })
  deleteSubnet(context, { SubnetId })
})

test("a task's interface cannot be deleted", () => {
  const SubnetId = subnet('10.0.1.0/24')
  const { NetworkInterface } = createNetworkInterface(context, { SubnetId })
  const NetworkInterfaceId = NetworkInterface?.NetworkInterfaceId ?? ''
  context.store.update((tx) => {
    const row = tx.find('networkInterface', NetworkInterfaceId)
    if (row) tx.put('networkInterface', { ...row, taskArn: 'arn:task', attachmentId: 'one' })
  })
  expect(errorOf(() => deleteNetworkInterface(context, { NetworkInterfaceId }))).toMatch(
    /^OperationNotPermitted/,
  )
  expect(describeNetworkInterfaces(context, {}).NetworkInterfaces).toMatchObject([
    { RequesterManaged: true, Status: 'in-use' },
  ])
})

test.each<[string, () => unknown, string]>([
  [
    'a block outside of its VPC',
    () => subnet('10.1.0.0/24'),
    "InvalidSubnet.Range: The CIDR '10.1.0.0/24' is invalid.",
  ],
  [
    'a block that overlaps',
    () => [subnet('10.0.1.0/24'), subnet('10.0.1.128/25')],
    "InvalidSubnet.Conflict: The CIDR '10.0.1.128/25' conflicts with another subnet",
  ],
  [
    'a VPC that is too large',
    () => createVpc(context, { CidrBlock: '10.0.0.0/8' }),
    "InvalidVpc.Range: The CIDR '10.0.0.0/8' is invalid.",
  ],
  [
    'a VPC of IPv6',
    () => createVpc(context, { CidrBlock: '10.0.0.0/16', AmazonProvidedIpv6CidrBlock: true }),
    'UnsupportedOperation: Berth does not support AmazonProvidedIpv6CidrBlock in CreateVpc.',
  ],
  [
    'an address outside of the subnet',
    () => createNetworkInterface(context, { SubnetId: subnet('10.0.1.0/24'), PrivateIpAddress: '10.0.2.1' }),
    "InvalidParameterValue: Address 10.0.2.1 does not fall within the subnet's address range",
  ],
  [
    'a subnet that is not there',
    () => deleteSubnet(context, { SubnetId: 'subnet-0' }),
    "InvalidSubnetID.NotFound: The subnet ID 'subnet-0' does not exist",
  ],
])('refuses %s', (_, call, said) => {
  expect(errorOf(call)).toBe(said)
})
