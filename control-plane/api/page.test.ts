import { describe, expect, test } from 'vitest'
import { page } from './page.ts'

const keyOf = (row: string): string => row
const request = { limit: 100, default: 3, parameters: { operation: 'List', of: 'things' } }

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

  test('refuses a token of another list, a forged one and a page of no size', () => {
    const { nextToken } = page(['a', 'b'], { ...request, maxResults: 1 }, keyOf)
    const refused = expect.objectContaining({ code: 'InvalidParameterException' })
    const other = { ...request, parameters: { operation: 'List', of: 'others' }, nextToken }
    expect(() => page(['a', 'b'], other, keyOf)).toThrow(refused)
    for (const forged of ['', 'x', Buffer.from('["a","b"]').toString('base64url'), `${nextToken}x`])
      expect(() => page(['a'], { ...request, nextToken: forged }, keyOf)).toThrow(refused)
    expect(() => page(['a'], { ...request, maxResults: 0 }, keyOf)).toThrow(refused)
    expect(() => page(['a'], { ...request, maxResults: 101 }, keyOf)).toThrow(refused)
  })
})

function tokenOf({ nextToken }: { readonly nextToken?: string }): { readonly nextToken: string } {
  if (nextToken === undefined) throw new Error('no further page')
  return { nextToken }
}
