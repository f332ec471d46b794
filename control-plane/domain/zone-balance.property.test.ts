import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countsText, countZones, moved, type ZoneCounts, zoneToLeave } from './zone-balance.ts'

const zones = ['a', 'b', 'c', 'd']
const emptiest = (counts: ZoneCounts): string =>
  zones.toSorted((one, other) => (counts.get(one) ?? 0) - (counts.get(other) ?? 0))[0] ?? ''

test('moves end with every zone at its share, rounded up or down, and never with fewer tasks', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...zones), { maxLength: 40 }), (tasks) => {
      let counts: ZoneCounts = countZones(tasks)
      for (let moves = 0; ; moves++) {
        const to = emptiest(counts)
        const from = zoneToLeave(counts, to)
        if (from === undefined) break
        expect(moves).toBeLessThan(tasks.length)
        counts = moved(counts, { from, to })
      }
      const share = tasks.length / zones.length
      for (const zone of zones) {
        expect(counts.get(zone) ?? 0).toBeGreaterThanOrEqual(Math.floor(share))
        expect(counts.get(zone) ?? 0).toBeLessThanOrEqual(Math.ceil(share))
      }
    }),
  )
})

test('counts are told by zone', () => {
  expect(countsText(countZones(['b', 'a', undefined, 'b']))).toBe('1 tasks in a, 2 tasks in b')
})
