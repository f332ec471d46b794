// Routes from this machine to tasks' addresses over the instances that carry them, and the filter between VPCs.
import { existsSync } from 'node:fs'
import type { NetworkMember } from '#engines/task-routes.ts'
import { bridgeName, command, filterTable } from './instance-provider-network.ts'

/**
 * The installation's table for nft(8), as one transaction. What tasks send to the world outside gets the machine's
 * address. Between members of different VPCs nothing passes; addresses of VPCs that overlap cannot be told apart.
 */
function memberRules(id: string, members: readonly NetworkMember[]): string {
  const bridge = bridgeName(id)
  const byVpc = Map.groupBy(members, ({ vpcId }) => vpcId)
  const setOf = (vpcId: string): string => vpcId.replaceAll(/[^0-9A-Za-z]/g, '_')
  const addresses = (some: readonly NetworkMember[]): string => {
    const all = [...new Set(some.map(({ address }) => address))]
    return all.length > 0 ? ` elements = { ${all.join(', ')} };` : ''
  }
  return [
    `table ip ${filterTable(id)}`,
    `delete table ip ${filterTable(id)}`,
    `table ip ${filterTable(id)} {`,
    `  set members { type ipv4_addr;${addresses(members)} }`,
    `  set tasks { type ipv4_addr;${addresses(members.filter(({ via }) => via !== undefined))} }`,
    ...[...byVpc].map(([vpcId, own]) => `  set ${setOf(vpcId)} { type ipv4_addr;${addresses(own)} }`),
    '  chain forward {',
    '    type filter hook forward priority filter; policy accept;',
    ...[...byVpc.keys()].map(
      (vpcId) =>
        `    iifname "${bridge}" ip saddr @${setOf(vpcId)} ip daddr @members ip daddr != @${setOf(vpcId)} drop`,
    ),
    '  }',
    '  chain postrouting {',
    '    type nat hook postrouting priority srcnat; policy accept;',
    `    ip saddr @tasks oifname != "${bridge}" masquerade`,
    '  }',
    '}',
    '',
  ].join('\n')
}

/** Makes the routes and rules of these members, and removes those of others; false when there is no bridge to do it on. */
export async function routeToMembers(
  id: string,
  gateway: string,
  members: readonly NetworkMember[],
): Promise<boolean> {
  const bridge = bridgeName(id)
  if (!existsSync(`/sys/class/net/${bridge}`)) return false
  const wanted = new Map(members.flatMap(({ address, via }) => (via === undefined ? [] : [[address, via]])))
  const shown = await command('ip', ['-4', 'route', 'show', 'dev', bridge])
  const known = taskRoutesIn(shown)
  const gone = [...known].filter(([address, via]) => wanted.get(address) !== via)
  const lacking = [...wanted].filter(([address, via]) => known.get(address) !== via)
  const changes = [
    ...gone.map(([address]) => `route del ${address}/32 dev ${bridge}`),
    ...lacking.map(
      ([address, via]) => `route replace ${address}/32 via ${via} dev ${bridge} onlink src ${gateway}`,
    ),
  ]
  if (changes.length > 0) await command('ip', ['-force', '-batch', '-'], changes.join('\n'))
  await command('nft', ['-f', '-'], memberRules(id, members))
  return true
}

/** The routes over an instance, as `ip route show` prints them: address and instance. */
function taskRoutesIn(shown: string): Map<string, string> {
  return new Map(
    shown.split('\n').flatMap((line): Array<[string, string]> => {
      const [, address, via] = /^(\d+(?:\.\d+){3})(?:\/32)? via (\S+) /.exec(line) ?? []
      return address === undefined || via === undefined ? [] : [[address, via]]
    }),
  )
}
