import { bool, list, number, optional, type Reader, record, text } from './message.ts'

interface PrivateAddress {
  readonly primary?: boolean
  readonly privateAddress: string
}
interface Ipv6Address {
  readonly primary?: boolean
  readonly address: string
}
interface VlanProperties {
  readonly vlanId?: string
  readonly trunkInterfaceMacAddress?: string
}

/** A network interface as agents are told of it. */
export interface ElasticNetworkInterface {
  readonly ec2Id: string
  readonly attachmentArn?: string
  readonly macAddress: string
  readonly ipv4Addresses?: readonly PrivateAddress[]
  readonly ipv6Addresses?: readonly Ipv6Address[]
  /** With the prefix length: `10.0.0.1/24`. */
  readonly subnetGatewayIpv4Address?: string
  readonly subnetGatewayIpv6Address?: string
  readonly domainName?: readonly string[]
  readonly domainNameServers?: readonly string[]
  readonly privateDnsName?: string
  readonly interfaceAssociationProtocol?: string
  readonly interfaceVlanProperties?: VlanProperties
  readonly index?: number
  readonly name?: string
}

export const elasticNetworkInterface: Reader<ElasticNetworkInterface> = record<ElasticNetworkInterface>({
  ec2Id: text,
  attachmentArn: optional(text),
  macAddress: text,
  ipv4Addresses: optional(list(record<PrivateAddress>({ primary: optional(bool), privateAddress: text }))),
  ipv6Addresses: optional(list(record<Ipv6Address>({ primary: optional(bool), address: text }))),
  subnetGatewayIpv4Address: optional(text),
  subnetGatewayIpv6Address: optional(text),
  domainName: optional(list(text)),
  domainNameServers: optional(list(text)),
  privateDnsName: optional(text),
  interfaceAssociationProtocol: optional(text),
  interfaceVlanProperties: optional(
    record<VlanProperties>({ vlanId: optional(text), trunkInterfaceMacAddress: optional(text) }),
  ),
  index: optional(number),
  name: optional(text),
})
