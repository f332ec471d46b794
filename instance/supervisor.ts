import { type ChildProcess, spawn } from 'node:child_process'
import { openSync, rmSync } from 'node:fs'
import { type Clock, sleep } from '@berth/std/clock.ts'

export interface Supervised {
  readonly name: string
  readonly command: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** Where its output goes, and what the supervisor says about it. */
  readonly logFile: string
  /** Exit codes after which it is not started again. */
  readonly terminalCodes?: readonly number[]
  /** Removed before each start: what a killed process left may name a process of others by now, and so hinder the start. */
  readonly pidFile?: string
}

const restartDelayMs = { first: 100, max: 10_000 }
const steadyAfterMs = 10_000
const killAfterMs = 5_000

/**
 * Keeps a process running: starts it again when it ends, ever more slowly while it keeps ending at once. When `stop`
 * aborts the process gets SIGTERM, then SIGKILL. Resolves when it will not run again.
 */
export async function supervise(
  { name, command, env, logFile, terminalCodes = [], pidFile }: Supervised,
  { clock, stop, log }: { clock: Clock; stop: AbortSignal; log: (text: string) => void },
): Promise<void> {
  const output = openSync(logFile, 'a', 0o600)
  const [file = '', ...args] = command
  let delayMs = restartDelayMs.first
  while (!stop.aborted) {
    if (pidFile !== undefined) rmSync(pidFile, { force: true })
    const startedAt = clock.now()
    const ended = await run(
      spawn(file, args, { env: { ...env }, stdio: ['ignore', output, output] }),
      clock,
      stop,
    )
    if (stop.aborted) break
    log(`${name} ended: ${ended.text}`)
    if (ended.code !== null && terminalCodes.includes(ended.code)) return
    if (clock.now() - startedAt > steadyAfterMs) delayMs = restartDelayMs.first
    await sleep(clock, delayMs, stop).catch(() => undefined)
    delayMs = Math.min(delayMs * 2, restartDelayMs.max)
  }
}

interface Ended {
  readonly code: number | null
  readonly text: string
}

function run(child: ChildProcess, clock: Clock, stop: AbortSignal): Promise<Ended> {
  return new Promise((resolve) => {
    let cancelKill = (): void => undefined
    const onStop = (): void => {
      child.kill('SIGTERM')
      cancelKill = clock.at(clock.now() + killAfterMs, () => child.kill('SIGKILL'))
    }
    const done = (ended: Ended): void => {
      cancelKill()
      stop.removeEventListener('abort', onStop)
      resolve(ended)
    }
    child.on('error', (error) => done({ code: null, text: error.message }))
    child.on('exit', (code, signal) => done({ code, text: signal ?? `exit code ${code}` }))
    stop.addEventListener('abort', onStop)
  })
}
