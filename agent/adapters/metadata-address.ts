/** Makes 169.254.170.2 lead to the agent, for the containers of this network namespace and for the host itself. */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

const address = ['-p', 'tcp', '-d', '169.254.170.2', '--dport', '80', '-j']
const rules = (port: number): ReadonlyArray<readonly string[]> => [
  ['PREROUTING', ...address, 'DNAT', '--to-destination', `127.0.0.1:${port}`],
  ['OUTPUT', ...address, 'REDIRECT', '--to-ports', String(port)],
]

/**
 * Installs the packet filter rules of ecs-init where they are missing. Needs root and iptables.
 * @throws when the host does not allow it; the endpoint is then reachable on the loopback address only
 */
export async function installMetadataAddress(port: number): Promise<void> {
  // Without this the kernel drops what comes from a bridge for a loopback address.
  await writeFile('/proc/sys/net/ipv4/conf/all/route_localnet', '1')
  for (const [chain = '', ...rule] of rules(port))
    try {
      await run('iptables', ['-w', '-t', 'nat', '-C', chain, ...rule])
    } catch {
      await run('iptables', ['-w', '-t', 'nat', '-A', chain, ...rule])
    }
}
