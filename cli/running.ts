import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a running control plane leaves in its directory for the other commands. */
interface RunningRecord {
  readonly pid: number
  readonly url: string
}

const runningFile = (directory: string): string => join(directory, 'running.json')

/** The control plane that runs on a directory; undefined when none does. */
export function runningOn(directory: string): RunningRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(runningFile(directory), 'utf8')) as RunningRecord
    return isControlPlane(record.pid) ? record : undefined
  } catch {
    return undefined // no file, or one that a crash left half written
  }
}

export function noteRunning(directory: string, url: string): void {
  writeFileSync(runningFile(directory), JSON.stringify({ pid: process.pid, url } satisfies RunningRecord))
}

export function noteEnded(directory: string): void {
  rmSync(runningFile(directory), { force: true })
}

/** Whether the process is still a control plane: pids are used again. */
export function isControlPlane(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('cli/main.ts')
  } catch {
    return false
  }
}
