/**
 * Any input that the models of EventBridge and its Scheduler allow gets an answer or an error of theirs, and leaves rows that
 * hold together; whatever is scheduled then, the engine runs it or says why not.
 */
import * as eventsSdk from '@aws-sdk/client-eventbridge'
import * as schedulerSdk from '@aws-sdk/client-scheduler'
import { prng } from '@berth/std/prng.ts'
import { AwsError } from '@berth/wire/error.ts'
import { loadModel } from '@berth/wire/model.ts'
import { missingMembers } from '@berth/wire/shape.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scheduledRuns } from '#api/ecs/tasks/scheduled-run.ts'
import { putCluster, putContainerInstance, putTaskDefinition } from '#api/ecs/testing-rows.ts'
import type { Operation } from '#api/operation.ts'
import { clusterArn, definitionArn, ruleTarget, schedule } from '#api/schedule-testing.ts'
import { services } from '#api/services.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import { taskSchedules } from '#engines/task-schedules.ts'
import { brokenInvariants, brokenTables } from '#state/invariants.ts'
import { anyInput, enumsOf } from './any-input-testing.ts'

const names = ['s', 'g', 'r', 'default']
const enums = { events: enumsOf(eventsSdk), scheduler: enumsOf(schedulerSdk) }
const likelyTexts: Readonly<Record<string, readonly string[]>> = {
  Name: names,
  GroupName: names,
  Rule: names,
  Id: ['t1', 't2'],
  Arn: [clusterArn],
  TargetArn: [clusterArn],
  TaskDefinitionArn: [definitionArn, definitionArn.replace(':1', '')],
  RoleArn: ['arn:aws:iam::000000000000:role/r'],
  ScheduleExpression: ['rate(1 minute)', 'rate(3 hours)', 'cron(0/7 * * * ? *)', 'at(2026-01-02T00:00:00)'],
  ScheduleExpressionTimezone: ['UTC', 'Europe/Berlin', '+01:00'],
  Input: ['{}', '"x"', '{"containerOverrides":[{"name":"app","command":["a"]}]}', '{"cpu":1}'],
  EventBusName: ['default', 'other'],
  ResourceArn: ['g', 'default', 'none'].map(
    (each) => `arn:aws:scheduler:us-east-1:000000000000:schedule-group/${each}`,
  ),
  ResourceARN: ['r', 'none'].map((each) => `arn:aws:events:us-east-1:000000000000:rule/${each}`),
}
const samples: Readonly<Record<string, object>> = {
  PutRule: { Name: 'r', ScheduleExpression: 'rate(1 minute)' },
  PutTargets: { Rule: 'r', Targets: [ruleTarget()] },
  CreateSchedule: schedule(),
  UpdateSchedule: schedule({ FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 3 } }),
  CreateScheduleGroup: { Name: 'g' },
  RemoveTargets: { Rule: 'r', Ids: ['t1'] },
  DeleteSchedule: { Name: 's' },
  GetSchedule: { Name: 's' },
}

const models = { events: await loadModel('events'), scheduler: await loadModel('scheduler') }
const operations = (['events', 'scheduler'] as const).flatMap((service) =>
  Object.entries(services[service]).flatMap(([name, row]) =>
    'run' in row ? [{ service, name, run: (row as Operation<object, object>).run }] : [],
  ),
)
const anyStep = fc.record({ operation: fc.constantFrom(...operations), seed: fc.nat() })

/** A request that passed the model: with all that is required, and times as times. */
function inputOf({
  operation: { service, name },
  seed,
}: {
  operation: (typeof operations)[number]
  seed: number
}) {
  const shape = models[service].get(name)?.input
  if (!shape) throw new Error(`${name} is not in the model`)
  const chance = prng(seed)
  const likely = (member: string, struct: string): readonly string[] =>
    likelyTexts[member] ?? enums[service](member, struct)
  const input = anyInput(
    { chance, likely, density: [0, 0, 0.05, 0.2][seed % 4] ?? 0, misfits: 0 },
    shape,
    chance() < 0.7 ? samples[name] : undefined,
  )
  for (const date of ['StartDate', 'EndDate'])
    if (typeof input[date] === 'number') input[date] = new Date(Date.UTC(2026, 0, 1) + input[date] * 1000)
  return missingMembers(shape, input).length > 0 ? undefined : input
}

async function world(): Promise<{ context: TestContext; look: () => void }> {
  const context = await testContext()
  putTaskDefinition(context, 'web:1', { memory: 1 })
  putContainerInstance(context, putCluster(context, 'demo'), 'one')
  const run = scheduledRuns(context)
  const engine = taskSchedules({ ids: context.ids, run, report: () => undefined })
  return {
    context,
    look: () => context.store.update((tx) => void engine.reconcile(tx, context.clock.now(), undefined)),
  }
}

test(
  'any calls get answers, and leave rows that hold together and can be run',
  { timeout: 120_000 },
  async () => {
    const succeeded = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 10, maxLength: 40 }), async (steps) => {
        const { context, look } = await world()
        const { store, fleet, clock } = context
        const wrong: string[] = []
        for (const step of steps) {
          const input = inputOf(step)
          if (!input) continue
          let changes = 0
          const unwatch = store.watch((made) => (changes += made.length))
          try {
            step.operation.run(context, input)
            succeeded.add(step.operation.name)
          } catch (error) {
            if (!(error instanceof AwsError) || changes > 0)
              wrong.push(
                `${step.operation.name} ${JSON.stringify(input)}: ${String(error)}, ${changes} changes`,
              )
          }
          unwatch()
          clock.advance(step.seed % 600_000)
          look()
        }
        // The default group has tags without having a row.
        const untagged = brokenInvariants(store, fleet).filter(
          (each) => !each.includes('schedule-group/default'),
        )
        expect([...wrong, ...untagged, ...brokenTables(store)]).toEqual([])
      }),
      { numRuns: 120, seed: 20260101 },
    )
    expect(operations.map(({ name }) => name).filter((name) => !succeeded.has(name))).toEqual([])
  },
)
