// What embedded instances are on this machine: where their files are, which of their processes run, and how each trace
// of them is removed. Works without a control plane, for `berth down`.
import { createHash } from 'node:crypto'
import {
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { type Clock, sleep } from '@berth/std/clock.ts'
import type { InstanceDescription } from '@berth/instance/description.ts'
import {
  cgroupChildren,
  type CgroupMounts,
  cgroupMounts,
  cgroupProcesses,
  removeCgroup,
} from './instance-provider-cgroup.ts'
import { writeHostsBlock } from './instance-provider-hosts.ts'
import {
  bridgeName,
  command,
  instancesOnNetwork,
  leaveNetwork,
  removeBridge,
  sweepNetwork,
} from './instance-provider-network.ts'

/** An installation on this machine. Two of them, in two directories, share no name and no address. */
export interface Installation {
  /** Eight hexadecimal digits from the directory's path. */
  readonly id: string
  readonly instancesDirectory: string
  readonly runDirectory: string
  /** Its cgroup, `/berth-…`. */
  readonly cgroup: string
  /** Where Node.js keeps what it has compiled. */
  readonly compileCache: string
}

/** The installation whose directory this is. The directory must exist. */
export function installationOf(directory: string): Installation {
  const path = realpathSync(directory)
  const id = createHash('sha256').update(path).digest('hex').slice(0, 8)
  return {
    id,
    instancesDirectory: join(path, 'instances'),
    runDirectory: `/run/berth/${id}`,
    cgroup: `/berth-${id}`,
    compileCache: join(path, 'compile-cache'),
  }
}

export const instanceDirectory = ({ instancesDirectory }: Installation, instanceId: string): string =>
  join(instancesDirectory, instanceId)
export const runDirectoryOf = ({ runDirectory }: Installation, instanceId: string): string =>
  join(runDirectory, instanceId)

/** Where an installation keeps its gateway's address, in `instances`. */
export const networkFile = 'network.json'

/** The ids of the instances there is anything of. */
export function instancesOf({ instancesDirectory }: Installation): string[] {
  if (!existsSync(instancesDirectory)) return []
  return readdirSync(instancesDirectory).filter((name) => name.startsWith('i-'))
}

/** Writes a file whole or not at all, whenever the process may be killed. */
export function writeRecord(file: string, record: object): void {
  writeFileSync(`${file}.new`, JSON.stringify(record, null, 2), { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** What `writeRecord` wrote; undefined when there is nothing. */
export function readRecord<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T
  } catch (error) {
    // After a power cut a file may be there without its content, and then nothing that rests on it was made.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const readDescription = (installation: Installation, instanceId: string): InstanceDescription | undefined =>
  readRecord(join(instanceDirectory(installation, instanceId), 'instance.json'))

/** Where cgroups are mounted. Throws when cpu and memory cannot be limited on this machine. */
export function requireCgroups(): CgroupMounts {
  const mounts = cgroupMounts(readFileSync('/proc/mounts', 'utf8'))
  if (mounts === undefined)
    throw new Error(
      'no cgroups with cpu and memory are mounted, so an instance type cannot be honoured; mount cgroup2 on /sys/fs/cgroup',
    )
  return mounts
}

/** What the provider notes about an init that it has started. */
export interface InitRecord {
  readonly pid: number
  readonly boot: number
  /** When it was started, in milliseconds since the epoch. */
  readonly startedAt: number
}

/** The instance's init, if it runs. Its process id counts only while the process is in the instance's cgroup. */
export function runningInit(installation: Installation, instanceId: string): InitRecord | undefined {
  const init = readRecord<InitRecord>(join(runDirectoryOf(installation, instanceId), 'init.json'))
  if (init === undefined) return undefined
  try {
    const inside = readFileSync(`/proc/${init.pid}/cgroup`, 'utf8').includes(
      `${installation.cgroup}/${instanceId}/host`,
    )
    const zombie = /^State:\s+Z/m.test(readFileSync(`/proc/${init.pid}/status`, 'utf8'))
    return inside && !zombie ? init : undefined
  } catch {
    return undefined
  }
}

const endAttempts = { max: 500, delayMs: 10 }

/** Ends all that runs of an instance and gives back what it holds of the machine; its data stays. */
export async function haltInstance(
  installation: Installation,
  instanceId: string,
  clock: Clock,
): Promise<void> {
  const group = `${installation.cgroup}/${instanceId}`
  const mounts = requireCgroups()
  for (let attempt = 0; attempt < endAttempts.max; attempt++) {
    const processes = cgroupProcesses(mounts, group)
    if (processes.length === 0) break
    for (const pid of processes) signal(pid, 'SIGKILL')
    await sleep(clock, endAttempts.delayMs)
  }
  const directory = instanceDirectory(installation, instanceId)
  const runDirectory = runDirectoryOf(installation, instanceId)
  await unmountAll([directory, runDirectory])
  const description = readDescription(installation, instanceId)
  await leaveNetwork(installation.id, instanceId, description?.privateIpAddress)
  removeCgroup(mounts, group)
  rmSync(runDirectory, { recursive: true, force: true })
}

/** Leaves nothing of an instance. */
export async function destroyInstance(
  installation: Installation,
  instanceId: string,
  clock: Clock,
): Promise<void> {
  await haltInstance(installation, instanceId, clock)
  rmSync(instanceDirectory(installation, instanceId), { recursive: true, force: true })
}

/** Signals a process that may end by itself meanwhile. */
export function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended by itself.
  }
}

/** Unmounts all that is mounted in these directories. One mount may take another with it, so what is left counts. */
async function unmountAll(directories: readonly string[]): Promise<void> {
  const mounted = (): string[] =>
    readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => (line.split(' ')[1] ?? '').replaceAll('\\040', ' '))
      .filter((path) => directories.some((directory) => path.startsWith(`${directory}/`)))
  // The last mounted first, as one may lie on another.
  for (const path of mounted().toReversed()) await command('umount', ['-l', path]).catch(() => undefined)
  const left = mounted()
  if (left.length > 0) throw new Error(`${left.join(', ')} cannot be unmounted`)
}

/** Removes what instances shared, once none is left. */
export async function removeLeftovers({
  id,
  cgroup,
  instancesDirectory,
  runDirectory,
}: Installation): Promise<void> {
  await removeBridge(id)
  removeCgroup(requireCgroups(), cgroup)
  rmSync(join(instancesDirectory, networkFile), { force: true })
  // Only what is empty goes: other installations share the last directory.
  for (const directory of [instancesDirectory, runDirectory, dirname(runDirectory)])
    try {
      rmdirSync(directory)
    } catch (error) {
      if (!['ENOENT', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
}

/** Whether anything of the installation's instances, or of what they share, is on this machine. */
export function hasTraces({ id, instancesDirectory, runDirectory }: Installation): boolean {
  return (
    [instancesDirectory, runDirectory, `/sys/class/net/${bridgeName(id)}`].some((path) => existsSync(path)) ||
    instancesOnNetwork(id).length > 0
  )
}

/**
 * Removes what a control plane that was killed may have left: all that belongs to no instance. An instance's directory is
 * made before and removed after everything else of it, so what has none is nobody's. Nothing may be launched meanwhile.
 */
export async function sweep(
  installation: Installation,
  clock: Clock,
  log: (text: string) => void,
): Promise<void> {
  const known = instancesOf(installation)
  const { id, cgroup, runDirectory } = installation
  const found = [
    ...(existsSync(runDirectory) ? readdirSync(runDirectory) : []),
    ...instancesOnNetwork(id),
    ...cgroupChildren(requireCgroups(), cgroup),
  ]
  for (const instanceId of new Set(found))
    if (instanceId.startsWith('i-') && !known.includes(instanceId))
      await haltInstance(installation, instanceId, clock)
  publishNames(installation, log)
  if (known.length === 0) return removeLeftovers(installation)
  const described = known.flatMap((instanceId) => readDescription(installation, instanceId) ?? [])
  return sweepNetwork(id, described)
}

/** Makes the names of the instances known to this machine, in /etc/hosts. Where that is not allowed, says so and goes on. */
export function publishNames(installation: Installation, log: (text: string) => void): void {
  const entries = instancesOf(installation).flatMap((instanceId) => {
    const description = readDescription(installation, instanceId)
    if (description === undefined) return []
    const names = [description.publicDnsName, description.privateDnsName].filter((name) => name !== undefined)
    return [{ address: description.privateIpAddress, names }]
  })
  try {
    writeHostsBlock(bridgeName(installation.id), entries)
  } catch (error) {
    log(`the names of instances do not resolve on this machine: ${String(error)}; use their addresses`)
  }
}

/**
 * Ends every embedded instance of an installation, its containers included, and leaves nothing of them. Containers have
 * `graceMs` to end by themselves. Needs no control plane; when one runs, it must be stopped first.
 */
export async function destroyAll(
  directory: string,
  clock: Clock,
  log: (text: string) => void,
  graceMs = 15_000,
): Promise<number> {
  if (!existsSync(directory)) return 0
  const installation = installationOf(directory)
  if (!hasTraces(installation)) return 0
  const instances = instancesOf(installation)
  for (const instanceId of instances) {
    const init = runningInit(installation, instanceId)
    if (init) signal(init.pid, 'SIGTERM')
  }
  const until = clock.now() + graceMs
  const anyRuns = (): boolean => instances.some((instanceId) => runningInit(installation, instanceId))
  while (anyRuns() && clock.now() < until) await sleep(clock, 20)
  const failures: unknown[] = []
  for (const instanceId of instances)
    await destroyInstance(installation, instanceId, clock).catch((error: unknown) => failures.push(error))
  await sweep(installation, clock, log)
  if (failures.length > 0) throw new AggregateError(failures, `not all of ${directory} could be removed`)
  return instances.length
}
