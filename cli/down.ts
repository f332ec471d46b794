import { existsSync, rmSync } from 'node:fs'
import { systemClock } from '@berth/std/system-clock.ts'
import { sleep } from '@berth/std/clock.ts'
import { directoryOf } from './data-directory.ts'
import { Failure } from './failure.ts'
import { isControlPlane, runningOn } from './running.ts'

const stopWithinMs = 20_000

/** Ends the control plane of a data directory, then every local instance with its containers. */
export async function down(options: {
  readonly data?: string
  readonly port?: number
  readonly purge?: boolean
}): Promise<void> {
  const directory = directoryOf(options)
  if (!existsSync(directory)) {
    console.log(`nothing runs on ${directory}`)
    return
  }
  if (await endControlPlane(directory)) console.log('the control plane has ended')
  const { destroyAll } = await import('@berth/control-plane/adapters/instance-provider-host.ts')
  const ended = await destroyAll(directory, systemClock, (text) => console.error(text))
  if (ended > 0) console.log(`${ended} ${ended === 1 ? 'instance has' : 'instances have'} ended`)
  if (options.purge === true) {
    rmSync(directory, { recursive: true, force: true })
    console.log(`${directory} is deleted`)
  }
}

/** True when one was running. */
async function endControlPlane(directory: string): Promise<boolean> {
  const record = runningOn(directory)
  if (!record) return false
  process.kill(record.pid, 'SIGTERM')
  const until = systemClock.now() + stopWithinMs
  while (isControlPlane(record.pid)) {
    if (systemClock.now() > until)
      throw new Failure(
        `the control plane (process ${record.pid}) does not end; kill it, then run "berth down" again`,
      )
    await sleep(systemClock, 20)
  }
  return true
}
