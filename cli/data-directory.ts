import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Where an installation keeps everything: what was asked for, else the machine's place for root, else the user's. */
export function dataDirectory(asked: string | undefined): string {
  if (asked !== undefined) return resolve(asked)
  return process.getuid?.() === 0 ? '/var/lib/berth' : join(homedir(), '.local', 'share', 'berth')
}

/** Where a control plane with `--memory` on a port keeps what must be a file: it goes when the control plane ends. */
export function memoryDirectory(port: number): string {
  return join(tmpdir(), `berth-memory-${port}`)
}

/** The directory of the control plane that a command means: with `--port`, of one that was started with `--memory`. */
export function directoryOf(options: { readonly data?: string; readonly port?: number }): string {
  return options.port === undefined ? dataDirectory(options.data) : memoryDirectory(options.port)
}
