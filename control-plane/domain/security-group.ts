/** One rule of a security group: it lets in or out what goes to or comes from one place. */
export interface SecurityGroupRule {
  readonly ruleId: string
  readonly direction: 'ingress' | 'egress'
  /** `tcp`, `udp`, `icmp`, `icmpv6`, the number of another protocol, or `-1`: all. */
  readonly protocol: string
  /** Ports, both ends included, or type and code of ICMP, where -1 is any; absent: all. */
  readonly fromPort?: number
  readonly toPort?: number
  /** One of the three. */
  readonly cidrIpv4?: string
  readonly cidrIpv6?: string
  readonly groupId?: string
  readonly description?: string
}

/** The rules a VPC's default group starts with: all from its own members, all to everywhere. */
function defaultGroupRules(groupId: string): readonly SecurityGroupRule[] {
  const id = groupId.slice('sg-0'.length)
  return [
    { ruleId: `sgr-0${flipped(id, 5)}`, direction: 'ingress', protocol: '-1', groupId },
    everythingOut(`sgr-0${flipped(id, 10)}`),
  ]
}

/** What every group that is made lets out: everything. */
export function everythingOut(ruleId: string): SecurityGroupRule {
  return { ruleId, direction: 'egress', protocol: '-1', cidrIpv4: '0.0.0.0/0' }
}

/** Another id of the same form, always the same: these rules are in no row until they are changed. */
function flipped(hex: string, by: number): string {
  return hex.replaceAll(/./g, (digit) => (Number.parseInt(digit, 16) ^ by).toString(16))
}

/** The rules of a group, those of an untouched default group too. */
export function rulesOfGroup({
  groupId,
  rules,
}: {
  readonly groupId: string
  readonly rules?: readonly SecurityGroupRule[]
}): readonly SecurityGroupRule[] {
  return rules ?? defaultGroupRules(groupId)
}

/** The groups whose members a group's rules name. */
export function referencedGroups(group: Parameters<typeof rulesOfGroup>[0]): readonly string[] {
  return [...new Set(rulesOfGroup(group).flatMap(({ groupId }) => groupId ?? []))]
}

/** Whether two rules let the same through, whatever they are called. */
export function isSameRule(one: SecurityGroupRule, other: SecurityGroupRule): boolean {
  return sameness(one) === sameness(other)
}

function sameness({
  direction,
  protocol,
  fromPort,
  toPort,
  cidrIpv4,
  cidrIpv6,
  groupId,
}: SecurityGroupRule): string {
  return JSON.stringify([direction, protocol, fromPort, toPort, cidrIpv4, cidrIpv6, groupId])
}

/** What one rule means where it is enforced: of a CIDR block, or of a group's members. */
export interface NetworkRule {
  readonly protocol: string
  readonly fromPort?: number
  readonly toPort?: number
  readonly cidr?: string
  readonly groupId?: string
}

/** What one interface lets in and out. */
export interface GuardedInterface {
  readonly ec2Id: string
  readonly privateAddress: string
  readonly ingress: readonly NetworkRule[]
  readonly egress: readonly NetworkRule[]
}

/** All that one instance enforces for its tasks, with the addresses of the groups that rules name. */
export interface NetworkRules {
  readonly interfaces: readonly GuardedInterface[]
  readonly groups: Readonly<Record<string, readonly string[]>>
}
