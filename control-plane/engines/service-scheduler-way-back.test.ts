import { served } from '@berth/simulator/bench-client.ts'
import { expect, test } from 'vitest'

const minute = 60_000
const canary = {
  minimumHealthyPercent: 100,
  maximumPercent: 200,
  strategy: 'CANARY',
  canaryConfiguration: { canaryPercent: 10, canaryBakeTimeInMinutes: 5 },
} as const

test('a rollback before the traffic of an unfinished shift has come back stops nobody who has some', async () => {
  let isSlow = false
  const { bench, client, update, shifts, wanted } = await served(canary, {
    balancer: () => (isSlow ? 'IN_PROGRESS' : 'DONE'),
  })
  update(2)
  await bench.run(2 * minute)
  isSlow = true
  update(3)
  await bench.run(minute)
  expect(client.newest?.lifecycleStage).toBe('RECONCILE_SERVICE')
  client.stop()
  await bench.run(minute)
  expect([client.newest?.status, wanted()]).toEqual(['ROLLBACK_IN_PROGRESS', [2, 2]])
  isSlow = false
  await bench.run(minute)
  expect([client.newest?.status, wanted()]).toEqual(['ROLLBACK_SUCCESSFUL', [2, 0]])
  expect(shifts.at(-1)?.weights.map(({ weight }) => weight)).toEqual([100, 0])
})

test('a rollback to what had not completed anew brings the traffic there before it stops the others', async () => {
  let isSlow = false
  const { bench, client, update, wanted } = await served(canary, {
    balancer: () => (isSlow ? 'IN_PROGRESS' : 'DONE'),
    startsOk: (revision) => revision !== 3,
  })
  update(2)
  await bench.run(2 * minute)
  isSlow = true
  client.stop()
  await bench.run(minute)
  expect(client.newest?.status).toBe('ROLLBACK_IN_PROGRESS')
  update(3)
  await bench.run(minute)
  client.stop()
  await bench.run(minute)
  expect([client.newest?.status, wanted()]).toEqual(['ROLLBACK_IN_PROGRESS', [2, 2]])
  isSlow = false
  await bench.run(minute)
  expect([client.newest?.status, wanted()]).toEqual(['ROLLBACK_SUCCESSFUL', [2, 0]])
})
