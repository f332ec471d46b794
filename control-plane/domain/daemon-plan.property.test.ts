import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  batchOf,
  type DaemonPlace,
  type DaemonState,
  isDesired,
  planDaemon,
  unavailableBy,
} from './daemon-plan.ts'
import type { Phase, Standing } from './rollout.ts'

const phases = ['pending', 'settling', 'healthy', 'unhealthy'] as const satisfies readonly Phase[]

const place = (number: number): fc.Arbitrary<DaemonPlace> =>
  fc
    .record({
      state: fc.constantFrom(
        'open' as const,
        'open' as const,
        'away' as const,
        'closing' as const,
        'closed' as const,
      ),
      tasks: fc.array(
        fc.record({
          deploymentId: fc.constantFrom('new', 'old', 'older'),
          phase: fc.constantFrom(...phases),
        }),
        { maxLength: 3 },
      ),
      leaving: fc.boolean(),
      alone: fc.boolean(),
    })
    .map(({ tasks, ...rest }) => ({
      ...rest,
      containerInstanceArn: `host-${number}`,
      tasks: tasks.map((task, index) => ({ ...task, taskArn: `${number}/${index}`, draining: false })),
    }))

const states: fc.Arbitrary<DaemonState> = fc.integer({ min: 0, max: 12 }).chain((count) =>
  fc.record({
    current: fc.constant('new'),
    failed: fc.boolean(),
    fallback: fc.constant('old'),
    unavailableMax: fc.integer({ min: 0, max: count }),
    surplusMax: fc.constantFrom(0, 0, 1, count),
    held: fc.boolean(),
    places: fc.tuple(...Array.from({ length: count }, (_, number) => place(number))),
  }),
)

const healthyPlaces = (state: DaemonState, gone: ReadonlySet<Standing>): number =>
  state.places.filter(
    (each) => isDesired(each) && each.tasks.some((task) => task.phase === 'healthy' && !gone.has(task)),
  ).length

test('no instance gets a second task, but for the surplus that is allowed', () => {
  fc.assert(
    fc.property(states, (state) => {
      const { starts, stops } = planDaemon(state)
      const gone = new Set(stops.map(({ task }) => task))
      const at = new Map(state.places.map((each) => [each.containerInstanceArn, each]))
      let beside = 0
      for (const { containerInstanceArn } of starts) {
        const { state: is, tasks = [], leaving } = at.get(containerInstanceArn) ?? {}
        expect(is).toBe('open')
        expect(leaving).toBe(false)
        expect(tasks.some((task) => gone.has(task))).toBe(false)
        if (tasks.length > 0) beside++
      }
      expect(new Set(starts.map(({ containerInstanceArn }) => containerInstanceArn)).size).toBe(starts.length)
      expect(beside).toBeLessThanOrEqual(state.surplusMax)
    }),
  )
})

test('what serves on instances that stay is stopped only as far as the plan may', () => {
  fc.assert(
    fc.property(states, (state) => {
      const gone = new Set(planDaemon(state).stops.map(({ task }) => task))
      const before = healthyPlaces(state, new Set())
      const after = healthyPlaces(state, gone)
      const least = state.places.filter(isDesired).length - state.unavailableMax
      expect(after === before || after >= least).toBe(true)
    }),
  )
})

test('of instances that all serve with an old task as many lose it as the plan may, and the rest keep theirs', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 12 }), fc.nat(12), fc.boolean(), (count, unavailableMax, held) => {
      const places = Array.from({ length: count }, (_, number) => ({
        containerInstanceArn: `host-${number}`,
        state: 'open' as const,
        tasks: [{ taskArn: `${number}`, deploymentId: 'old', phase: 'healthy' as const, draining: false }],
        leaving: false,
        alone: false,
      }))
      const state = { current: 'new', failed: false, unavailableMax, surplusMax: 0, held, places }
      const plan = planDaemon(state)
      expect(plan.stops).toHaveLength(held ? 0 : Math.min(count, unavailableMax))
      expect(plan.starts).toEqual([])
      expect(plan.blocked).toBe(!held && count > 0 && unavailableMax === 0)
    }),
  )
})

test('done again and again, with every task doing as it should, each instance ends with one task of the current', () => {
  fc.assert(
    fc.property(states, (drawn) => {
      let state: DaemonState = {
        ...drawn,
        failed: false,
        held: false,
        unavailableMax: drawn.unavailableMax + 1,
      }
      let made = 0
      for (let step = 0; step < 60; step++) {
        const { starts, stops } = planDaemon(state)
        const gone = new Set(stops.map(({ task }) => task))
        const startedOn = new Set(starts.map(({ containerInstanceArn }) => containerInstanceArn))
        state = {
          ...state,
          places: state.places.map((each) => ({
            ...each,
            leaving: each.tasks.some((task) => gone.has(task)),
            alone: true,
            tasks: [
              ...each.tasks
                .filter((task) => !gone.has(task))
                .map((task): Standing => (task.phase === 'unhealthy' ? task : { ...task, phase: 'healthy' })),
              ...(startedOn.has(each.containerInstanceArn)
                ? [
                    {
                      taskArn: `made-${made++}`,
                      deploymentId: 'new',
                      phase: 'pending' as const,
                      draining: false,
                    },
                  ]
                : []),
            ],
          })),
        }
      }
      for (const { state: is, tasks } of state.places) {
        const wanted = { open: ['new'], closed: [], closing: [], away: undefined }[is]
        const left = tasks.map(({ deploymentId }) => deploymentId)
        expect(left).toEqual(wanted ?? left)
      }
      expect(planDaemon(state)).toMatchObject({ stops: [], starts: [], blocked: false })
    }),
  )
})

test('a protected task that serves is never stopped, and keeps nobody else from being replaced', () => {
  fc.assert(
    fc.property(states, fc.nat(), (drawn, draw) => {
      const all = drawn.places.flatMap(({ tasks }) => tasks)
      const chosen = all[draw % (all.length || 1)]
      const places = drawn.places.map((each) => ({
        ...each,
        tasks: each.tasks.map((task) => (task === chosen ? { ...task, protected: true } : task)),
      }))
      const serving = chosen?.phase === 'healthy' || chosen?.phase === 'settling'
      const plan = planDaemon({ ...drawn, places })
      const stopped = new Set(plan.stops.map(({ task }) => task.taskArn))
      expect(serving && stopped.has(chosen.taskArn)).toBe(false)
      expect(plan.withheld.every(({ taskArn }) => taskArn === chosen?.taskArn && serving)).toBe(true)
      expect(stopped.size + plan.withheld.length).toBeGreaterThanOrEqual(planDaemon(drawn).stops.length)
    }),
  )
})

test('an instance that is emptied loses its running daemon last', () => {
  fc.assert(
    fc.property(states, (state) => {
      const gone = new Set(planDaemon(state).stops.map(({ task }) => task))
      const emptied = state.places.filter((each) => each.state === 'closing')
      const lost = emptied.flatMap(({ tasks }) => tasks.filter((task) => gone.has(task)))
      const due = emptied.flatMap(({ alone, tasks }) =>
        tasks.filter((task) => alone || task.phase === 'pending'),
      )
      expect(lost).toEqual(due)
    }),
  )
})

test.each([
  [5, 0, 5],
  [5, 50, 2],
  [4, 50, 2],
  [1, 50, 0],
  [3, 100, 0],
])('of %i instances %i percent healthy leave %i', (count, percent, left) => {
  expect(unavailableBy(count, percent)).toBe(left)
})

test.each([
  [10, 25, 2],
  [1, 25, 1],
  [0, 25, 1],
  [8, 100, 8],
])('of %i instances %i percent are %i at once', (count, percent, batch) => {
  expect(batchOf(count, percent)).toBe(batch)
})
