import { createService } from '#api/ecs/services/service-create.ts'
import { describeServiceRevisions } from '#api/ecs/services/service-revision.ts'
import { updateService } from '#api/ecs/services/service-update.ts'
import { scheduledBench } from '@berth/simulator/bench-client.ts'
import { expect, test } from 'vitest'

const minute = 60_000
const byBreaker = 'Service deployment rolled back because the circuit breaker threshold was exceeded.'
const noCandidate = 'No rollback candidate was found to run the rollback.'
const breaker = { enable: true, rollback: true }
const percentages = { minimumHealthyPercent: 100, maximumPercent: 200 }
const withBreaker = { ...percentages, deploymentCircuitBreaker: breaker }

test('a service deployment starts, succeeds, and keeps how things stood then', async () => {
  const { bench, client } = await scheduledBench()
  bench.putService(bench.putTaskDefinition(1), { deploymentConfiguration: withBreaker })
  expect(client.newest).toMatchObject({
    status: 'PENDING',
    targetServiceRevision: { requestedTaskCount: 0, runningTaskCount: 0, pendingTaskCount: 0 },
  })
  expect(client.service).not.toHaveProperty('currentServiceDeployment')
  await bench.run(100)
  expect(client.newest).toMatchObject({
    status: 'IN_PROGRESS',
    targetServiceRevision: { requestedTaskCount: 2, runningTaskCount: 0, pendingTaskCount: 2 },
    deploymentCircuitBreaker: { status: 'MONITORING', failureCount: 0, threshold: 3 },
  })
  await bench.run(2 * minute)
  const [brief] = client.serviceDeployments
  const described = client.newest
  expect(described).toEqual({
    ...brief,
    targetServiceRevisionArn: undefined,
    startedAt: expect.any(Date),
    finishedAt: expect.any(Date),
    updatedAt: brief?.finishedAt,
    status: 'SUCCESSFUL',
    sourceServiceRevisions: [],
    targetServiceRevision: {
      arn: brief?.targetServiceRevisionArn,
      requestedTaskCount: 2,
      runningTaskCount: 2,
      pendingTaskCount: 0,
    },
    deploymentConfiguration: withBreaker,
    deploymentCircuitBreaker: { status: 'MONITORING_COMPLETE', failureCount: 0, threshold: 3 },
    alarms: { status: 'DISABLED' },
  })
  expect(client.service).toMatchObject({
    currentServiceDeployment: brief?.serviceDeploymentArn,
    currentServiceRevisions: [
      { arn: brief?.targetServiceRevisionArn, requestedTaskCount: 2, runningTaskCount: 2 },
    ],
  })
  bench.updateService({ desiredCount: 3 })
  await bench.run(2 * minute)
  expect(client.newest).toEqual(described)
  expect(client.service?.currentServiceRevisions).toMatchObject([
    { requestedTaskCount: 3, runningTaskCount: 3 },
  ])
})

test('a second update during the first ends the first STOPPED and the second SUCCESSFUL', async () => {
  const { bench, client } = await scheduledBench()
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(10_000)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(3) })
  expect(client.statuses[1]?.[0]).toBe('STOP_REQUESTED')
  expect(client.newest?.sourceServiceRevisions?.map(({ runningTaskCount }) => runningTaskCount)).toEqual([
    2, 2,
  ])
  await bench.run(3 * minute)
  const superseded = 'Service deployment stopped because a newer service deployment was created.'
  expect(client.statuses).toEqual([
    ['SUCCESSFUL', undefined],
    ['STOPPED', superseded],
    ['SUCCESSFUL', undefined],
  ])
  expect(
    new Set(client.serviceDeployments.map(({ targetServiceRevisionArn }) => targetServiceRevisionArn)).size,
  ).toBe(3)
})

test('a service without tasks deploys at once', async () => {
  const { bench, client } = await scheduledBench()
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 0 })
  await bench.run(100)
  expect(client.statuses).toEqual([['SUCCESSFUL', undefined]])
})

test('a broken circuit rolls the service deployment back to the revision that completed', async () => {
  const { bench, client } = await scheduledBench((revision) => revision !== 2)
  const first = bench.putTaskDefinition(1)
  bench.putService(first, { desiredCount: 1, deploymentConfiguration: withBreaker })
  await bench.run(2 * minute)
  const served = client.serviceDeployments[0]?.targetServiceRevisionArn
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(5 * minute)
  expect(client.newest).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    statusReason: byBreaker,
    rollback: { reason: byBreaker, startedAt: expect.any(Date), serviceRevisionArn: served },
    deploymentCircuitBreaker: { status: 'TRIGGERED', failureCount: 3, threshold: 3 },
    targetServiceRevision: { runningTaskCount: 0 },
    sourceServiceRevisions: [{ arn: served, requestedTaskCount: 1, runningTaskCount: 1 }],
  })
  expect(client.service).toMatchObject({
    taskDefinition: first,
    currentServiceDeployment: client.serviceDeployments[0]?.serviceDeploymentArn,
    currentServiceRevisions: [{ arn: served }],
    deployments: [{ rolloutState: 'COMPLETED' }],
  })
})

test('a broken circuit during a rollback rolls back to what that one was rolling back to', async () => {
  const { bench, client } = await scheduledBench((revision) => revision === 1)
  const first = bench.putTaskDefinition(1)
  bench.putService(first, { deploymentConfiguration: withBreaker })
  await bench.run(2 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  for (let steps = 0; client.newest?.status !== 'ROLLBACK_IN_PROGRESS' && steps < 10_000; steps++)
    await bench.run(10)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(3) })
  await bench.run(5 * minute)
  expect(client.statuses.map(([status]) => status)).toEqual([
    'ROLLBACK_SUCCESSFUL',
    'ROLLBACK_FAILED',
    'SUCCESSFUL',
  ])
  expect(client.service).toMatchObject({ taskDefinition: first, runningCount: 2 })
})

test('a rollback starts the old revision again when none of its tasks is left', async () => {
  const { bench, client } = await scheduledBench((revision) => revision !== 2)
  const deploymentConfiguration = { ...withBreaker, minimumHealthyPercent: 0, maximumPercent: 100 }
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 1, deploymentConfiguration })
  await bench.run(2 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(2_000)
  expect(bench.wanted(1)).toEqual([])
  await bench.run(5 * minute)
  expect(bench.wanted(1)).toMatchObject([{ lastStatus: 'RUNNING' }])
  expect(client.newest).toMatchObject({ status: 'ROLLBACK_SUCCESSFUL' })
})

test('a broken circuit without rollback stops the service deployment, and its revision stays PRIMARY', async () => {
  const { bench, client } = await scheduledBench((revision) => revision !== 2)
  const deploymentCircuitBreaker = { enable: true, rollback: false }
  bench.putService(bench.putTaskDefinition(1), {
    desiredCount: 1,
    deploymentConfiguration: { ...percentages, deploymentCircuitBreaker },
  })
  await bench.run(2 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(5 * minute)
  expect(client.newest).toMatchObject({
    status: 'STOPPED',
    statusReason: 'Service deployment stopped because the circuit breaker threshold was exceeded.',
    stoppedAt: expect.any(Date),
    finishedAt: expect.any(Date),
    deploymentCircuitBreaker: { status: 'TRIGGERED', failureCount: 3 },
  })
  expect(client.newest).not.toHaveProperty('rollback')
  expect(client.service?.deployments).toMatchObject([
    { status: 'PRIMARY', rolloutState: 'FAILED' },
    { status: 'ACTIVE', rolloutState: 'COMPLETED', runningCount: 1 },
  ])
})

test('a first deployment that fails has no candidate to roll back to and launches no more', async () => {
  const { bench, client } = await scheduledBench(() => false)
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 1, deploymentConfiguration: withBreaker })
  await bench.run(60 * minute)
  expect(bench.store.size('task')).toBe(3)
  expect(client.newest).toMatchObject({
    status: 'ROLLBACK_FAILED',
    statusReason: noCandidate,
    rollback: { reason: byBreaker },
  })
})

test('a rollback that fails itself ends there', async () => {
  let broken = false
  const { bench, client } = await scheduledBench(() => !broken)
  const deploymentConfiguration = { ...withBreaker, minimumHealthyPercent: 0, maximumPercent: 100 }
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 1, deploymentConfiguration })
  await bench.run(2 * minute)
  broken = true
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(60 * minute)
  expect(client.newest).toMatchObject({ status: 'ROLLBACK_FAILED', statusReason: byBreaker })
  expect(bench.primary).toMatchObject({ rolloutState: 'FAILED' })
  const tasks = bench.store.size('task')
  await bench.run(60 * minute)
  expect(bench.store.size('task')).toBe(tasks)
})

test('of four tasks at 50 and 100 percent two are always healthy and never five there', async () => {
  const { bench, client } = await scheduledBench()
  bench.putService(bench.putTaskDefinition(1), {
    desiredCount: 4,
    deploymentConfiguration: { minimumHealthyPercent: 50, maximumPercent: 100 },
  })
  await bench.run(2 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  const seen = { healthyMin: Infinity, totalMax: 0 }
  bench.store.watch(() => {
    const settled = bench
      .wanted()
      .filter(({ startedAt = Infinity }) => bench.clock.now() - startedAt >= 40_000)
    seen.healthyMin = Math.min(seen.healthyMin, settled.length)
    seen.totalMax = Math.max(seen.totalMax, bench.wanted().length)
  })
  await bench.run(5 * minute)
  expect(seen).toEqual({ healthyMin: 2, totalMax: 4 })
  expect(bench.wanted(2)).toHaveLength(4)
  expect(bench.deployments).toMatchObject([{ status: 'PRIMARY', rolloutState: 'COMPLETED' }])
  expect(client.statuses[0]?.[0]).toBe('SUCCESSFUL')
})

test('a deleted service stops what it deploys', async () => {
  const { bench } = await scheduledBench()
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(2_000)
  bench.updateService({ status: 'DRAINING', desiredCount: 0 })
  await bench.run(minute)
  expect(bench.serviceDeployments).toMatchObject([
    { status: 'STOPPED', statusReason: 'Service deployment stopped because the service was deleted.' },
  ])
})

test('the tasks of a revision tell the digests of its images', async () => {
  const { bench, client } = await scheduledBench()
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(2_000)
  const [task] = bench.wanted()
  bench.store.update((tx) => {
    const known = tx.find('task', task?.taskArn ?? '')
    if (known)
      tx.put('task', {
        ...known,
        containers: known.containers.map((container) => ({ ...container, imageDigest: 'sha256:1' })),
      })
  })
  await bench.run(minute)
  const arn = client.serviceDeployments[0]?.targetServiceRevisionArn ?? ''
  const { serviceRevisions } = describeServiceRevisions.run(client.context, { serviceRevisionArns: [arn] })
  expect(serviceRevisions?.[0]?.containerImages).toEqual([
    { containerName: 'app', image: 'nginx', imageDigest: 'sha256:1' },
  ])
})

test.each([
  [25, undefined, 13],
  [1, undefined, 3],
  [800, undefined, 200],
  [800, { type: 'UNBOUNDED_PERCENT', value: 50 }, 400],
  [25, { type: 'BOUNDED_PERCENT', value: 100 }, 25],
  [25, { type: 'COUNT', value: 7 }, 7],
] as const)(
  'of %i tasks the threshold with %o is %i',
  async (desiredCount, thresholdConfiguration, threshold) => {
    const { bench, client } = await scheduledBench()
    const deploymentCircuitBreaker = {
      ...breaker,
      ...(thresholdConfiguration && { thresholdConfiguration }),
    }
    bench.putService(bench.putTaskDefinition(1), {
      desiredCount,
      deploymentConfiguration: { ...percentages, deploymentCircuitBreaker },
    })
    expect(client.newest?.deploymentCircuitBreaker?.threshold).toBe(threshold)
  },
)

test('a forced deployment is a new one of a new revision; a new count is none', async () => {
  const { bench, client } = await scheduledBench()
  bench.putTaskDefinition(1)
  createService.run(client.context, { serviceName: 'web', taskDefinition: 'web:1', desiredCount: 1 })
  await bench.run(2 * minute)
  const [before] = client.service?.deployments ?? []
  updateService.run(client.context, { service: 'web', desiredCount: 2 })
  await bench.run(2 * minute)
  expect(client.service?.deployments).toMatchObject([{ id: before?.id, createdAt: before?.createdAt }])
  expect(client.serviceDeployments).toHaveLength(1)
  updateService.run(client.context, { service: 'web', forceNewDeployment: true })
  await bench.run(2 * minute)
  const [after] = client.service?.deployments ?? []
  expect(after?.id).not.toBe(before?.id)
  expect(client.serviceDeployments).toHaveLength(2)
  // What Terraform and others find the service deployment of a deployment by.
  expect(client.serviceDeployments[0]?.targetServiceRevisionArn?.split('/').at(-1)).toBe(
    after?.id?.split('/')[1],
  )
})
