import type { NetworkRule } from '@berth/agent-protocol/network-rules.ts'
import { expect, test } from 'vitest'
import { packetRules } from './packet-rules.ts'

const eni = { ec2Id: 'eni-0a1', privateAddress: '172.31.0.9' }
const groups = { 'sg-1': ['172.31.0.9', '172.31.0.10'] }
/** The lines of the chain of what may come in. */
function ingress(...rules: readonly NetworkRule[]): string[] {
  const text = packetRules(
    { interfaces: [{ ...eni, ingress: rules, egress: [] }], groups },
    { blockInstanceMetadata: false },
  )
  const [, chain = ''] = /chain in_eni_0a1 \{\n([^}]*)\}/.exec(text) ?? []
  return chain
    .trim()
    .split('\n')
    .map((line) => line.trim())
}
const cidr = '10.0.0.0/8'

test.each<[string, NetworkRule, string]>([
  ['everything from everywhere', { protocol: '-1', cidr: '0.0.0.0/0' }, 'meta nfproto ipv4 return'],
  ['everything from a block', { protocol: '-1', cidr }, 'ip saddr 10.0.0.0/8 return'],
  ['a port', { protocol: 'tcp', fromPort: 80, toPort: 80, cidr }, 'tcp dport 80 ip saddr 10.0.0.0/8 return'],
  ['ports', { protocol: 'udp', fromPort: 1, toPort: 9, cidr }, 'udp dport 1-9 ip saddr 10.0.0.0/8 return'],
  ['a group', { protocol: '-1', groupId: 'sg-1' }, 'ip saddr @group_sg_1 return'],
  [
    'a type of ICMP',
    { protocol: 'icmp', fromPort: 8, toPort: -1, cidr },
    'icmp type 8 ip saddr 10.0.0.0/8 return',
  ],
  [
    'a type and code of ICMP',
    { protocol: 'icmp', fromPort: 3, toPort: 4, cidr },
    'icmp type 3 icmp code 4 ip saddr 10.0.0.0/8 return',
  ],
  [
    'all of ICMP',
    { protocol: 'icmp', fromPort: -1, toPort: -1, cidr },
    'meta l4proto icmp ip saddr 10.0.0.0/8 return',
  ],
  ['another protocol', { protocol: '50', cidr }, 'meta l4proto 50 ip saddr 10.0.0.0/8 return'],
])('lets in %s', (_, rule, line) => {
  expect(ingress(rule)).toEqual([
    'ct state related return',
    'ct state established ct direction reply return',
    line,
    'drop',
  ])
})

test('a rule for a group without known members lets nothing in', () => {
  expect(ingress({ protocol: '-1', groupId: 'sg-2' })).toHaveLength(3)
})

test('tasks are kept from instance metadata only where that is asked for', () => {
  const rules = { interfaces: [], groups: {} }
  expect(packetRules(rules, { blockInstanceMetadata: true })).toContain('ip daddr 169.254.169.254 drop')
  expect(packetRules(rules, { blockInstanceMetadata: false })).not.toContain('169.254.169.254')
})
