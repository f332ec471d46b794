import fc from 'fast-check'
import { expect, test } from 'vitest'
import { providerForNext, providerToStopFrom } from './capacity-provider-strategy.ts'

const names = ['a', 'b', 'c', 'd']

/** A strategy that AWS accepts: one base at most, and a weight somewhere. */
const strategy = fc
  .record({
    weights: fc
      .array(fc.nat(5), { minLength: 1, maxLength: 4 })
      .filter((all) => all.some((weight) => weight > 0)),
    based: fc.nat(3),
    base: fc.nat(6),
  })
  .map(({ weights, based, base }) =>
    weights.map((weight, place) => ({
      capacityProvider: names[place] ?? '',
      weight,
      ...(place === based % weights.length && { base }),
    })),
  )
type Strategy = Parameters<typeof providerForNext>[0]

function placed(items: Strategy, count: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (let task = 0; task < count; task++) add(counts, providerForNext(items, counts) ?? '', 1)
  return counts
}

function add(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by)
}

test('the base comes first, and beyond it no provider is more than one task from its share', () => {
  fc.assert(
    fc.property(strategy, fc.nat(60), (items, count) => {
      const counts = placed(items, count)
      const base = items.reduce((sum, item) => sum + (item.base ?? 0), 0)
      const beyond = Math.max(0, count - base)
      const weights = items.reduce((sum, item) => sum + (item.weight ?? 0), 0)
      for (const { capacityProvider = '', weight = 0, base: own = 0 } of items) {
        const has = counts.get(capacityProvider) ?? 0
        expect(has).toBeGreaterThanOrEqual(Math.min(own, count))
        const share = (beyond * weight) / weights
        // Of highest averages it is known that nobody falls short of its share by one whole task.
        expect(has - Math.min(own, count)).toBeGreaterThan(share - 1 - 1e-9)
        expect(has).toBeLessThanOrEqual(weight === 0 ? Math.min(own, count) : count)
      }
    }),
  )
})

test('one task more never moves another: stopping one takes back what came last', () => {
  fc.assert(
    fc.property(strategy, fc.integer({ min: 1, max: 60 }), (items, count) => {
      const counts = placed(items, count)
      add(counts, providerToStopFrom(items, counts) ?? '', -1)
      for (const [name, has] of placed(items, count - 1)) expect(counts.get(name)).toBe(has)
    }),
  )
})

test('scaling down from anywhere to a count ends with the base kept', () => {
  fc.assert(
    fc.property(
      strategy,
      fc.array(fc.nat(12), { minLength: 4, maxLength: 4 }),
      fc.nat(20),
      (items, has, to) => {
        const counts = new Map(names.map((name, place) => [name, has[place] ?? 0]))
        const total = (): number => [...counts.values()].reduce((sum, count) => sum + count, 0)
        const based = items.find(({ base = 0 }) => base > 0)
        const { capacityProvider = 'none', base = 0 } = based ?? {}
        const before = counts.get(capacityProvider) ?? 0
        while (total() > to) add(counts, providerToStopFrom(items, counts) ?? '', -1)
        expect([...counts.values()].every((count) => count >= 0)).toBe(true)
        expect(counts.get(capacityProvider) ?? 0).toBeGreaterThanOrEqual(Math.min(before, base, to))
      },
    ),
  )
})
