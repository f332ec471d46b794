/** What the host's kernel lets pass to and from tasks, and how it answers for their addresses. */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import type { NetworkRules } from '@berth/agent-protocol/network-rules.ts'
import { packetRules, type PacketRulesOptions } from '#engine/packet-rules.ts'

/** Runs a program to its end and gives what it printed. Rejects with what it printed on standard error. */
export function run(
  file: string,
  args: readonly string[],
  { input = '', env = process.env }: { readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
    let [output, errors] = ['', '']
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${file} ${args.join(' ')}: ${errors.trim() || output.trim() || `exit ${code}`}`))
    })
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
  })
}

/** Puts the rules in the place of all earlier ones, in one step. */
export async function applyPacketRules(rules: NetworkRules, options: PacketRulesOptions): Promise<void> {
  await run('nft', ['-f', '-'], { input: packetRules(rules, options) })
}

/** Docker drops what is forwarded and not its own; tasks' interfaces, one end of a pair each, have rules of their own. */
const forwardRules = ['-i', '-o'].map((end) => ['FORWARD', end, 'veth+', '-j', 'ACCEPT'])

/**
 * Makes the host a router for its tasks: it forwards, answers on its own network who is asked for a task's address, and
 * does so at once. Does only what is lacking.
 */
export async function prepareRouting(hostInterface: string): Promise<void> {
  const settings = {
    'conf/all/forwarding': '1',
    [`conf/${hostInterface}/proxy_arp`]: '1',
    [`neigh/${hostInterface}/proxy_delay`]: '0',
  }
  for (const [name, value] of Object.entries(settings)) await writeFile(`/proc/sys/net/ipv4/${name}`, value)
  for (const rule of forwardRules)
    await run('iptables', ['-w', '-C', ...rule]).catch(() => run('iptables', ['-w', '-I', ...rule]))
}

/** Removes the interface that leads to a task's address, where there is one. */
export async function removeInterfaceTo(address: string): Promise<void> {
  const shown = await run('ip', ['-4', 'route', 'show', `${address}/32`])
  const name = /\bdev (veth\S+)/.exec(shown)?.[1]
  if (name !== undefined) await run('ip', ['link', 'del', name])
}

/** The interface that the host's default route leads over; undefined when there is none. */
export async function defaultInterface(): Promise<string | undefined> {
  const shown = await run('ip', ['-4', 'route', 'show', 'default'])
  return /\bdev (\S+)/.exec(shown)?.[1]
}

/** Whether a program is there and runs. */
export async function runs(file: string, args: readonly string[]): Promise<boolean> {
  return run(file, args).then(
    () => true,
    () => false,
  )
}
