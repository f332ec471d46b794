import { createHmac } from 'node:crypto'
import { AwsError } from '@berth/wire/error.ts'
import { scopeKey } from '#domain/arn.ts'
import type { Context } from './operation.ts'

/** What tokens are made with: the key they are signed with, and whose list it is. */
type Signer = Pick<Context, 'store' | 'ids' | 'scope'>

interface PageRequest {
  readonly context: Signer
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
  /** The most a caller may ask for. */
  readonly limit: number
  /** How many a page holds when the caller does not say. */
  readonly default: number
  /**
   * What the list is of: the operation's name and its filters. A token is good for the same parameters only, in the
   * same account and region.
   */
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
 * so a list that changes between pages neither repeats nor skips what was there all the time. It is signed with a key
 * of this installation, so that nobody can make one: where a list begins is what we once said, or the beginning.
 *
 * Throws InvalidParameterException for a token that is not of this list, and for `maxResults` out of its range.
 */
export function page<Row>(rows: Iterable<Row>, request: PageRequest, keyOf: (row: Row) => string): Page<Row> {
  const { size, after } = asked(request)
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
    request,
  )
}

/** The same of rows that can be had in ascending order from any key on, so that a page of a long list costs no more than itself. */
export function pageInOrder<Row>(
  rowsAfter: (key: string | undefined) => Iterable<Row>,
  request: Omit<PageRequest, 'descending'>,
  keyOf: (row: Row) => string,
): Page<Row> {
  const { size, after } = asked(request)
  const rows: Row[] = []
  for (const row of rowsAfter(after)) {
    rows.push(row)
    if (rows.length > size) break
  }
  return firstOf(rows, size, keyOf, request)
}

function asked(request: PageRequest): { readonly size: number; readonly after: string | undefined } {
  const { maxResults, nextToken, limit } = request
  if (maxResults !== undefined && (maxResults < 1 || maxResults > limit))
    throw new AwsError('InvalidParameterException', `maxResults must be between 1 and ${limit}.`)
  return {
    size: maxResults ?? request.default,
    after: nextToken === undefined ? undefined : lastKeyOf(nextToken, request),
  }
}

function firstOf<Row>(
  rows: readonly Row[],
  size: number,
  keyOf: (row: Row) => string,
  request: PageRequest,
): Page<Row> {
  const shown = rows.slice(0, size)
  const last = shown.at(-1)
  if (rows.length <= size || last === undefined) return { rows: shown }
  return { rows: shown, nextToken: tokenOf(keyOf(last), request, signingKey(request.context)) }
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

function tokenOf(lastKey: string, { context, parameters }: PageRequest, signingKey: string): string {
  const sorted = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
  const signature = createHmac('sha256', signingKey)
    .update(JSON.stringify([scopeKey(context.scope), sorted, lastKey]))
    .digest('base64url')
  return Buffer.from(JSON.stringify([lastKey, signature])).toString('base64url')
}

function lastKeyOf(token: string, request: PageRequest): string {
  let said: unknown
  try {
    said = JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch {
    said = undefined
  }
  // Written anew it must be the same text: then it is one of ours, of this list, to the last character.
  const key = request.context.store.find('installationSecret', signingKeyName)?.value
  if (key !== undefined && Array.isArray(said) && typeof said[0] === 'string')
    if (tokenOf(said[0], request, key) === token) return said[0]
  throw new AwsError('InvalidParameterException', 'Invalid token')
}

const signingKeyName = 'page-token-key'

/** The key of this installation, made when the first token is. */
function signingKey({ store, ids }: Signer): string {
  const known = store.find('installationSecret', signingKeyName)
  if (known) return known.value
  const made = { name: signingKeyName, value: ids.hex(64) }
  store.update((tx) => tx.put('installationSecret', made))
  return made.value
}
