import { expect, test } from 'vitest'
import { taskInterfacesMax } from './network-interface-limits.ts'

test.each([
  ['t3.micro', false, 1],
  ['t3.small', false, 2],
  ['t3a.small', false, 1],
  ['t2.2xlarge', false, 2],
  ['m5.large', false, 2],
  ['m6g.medium', false, 1],
  ['c5.9xlarge', false, 7],
  ['r5.24xlarge', false, 14],
  ['m5.large', true, 10],
  ['m6g.medium', true, 4],
  ['c5.18xlarge', true, 120],
  ['t3.small', true, 2],
  ['x9.colossal', true, undefined],
])('%s, trunking %s: %s tasks with an interface', (type, trunking, expected) => {
  expect(taskInterfacesMax(type, trunking)).toBe(expected)
})
