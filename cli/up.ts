import { existsSync, rmSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { isIP } from 'node:net'
import { arch, availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'
import type { ControlPlaneConfig } from '@berth/control-plane/main.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { dataDirectory, memoryDirectory } from './data-directory.ts'
import { Failure } from './failure.ts'
import { noteEnded, noteRunning, runningOn } from './running.ts'

/** When all that a start compiles has been compiled. */
const settledAfterMs = 5_000

export interface UpFlags {
  readonly port: number
  readonly data?: string
  readonly memory?: boolean
  readonly store?: string
  readonly dev?: boolean
  readonly throttle?: boolean
  readonly iam?: 'off' | 'enforce'
  readonly accountId: string
  readonly listen?: readonly string[]
  /** `--no-fargate` makes it false. */
  readonly fargate?: boolean
  /** GiB. */
  readonly logsMax?: number
  /** vCPUs and GiB. */
  readonly fargateCpu?: number
  readonly fargateMemory?: number
  readonly fargateRuntime?: string
}

/**
 * Runs the control plane in the foreground until SIGTERM or SIGINT. Tasks and instances run on when it ends; those of one
 * that kept its state in memory only end with it, as nothing would know them any more.
 */
export async function up(flags: UpFlags): Promise<void> {
  if (flags.store !== undefined)
    throw new Failure(
      '--store is not available yet: state is kept in SQLite under --data, or nowhere with --memory',
    )
  const memory = flags.memory ?? false
  const temporary = memory && flags.data === undefined
  const directory = temporary ? memoryDirectory(flags.port) : dataDirectory(flags.data)
  const other = runningOn(directory)
  if (other)
    throw new Failure(
      `another control plane (process ${other.pid}, ${other.url}) runs on ${directory}: end it with "berth down", or choose another --data`,
    )
  const { startControlPlane, StartError } = await import('@berth/control-plane/main.ts')
  try {
    const controlPlane = await startControlPlane({
      port: flags.port,
      directory,
      memory,
      dev: flags.dev ?? false,
      throttle: flags.throttle ?? false,
      enforceIam: flags.iam === 'enforce',
      accountId: flags.accountId,
      ...(flags.logsMax !== undefined && { logBytesMax: flags.logsMax * 2 ** 30 }),
      ...(flags.listen && { listen: exposedAddresses(flags) }),
      ...(flags.fargate !== false && { fargate: fargateLimits(flags) }),
    })
    noteRunning(directory, controlPlane.url)
    console.log(`ready ${controlPlane.url}`)
    // At its end it would be written too, unless the process is killed.
    setTimeout(flushCompileCache, settledAfterMs).unref()
    const signalled = new Promise<'signal'>((resolve) => {
      process.once('SIGTERM', () => resolve('signal'))
      process.once('SIGINT', () => resolve('signal'))
    })
    await Promise.race([signalled, controlPlane.failed.catch(journalLost)])
    await controlPlane.stop()
    noteEnded(directory)
    if (memory) {
      const { destroyAll } = await import('@berth/control-plane/adapters/instance-provider-host.ts')
      await destroyAll(directory, systemClock, (text) => console.error(text))
    }
    if (temporary) rmSync(directory, { recursive: true, force: true })
  } catch (error) {
    if (error instanceof StartError) throw new Failure(error.message)
    throw error
  }
  // Connections that clients keep open would hold the process; everything that matters is closed.
  process.exit()
}

/** Tasks are held to the vCPUs they ask for and seldom use them all, so that four share a core unless told otherwise. */
const tasksVcpuPerCore = 4
/** What is left of the machine's memory is the user's. */
const memoryShare = 0.75

function fargateLimits({
  fargateCpu,
  fargateMemory,
  fargateRuntime,
}: UpFlags): NonNullable<ControlPlaneConfig['fargate']> {
  return {
    ...(fargateRuntime !== undefined && { ociRuntime: ociRuntime(fargateRuntime) }),
    cpu: 1024 * (fargateCpu ?? availableParallelism() * tasksVcpuPerCore),
    memoryMiB: Math.floor(
      fargateMemory === undefined ? (totalmem() * memoryShare) / 2 ** 20 : fargateMemory * 1024,
    ),
    cpuArchitecture: arch() === 'arm64' ? 'arm64' : 'x86_64',
  }
}

/** The name of a program that starts containers, or of one of containerd's shims. */
function ociRuntime(name: string): string {
  const found = (process.env['PATH'] ?? '')
    .split(':')
    .some((folder) => existsSync(join(folder, programOf(name))))
  if (/^[\w.-]+$/.test(name) && found) return name
  throw new Failure(
    `--fargate-runtime ${name}: no program ${programOf(name)} is in PATH; install it, or name another, such as runc`,
  )
}

/** containerd starts `io.containerd.kata.v2` as `containerd-shim-kata-v2`. */
function programOf(name: string): string {
  const [, shim, version] = /^io\.containerd\.([\w-]+)\.(v\d+)$/.exec(name) ?? []
  return shim === undefined ? name : `containerd-shim-${shim}-${version}`
}

function exposedAddresses({ listen = [], dev }: UpFlags): readonly string[] {
  for (const address of listen) {
    if (isIP(address) === 0)
      throw new Failure(`--listen takes an IP address of this machine, not "${address}"`)
    if (/^(?:127\.|::1$)/.test(address))
      throw new Failure(`--listen takes an address that other machines reach, not ${address}`)
  }
  if (dev === true)
    console.error(
      `berth: with --dev any signature is accepted: whoever reaches ${listen.join(', ')} may do everything here`,
    )
  return [...new Set(listen)]
}

/** Memory must not outlive its journal: the process ends, and what was acknowledged is in the file. */
function journalLost(error: unknown): never {
  const problem = error instanceof Error ? error.message : String(error)
  throw new Failure(`the journal cannot be written, so the control plane ends: ${problem}`)
}
