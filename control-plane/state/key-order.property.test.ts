import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyOrder } from './key-order.ts'

const key = fc.nat({ max: 3000 }).map((index) => `k${index}`)
const sorted = (keys: Iterable<string>): string[] => [...keys].toSorted((a, b) => (a < b ? -1 : 1))

test('whatever is added and deleted, keys come in order, from any place on', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), key), { maxLength: 3000, size: 'max' })
  fc.assert(
    fc.property(fc.uniqueArray(key, { maxLength: 2000, size: 'max' }), steps, key, (first, changes, from) => {
      const model = new Set(first)
      const order = new KeyOrder(first)
      for (const [adds, changed] of changes) {
        if (adds && !model.has(changed)) order.add(changed)
        else if (!adds) order.delete(changed)
        if (adds) model.add(changed)
        else model.delete(changed)
      }
      expect([...order.after()]).toEqual(sorted(model))
      expect([...order.after(from)]).toEqual(sorted(model).filter((other) => other > from))
    }),
    { numRuns: 50 },
  )
})
