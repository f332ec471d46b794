import { expect, test } from 'vitest'
import { type Phase, planRollout, rolloutBounds, type Standing } from './rollout.ts'

let serial = 0
const some = (count: number, deploymentId: string, phase: Phase, draining = false): Standing[] =>
  Array.from({ length: count }, () => ({ taskArn: String(++serial), deploymentId, phase, draining }))
const plan = (
  desiredCount: number,
  percents: readonly [number, number],
  tasks: readonly Standing[],
  failed = false,
) => {
  const [minimumHealthyPercent, maximumPercent] = percents
  const { stops, ...others } = planRollout({
    desiredCount,
    minimumHealthyPercent,
    maximumPercent,
    primary: 'new',
    failed,
    fallback: 'old',
    tasks,
  })
  return {
    ...others,
    stop: stops.reduce((total, { count }) => total + count, 0),
    why: stops.map(({ why }) => why),
  }
}

test.each([
  { desiredCount: 4, percents: [50, 100], healthyMin: 2, totalMax: 4 },
  { desiredCount: 2, percents: [75, 200], healthyMin: 2, totalMax: 4 },
  { desiredCount: 3, percents: [100, 125], healthyMin: 3, totalMax: 3 },
  { desiredCount: 3, percents: [34, 150], healthyMin: 2, totalMax: 4 },
])('$desiredCount tasks at $percents % mean $healthyMin healthy and $totalMax in all', (row) => {
  const [minimumHealthyPercent = 0, maximumPercent = 0] = row.percents
  expect(rolloutBounds({ desiredCount: row.desiredCount, minimumHealthyPercent, maximumPercent })).toEqual({
    healthyMin: row.healthyMin,
    totalMax: row.totalMax,
  })
})

test('a new service starts all its tasks', () => {
  expect(plan(3, [100, 200], [])).toMatchObject({ start: 3, stop: 0, blocked: false })
})

test('with 50 and 100 percent two of four are stopped, two started, and then it waits', () => {
  expect(plan(4, [50, 100], some(4, 'old', 'healthy'))).toMatchObject({ stop: 2, start: 2 })
  const half = [...some(2, 'old', 'healthy'), ...some(2, 'new', 'pending')]
  expect(plan(4, [50, 100], half)).toMatchObject({ stop: 0, start: 0, blocked: false })
  const settled = [...some(2, 'old', 'healthy'), ...some(2, 'new', 'healthy')]
  expect(plan(4, [50, 100], settled)).toMatchObject({ stop: 2, start: 2 })
})

test('with 100 and 200 percent a new task must be healthy before the old one is stopped', () => {
  expect(plan(1, [100, 200], some(1, 'old', 'healthy'))).toMatchObject({ start: 1, stop: 0 })
  const settling = [...some(1, 'old', 'healthy'), ...some(1, 'new', 'settling')]
  expect(plan(1, [100, 200], settling)).toMatchObject({ start: 0, stop: 0 })
  const healthy = [...some(1, 'old', 'healthy'), ...some(1, 'new', 'healthy')]
  expect(plan(1, [100, 200], healthy)).toMatchObject({ start: 0, stop: 1 })
})

test('with 100 and 125 percent of three nothing can move, which is said', () => {
  expect(plan(3, [100, 125], some(3, 'old', 'healthy'))).toMatchObject({ start: 0, stop: 0, blocked: true })
})

test('a task lost by the old deployment is replaced there while the new one is not healthy', () => {
  const tasks = [...some(1, 'old', 'healthy'), ...some(2, 'new', 'pending')]
  expect(plan(2, [100, 200], tasks)).toMatchObject({ startFallback: 1, start: 0, stop: 0 })
})

test('a failed deployment starts nothing and leaves the old one in place', () => {
  const tasks = [...some(2, 'old', 'healthy'), ...some(0, 'new', 'pending')]
  expect(plan(2, [50, 200], tasks, true)).toMatchObject({ startFallback: 0, start: 0, stop: 0 })
  expect(plan(2, [50, 200], some(1, 'old', 'healthy'), true)).toMatchObject({ startFallback: 1, start: 0 })
})

test('an unhealthy task is replaced first where there is room, and stopped when its replacement is healthy', () => {
  const sick = [...some(1, 'new', 'healthy'), ...some(1, 'new', 'unhealthy')]
  expect(plan(2, [100, 200], sick)).toMatchObject({ start: 1, stop: 0 })
  expect(plan(2, [100, 200], [...sick, ...some(1, 'new', 'healthy')])).toMatchObject({
    start: 0,
    stop: 1,
    why: ['unhealthy'],
  })
})

test('an unhealthy task is stopped first where there is no room', () => {
  const sick = [...some(1, 'new', 'healthy'), ...some(1, 'new', 'unhealthy')]
  expect(plan(2, [50, 100], sick)).toMatchObject({ start: 1, stop: 1, why: ['unhealthy'] })
})

test('tasks on a draining instance are replaced before they are stopped, pending ones at once', () => {
  expect(plan(2, [100, 200], some(2, 'new', 'healthy', true))).toMatchObject({ start: 2, stop: 0 })
  expect(plan(2, [100, 200], some(2, 'new', 'pending', true))).toMatchObject({ start: 2, stop: 2 })
  const moved = [
    ...some(2, 'new', 'healthy', true),
    ...some(1, 'new', 'healthy'),
    ...some(1, 'new', 'settling'),
  ]
  expect(plan(2, [100, 200], moved)).toMatchObject({ start: 0, stop: 1 })
})

test('scaling in stops pending tasks first', () => {
  const tasks = [...some(2, 'new', 'healthy'), ...some(2, 'new', 'pending')]
  const { stops } = planRollout({
    desiredCount: 2,
    minimumHealthyPercent: 100,
    maximumPercent: 200,
    primary: 'new',
    failed: false,
    tasks,
  })
  expect(stops).toEqual([{ from: tasks.slice(2), count: 2, why: 'scaling' }])
})

test('a service scaled to nothing stops everything', () => {
  expect(plan(0, [100, 200], [...some(2, 'old', 'healthy'), ...some(2, 'new', 'healthy')])).toMatchObject({
    start: 0,
    stop: 4,
    blocked: false,
  })
})
