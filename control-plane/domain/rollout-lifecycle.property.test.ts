import type { DeploymentConfiguration, DeploymentLifecycleHook } from '@aws-sdk/client-ecs'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  advance,
  beginLifecycle,
  beginWayBack,
  type Lifecycle,
  type LifecycleFacts,
  stepsOf,
} from './rollout-lifecycle.ts'
import { decideHook, dutiesOf, observeShift, weightsOf } from './rollout-lifecycle-duties.ts'

const minute = 60_000
const order = [
  'RECONCILE_SERVICE',
  'PRE_SCALE_UP',
  'SCALE_UP',
  'POST_SCALE_UP',
  'TEST_TRAFFIC_SHIFT',
  'POST_TEST_TRAFFIC_SHIFT',
  'PRE_PRODUCTION_TRAFFIC_SHIFT',
  'PRODUCTION_TRAFFIC_SHIFT',
  'POST_PRODUCTION_TRAFFIC_SHIFT',
  'BAKE_TIME',
  'CLEAN_UP',
]

const pause: fc.Arbitrary<DeploymentLifecycleHook> = fc.record({
  targetType: fc.constant('PAUSE' as const),
  lifecycleStages: fc.subarray(['PRE_SCALE_UP', 'POST_SCALE_UP', 'PRE_PRODUCTION_TRAFFIC_SHIFT'] as const),
  timeoutConfiguration: fc.record({
    timeoutInMinutes: fc.integer({ min: 1, max: 60 }),
    action: fc.constantFrom('CONTINUE' as const, 'ROLLBACK' as const),
  }),
}) as fc.Arbitrary<DeploymentLifecycleHook>

const configurations: fc.Arbitrary<DeploymentConfiguration> = fc.record({
  strategy: fc.constantFrom('BLUE_GREEN' as const, 'LINEAR' as const, 'CANARY' as const),
  bakeTimeInMinutes: fc.integer({ min: 0, max: 30 }),
  linearConfiguration: fc.record({
    stepPercent: fc.integer({ min: 30, max: 1_000 }).map((tenths) => tenths / 10),
    stepBakeTimeInMinutes: fc.integer({ min: 0, max: 20 }),
  }),
  canaryConfiguration: fc.record({
    canaryPercent: fc.integer({ min: 1, max: 1_000 }).map((tenths) => tenths / 10),
    canaryBakeTimeInMinutes: fc.integer({ min: 0, max: 20 }),
  }),
  lifecycleHooks: fc.array(pause, { maxLength: 2 }),
})

/** What happens to a lifecycle between two looks. */
const events = fc.array(
  fc.record({
    waitMs: fc.integer({ min: 0, max: 15 * minute }),
    targetHealthy: fc.integer({ min: 0, max: 4 }),
    reconciled: fc.boolean(),
    shift: fc.constantFrom('DONE' as const, 'DONE' as const, 'IN_PROGRESS' as const, 'FAILED' as const),
    goOn: fc.boolean(),
    wayBack: fc.integer({ min: 0, max: 40 }).map((number) => number === 0),
  }),
  { maxLength: 60 },
)

interface Seen {
  readonly before: Lifecycle
  readonly after: Lifecycle
  readonly facts: LifecycleFacts
  readonly now: number
}

/** Plays the events, and gives what each look made of them. */
function play(
  configuration: DeploymentConfiguration,
  happening: ReadonlyArray<{
    readonly waitMs: number
    readonly targetHealthy: number
    readonly reconciled: boolean
    readonly shift: 'DONE' | 'IN_PROGRESS' | 'FAILED'
    readonly goOn: boolean
    readonly wayBack: boolean
  }>,
  desiredCount: number,
): Seen[] {
  const ids = idsFrom(prng(1))
  let now = 0
  let lifecycle = beginLifecycle(configuration, {
    sourceRevisionArn: 'blue',
    severalRevisions: happening.length % 2 === 0,
    ids,
    now,
  })
  const seen: Seen[] = []
  for (const event of happening) {
    now += event.waitMs
    if (dutiesOf(lifecycle).shiftAt !== undefined)
      lifecycle = observeShift(lifecycle, lifecycle, { outcome: event.shift, now })
    for (const { hookId } of event.goOn ? lifecycle.hooks : [])
      lifecycle = decideHook(lifecycle, hookId, 'CONTINUE')
    const { targetHealthy, reconciled } = event
    const facts = { desiredCount, targetHealthy, reconciled, sourceHealthy: desiredCount }
    const before = lifecycle
    const { lifecycle: after, failure } = advance(before, facts, { ids, now })
    seen.push({ before, after, facts, now })
    lifecycle = after
    if (!after.rollingBack && after.stage !== 'CLEAN_UP' && (failure !== undefined || event.wayBack))
      lifecycle = beginWayBack(after, { sourceRevisionArn: 'blue', ids, now })
    else if (failure !== undefined) break
  }
  return seen
}

const sums = (lifecycle: Lifecycle): number[] =>
  (['test', 'production'] as const).map((kind) =>
    weightsOf(lifecycle, kind, 'green').reduce((sum, { weight }) => sum + weight, 0),
  )

/** The law of traffic that a look has broken; undefined when it has broken none. */
function brokenLaw({ before, after, facts }: Seen): string | undefined {
  if (sums(after).some((sum) => Math.round(sum * 10) !== 1_000))
    return 'the weights are not all of the traffic'
  if (after.stage === 'CLEAN_UP' && after.scattered) return 'those are stopped who have traffic'
  if (after.rollingBack)
    return after.production > before.production ? 'traffic goes to what is given up' : undefined
  if (after.production < before.production || after.test < before.test) return 'traffic goes back'
  if (after.production > before.production && facts.targetHealthy < facts.desiredCount)
    return 'traffic goes to a revision that is not whole'
  const place = ({ stage, step }: Lifecycle): number => step * order.length + order.indexOf(stage)
  return place(after) < place(before) ? 'the stages go back' : undefined
}

test('traffic goes forward only, in whole, to a revision that is whole, and back only when it is given up', () => {
  fc.assert(
    fc.property(
      configurations,
      events,
      fc.integer({ min: 0, max: 4 }),
      (configuration, happening, desired) => {
        expect(play(configuration, happening, desired).flatMap((seen) => brokenLaw(seen) ?? [])).toEqual([])
      },
    ),
  )
})

/** How long all traffic had been with the target when its lifecycle came to its end; undefined when it did not. */
function bakedMs(seen: readonly Seen[]): number | undefined {
  const last = seen.find(({ after }) => after.stage === 'CLEAN_UP' && !after.rollingBack)
  const all = seen.find(({ after }) => after.production === 100)
  return last && last.now - (all?.now ?? Infinity)
}

test('the source is not given up before all traffic has left it and its bake time is over', () => {
  fc.assert(
    fc.property(
      configurations,
      events,
      fc.integer({ min: 0, max: 4 }),
      (configuration, happening, desired) => {
        const bakeMs = (configuration.bakeTimeInMinutes ?? 0) * minute
        expect(bakedMs(play(configuration, happening, desired)) ?? Infinity).toBeGreaterThanOrEqual(bakeMs)
      },
    ),
  )
})

test('one whose world answers and whose tasks stay comes to its end', () => {
  fc.assert(
    fc.property(configurations, (configuration) => {
      const event = {
        waitMs: 20 * minute,
        targetHealthy: 2,
        reconciled: true,
        shift: 'DONE' as const,
        goOn: true,
        wayBack: false,
      }
      const seen = play(
        configuration,
        Array.from({ length: 300 }, () => event),
        2,
      )
      expect(seen.at(-1)?.after).toMatchObject({ stage: 'CLEAN_UP', production: 100 })
      const productions = [...new Set(seen.map(({ after }) => after.production))]
      expect(productions.filter((production) => production > 0)).toEqual(stepsOf(configuration))
    }),
  )
})

test.each<[DeploymentConfiguration, number[]]>([
  [{ strategy: 'BLUE_GREEN' }, [100]],
  [{ strategy: 'LINEAR', linearConfiguration: { stepPercent: 40 } }, [40, 80, 100]],
  [{ strategy: 'LINEAR', linearConfiguration: { stepPercent: 33.3 } }, [33.3, 66.6, 99.9, 100]],
  [{ strategy: 'LINEAR', linearConfiguration: { stepPercent: 50 } }, [50, 100]],
  [{ strategy: 'LINEAR' }, [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]],
  [{ strategy: 'CANARY' }, [5, 100]],
  [{ strategy: 'CANARY', canaryConfiguration: { canaryPercent: 0.1 } }, [0.1, 100]],
  [{ strategy: 'CANARY', canaryConfiguration: { canaryPercent: 100 } }, [100]],
])('the steps of %j', (configuration, steps) => {
  expect(stepsOf(configuration)).toEqual(steps)
})

test('a stage that is not over within a day, and a deployment not within thirty, fail', () => {
  const ids = idsFrom(prng(1))
  const day = 24 * 60 * minute
  const begun = beginLifecycle(
    { strategy: 'BLUE_GREEN' },
    { sourceRevisionArn: 'blue', severalRevisions: false, ids, now: 0 },
  )
  const facts = { desiredCount: 1, targetHealthy: 0, sourceHealthy: 1, reconciled: true }
  const { lifecycle, lookAt } = advance(begun, facts, { ids, now: 0 })
  expect([lifecycle.stage, lookAt]).toEqual(['SCALE_UP', day])
  expect(advance(lifecycle, facts, { ids, now: day - 1 }).failure).toBeUndefined()
  expect(advance(lifecycle, facts, { ids, now: day }).failure).toMatch(
    'SCALE_UP was not over within 24 hours',
  )
  expect(advance({ ...lifecycle, since: 29.5 * day }, facts, { ids, now: 30 * day }).failure).toMatch(
    '30 days',
  )
})
