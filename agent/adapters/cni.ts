/** Task network interfaces by the plugins of the Container Network Interface: `ptp`, `static` and `tuning`. */
import { access, constants, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TaskInterface } from '#runtime/task-network.ts'
import { run } from './packet-filter.ts'

const cniVersion = '0.4.0'
const plugins = ['ptp', 'static', 'tuning']
const insideName = 'eth0'

/** Where the plugins are: in the first of these folders that has all of them; undefined when none has. */
export async function findCniPlugins(folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const found = await Promise.allSettled(
      plugins.map((plugin) => access(join(folder, plugin), constants.X_OK)),
    )
    if (found.every(({ status }) => status === 'fulfilled')) return folder
  }
  return undefined
}

interface CniResult {
  readonly interfaces?: ReadonlyArray<{ readonly name: string; readonly sandbox?: string }>
}

/**
 * Gives the network namespace of a process an interface `eth0` with the address, its other end on the host, which has
 * a route to it. One that is there already is left as it is.
 */
export async function attachInterface(folder: string, pid: number, wanted: TaskInterface): Promise<void> {
  const namespace = `/proc/${pid}/ns/net`
  if (await hasAddress(namespace, wanted.address)) return
  const call = (command: string, config: object, plugin: string): Promise<string> =>
    run(join(folder, plugin), [], {
      input: JSON.stringify({ cniVersion, name: 'berth-tasks', ...config }),
      env: {
        PATH: process.env['PATH'],
        CNI_COMMAND: command,
        CNI_CONTAINERID: wanted.id,
        CNI_NETNS: namespace,
        CNI_IFNAME: insideName,
        CNI_PATH: folder,
      },
    })
  const ptp = {
    type: 'ptp',
    ipam: {
      type: 'static',
      addresses: [{ address: `${wanted.address}/${wanted.prefixLength}`, gateway: wanted.gateway }],
      routes: [{ dst: '0.0.0.0/0', gw: wanted.gateway }],
    },
  }
  // What an attempt that was cut short left behind.
  await call('DEL', ptp, 'ptp')
  const made = await call('ADD', ptp, 'ptp')
  const prevResult = JSON.parse(made) as CniResult
  await call('ADD', { type: 'tuning', mac: wanted.macAddress, prevResult }, 'tuning')
  const outside = prevResult.interfaces?.find(({ sandbox }) => !sandbox)?.name
  // What comes from a task and is not from its address is nobody's.
  if (outside !== undefined) await writeFile(`/proc/sys/net/ipv4/conf/${outside}/rp_filter`, '1')
}

async function hasAddress(namespace: string, address: string): Promise<boolean> {
  const shown = await run('nsenter', [`--net=${namespace}`, 'ip', '-4', '-o', 'addr', 'show'])
  return shown.includes(` ${address}/`)
}
