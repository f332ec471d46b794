import { rmSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
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
  readonly accountId: string
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
      accountId: flags.accountId,
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

/** Memory must not outlive its journal: the process ends, and what was acknowledged is in the file. */
function journalLost(error: unknown): never {
  const problem = error instanceof Error ? error.message : String(error)
  throw new Failure(`the journal cannot be written, so the control plane ends: ${problem}`)
}
