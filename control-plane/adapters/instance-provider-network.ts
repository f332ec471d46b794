// The network of embedded instances. Each installation has a bridge with a gateway address of its own; each instance has
// a network namespace on it, and the host a route to the instance's address alone, so that two installations, or an
// installation on a machine that is itself in 172.31.0.0/16, do not get in each other's way.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'

export interface InstanceNetwork {
  readonly instanceId: string
  readonly privateIpAddress: string
  readonly macAddress: string
  readonly vpcCidrBlock: string
}

/** Runs a program to its end. Rejects with what it printed on standard error. */
export function command(file: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, (error, stdout, stderr) => {
      if (error) reject(new Error(`${file} ${args.join(' ')}: ${stderr.trim() || error.message}`))
      else resolve(stdout)
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

const quietly = (running: Promise<unknown>): Promise<void> =>
  running.then(
    () => undefined,
    () => undefined,
  )

/** Names of the installation `id`, eight hexadecimal digits; interface names have fifteen characters at most. */
export const bridgeName = (id: string): string => `berth-${id}`
export const namespaceName = (id: string, instanceId: string): string => `berth-${id}-${instanceId}`
/** The installation's table of nft(8); instance-provider-routes.ts fills it. */
export const filterTable = (id: string): string => `berth_${id}`
const linkName = (instanceId: string): string => `bv${instanceId.slice(-12)}`

/** The gateway address an installation takes if nobody else on this machine has it: somewhere in 10.213.0.0/16. */
export function gatewayCandidates(id: string): string[] {
  const first = Number.parseInt(id.slice(0, 4), 16)
  return Array.from({ length: 16 }, (_, index) => {
    const place = (first + index * 257) % 65_536
    return `10.213.${place >> 8}.${place & 255}`
  })
}

/** A gateway address no other interface has. */
export function chooseGateway(id: string): string {
  const taken = new Set<string>()
  for (const [name, addresses] of Object.entries(networkInterfaces()))
    if (name !== bridgeName(id)) for (const { address } of addresses ?? []) taken.add(address)
  const free = gatewayCandidates(id).find((address) => !taken.has(address))
  if (free === undefined) throw new Error('no free gateway address in 10.213.0.0/16')
  return free
}

const forwardRules = (id: string): string[][] =>
  ['-i', '-o'].map((direction) => ['FORWARD', direction, bridgeName(id), '-j', 'ACCEPT'])
const masqueradeRule = (id: string, address: string): string[] => [
  'POSTROUTING',
  '-s',
  `${address}/32`,
  '!',
  '-o',
  bridgeName(id),
  '-j',
  'MASQUERADE',
]

async function addRule(table: string, rule: readonly string[]): Promise<void> {
  const present = await command('iptables', ['-w', '-t', table, '-C', ...rule]).then(
    () => true,
    () => false,
  )
  if (!present) await command('iptables', ['-w', '-t', table, '-I', ...rule])
}

/**
 * A bridge that is given no address takes the lowest of its ports', so when an instance goes the gateway's address may
 * change, and the others send to the old one until they ask again: up to a minute.
 */
const bridgeMac = (id: string): string => `02:${(id.match(/../g) ?? []).slice(0, 4).join(':')}:01`

/** Makes the bridge with its gateway address, and lets what is on it reach the world. Does only what is lacking. */
export async function makeBridge(id: string, gateway: string): Promise<void> {
  const bridge = bridgeName(id)
  if (!existsSync(`/sys/class/net/${bridge}`))
    await command('ip', ['link', 'add', bridge, 'address', bridgeMac(id), 'type', 'bridge'])
  await command('ip', ['-batch', '-'], `addr replace ${gateway}/32 dev ${bridge}\nlink set ${bridge} up\n`)
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1')
  await Promise.all(forwardRules(id).map((rule) => addRule('filter', rule)))
}

/** Deletes every rule of a chain that is ours by its words. */
async function deleteRules(
  table: string,
  chain: string,
  isOurs: (words: readonly string[]) => boolean,
): Promise<void> {
  const listed = await command('iptables', ['-w', '-t', table, '-S', chain])
  for (const line of listed.split('\n')) {
    const [verb, ...rule] = line.trim().split(' ')
    if (verb === '-A' && isOurs(rule)) await quietly(command('iptables', ['-w', '-t', table, '-D', ...rule]))
  }
}

/** Removes the bridge and every rule that names it. */
export async function removeBridge(id: string): Promise<void> {
  const bridge = bridgeName(id)
  const namesBridge = (words: readonly string[]): boolean => words.includes(bridge)
  await Promise.all([
    existsSync(`/sys/class/net/${bridge}`) ? command('ip', ['link', 'del', bridge]) : undefined,
    deleteRules('filter', 'FORWARD', namesBridge),
    // There is none where no task had a network interface, or nft is not installed.
    quietly(command('nft', ['delete', 'table', 'ip', filterTable(id)])),
    deleteRules('nat', 'POSTROUTING', namesBridge),
  ])
}

/** The instances of an installation that have a network namespace. */
export function instancesOnNetwork(id: string): string[] {
  const prefix = namespaceName(id, '')
  if (!existsSync('/run/netns')) return []
  return readdirSync('/run/netns').flatMap((name) =>
    name.startsWith(prefix) ? [name.slice(prefix.length)] : [],
  )
}

/** Removes links, routes and rules of an installation that belong to none of these instances. */
export async function sweepNetwork(
  id: string,
  instances: ReadonlyArray<Pick<InstanceNetwork, 'instanceId' | 'privateIpAddress'>>,
): Promise<void> {
  const bridge = bridgeName(id)
  const addresses = new Set(instances.flatMap(({ privateIpAddress }) => [`${privateIpAddress}/32`]))
  const links = new Set(instances.map(({ instanceId }) => linkName(instanceId)))
  await deleteRules(
    'nat',
    'POSTROUTING',
    (words) => words.includes(bridge) && !words.some((word) => addresses.has(word)),
  )
  if (!existsSync(`/sys/class/net/${bridge}`)) return
  for (const link of readdirSync(`/sys/class/net/${bridge}/brif`))
    if (!links.has(link)) await quietly(command('ip', ['link', 'del', link]))
  const routes = await command('ip', ['route', 'show', 'dev', bridge])
  for (const [address = '', over] of routes.split('\n').map((line) => line.split(' ')))
    // Those over an instance are tasks', which have a keeper of their own.
    if (address !== '' && over !== 'via' && !addresses.has(`${address}/32`))
      await quietly(command('ip', ['route', 'del', address, 'dev', bridge]))
}

/**
 * Makes the instance's namespace and joins it to the bridge; of an earlier one nothing may be left. On its loopback
 * interface it also has the address of instance metadata, where containers reach it too, their bridge's address being in
 * the same namespace.
 */
export async function joinNetwork(id: string, gateway: string, instance: InstanceNetwork): Promise<void> {
  const { instanceId, privateIpAddress: address, macAddress, vpcCidrBlock } = instance
  const bridge = bridgeName(id)
  const namespace = namespaceName(id, instanceId)
  const link = linkName(instanceId)
  const route = await command('ip', ['route', 'show', `${address}/32`])
  if (route !== '' && !route.includes(`dev ${bridge} `))
    throw new Error(`the address ${address} is in use on this machine: ${route.trim()}`)
  const outside = [
    `netns add ${namespace}`,
    `link add ${link} type veth peer name eth0 address ${macAddress} netns ${namespace}`,
    `link set ${link} master ${bridge} up`,
    `route replace ${address}/32 dev ${bridge} src ${gateway}`,
  ]
  const inside = [
    'link set lo up',
    'addr add 169.254.169.254/32 dev lo',
    `addr add ${address}/${vpcCidrBlock.split('/')[1]} dev eth0`,
    'link set eth0 up',
    `route add ${gateway}/32 dev eth0`,
    `route add default via ${gateway}`,
  ]
  const made = await Promise.allSettled([
    command('ip', ['-batch', '-'], outside.join('\n')).then(() =>
      command('ip', ['-n', namespace, '-batch', '-'], inside.join('\n')),
    ),
    addRule('nat', masqueradeRule(id, address)),
  ])
  // Both have ended before a failure goes on, so that undoing it meets nothing that is still being made.
  for (const part of made) if (part.status === 'rejected') throw part.reason
}

/** Undoes `joinNetwork`, also half of it. Without an address, all but the route and the rule, which go by address. */
export async function leaveNetwork(
  id: string,
  instanceId: string,
  privateIpAddress: string | undefined,
): Promise<void> {
  const namespace = namespaceName(id, instanceId)
  const link = linkName(instanceId)
  const bridge = bridgeName(id)
  await Promise.all([
    existsSync(`/sys/class/net/${link}`) ? quietly(command('ip', ['link', 'del', link])) : undefined,
    existsSync(`/run/netns/${namespace}`) ? command('ip', ['netns', 'del', namespace]) : undefined,
    ...(privateIpAddress === undefined
      ? []
      : [
          quietly(command('ip', ['route', 'del', `${privateIpAddress}/32`, 'dev', bridge])),
          deleteRules(
            'nat',
            'POSTROUTING',
            (words) => words.includes(bridge) && words.includes(`${privateIpAddress}/32`),
          ),
        ]),
  ])
}
