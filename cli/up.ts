import { Failure } from './failure.ts'
import { dataDirectory } from './data-directory.ts'

export interface UpFlags {
  readonly port: number
  readonly data?: string
  readonly memory?: boolean
  readonly store?: string
  readonly dev?: boolean
  readonly accountId: string
}

/** Runs the control plane in the foreground until SIGTERM or SIGINT. Tasks and instances run on when it ends. */
export async function up(flags: UpFlags): Promise<void> {
  if (flags.store !== undefined)
    throw new Failure(
      '--store is not available yet: state is kept in SQLite under --data, or nowhere with --memory',
    )
  const { startControlPlane, StartError } = await import('@berth/control-plane/main.ts')
  try {
    const controlPlane = await startControlPlane({
      port: flags.port,
      directory: dataDirectory(flags.data),
      memory: flags.memory ?? false,
      dev: flags.dev ?? false,
      accountId: flags.accountId,
    })
    console.log(`ready ${controlPlane.url}`)
    const signalled = new Promise<'signal'>((resolve) => {
      process.once('SIGTERM', () => resolve('signal'))
      process.once('SIGINT', () => resolve('signal'))
    })
    await Promise.race([signalled, controlPlane.failed])
    await controlPlane.stop()
  } catch (error) {
    if (error instanceof StartError) throw new Failure(error.message)
    throw error
  }
  // Connections that clients keep open would hold the process; everything that matters is closed.
  process.exit()
}
