import { createHash, type Hash } from 'node:crypto'

const digestPattern = /^sha256:[0-9a-f]{64}$/

/** Whether the text is a digest this registry keeps blobs by: `sha256:` and 64 hexadecimal digits. */
export function isDigest(text: string): boolean {
  return digestPattern.test(text)
}

export function newDigest(): Hash {
  return createHash('sha256')
}

export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${newDigest().update(bytes).digest('hex')}`
}
