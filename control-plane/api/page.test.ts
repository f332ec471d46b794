import { describe, expect, test } from 'vitest'
import { page, pageInOrder } from './page.ts'
import { testContext } from './testing.ts'

const context = await testContext()
const keyOf = (row: string): string => row
const request = { context, limit: 100, default: 3, parameters: { operation: 'List', of: 'things' } }

function allPages(rows: () => readonly string[], maxResults: number, descending = false): string[] {
  const seen: string[] = []
  let nextToken: string | undefined
  do {
    const answer = page(rows(), { ...request, maxResults, nextToken, descending }, keyOf)
    seen.push(...answer.rows)
    nextToken = answer.nextToken
  } while (nextToken !== undefined)
  return seen
}

describe('a list in pages', () => {
  test('shows every row once in the order of keys, whatever the order they come in', () => {
    const rows = ['d', 'a', 'g', 'c', 'b', 'f', 'e']
    for (const size of [1, 2, 3, 7, 100]) {
      expect(allPages(() => rows, size)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
      expect(allPages(() => rows, size, true)).toEqual(['g', 'f', 'e', 'd', 'c', 'b', 'a'])
    }
  })

  test('has no token on a last page that is full', () => {
    expect(page(['a', 'b', 'c'], request, keyOf)).toEqual({ rows: ['a', 'b', 'c'] })
  })

  test('goes on after the last row shown even when that row is gone', () => {
    const first = page(['a', 'b', 'c', 'd'], { ...request, maxResults: 2 }, keyOf)
    const second = page(['a', 'c', 'd'], { ...request, ...tokenOf(first) }, keyOf)
    expect(second.rows).toEqual(['c', 'd'])
  })

  test('reads no more than a page of rows that come in order', () => {
    const read: string[] = []
    function* after(key: string | undefined): Generator<string> {
      for (const row of ['a', 'b', 'c', 'd', 'e']) {
        if (key !== undefined && row <= key) continue
        read.push(row)
        yield row
      }
    }
    const first = pageInOrder(after, { ...request, maxResults: 2 }, keyOf)
    expect(first.rows).toEqual(['a', 'b'])
    expect(pageInOrder(after, { ...request, ...tokenOf(first) }, keyOf)).toEqual({ rows: ['c', 'd', 'e'] })
    expect(read).toEqual(['a', 'b', 'c', 'c', 'd', 'e'])
  })

  test('refuses a page of no size, and one larger than there is', () => {
    const refused = expect.objectContaining({ code: 'InvalidParameterException' })
    for (const maxResults of [0, -1, 101])
      expect(() => page(['a'], { ...request, maxResults }, keyOf)).toThrow(refused)
  })
})

describe('a token', () => {
  const { nextToken } = tokenOf(page(['a', 'b', 'c'], { ...request, maxResults: 1 }, keyOf))
  const use =
    (token: string, more: object = {}) =>
    () =>
      page(['a', 'b', 'c'], { ...request, ...more, nextToken: token }, keyOf)
  const invalid = expect.objectContaining({ code: 'InvalidParameterException', message: 'Invalid token' })
  const [, signature = ''] = JSON.parse(Buffer.from(nextToken, 'base64url').toString()) as string[]
  const written = (...parts: unknown[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url')

  test.each([
    ['nothing', ''],
    ['a word', 'x'],
    ['no list', Buffer.from('{}').toString('base64url')],
    ['another key with a signature of ours', written('b', signature)],
    ['a key without a signature', written('a')],
    ['more behind it', `${nextToken}x`],
    ['less', nextToken.slice(0, -2)],
    ['spaces in its JSON', Buffer.from(`["a", "${signature}"]`).toString('base64url')],
  ])('that was forged is refused: %s', (_, forged) => {
    expect(use(nextToken)().rows).toEqual(['b', 'c'])
    expect(use(forged)).toThrow(invalid)
  })

  test('is good for the list it came from only', async () => {
    const elsewhere = { ...context, scope: { ...context.scope, region: 'eu-west-1' } }
    const other = { ...context, scope: { ...context.scope, accountId: '111111111111' } }
    for (const more of [
      { parameters: { operation: 'List', of: 'others' } },
      { parameters: { operation: 'ListAll', of: 'things' } },
      { parameters: { ...request.parameters, status: 'ACTIVE' } },
      { context: elsewhere },
      { context: other },
      { context: await testContext() },
    ])
      expect(use(nextToken, more)).toThrow(invalid)
    const reordered = { parameters: { of: 'things', operation: 'List', status: undefined } }
    expect(use(nextToken, reordered)().rows).toEqual(['b', 'c'])
  })
})

function tokenOf({ nextToken }: { readonly nextToken?: string }): { readonly nextToken: string } {
  if (nextToken === undefined) throw new Error('no further page')
  return { nextToken }
}
