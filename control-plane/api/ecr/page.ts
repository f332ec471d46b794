import { createHash } from 'node:crypto'
import { invalidParameter } from './resolve.ts'

interface PageInput {
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

/**
 * The rows after the token's, in the order of their keys. A token names the last key shown, so it stays good while rows
 * come and go, and carries a digest of the other parameters: with others it is refused.
 */
export function page<Row>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  input: PageInput,
  parameters: unknown,
): { readonly rows: Row[]; readonly nextToken?: string } {
  const limit = input.maxResults ?? 100
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw invalidParameter('maxResults', 'Member must be between 1 and 1000')
  const digest = createHash('sha256').update(JSON.stringify(parameters)).digest('base64url').slice(0, 16)
  const after = input.nextToken === undefined ? undefined : readToken(input.nextToken, digest)
  const sorted = rows.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const rest = after === undefined ? sorted : sorted.filter((row) => keyOf(row) > after)
  const shown = rest.slice(0, limit)
  const last = shown.at(-1)
  if (rest.length === shown.length || last === undefined) return { rows: shown }
  return { rows: shown, nextToken: Buffer.from(JSON.stringify([digest, keyOf(last)])).toString('base64url') }
}

function readToken(token: string, digest: string): string {
  try {
    const [of, after] = JSON.parse(Buffer.from(token, 'base64url').toString()) as [unknown, unknown]
    if (of === digest && typeof after === 'string') return after
  } catch {
    // What cannot be read is refused below, as a token for other parameters is.
  }
  throw invalidParameter('nextToken', 'Invalid token')
}
