import { expect, test } from 'vitest'
import { scenarios } from './scenarios.ts'
import { account, report, simulate } from './simulate.ts'

/** So few that `npm run check` stays quick; `make test` plays more, `npm run simulate` as many as wanted. */
const seedsEach = Number(process.env['SIMULATED_SEEDS'] ?? 3)

test.each(Object.keys(scenarios))(
  '%s breaks no law, whatever fails, and settles',
  { timeout: 120_000 },
  async (name) => {
    for (let seed = 1; seed <= seedsEach; seed++) {
      const { violation } = await simulate(name, seed)
      expect(violation === undefined ? '' : await report(name, seed)).toBe('')
    }
  },
)

test('the control plane may die at any write', { timeout: 120_000 }, async () => {
  let moments = 0
  for (let moment = 1; moment === 1 || moments >= moment - 1; moment++) {
    const outcome = await simulate('brief', 1, moment)
    moments = outcome.moments
    expect(outcome.violation === undefined ? '' : await report('brief', 1, moment)).toBe('')
  }
  expect(moments).toBeGreaterThan(50)
})

test('a seed gives the same run each time, to the byte', { timeout: 120_000 }, async () => {
  const [one, other] = [await account('chaos', 42), await account('chaos', 42)]
  expect(other).toEqual(one)
  expect(one.steps).toBe((await simulate('chaos', 42)).steps)
  expect(one.digest).not.toBe((await account('chaos', 43)).digest)
})
