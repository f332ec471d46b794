import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Phase, planRollout, type RolloutState, rolloutBounds, type Standing } from './rollout.ts'

const standing = fc.record({
  deploymentId: fc.constantFrom('old', 'older', 'new'),
  phase: fc.constantFrom<Phase>('pending', 'settling', 'healthy', 'unhealthy'),
  draining: fc.boolean(),
  protected: fc.boolean(),
})
const state: fc.Arbitrary<RolloutState> = fc
  .record({
    desiredCount: fc.nat(8),
    minimumHealthyPercent: fc.constantFrom(0, 25, 34, 50, 75, 100),
    maximumPercent: fc.constantFrom(100, 125, 150, 200, 300),
    failed: fc.boolean(),
    hasFallback: fc.boolean(),
    tasks: fc.array(standing, { maxLength: 20 }),
  })
  .map(({ hasFallback, tasks, ...others }) => ({
    ...others,
    primary: 'new',
    ...(hasFallback && { fallback: 'old' }),
    tasks: tasks.map((task, index) => ({ ...task, taskArn: String(index) })),
  }))

const healthyOf = (tasks: readonly Standing[]): number =>
  tasks.filter(({ phase }) => phase === 'healthy').length

/** The tasks after the plan's stops, with the worst choice that it leaves open: healthy ones first. */
function afterStops(tasks: readonly Standing[], stops: ReturnType<typeof planRollout>['stops']): Standing[] {
  const stopped = new Set<Standing>()
  for (const { from, count } of stops)
    for (const task of from.toSorted((one, other) => healthyOf([other]) - healthyOf([one])).slice(0, count)) {
      expect(stopped.has(task)).toBe(false)
      stopped.add(task)
    }
  return tasks.filter((task) => !stopped.has(task))
}

test('no plan goes below the healthy minimum by its own doing, or above the maximum, or stops what is protected', () => {
  fc.assert(
    fc.property(state, (given) => {
      const plan = planRollout(given)
      const { healthyMin, totalMax } = rolloutBounds(given)
      const left = afterStops(given.tasks, plan.stops)
      expect(healthyOf(left)).toBeGreaterThanOrEqual(Math.min(healthyOf(given.tasks), healthyMin))
      const started = plan.start + plan.startFallback
      expect(started === 0 || left.length + started <= totalMax).toBe(true)
      for (const { from, count } of plan.stops) expect(count).toBeLessThanOrEqual(from.length)
      for (const task of plan.stops.flatMap(({ from }) => from))
        expect(task.protected && task.phase !== 'unhealthy').toBe(false)
      for (const task of plan.held) expect(task.protected && task.phase !== 'unhealthy').toBe(true)
    }),
    { numRuns: 3000 },
  )
})

/** What becomes of the tasks when all goes well for a while: tasks settle and become healthy. */
function mature(tasks: readonly Standing[]): Standing[] {
  return tasks.map((task) => ({ ...task, phase: task.phase === 'unhealthy' ? 'unhealthy' : 'healthy' }))
}

/** After so many rounds no task is protected any longer. */
const protectionRounds = 20

/** Plans and lets tasks mature until the rollout is over or says that it is blocked. */
function rollOut(given: RolloutState): {
  readonly end: 'over' | 'blocked' | 'endless'
  readonly tasks: readonly Standing[]
} {
  let tasks: readonly Standing[] = given.tasks
  let serial = tasks.length
  const started = (deploymentId: string, count: number): Standing[] =>
    Array.from({ length: count }, () => ({
      taskArn: String(serial++),
      deploymentId,
      phase: 'pending',
      draining: false,
    }))
  for (let round = 0; round < 200; round++) {
    const plan = planRollout({ ...given, failed: false, tasks })
    if (plan.blocked) return { end: 'blocked', tasks }
    const left = afterStops(tasks, plan.stops).map((task) =>
      round < protectionRounds ? task : { ...task, protected: false },
    )
    tasks = mature([...left, ...started('old', plan.startFallback), ...started('new', plan.start)])
    const over = tasks.every(
      ({ deploymentId, phase, draining }) => deploymentId === 'new' && phase === 'healthy' && !draining,
    )
    if (over && tasks.length === given.desiredCount) return { end: 'over', tasks }
  }
  return { end: 'endless', tasks }
}

test('a rollout ends with the desired count of new tasks, unless the percentages block it, and then it says so', () => {
  fc.assert(
    fc.property(state, (given) => {
      const { end, tasks } = rollOut(given)
      const { healthyMin, totalMax } = rolloutBounds(given)
      const mayBlock = healthyMin === healthyOf(tasks) && tasks.length >= totalMax
      expect(end === 'over' || (end === 'blocked' && mayBlock), `${end}: ${JSON.stringify(tasks)}`).toBe(true)
    }),
    { numRuns: 2000 },
  )
})
