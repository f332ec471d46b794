import type { ElasticNetworkInterface } from '@berth/agent-protocol/network-interface.ts'
import { domainOf, privateDnsName } from '#domain/ec2-network.ts'
import { gatewayOfSubnet } from '#domain/network-interface.ts'
import type { View } from '#state/store.ts'

/** The network interface of a task as its agent is told of it; undefined when it has none. */
export function payloadInterface(view: View, taskArn: string): ElasticNetworkInterface | undefined {
  const [row] = view.by('networkInterface', 'task', taskArn)
  const subnet = row && view.find('subnet', row.subnetId)
  if (!subnet) return undefined
  const { region, accountId, privateIpAddress, attachmentId } = row
  return {
    ec2Id: row.networkInterfaceId,
    attachmentArn: `arn:aws:ecs:${region}:${accountId}:attachment/${attachmentId}`,
    macAddress: row.macAddress,
    ipv4Addresses: [{ primary: true, privateAddress: privateIpAddress }],
    subnetGatewayIpv4Address: gatewayOfSubnet(subnet),
    domainName: [domainOf(region)],
    privateDnsName: privateDnsName(privateIpAddress, region),
    index: 0,
  }
}
