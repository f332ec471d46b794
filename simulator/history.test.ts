import type { Task } from '@berth/control-plane/domain/task.ts'
import type { Change } from '@berth/control-plane/state/store.ts'
import { expect, test } from 'vitest'
import { SimulatedClock } from './clock.ts'
import { History } from './history.ts'

const id = '0123456789abcdef0123456789abcdef'
const task = {
  taskArn: `arn:aws:ecs:us-east-1:000000000000:task/default/${id}`,
  lastStatus: 'PENDING',
} as Task

function told(traced: boolean): History {
  const history = new History(new SimulatedClock(), traced)
  const changes: Change[] = [
    { table: 'task', before: undefined, after: task },
    { table: 'task', before: task, after: { ...task, lastStatus: 'RUNNING' } },
    { table: 'task', before: task, after: undefined },
  ]
  history.changed('service-scheduler', changes)
  for (let number = 0; number < 100; number++) history.note(`line ${number}`)
  return history
}

test('a traced history says who changed what of which row', () => {
  expect(told(true).lines.slice(0, 3)).toEqual([
    `    0.000 service-scheduler: + task task/default/${id} PENDING`,
    `    0.000 service-scheduler: ~ task task/default/${id} lastStatus: PENDING → RUNNING`,
    `    0.000 service-scheduler: - task task/default/${id}`,
  ])
})

test('a history that is not traced keeps only what was noted last', () => {
  expect(told(false).lines).not.toContain(expect.stringContaining('task/default'))
  expect(told(false).lines.at(-1)).toContain('line 99')
})

test('what a violation names is shown, though it is long past', () => {
  const lines = told(true)
    .about(new Error(`${task.taskArn} is lost`))
    .split('\n')
  expect(lines.filter((line) => line.startsWith('*'))).toHaveLength(3)
  expect(lines).toContain('          … 40 lines')
  expect(lines.at(-1)).toContain('line 99')
  expect(lines).not.toContainEqual(expect.stringContaining('line 39'))
})

test('the same history has the same digest, another has another', () => {
  expect(told(true).digest()).toBe(told(true).digest())
  const other = told(true)
  other.note('one more')
  expect(other.digest()).not.toBe(told(true).digest())
})
