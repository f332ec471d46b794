import fc from 'fast-check'
import { expect, test } from 'vitest'
import { page, pageInOrder } from './page.ts'
import { testContext } from './testing.ts'

const context = await testContext()
const keyOf = (row: string): string => row

test('rows that come and go between pages neither hide nor repeat those that stay', () => {
  const keys = fc.uniqueArray(fc.string({ maxLength: 3 }), { maxLength: 30 })
  const passing = fc.array(keys, { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(
      keys,
      passing,
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom('ascending', 'descending', 'given'),
      (staying, others, size, order) => {
        const seen: string[] = []
        let nextToken: string | undefined
        for (let pageNumber = 0; pageNumber === 0 || nextToken !== undefined; pageNumber++) {
          const rows = new Set([...staying, ...(others[pageNumber % others.length] ?? [])])
          const request = { context, limit: 5, default: 5, parameters: {}, maxResults: size, nextToken }
          const inOrder = [...rows].toSorted()
          const after = (key: string | undefined) => inOrder.filter((row) => key === undefined || row > key)
          const answer =
            order === 'given'
              ? pageInOrder(after, request, keyOf)
              : page(rows, { ...request, descending: order === 'descending' }, keyOf)
          expect(answer.rows.length).toBeLessThanOrEqual(size)
          seen.push(...answer.rows)
          nextToken = answer.nextToken
        }
        expect(new Set(seen).size).toBe(seen.length)
        expect(seen.filter((row) => staying.includes(row)).toSorted()).toEqual(staying.toSorted())
      },
    ),
  )
})
