/**
 * Any input the model allows gets an answer of the model, for every operation of the table: never a 500, and whatever was
 * asked for, the rows hold together. EVERY_OPERATION_RUNS=5000 makes it look longer, EVERY_OPERATION_SEED elsewhere.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { services } from '#api/services.ts'
import { apiWorld } from './api-world-testing.ts'
import { firstWrong, meanwhile } from './every-operation-testing.ts'

const numRuns = Number(process.env['EVERY_OPERATION_RUNS'] ?? 100)
const seed = Number(process.env['EVERY_OPERATION_SEED'] ?? 20260101)

/** All there is but the data planes: `ecs:RunTask`. */
const has = (['ecs', 'ecr', 'ec2'] as const).flatMap((service) =>
  Object.entries(services[service]).flatMap(([name, row]) => ('run' in row ? [`${service}:${name}`] : [])),
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
const anyStep = fc.record({
  what: fc.constantFrom(
    ...has,
    ...often.flatMap((each) => [each, each, each]),
    ...Object.keys(meanwhile).flatMap((each) => [each, each, each, each]),
  ),
  seed: fc.nat(),
})

test(
  'any calls get answers of the model, and leave rows that hold together',
  { timeout: 3_600_000 },
  async () => {
    const succeeded = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { minLength: 30, maxLength: 60 }), async (steps) => {
        const wrong = await firstWrong(steps, (operation, { code }) => {
          if (code === undefined) succeeded.add(operation)
        })
        expect(wrong).toBeUndefined()
      }),
      { numRuns, seed },
    )
    // Or else the inputs were of a kind that shows little.
    const share = has.filter((what) => succeeded.has(what)).length / has.length
    expect(share).toBeGreaterThan(numRuns < 100 ? 0 : 0.8)
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
