import { expect, test } from 'vitest'
import { constraints } from './constraints.ts'

test('shows a list that is too long, of maps too', () => {
  const check = constraints()
  const map = Object.assign(Object.create(null) as object, { key: 'a' })
  check.items('tags', ['x', 1, map], 0, 2)
  expect(() => check.check()).toThrow(
    `Value '[x, 1, {"key":"a"}]' at 'tags' failed to satisfy constraint: Member must have length less than or equal to 2`,
  )
})
