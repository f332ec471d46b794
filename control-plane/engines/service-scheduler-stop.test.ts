import { scheduledBench } from '@berth/simulator/bench-client.ts'
import { expect, test } from 'vitest'

const minute = 60_000
const byUser = 'Service deployment rolled back by user.'
const noCandidate = 'No rollback candidate was found to run the rollback.'

test.each([undefined, 'ROLLBACK'] as const)('a client stops a service deployment by %s', async (stopType) => {
  const { bench, client } = await scheduledBench((revision) => revision !== 2)
  const first = bench.putTaskDefinition(1)
  bench.putService(first)
  await bench.run(2 * minute)
  const served = client.serviceDeployments[0]?.targetServiceRevisionArn
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(2_000)
  expect(client.stop(stopType)).toBe(client.serviceDeployments[0]?.serviceDeploymentArn)
  expect(client.newest).toMatchObject({ status: 'ROLLBACK_REQUESTED', statusReason: byUser })
  await bench.run(100)
  expect(client.newest).toMatchObject({ rollback: { reason: byUser, serviceRevisionArn: served } })
  await bench.run(3 * minute)
  expect(client.newest).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL', statusReason: byUser })
  expect(client.service).toMatchObject({ taskDefinition: first, runningCount: 2, deployments: [{}] })
  expect(bench.messages.some((message) => message.includes('rolling back to deployment'))).toBe(true)
  expect(() => client.stop()).toThrow('has finished with the status ROLLBACK_SUCCESSFUL')
})

test('a service deployment can be stopped before it has started, and asked to again', async () => {
  const { bench, client } = await scheduledBench()
  const first = bench.putTaskDefinition(1)
  bench.putService(first)
  await bench.run(2 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  client.stop()
  client.stop()
  await bench.run(2 * minute)
  expect(client.statuses[0]).toEqual(['ROLLBACK_SUCCESSFUL', byUser])
  expect(bench.service.taskDefinitionArn).toBe(first)
  expect(bench.store.list('task').every((task) => task.taskDefinitionArn === first)).toBe(true)
})

test('a stop is taken up at once, also where nothing else happens', async () => {
  const { bench, client } = await scheduledBench()
  bench.putService(bench.putTaskDefinition(1), {
    desiredCount: 3,
    deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 125 },
  })
  await bench.run(2 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(11 * minute)
  expect(client.statuses[0]).toEqual(['IN_PROGRESS', undefined])
  client.stop()
  await bench.run(1_000)
  expect(client.statuses[0]).toEqual(['ROLLBACK_SUCCESSFUL', byUser])
})

test('ABORT stops a service deployment and leaves everything as it is', async () => {
  const { bench, client } = await scheduledBench((revision) => revision !== 2)
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  const second = bench.putTaskDefinition(2)
  bench.updateService({ taskDefinitionArn: second })
  await bench.run(2_000)
  client.stop('ABORT')
  expect(client.newest?.status).toBe('STOP_REQUESTED')
  await bench.run(60 * minute)
  expect(client.newest).toMatchObject({
    status: 'STOPPED',
    statusReason: 'Service deployment stopped by user.',
    stoppedAt: expect.any(Date),
  })
  expect(bench.primary).toMatchObject({ taskDefinitionArn: second, rolloutState: 'FAILED' })
  expect(bench.wanted(1)).toHaveLength(2)
})

test('a stopped first service deployment has no candidate to roll back to', async () => {
  const { bench, client } = await scheduledBench(() => false)
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 1 })
  await bench.run(2_000)
  client.stop()
  await bench.run(60 * minute)
  expect(client.statuses).toEqual([['ROLLBACK_FAILED', noCandidate]])
  expect(bench.store.size('task')).toBeLessThan(3)
})

test('stopped after a rollback that was cut short, the service goes to the revision that last succeeded', async () => {
  const { bench, client } = await scheduledBench((revision) => revision !== 2)
  const first = bench.putTaskDefinition(1)
  bench.putService(first, {
    deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 100 },
  })
  await bench.run(2 * minute)
  const served = bench.primary
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(2_000)
  client.stop()
  await bench.run(500)
  expect(client.newest?.status).toBe('ROLLBACK_IN_PROGRESS')
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(3) })
  await bench.run(5_000)
  expect(client.statuses[1]).toEqual(['ROLLBACK_FAILED', expect.stringContaining('newer service deployment')])
  expect(bench.store.find('deployment', served?.deploymentId ?? '')).toBeUndefined()
  client.stop()
  await bench.run(3 * minute)
  const serviceRevisionArn = client.serviceDeployments[2]?.targetServiceRevisionArn
  expect(client.newest).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL', rollback: { serviceRevisionArn } })
  expect(bench.service.taskDefinitionArn).toBe(first)
  expect(bench.wanted(1)).toHaveLength(2)
  expect(bench.deployments).toMatchObject([{ serviceRevisionArn, rolloutState: 'COMPLETED' }])
  expect(bench.primary?.deploymentId).not.toBe(served?.deploymentId)
})

test('a rollback takes over the tasks that the revision still has', async () => {
  const { bench, client } = await scheduledBench((revision) => revision !== 2)
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  const served = bench.primary
  const tasks = bench.wanted(1).map(({ taskArn }) => taskArn)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2), desiredCount: 4 })
  await bench.run(100)
  client.stop()
  await bench.run(2_000)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(3) })
  await bench.run(2_000)
  client.stop()
  await bench.run(3 * minute)
  expect(client.newest?.status).toBe('ROLLBACK_SUCCESSFUL')
  expect(bench.primary).toMatchObject({ deploymentId: served?.deploymentId, rolloutState: 'COMPLETED' })
  expect(bench.wanted().map(({ taskArn }) => taskArn)).toEqual(expect.arrayContaining(tasks))
  expect(bench.wanted(1)).toHaveLength(4)
})

test('a DAEMON service has service deployments too', async () => {
  const { bench, client } = await scheduledBench()
  const first = bench.putTaskDefinition(1)
  bench.putService(first, {
    schedulingStrategy: 'DAEMON',
    desiredCount: 0,
    deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 100 },
  })
  await bench.run(2 * minute)
  expect(client.newest).toMatchObject({
    status: 'SUCCESSFUL',
    targetServiceRevision: { runningTaskCount: 3 },
  })
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(5_000)
  client.stop()
  await bench.run(2 * minute)
  expect(client.statuses).toEqual([
    ['ROLLBACK_SUCCESSFUL', byUser],
    ['SUCCESSFUL', undefined],
  ])
  expect(bench.wanted(1)).toHaveLength(3)
})
