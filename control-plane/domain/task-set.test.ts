import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ContainerInstance } from './container-instance.ts'
import { computedDesiredCount, stabilityOf } from './task-set.ts'
import type { Task } from './task.ts'

test.each([
  [4, 30, 2],
  [10, 25, 3],
  [3, 100, 3],
  [100, 55, 55],
  [1000, 0.1, 1],
  [50, 29, 15],
  [0, 100, 0],
  [5, 0, 0],
])('of %d tasks %d percent are %d', (desiredCount, scalePercent, computed) => {
  expect(computedDesiredCount({ status: 'ACTIVE', scalePercent }, desiredCount)).toBe(computed)
  expect(computedDesiredCount({ status: 'DRAINING', scalePercent }, desiredCount)).toBe(0)
})

test('a share of whole percents is exact: never a task too few, never one too many', () =>
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 100 }), (desired, percent) => {
      const computed = computedDesiredCount({ status: 'PRIMARY', scalePercent: percent }, desired)
      expect(computed * 100).toBeGreaterThanOrEqual(desired * percent)
      expect((computed - 1) * 100).toBeLessThan(desired * percent || 1)
    }),
  ))

const ids = idsFrom(prng(1))
const task = (more: Partial<Task> = {}): Task =>
  ({
    taskArn: ids.uuid(),
    lastStatus: 'RUNNING',
    desiredStatus: 'RUNNING',
    healthStatus: 'UNKNOWN',
    containerInstanceArn: 'ready',
    ...more,
  }) as Task
const instances = new Map([
  ['ready', { status: 'ACTIVE' } as ContainerInstance],
  ['leaving', { status: 'DRAINING' } as ContainerInstance],
])

test.each<[string, number, Task[], string]>([
  ['what it should', 1, [task()], 'STEADY_STATE'],
  ['nothing, as it should', 0, [], 'STEADY_STATE'],
  ['too little', 2, [task()], 'STABILIZING'],
  ['too much', 0, [task()], 'STABILIZING'],
  ['one and starts another', 1, [task(), task({ lastStatus: 'PENDING' })], 'STABILIZING'],
  ['a sick task', 1, [task({ healthStatus: 'UNHEALTHY' })], 'STABILIZING'],
  ['on an instance that drains', 1, [task({ containerInstanceArn: 'leaving' })], 'STABILIZING'],
])('a task set that runs %s', (_, computed, tasks, status) => {
  expect(stabilityOf(computed, tasks, (arn) => instances.get(arn))).toBe(status)
})
