import { expect, test } from 'vitest'
import { scenarios } from './scenarios.ts'
import { simulate } from './simulate.ts'

/** Some 200 in all, in seconds; `npm run simulate` plays as many as wanted. */
const seedsEach = 19

test.each(Object.keys(scenarios))(
  '%s breaks no law, whatever fails, and settles',
  { timeout: 120_000 },
  async (name) => {
    for (let seed = 1; seed <= seedsEach; seed++) {
      const { violation, history } = await simulate(name, seed)
      expect(violation, `${name}, seed ${seed}:\n${history.join('\n')}`).toBeUndefined()
    }
  },
)

test('a seed gives the same run each time', async () => {
  const [one, other] = [await simulate('chaos', 42), await simulate('chaos', 42)]
  expect(other).toEqual(one)
  expect(one.steps).not.toBe((await simulate('chaos', 43)).steps)
})
