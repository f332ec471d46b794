import { scheduledBench } from '@berth/simulator/bench-client.ts'
import { expect, onTestFinished, test } from 'vitest'
import type { ShiftOutcome } from '#domain/rollout-lifecycle-duties.ts'
import { type Hooks, noHooks, noTraffic, type TrafficWeights } from './deployment-actions.ts'

const minute = 60_000
const blueGreen = {
  minimumHealthyPercent: 100,
  maximumPercent: 200,
  strategy: 'BLUE_GREEN',
  bakeTimeInMinutes: 1,
} as const

/** A second revision on its way, and the times at which production traffic was asked for. */
async function shifting(answers: ReadonlyArray<ShiftOutcome | Error>, hooks: Hooks = noHooks) {
  const asked: Array<{ readonly at: number; readonly weight: number | undefined }> = []
  const { bench, client } = await scheduledBench(() => true, {
    hooks,
    traffic: {
      shift: async (wanted: TrafficWeights) => {
        if (wanted.kind === 'test' || wanted.weights.length < 2) return noTraffic.shift(wanted)
        asked.push({ at: bench.clock.now(), weight: wanted.weights.at(-1)?.weight })
        const answer = answers[asked.length - 1] ?? 'DONE'
        if (answer instanceof Error) throw answer
        return answer
      },
    },
  })
  bench.putService(bench.putTaskDefinition(1), { deploymentConfiguration: blueGreen })
  await bench.run(4 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  return { bench, client, asked }
}

test('a shift that takes its time is asked after until it is done', async () => {
  const { bench, client, asked } = await shifting(['IN_PROGRESS', 'IN_PROGRESS', 'DONE'])
  await bench.run(5 * minute)
  expect(client.newest?.status).toBe('SUCCESSFUL')
  expect(asked.map(({ weight }) => weight)).toEqual([100, 100, 100])
  expect((asked[2]?.at ?? 0) - (asked[0]?.at ?? 0)).toBeGreaterThanOrEqual(10_000)
})

test('a shift that cannot be had rolls the deployment back', async () => {
  const { bench, client, asked } = await shifting(['FAILED'])
  await bench.run(3 * minute)
  expect(client.newest).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    statusReason:
      'Service deployment rolled back because the traffic could not be shifted at PRODUCTION_TRAFFIC_SHIFT.',
  })
  expect(asked.map(({ weight }) => weight)).toEqual([100, 0])
})

test('a rollback whose shift cannot be had either fails, and leaves both revisions', async () => {
  const { bench, client } = await shifting(['FAILED', 'FAILED'])
  await bench.run(5 * minute)
  expect(client.newest?.status).toBe('ROLLBACK_FAILED')
  expect([bench.wanted(1).length, bench.wanted(2).length]).toEqual([2, 2])
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(3) })
  await bench.run(5 * minute)
  expect(client.newest?.status).toBe('SUCCESSFUL')
  expect(bench.wanted().map(({ taskDefinitionArn }) => taskDefinitionArn.at(-1))).toEqual(['3', '3'])
})

test('a call that ends without an answer is reported, and made again', async () => {
  const { bench, client, asked } = await shifting([new Error('timed out'), 'DONE'])
  onTestFinished(() => {
    bench.errors.length = 0
  })
  await bench.run(5 * minute)
  expect(bench.errors).toHaveLength(1)
  expect(asked).toHaveLength(2)
  expect(client.newest?.status).toBe('SUCCESSFUL')
})

test('nothing runs functions: a hook that needs one fails', async () => {
  const { bench, client } = await shifting([])
  const hook = {
    hookTargetArn: 'arn:f',
    roleArn: 'arn:r',
    lifecycleStages: ['PRE_SCALE_UP' as const],
  }
  bench.updateService({
    deploymentConfiguration: { ...blueGreen, lifecycleHooks: [hook] },
    taskDefinitionArn: bench.putTaskDefinition(3),
  })
  await bench.run(5 * minute)
  expect(client.newest).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    statusReason: 'Service deployment rolled back because PRE_SCALE_UP lifecycle hook(s) failed.',
  })
})
