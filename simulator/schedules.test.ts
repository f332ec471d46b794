import { expect, test } from 'vitest'
import type { Change } from '@berth/control-plane/state/store.ts'
import { brokenScheduleLaw } from './schedules.ts'

const change = (table: string, before: object | undefined, after: object | undefined): Change =>
  ({ table, before, after }) as unknown as Change
const task = change('task', undefined, { taskArn: 'arn:t', startedBy: 'chronos-schedule/s' })
const moves = (from: number, to: number | undefined) =>
  change(
    'schedule',
    { name: 's', next: { time: from, at: from } },
    to === undefined ? { name: 's' } : { name: 's', next: { time: to, at: to } },
  )

test('a task of a schedule comes with a move to a later time, and one task with each', () => {
  expect(brokenScheduleLaw([moves(1, 2), task])).toBeUndefined()
  expect(brokenScheduleLaw([moves(1, undefined), task])).toBeUndefined()
  expect(brokenScheduleLaw([moves(1, 2)])).toBeUndefined()
  expect(brokenScheduleLaw([change('task', undefined, { startedBy: 'me' })])).toBeUndefined()
})

test.each([
  ['without a move', [task]],
  ['with one to the same time', [moves(1, 1), task]],
  ['with one back', [moves(2, 1), task]],
  ['twice with one move', [moves(1, 2), task, task]],
])('a task %s breaks the law', (_, changes) => {
  expect(brokenScheduleLaw(changes)).toContain('arn:t was started by chronos-schedule/s')
})
