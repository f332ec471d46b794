/** Makes 169.254.170.2 lead to the agent, for the containers of this network namespace and for the host itself. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Environment } from './environment.ts'
import { introspectionPort, metadataPort } from '#adapters/metadata/server.ts'
import { taskEndpoint } from './task-endpoint.ts'

const run = promisify(execFile)

export interface AddressOptions {
  /** The loopback port that the address' port 80 leads to. */
  readonly metadataPort: number
  /** A loopback port to be had at the address under the same number: the control plane's. */
  readonly forwardedPort?: number
  /** Nobody but the host itself and the containers on Docker's bridge reaches this port; absent: everybody may. */
  readonly introspectionPort?: number
  /** Packets for loopback addresses from elsewhere are dropped unless they are for the address above. */
  readonly filtersLoopback: boolean
}

/** What the agent's environment asks for, under the names that ecs-init gives it. */
export function addressOptions(environment: Environment): AddressOptions {
  const forwardedPort = taskEndpoint(environment)?.forwardedPort
  return {
    metadataPort,
    ...(forwardedPort !== undefined && { forwardedPort }),
    ...(environment['ECS_ALLOW_OFFHOST_INTROSPECTION_ACCESS'] !== 'true' && { introspectionPort }),
    filtersLoopback: environment['ECS_SKIP_LOCALHOST_TRAFFIC_FILTER'] !== 'true',
  }
}

interface Rule {
  readonly table: 'nat' | 'filter'
  readonly words: readonly string[]
}

/** The packet filter rules of ecs-init; those of the filter table in the order in which they have to stand. */
export function addressRules(options: AddressOptions): readonly Rule[] {
  const { metadataPort, forwardedPort, introspectionPort, filtersLoopback } = options
  const filter = (...words: readonly string[]): Rule => ({ table: 'filter', words: ['INPUT', ...words] })
  const toIntrospection = ['-p', 'tcp', '--dport', String(introspectionPort)]
  return [
    ...leading(80, metadataPort),
    ...(forwardedPort === undefined ? [] : leading(forwardedPort, forwardedPort)),
    ...(introspectionPort === undefined
      ? []
      : [
          filter(...toIntrospection, '-i', 'docker0', '-j', 'ACCEPT'),
          filter(...toIntrospection, '!', '-i', 'lo', '-j', 'DROP'),
        ]),
    ...(filtersLoopback
      ? [
          filter(
            ...words('-d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack'),
            ...words('! --ctstate RELATED,ESTABLISHED,DNAT -j DROP'),
          ),
        ]
      : []),
  ]
}

const words = (text: string): readonly string[] => text.split(' ')

function leading(port: number, to: number): readonly Rule[] {
  const address = ['-p', 'tcp', '-d', '169.254.170.2', '--dport', String(port), '-j']
  return [
    { table: 'nat', words: ['PREROUTING', ...address, 'DNAT', '--to-destination', `127.0.0.1:${to}`] },
    { table: 'nat', words: ['OUTPUT', ...address, 'REDIRECT', '--to-ports', String(to)] },
  ]
}

/**
 * Installs the rules where they are missing. Needs root and iptables.
 * @throws when the host does not allow it; the endpoint is then reachable on the loopback address only
 */
export async function installMetadataAddress(options: AddressOptions): Promise<void> {
  // Without this the kernel drops what comes from a bridge for a loopback address.
  await writeFile('/proc/sys/net/ipv4/conf/all/route_localnet', '1')
  const rules = addressRules(options)
  for (const { table, words } of rules.filter((rule) => rule.table === 'nat'))
    if (!(await isThere(table, words))) await run('iptables', ['-w', '-t', table, '-A', ...words])
  // Inserted at the head, so the first to stand is the last to be inserted.
  for (const { table, words } of rules.filter((rule) => rule.table === 'filter').toReversed())
    if (!(await isThere(table, words))) await run('iptables', ['-w', '-t', table, '-I', ...words])
}

/** Takes the rules away again, as far as they are there, when the host is to be no container instance any more. */
export async function removeMetadataAddress(options: AddressOptions): Promise<void> {
  for (const { table, words } of addressRules(options))
    if (await isThere(table, words)) await run('iptables', ['-w', '-t', table, '-D', ...words])
}

async function isThere(table: string, words: readonly string[]): Promise<boolean> {
  try {
    await run('iptables', ['-w', '-t', table, '-C', ...words])
    return true
  } catch {
    return false
  }
}
