import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SimulatedClock } from './clock.ts'

test('callbacks come in the order of their times, those of the same time in the order asked for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ at: fc.nat(20), cancelled: fc.boolean() })), async (asked) => {
      const clock = new SimulatedClock()
      const rung: Array<{ at: number; index: number }> = []
      asked.forEach(({ at, cancelled }, index) => {
        const cancel = clock.at(at, () => {
          expect(clock.now()).toBe(at)
          rung.push({ at, index })
        })
        if (cancelled) cancel()
      })
      await clock.run(100)
      const expected = asked
        .map(({ at, cancelled }, index) => ({ at, index, cancelled }))
        .filter(({ cancelled }) => !cancelled)
        .map(({ at, index }) => ({ at, index }))
        .toSorted((one, other) => one.at - other.at || one.index - other.index)
      expect(rung).toEqual(expected)
      expect(clock.now()).toBe(100)
    }),
  )
})

test('what a callback brings about within the moment ends before the next', async () => {
  const clock = new SimulatedClock()
  const seen: string[] = []
  clock.at(1, () => {
    void Promise.resolve()
      .then(() => Promise.resolve())
      .then(() => clock.at(1, () => seen.push('again')))
  })
  clock.at(2, () => seen.push('next'))
  await clock.run(2)
  expect(seen).toEqual(['again', 'next'])
})
