// Between EC2's two ways to say what a group lets through: IpPermissions, and rules of one place each.
import type { IpPermission, SecurityGroupRule as RuleShape } from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Scope } from '#domain/arn.ts'
import type { SecurityGroup } from '#domain/instance.ts'
import { parseIpv4Block, showIpv4Block } from '#domain/ipv4-block.ts'
import { rulesOfGroup, type SecurityGroupRule } from '#domain/security-group.ts'
import type { View } from '#state/store.ts'
import { groupNamed, groupNotFound } from './network-lookup.ts'
import { ec2Arn, showTags, tagsOf } from './tag.ts'

export type RuleDraft = Omit<SecurityGroupRule, 'ruleId'>
const protocols: Readonly<Record<string, string>> = {
  '6': 'tcp',
  '17': 'udp',
  '1': 'icmp',
  '58': 'icmpv6',
  all: '-1',
}
const portMax = 65_535

const invalid = (message: string): AwsError => new AwsError('InvalidParameterValue', message)

/** The flat members of older requests. */
interface Flat {
  readonly IpProtocol?: string | undefined
  readonly FromPort?: number | undefined
  readonly ToPort?: number | undefined
  readonly CidrIp?: string | undefined
  readonly SourceSecurityGroupName?: string | undefined
  readonly IpPermissions?: readonly IpPermission[] | undefined
}

/** What a request says, as permissions. Throws MissingParameter when that is nothing. */
export function permissionsOf(input: Flat): readonly IpPermission[] {
  const { IpProtocol, FromPort, ToPort, CidrIp, SourceSecurityGroupName, IpPermissions = [] } = input
  const flat = IpProtocol !== undefined || CidrIp !== undefined || SourceSecurityGroupName !== undefined
  if (!flat) return IpPermissions
  return [
    ...IpPermissions,
    {
      IpProtocol: IpProtocol ?? '-1',
      FromPort,
      ToPort,
      ...(CidrIp !== undefined && { IpRanges: [{ CidrIp }] }),
      ...(SourceSecurityGroupName !== undefined && {
        UserIdGroupPairs: [{ GroupName: SourceSecurityGroupName }],
      }),
    },
  ]
}

/** The rules of permissions, one for each place. Throws what EC2 answers for what is none. */
export function draftsOf(
  view: View,
  group: SecurityGroup,
  direction: SecurityGroupRule['direction'],
  permissions: readonly IpPermission[],
): RuleDraft[] {
  return permissions.flatMap((permission) => {
    if (permission.PrefixListIds?.length)
      throw new AwsError('UnsupportedOperation', 'Berth does not support prefix lists in security groups.')
    const base = { direction, ...protocolOf(permission) }
    const described = (description: string | undefined) => descriptionOf(description)
    return [
      ...(permission.IpRanges ?? []).map(({ CidrIp = '', Description }) => ({
        ...base,
        cidrIpv4: cidrOf(CidrIp),
        ...described(Description),
      })),
      ...(permission.Ipv6Ranges ?? []).map(({ CidrIpv6 = '', Description }) => ({
        ...base,
        cidrIpv6: ipv6Of(CidrIpv6),
        ...described(Description),
      })),
      ...(permission.UserIdGroupPairs ?? []).map(({ GroupId, GroupName, Description }) => ({
        ...base,
        groupId: referenced(view, group, GroupId, GroupName),
        ...described(Description),
      })),
    ]
  })
}

export function descriptionOf(description: string | undefined): { description?: string } {
  if (description === undefined || description === '') return {}
  if (description.length > 255 || !/^[\w .:/()#,@[\]+=&;{}!$*-]*$/.test(description))
    throw invalid(
      'Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*',
    )
  return { description }
}

/** Protocol and ports of a rule, as they are kept. */
export function protocolOf({ IpProtocol: said = '-1', FromPort: from, ToPort: to }: IpPermission): {
  readonly protocol: string
  readonly fromPort?: number
  readonly toPort?: number
} {
  const lower = said.toLowerCase()
  const protocol = protocols[lower] ?? lower
  const known = ['-1', 'tcp', 'udp', 'icmp', 'icmpv6'].includes(protocol)
  if (!known && !(/^\d{1,3}$/.test(protocol) && Number(protocol) < 255))
    throw invalid(`Invalid value '${said}' for IP protocol. Unknown protocol.`)
  if (protocol === '-1' || !known) return { protocol }
  if (protocol === 'tcp' || protocol === 'udp') {
    if (from === undefined || to === undefined)
      throw invalid("Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.")
    const wrong = [from, to].find((port) => port < 0 || port > portMax)
    if (wrong !== undefined)
      throw invalid(`Invalid value '${wrong}' for port. Must be between 0 and ${portMax}`)
    if (from > to)
      throw invalid(
        `Invalid ${protocol.toUpperCase()} port range. Use a from port that is not greater than the to port.`,
      )
    return { protocol, fromPort: from, toPort: to }
  }
  for (const part of [from, to])
    if (part !== undefined && (part < -1 || part > 255))
      throw invalid(`Invalid value '${part}' for ICMP type or code. Must be between -1 and 255`)
  return { protocol, fromPort: from ?? -1, toPort: to ?? -1 }
}

export function cidrOf(text: string): string {
  const block = parseIpv4Block(text)
  if (!block) throw invalid(`CIDR block ${text} is malformed`)
  return showIpv4Block(block)
}

export function ipv6Of(text: string): string {
  if (!/^[0-9a-f:.]+\/\d{1,3}$/i.test(text) || !text.includes(':'))
    throw invalid(`CIDR block ${text} is malformed`)
  return text.toLowerCase()
}

/** The group that a rule names. Throws InvalidGroup.NotFound, also for one of another VPC. */
export function referenced(
  view: View,
  { vpcId }: SecurityGroup,
  id: string | undefined,
  name: string | undefined,
): string {
  const row = id ? view.find('securityGroup', id) : groupNamed(view, vpcId, name ?? '')
  if (!row) throw groupNotFound(id ?? name ?? '')
  if (row.vpcId !== vpcId)
    throw new AwsError(
      'InvalidGroup.NotFound',
      'You have specified two resources that belong to different networks.',
    )
  return row.groupId
}

/** A rule in the words of EC2's refusals: `peer: 10.0.0.0/8, TCP, from port: 443, to port: 443, ALLOW`. */
export function ruleText(rule: RuleDraft): string {
  const { protocol, fromPort, toPort, cidrIpv4, cidrIpv6, groupId } = rule
  const peer = `peer: ${cidrIpv4 ?? cidrIpv6 ?? groupId}`
  if (protocol === '-1') return `${peer}, ALL, ALLOW`
  const any = (part: number | undefined): string => (part === undefined || part === -1 ? 'ALL' : String(part))
  if (protocol.startsWith('icmp'))
    return `${peer}, ${protocol.toUpperCase()}, type: ${any(fromPort)}, code: ${any(toPort)}, ALLOW`
  if (fromPort === undefined) return `${peer}, ${protocol}, ALLOW`
  return `${peer}, ${protocol.toUpperCase()}, from port: ${fromPort}, to port: ${toPort}, ALLOW`
}

/** The rules of a group as DescribeSecurityGroups shows them: together where protocol and ports are the same. */
export function showPermissions(
  group: SecurityGroup,
  direction: SecurityGroupRule['direction'],
): IpPermission[] {
  const rules = rulesOfGroup(group).filter((rule) => rule.direction === direction)
  const alike = Map.groupBy(rules, ({ protocol, fromPort, toPort }) => `${protocol} ${fromPort} ${toPort}`)
  return [...alike.values()].map((some) => {
    const [first] = some
    return {
      IpProtocol: first?.protocol,
      FromPort: first?.fromPort,
      ToPort: first?.toPort,
      IpRanges: some.flatMap(({ cidrIpv4: CidrIp, description: Description }) =>
        CidrIp === undefined ? [] : [{ CidrIp, Description }],
      ),
      Ipv6Ranges: some.flatMap(({ cidrIpv6: CidrIpv6, description: Description }) =>
        CidrIpv6 === undefined ? [] : [{ CidrIpv6, Description }],
      ),
      PrefixListIds: [],
      UserIdGroupPairs: some.flatMap(({ groupId: GroupId, description: Description }) =>
        GroupId === undefined ? [] : [{ GroupId, UserId: group.accountId, Description }],
      ),
    }
  })
}

/** One rule as DescribeSecurityGroupRules shows it. */
export function showRule(view: View, group: SecurityGroup & Scope, rule: SecurityGroupRule): RuleShape {
  return {
    SecurityGroupRuleId: rule.ruleId,
    GroupId: group.groupId,
    GroupOwnerId: group.accountId,
    IsEgress: rule.direction === 'egress',
    IpProtocol: rule.protocol,
    FromPort: rule.fromPort ?? -1,
    ToPort: rule.toPort ?? -1,
    CidrIpv4: rule.cidrIpv4,
    CidrIpv6: rule.cidrIpv6,
    ...(rule.groupId !== undefined && {
      ReferencedGroupInfo: { GroupId: rule.groupId, UserId: group.accountId },
    }),
    Description: rule.description,
    SecurityGroupRuleArn: ec2Arn(group, 'security-group-rule', rule.ruleId),
    Tags: showTags(tagsOf(view, group, 'security-group-rule', rule.ruleId)),
  }
}
