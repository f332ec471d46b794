import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { eventually } from './world.ts'

/** The id by which everything of a directory's installation is named on the machine. The directory must exist. */
export function installationId(directory: string): string {
  return createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 8)
}

const traces = `ip netns; ip -br link; ip route; iptables -S; iptables -t nat -S; cat /etc/hosts /proc/mounts
  find /sys/fs/cgroup -type d -name 'berth-*'; find /run/berth 2>/dev/null; ps -eo args`

/** What on the machine still names the installation of this directory or one of these instances, a while later. */
export async function leftOf(directory: string, instanceIds: readonly string[]): Promise<string[]> {
  const names = [installationId(directory), ...instanceIds.flatMap((id) => [id, `bv${id.slice(-12)}`])]
  const left = (): string[] =>
    execFileSync('sh', ['-c', traces], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => names.some((name) => line.includes(name)))
  await eventually('nothing is left', async () => left().length === 0, 10).catch(() => undefined)
  return left()
}
