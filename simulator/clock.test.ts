import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AdjustableClock, SimulatedClock } from './clock.ts'

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

test('who waits on a clock that somebody sets waits as long as was meant', async () => {
  const time = new SimulatedClock(1_000)
  const clock = new AdjustableClock(time)
  let rangAt: number | undefined
  clock.at(1_500, () => {
    rangAt = time.now()
  })
  clock.aheadMs = 400
  expect(clock.now()).toBe(1_400)
  await time.run(2_000)
  expect(rangAt).toBe(1_500)
  clock.at(2_500, () => {
    rangAt = time.now()
  })
  await time.run(3_000)
  expect(rangAt).toBe(2_100)
})
