import { list, map, name, number, optional, type Reader, record, text } from './message.ts'

/** What may pass: to the interface as ingress, from it as egress. */
export interface NetworkRule {
  /** `tcp`, `udp`, `icmp`, a protocol's number, or `-1`: all. */
  readonly protocol: string
  /** Ports, both ends included; of ICMP its type and code, where -1 is any. */
  readonly fromPort?: number
  readonly toPort?: number
  /** Either of the two: an IPv4 block, or the group whose members' addresses are in `groups`. */
  readonly cidr?: string
  readonly groupId?: string
}

export interface GuardedInterface {
  readonly ec2Id: string
  readonly privateAddress: string
  readonly ingress: readonly NetworkRule[]
  readonly egress: readonly NetworkRule[]
}

/**
 * All that an instance has to enforce for the network interfaces of its tasks; the last one counts. Sent to agents that
 * offer task network interfaces, which only Berth's own do here. Not part of AWS's protocol.
 */
export interface NetworkRules {
  readonly interfaces: readonly GuardedInterface[]
  /** The private addresses of the members of each group that a rule names. */
  readonly groups: Readonly<Record<string, readonly string[]>>
}

export interface NetworkRulesMessage extends NetworkRules {
  readonly messageId: string
  readonly clusterArn: string
  readonly containerInstanceArn: string
}

const rule = record<NetworkRule>({
  protocol: name,
  fromPort: optional(number),
  toPort: optional(number),
  cidr: optional(text),
  groupId: optional(text),
})

export const networkRulesMessage: Reader<NetworkRulesMessage> = record<NetworkRulesMessage>({
  messageId: name,
  clusterArn: name,
  containerInstanceArn: name,
  interfaces: list(
    record<GuardedInterface>({
      ec2Id: name,
      privateAddress: name,
      ingress: list(rule),
      egress: list(rule),
    }),
  ),
  groups: map(list(name)),
})
