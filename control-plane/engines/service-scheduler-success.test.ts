import type { DeploymentConfiguration } from '@aws-sdk/client-ecs'
import { scheduledBench } from '@berth/simulator/bench-client.ts'
import { expect, test } from 'vitest'

const minute = 60_000
const percentages = { minimumHealthyPercent: 100, maximumPercent: 200 }

/** A service whose first revision serves, and that has that configuration since. */
async function served(
  deploymentConfiguration: DeploymentConfiguration,
  inAlarm: () => readonly string[] = () => [],
  desiredCount = 4,
) {
  const { bench, client } = await scheduledBench(() => true, { alarms: { inAlarm } })
  bench.putService(bench.putTaskDefinition(1), { desiredCount, deploymentConfiguration: percentages })
  await bench.run(2 * minute)
  bench.updateService({ deploymentConfiguration })
  const update = (): void => bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  const wanted = (): number[] => [bench.wanted(1).length, bench.wanted(2).length]
  return { bench, client, update, wanted }
}

test('a rolling deployment bakes when all its tasks are there, and only then succeeds', async () => {
  const { bench, client, update, wanted } = await served({ ...percentages, bakeTimeInMinutes: 10 })
  update()
  await bench.run(10 * minute)
  expect([client.newest?.status, wanted()]).toEqual(['IN_PROGRESS', [0, 4]])
  await bench.run(1 * minute)
  expect(client.newest?.status).toBe('SUCCESSFUL')
  expect(client.newest).not.toHaveProperty('lifecycleStage')
})

test('a rolling deployment can still be rolled back while it bakes', async () => {
  const { bench, client, update, wanted } = await served({ ...percentages, bakeTimeInMinutes: 10 })
  update()
  await bench.run(5 * minute)
  client.stop()
  await bench.run(5 * minute)
  expect([client.newest?.status, wanted()]).toEqual(['ROLLBACK_SUCCESSFUL', [4, 0]])
})

test.each([
  ['DEFERRED', 'SUCCESSFUL'],
  ['BLOCKING', 'IN_PROGRESS'],
] as const)(
  'with %s cleanup, early success while older tasks cannot be stopped is %s',
  async (cleanup, status) => {
    const { bench, client, update, wanted } = await served({
      minimumHealthyPercent: 50,
      maximumPercent: 150,
      earlySuccessCriteria: { enable: true, healthyPercent: 50, sourceServiceRevisionCleanup: cleanup },
    })
    const protectedUntil = bench.clock.now() + 10 * minute
    for (const task of bench.wanted(1))
      bench.store.update((tx) => tx.put('task', { ...task, protectedUntil }))
    update()
    await bench.run(3 * minute)
    expect([client.newest?.status, wanted()]).toEqual([status, [4, 2]])
    await bench.run(12 * minute)
    expect([client.newest?.status, wanted()]).toEqual(['SUCCESSFUL', [0, 4]])
    expect(client.service?.deployments).toHaveLength(1)
  },
)

test('an alarm that goes off rolls a deployment back', async () => {
  let inAlarm: string[] = []
  const alarms = { alarmNames: ['errors'], enable: true, rollback: true }
  const { bench, client, update, wanted } = await served(
    { ...percentages, bakeTimeInMinutes: 10, alarms },
    () => inAlarm,
  )
  update()
  await bench.run(2 * minute)
  expect(client.newest?.alarms).toEqual({
    status: 'MONITORING',
    alarmNames: ['errors'],
    triggeredAlarmNames: [],
  })
  inAlarm = ['errors']
  await bench.run(3 * minute)
  expect(client.newest).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    alarms: { status: 'TRIGGERED', triggeredAlarmNames: ['errors'] },
  })
  expect(wanted()).toEqual([4, 0])
  expect(
    bench.messages.filter((message) => message.endsWith('deployment failed: alarm detected.')),
  ).toHaveLength(1)
})

test('an alarm that was on before the deployment is ignored as long as it lasts', async () => {
  const alarms = { alarmNames: ['errors', 'latency'], enable: true, rollback: true }
  const { bench, client, update } = await served({ ...percentages, alarms }, () => ['errors'])
  update()
  await bench.run(5 * minute)
  expect(client.newest).toMatchObject({ status: 'SUCCESSFUL', alarms: { status: 'MONITORING_COMPLETE' } })
})

test('an alarm without rollback stops the deployment where it is', async () => {
  let inAlarm: string[] = []
  const alarms = { alarmNames: ['errors'], enable: true, rollback: false }
  const { bench, client, update } = await served(
    { ...percentages, bakeTimeInMinutes: 10, alarms },
    () => inAlarm,
  )
  update()
  await bench.run(2 * minute)
  inAlarm = ['errors']
  await bench.run(2 * minute)
  expect(client.newest?.status).toBe('STOPPED')
  expect(bench.primary).toMatchObject({
    rolloutState: 'FAILED',
    rolloutStateReason: 'ECS deployment failed: alarm detected.',
  })
})
