import { scopeKey } from '#domain/arn.ts'
import type { Subnet, Vpc, SecurityGroup } from '#domain/instance.ts'
import type { NetworkInterface } from '#domain/network-interface.ts'
import { referencedGroups } from '#domain/security-group.ts'
import type { InternetGateway, RouteTable } from '#domain/vpc-routing.ts'
import { define } from './table.ts'

/** The tables of the networks of Amazon VPC. */
export const networkTables = {
  internetGateway: define<InternetGateway>()({
    key: (row) => row.internetGatewayId,
    indexes: { scope: scopeKey, vpc: (row) => row.vpcId },
  }),
  routeTable: define<RouteTable>()({
    key: (row) => row.routeTableId,
    indexes: {
      scope: scopeKey,
      vpc: (row) => row.vpcId,
      association: (row) => row.associations.map(({ associationId }) => associationId),
      subnet: (row) => row.associations.map(({ subnetId }) => subnetId),
    },
  }),
  networkInterface: define<NetworkInterface>()({
    key: (row) => row.networkInterfaceId,
    indexes: {
      scope: scopeKey,
      vpc: (row) => row.vpcId,
      subnet: (row) => row.subnetId,
      /** By private address: interfaces of all accounts and regions share one network. */
      address: (row) => row.privateIpAddress,
      task: (row) => row.taskArn,
      /** By the id of its attachment to a task. */
      attachment: (row) => row.attachmentId,
      containerInstance: (row) => row.containerInstanceArn,
      /** By each of its security groups. */
      group: (row) => row.securityGroupIds,
    },
  }),
  securityGroup: define<SecurityGroup>()({
    key: (row) => row.groupId,
    indexes: {
      scope: scopeKey,
      vpc: (row) => row.vpcId,
      /** By each group that its rules name. */
      references: (row) => referencedGroups(row),
    },
  }),
  subnet: define<Subnet>()({
    key: (row) => row.subnetId,
    indexes: { scope: scopeKey, vpc: (row) => row.vpcId },
  }),
  vpc: define<Vpc>()({ key: (row) => row.vpcId, indexes: { scope: scopeKey } }),
}
