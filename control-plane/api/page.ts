import { createHash } from 'node:crypto'
import { AwsError } from '@berth/wire/error.ts'

interface PageRequest {
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
  /** The most a caller may ask for. */
  readonly limit: number
  /** How many a page holds when the caller does not say. */
  readonly default: number
  /** What the list is of: the operation's name and its filters. A token is good for the same parameters only. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** From the greatest key to the smallest. */
  readonly descending?: boolean
}

interface Page<Row> {
  readonly rows: readonly Row[]
  /** Absent on the last page. */
  readonly nextToken?: string
}

/**
 * The rows of one page, in the order of their keys, whatever the order they come in. A token holds the last key shown,
 * so a list that changes between pages neither repeats nor skips what was there all the time.
 *
 * Throws InvalidParameterException for a token that is not of this list, and for `maxResults` out of its range.
 */
export function page<Row>(rows: Iterable<Row>, request: PageRequest, keyOf: (row: Row) => string): Page<Row> {
  const { size, digest, after } = asked(request)
  const { descending = false } = request
  const comesBefore = (left: string, right: string): boolean => (descending ? left > right : left < right)

  // One more than the page is kept, to know whether there is another. Most rows of a long list fall at one comparison.
  const kept: Array<{ readonly key: string; readonly row: Row }> = []
  for (const row of rows) {
    const key = keyOf(row)
    if (after !== undefined && !comesBefore(after, key)) continue
    const last = kept.at(-1)
    if (kept.length > size && last && !comesBefore(key, last.key)) continue
    kept.splice(
      placeFor(kept, (other) => comesBefore(other.key, key)),
      0,
      { key, row },
    )
    if (kept.length > size + 1) kept.pop()
  }
  return firstOf(
    kept.map(({ row }) => row),
    size,
    keyOf,
    digest,
  )
}

/** The same of rows that can be had in ascending order from any key on, so that a page of a long list costs no more than itself. */
export function pageInOrder<Row>(
  rowsAfter: (key: string | undefined) => Iterable<Row>,
  request: Omit<PageRequest, 'descending'>,
  keyOf: (row: Row) => string,
): Page<Row> {
  const { size, digest, after } = asked(request)
  const rows: Row[] = []
  for (const row of rowsAfter(after)) {
    rows.push(row)
    if (rows.length > size) break
  }
  return firstOf(rows, size, keyOf, digest)
}

function asked({ maxResults, nextToken, limit, default: usual, parameters }: PageRequest): {
  readonly size: number
  readonly digest: string
  readonly after: string | undefined
} {
  if (maxResults !== undefined && (maxResults < 1 || maxResults > limit))
    throw new AwsError('InvalidParameterException', `maxResults must be between 1 and ${limit}.`)
  const digest = digestOf(parameters)
  return {
    size: maxResults ?? usual,
    digest,
    after: nextToken === undefined ? undefined : lastKeyOf(nextToken, digest),
  }
}

function firstOf<Row>(
  rows: readonly Row[],
  size: number,
  keyOf: (row: Row) => string,
  digest: string,
): Page<Row> {
  const shown = rows.slice(0, size)
  const last = shown.at(-1)
  return {
    rows: shown,
    ...(rows.length > size && last !== undefined && { nextToken: tokenOf(keyOf(last), digest) }),
  }
}

/** The first index whose element does not come before; the elements that do are at the front. */
function placeFor<Element>(sorted: readonly Element[], before: (element: Element) => boolean): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const element = sorted[middle]
    if (element !== undefined && before(element)) low = middle + 1
    else high = middle
  }
  return low
}

function digestOf(parameters: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64url').slice(0, 16)
}

function tokenOf(lastKey: string, digest: string): string {
  return Buffer.from(JSON.stringify([lastKey, digest])).toString('base64url')
}

function lastKeyOf(token: string, digest: string): string {
  let said: unknown
  try {
    said = JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch {
    said = undefined
  }
  // Written anew it must be the same text: then it is one of ours, of this list, to the last character.
  if (Array.isArray(said) && typeof said[0] === 'string' && tokenOf(said[0], digest) === token) return said[0]
  throw new AwsError('InvalidParameterException', 'Invalid token')
}
