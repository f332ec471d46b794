import { appendFile, rename, stat } from 'node:fs/promises'
import type { CredentialsAudit } from './credentials.ts'

/** The log is set aside once it is so large; one older log is kept. */
const sizeMax = 10 * 2 ** 20
const version = 2

const eventTypes = { task: 'GetCredentials', execution: 'GetCredentialsExecutionRole' } as const

export interface AuditFacts {
  readonly cluster: string
  readonly containerInstanceArn: string | undefined
  /** Milliseconds since the epoch. */
  readonly atMs: number
}

/** A line of the audit log, in the official agent's columns. The id in the path is a secret and left out. */
export function auditLine({ asked, status, kind, taskArn }: CredentialsAudit, facts: AuditFacts): string {
  const { request, url } = asked
  const { remoteAddress = '', remotePort = '' } = request.socket
  const path = url.pathname.startsWith('/v2/credentials/') ? '/v2/credentials' : url.pathname
  return [
    new Date(facts.atMs).toISOString().replace(/\.\d+Z$/, 'Z'),
    String(status),
    remoteAddress ? `${remoteAddress}:${remotePort}` : '-',
    `"${path}"`,
    `"${(request.headers['user-agent'] ?? '').replaceAll(/["\n\r]/g, '')}"`,
    taskArn ?? '-',
    ...(kind ? [eventTypes[kind], String(version), facts.cluster, facts.containerInstanceArn ?? '-'] : []),
  ].join(' ')
}

/** Appends lines to a file, one after the other. A log that cannot be written costs the line, not the request. */
export class AuditLog {
  readonly #path: string
  readonly #onError: (error: unknown) => void
  #writing: Promise<void> = Promise.resolve()

  constructor(path: string, onError: (error: unknown) => void) {
    this.#path = path
    this.#onError = onError
  }

  write(line: string): void {
    this.#writing = this.#writing.then(() => this.#append(line)).catch(this.#onError)
  }

  async #append(line: string): Promise<void> {
    const { size } = await stat(this.#path).catch(() => ({ size: 0 }))
    if (size > sizeMax) await rename(this.#path, `${this.#path}.1`)
    await appendFile(this.#path, `${line}\n`, { mode: 0o600 })
  }
}
