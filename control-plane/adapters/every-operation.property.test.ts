/**
 * Any input the models allow gets an answer of the model, for every operation of every service: never a 500, and whatever
 * was asked for, the rows hold together. EVERY_OPERATION_RUNS=5000 makes it look longer, EVERY_OPERATION_SEED elsewhere,
 * EVERY_OPERATION_SERVICES=iam,sts only there.
 */
import { type ServiceName, serviceNames } from '@berth/wire/model.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { services } from '#api/services.ts'
import { apiWorld } from './api-world-testing.ts'
import { firstWrong, meanwhile } from './every-operation-testing.ts'

const numRuns = Number(process.env['EVERY_OPERATION_RUNS'] ?? 130)
const seed = Number(process.env['EVERY_OPERATION_SEED'] ?? 20260101)
const only = process.env['EVERY_OPERATION_SERVICES']?.split(',') as ServiceName[] | undefined

/** `ecs:RunTask`: all there is but what reads and writes bytes. Of those only the events of logs are bytes in memory. */
const hasOf = (service: ServiceName): string[] =>
  Object.entries(services[service]).flatMap(([name, row]) =>
    'run' in row || ('serve' in row && service === 'logs' && name !== 'StartLiveTail')
      ? [`${service}:${name}`]
      : [],
  )
const lacks = Object.entries(services.ecs).flatMap(([name, row]) => ('notImplemented' in row ? [name] : []))

/** Every operation now and then, and more often those without which little happens. */
const often = [
  'ecs:RunTask',
  'ecs:StartTask',
  'ecs:StopTask',
  'ecs:CreateService',
  'ecs:UpdateService',
  'ecs:RegisterTaskDefinition',
  'ecs:SubmitTaskStateChange',
  'ecs:SubmitTaskStateChange',
]
const tasks: readonly ServiceName[] = ['ecs', 'ecr', 'ec2']
/** What is called in one world; where few services are, more comes of them. */
const groups: ReadonlyArray<readonly ServiceName[]> = only
  ? [only]
  : [
      ...Array.from({ length: 4 }, () => tasks),
      ['iam', 'sts'],
      ['iam', 'sts'],
      ['secretsmanager', 'ssm'],
      ['logs'],
      ['events', 'scheduler'],
      serviceNames,
    ]
const anyStep = (group: readonly ServiceName[]): fc.Arbitrary<{ what: string; seed: number }> =>
  fc.record({
    what: fc.constantFrom(
      ...group.flatMap(hasOf),
      ...(group.includes('ecs') ? often.flatMap((each) => [each, each, each]) : []),
      ...Object.keys(meanwhile).flatMap((each) =>
        group.includes('ecs') ? [each, each, each, each] : [each],
      ),
    ),
    seed: fc.nat(),
  })
const anyWorld = fc
  .constantFrom(...groups)
  .chain((group) => fc.tuple(fc.constant(group), fc.array(anyStep(group), { minLength: 30, maxLength: 60 })))

test(
  'any calls get answers of the model, and leave rows that hold together',
  { timeout: 3_600_000 },
  async () => {
    const succeeded = new Set<string>()
    await fc.assert(
      fc.asyncProperty(anyWorld, async ([group, steps]) => {
        const wrong = await firstWrong(group, steps, (operation, { code }) => {
          if (code === undefined) succeeded.add(operation)
        })
        expect(wrong).toBeUndefined()
      }),
      { numRuns, seed },
    )
    // Or else the inputs were of a kind that shows little.
    const has = [...new Set(groups.flat())].flatMap(hasOf)
    if (numRuns < 100) return
    const share = has.filter((what) => succeeded.has(what)).length / has.length
    expect(share).toBeGreaterThan(0.8)
  },
)

test.each(lacks)('%s says that it is not there', async (operation) => {
  const world = await apiWorld()
  expect(await world.call('ecs', operation, {})).toMatchObject({
    status: 400,
    code: 'UnsupportedFeatureException',
    body: { message: expect.stringContaining(`ecs:${operation}`) as string },
    changes: [],
  })
})
