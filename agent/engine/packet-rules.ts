/** The packet filter of a host's task network interfaces, as text for nft(8). */
import type { GuardedInterface, NetworkRule, NetworkRules } from '@berth/agent-protocol/network-rules.ts'

const table = 'inet berth_tasks'
/** Containers' metadata and credentials, instance metadata, time: security groups never stand between. */
const linkLocal = '{ 127.0.0.0/8, 169.254.0.0/16 }'
const instanceMetadata = '169.254.169.254'

export interface PacketRulesOptions {
  /** Tasks do not reach instance metadata. */
  readonly blockInstanceMetadata: boolean
}

/**
 * One transaction that puts the whole table in the place of what was there. A packet that opens a connection, or goes on
 * in its direction, has to be let through by a rule each time, so that taking a rule away cuts the connections that rest
 * on it; answers pass. What has no interface of a task at either end is left alone.
 */
export function packetRules({ interfaces, groups }: NetworkRules, options: PacketRulesOptions): string {
  const addresses = interfaces.map(({ privateAddress }) => privateAddress)
  const verdicts = (to: 'in' | 'out'): string[] =>
    interfaces.map((one) => `${one.privateAddress} : jump ${chainOf(to, one)}`)
  return [
    // Declared first, so that deleting it never fails.
    `table ${table}`,
    `delete table ${table}`,
    `table ${table} {`,
    named('set', 'tasks', 'ipv4_addr', addresses),
    ...Object.entries(groups).map(([groupId, members]) => named('set', setOf(groupId), 'ipv4_addr', members)),
    ...interfaces.flatMap((one) => [
      chain(chainOf('in', one), one.ingress, 'saddr', groups),
      chain(chainOf('out', one), one.egress, 'daddr', groups),
    ]),
    named('map', 'ingress', 'ipv4_addr : verdict', verdicts('in')),
    named('map', 'egress', 'ipv4_addr : verdict', verdicts('out')),
    ...hook('prerouting', 'raw', [
      // A task has the one address that it was given.
      'iifname "veth*" ip saddr != @tasks drop',
      ...(options.blockInstanceMetadata ? [`iifname "veth*" ip daddr ${instanceMetadata} drop`] : []),
    ]),
    ...hook('forward', 'filter', ['ip saddr vmap @egress', 'ip daddr vmap @ingress']),
    ...hook('input', 'filter', [
      `ip daddr ${linkLocal} return`,
      'meta l4proto { tcp, udp } th dport 53 return',
      'ip saddr vmap @egress',
    ]),
    ...hook('output', 'filter', ['ip daddr vmap @ingress']),
    '}',
    '',
  ].join('\n')
}

const safe = (id: string): string => id.replaceAll(/[^0-9A-Za-z]/g, '_')
const chainOf = (to: 'in' | 'out', { ec2Id }: GuardedInterface): string => `${to}_${safe(ec2Id)}`
const setOf = (groupId: string): string => `group_${safe(groupId)}`

function named(kind: 'set' | 'map', name: string, type: string, elements: readonly string[]): string {
  const all = elements.length > 0 ? ` elements = { ${elements.join(', ')} };` : ''
  return `  ${kind} ${name} { type ${type};${all} }`
}

function hook(name: string, priority: string, rules: readonly string[]): string[] {
  return [
    `  chain ${name} {`,
    `    type filter hook ${name} priority ${priority}; policy accept;`,
    ...rules.map((rule) => `    ${rule}`),
    '  }',
  ]
}

function chain(
  name: string,
  rules: readonly NetworkRule[],
  end: 'saddr' | 'daddr',
  groups: NetworkRules['groups'],
): string {
  return [
    `  chain ${name} {`,
    '    ct state related return',
    '    ct state established ct direction reply return',
    ...new Set(rules.flatMap((rule) => matchesOf(rule, end, groups)).map((match) => `    ${match}return`)),
    '    drop',
    '  }',
  ].join('\n')
}

/** What a rule matches, with a space at its end; a rule that cannot match anything gives nothing. */
function matchesOf(
  { protocol, fromPort, toPort, cidr, groupId }: NetworkRule,
  end: 'saddr' | 'daddr',
  groups: NetworkRules['groups'],
): string[] {
  const place = placeOf(end, cidr, groupId, groups)
  return place === undefined ? [] : [`${protocolMatch(protocol, fromPort, toPort)}${place}`]
}

function placeOf(
  end: 'saddr' | 'daddr',
  cidr: string | undefined,
  groupId: string | undefined,
  groups: NetworkRules['groups'],
): string | undefined {
  if (groupId !== undefined)
    return Object.hasOwn(groups, groupId) ? `ip ${end} @${setOf(groupId)} ` : undefined
  if (cidr === undefined) return undefined
  return cidr === '0.0.0.0/0' ? 'meta nfproto ipv4 ' : `ip ${end} ${cidr} `
}

function protocolMatch(protocol: string, from: number | undefined, to: number | undefined): string {
  switch (protocol) {
    case '-1':
      return ''
    case 'tcp':
    case 'udp': {
      if (from === undefined || from === -1) return `meta l4proto ${protocol} `
      return `${protocol} dport ${from === (to ?? from) ? from : `${from}-${to}`} `
    }
    case 'icmp': {
      const type = from === undefined || from === -1 ? '' : `icmp type ${from} `
      const code = type === '' || to === undefined || to === -1 ? '' : `icmp code ${to} `
      return type === '' ? 'meta l4proto icmp ' : `${type}${code}`
    }
    case 'icmpv6':
      return 'meta l4proto 58 '
    default:
      return `meta l4proto ${protocol} `
  }
}
