import { homedir } from 'node:os'
import { join, resolve } from 'node:path'

/** Where an installation keeps everything: what was asked for, else the machine's place for root, else the user's. */
export function dataDirectory(asked: string | undefined): string {
  if (asked !== undefined) return resolve(asked)
  return process.getuid?.() === 0 ? '/var/lib/berth' : join(homedir(), '.local', 'share', 'berth')
}

/** What a running control plane leaves in its data directory for the other commands. */
export interface RunningRecord {
  readonly pid: number
  readonly url: string
}

export const runningFile = (directory: string): string => join(directory, 'running.json')
export const credentialsFile = (directory: string): string => join(directory, 'credentials')
