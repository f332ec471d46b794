import { continueServiceDeployment } from '#api/ecs/services/service-deployment.ts'
import { scheduledBench, served } from '@berth/simulator/bench-client.ts'
import { expect, test } from 'vitest'
import type { HookPayload, Hooks } from './deployment-actions.ts'

const minute = 60_000
const percentages = { minimumHealthyPercent: 100, maximumPercent: 200 }
const blueGreen = { ...percentages, strategy: 'BLUE_GREEN', bakeTimeInMinutes: 5 } as const
const pauseAt = (stage: 'POST_SCALE_UP' | 'PRE_PRODUCTION_TRAFFIC_SHIFT', timeoutConfiguration = {}) => ({
  lifecycleHooks: [{ targetType: 'PAUSE' as const, lifecycleStages: [stage], timeoutConfiguration }],
})
const lambdaAt = (...lifecycleStages: Array<'POST_SCALE_UP' | 'PRODUCTION_TRAFFIC_SHIFT'>) => ({
  lifecycleHooks: [{ hookTargetArn: 'arn:function', roleArn: 'arn:role', lifecycleStages }],
})

const named = (messages: readonly string[]): string[] =>
  messages.map((message) =>
    message.replaceAll(/[0-9a-f]{32}/g, 'ID').replaceAll(/ecs-svc\/\d+/g, 'ecs-svc/N'),
  )

test('blue/green runs both revisions whole, shifts all traffic at once, bakes, and then stops blue', async () => {
  const { bench, client, update, shifts, weights, wanted } = await served(blueGreen)
  update()
  await bench.run(30_000)
  expect(client.newest).toMatchObject({
    status: 'IN_PROGRESS',
    lifecycleStage: 'SCALE_UP',
    targetServiceRevision: {
      requestedTaskCount: 2,
      runningTaskCount: 2,
      requestedProductionTrafficWeight: 0,
    },
    sourceServiceRevisions: [{ runningTaskCount: 2, requestedProductionTrafficWeight: 100 }],
  })
  await bench.run(minute)
  expect(client.newest).toMatchObject({
    lifecycleStage: 'BAKE_TIME',
    targetServiceRevision: { requestedTestTrafficWeight: 100, requestedProductionTrafficWeight: 100 },
    sourceServiceRevisions: [{ requestedTestTrafficWeight: 0, requestedProductionTrafficWeight: 0 }],
  })
  expect([weights('test'), weights('production')]).toEqual([[100], [100]])
  expect(shifts[1]?.weights.map(({ weight }) => weight)).toEqual([0, 100])
  await bench.run(4 * minute)
  expect(wanted()).toEqual([2, 2])
  expect(client.service?.deployments?.map(({ status, rolloutState }) => [status, rolloutState])).toEqual([
    ['PRIMARY', 'IN_PROGRESS'],
    ['ACTIVE', 'COMPLETED'],
  ])
  await bench.run(2 * minute)
  expect(wanted()).toEqual([0, 2])
  expect(client.newest).toMatchObject({
    status: 'SUCCESSFUL',
    lifecycleStage: 'CLEAN_UP',
    targetServiceRevision: { requestedProductionTrafficWeight: 100 },
  })
  expect(client.service?.deployments).toHaveLength(1)
  expect(named(bench.messages).slice(3)).toEqual([
    '(service web) has started 2 tasks: (task ID) (task ID).',
    '(service web) (deployment ecs-svc/N) deployment completed.',
    '(service web) has stopped 2 running tasks: (task ID) (task ID).',
    '(service web) has reached a steady state.',
  ])
})

test('a service that is created with blue/green has nothing to shift step by step', async () => {
  const { bench, client } = await scheduledBench()
  bench.putService(bench.putTaskDefinition(1), {
    deploymentConfiguration: { ...percentages, strategy: 'CANARY', bakeTimeInMinutes: 1 },
  })
  await bench.run(90_000)
  expect(client.newest).toMatchObject({ lifecycleStage: 'BAKE_TIME', status: 'IN_PROGRESS' })
  await bench.run(minute)
  expect(client.statuses).toEqual([['SUCCESSFUL', undefined]])
})

test('canary gives the new revision a little, then everything, bakes, and then stops the old one', async () => {
  const canaryConfiguration = { canaryPercent: 10, canaryBakeTimeInMinutes: 1 }
  const canary = { ...percentages, strategy: 'CANARY', canaryConfiguration, bakeTimeInMinutes: 2 } as const
  const { bench, client, update, weights, wanted } = await served(canary)
  update()
  await bench.run(50_000)
  expect(weights('production')).toEqual([10])
  expect(client.newest?.sourceServiceRevisions).toMatchObject([{ requestedProductionTrafficWeight: 90 }])
  await bench.run(50_000)
  expect(weights('production')).toEqual([10])
  await bench.run(10_000)
  expect(weights('production')).toEqual([10, 100])
  expect(client.newest?.lifecycleStage).toBe('BAKE_TIME')
  await bench.run(1.5 * minute)
  expect(wanted()).toEqual([2, 2])
  await bench.run(2 * minute)
  expect(wanted()).toEqual([0, 2])
  expect(client.newest?.status).toBe('SUCCESSFUL')
})

test('linear goes by equal steps, with a wait between them and none after the last', async () => {
  const linearConfiguration = { stepPercent: 40, stepBakeTimeInMinutes: 6 }
  const { bench, client, update, weights } = await served({
    ...percentages,
    strategy: 'LINEAR',
    linearConfiguration,
  })
  update()
  await bench.run(minute)
  expect(weights('production')).toEqual([40])
  await bench.run(6 * minute)
  expect(weights('production')).toEqual([40, 80])
  expect(client.newest?.status).toBe('IN_PROGRESS')
  await bench.run(6 * minute)
  expect(weights('production')).toEqual([40, 80, 100])
  await bench.run(minute)
  expect(client.newest?.status).toBe('SUCCESSFUL')
})

test('a pause waits until somebody lets the deployment go on', async () => {
  const { bench, client, update, weights } = await served({ ...blueGreen, ...pauseAt('POST_SCALE_UP') })
  update()
  await bench.run(30 * minute)
  const { lifecycleHookDetails = [], serviceDeploymentArn = '' } = client.newest ?? {}
  expect(client.newest?.lifecycleStage).toBe('POST_SCALE_UP')
  expect(lifecycleHookDetails).toEqual([
    {
      hookId: expect.stringMatching(/^ecs-pause-/),
      targetType: 'PAUSE',
      status: 'AWAITING_ACTION',
      expiresAt: expect.any(Date),
      timeoutAction: 'ROLLBACK',
    },
  ])
  const { hookId } = lifecycleHookDetails[0] ?? {}
  expect(continueServiceDeployment.run(client.context, { serviceDeploymentArn, hookId })).toEqual({
    serviceDeploymentArn,
  })
  await bench.run(minute)
  expect(weights('production')).toEqual([100])
  expect(client.newest?.lifecycleHookDetails).toMatchObject([{ status: 'SUCCEEDED' }])
  expect(() => continueServiceDeployment.run(client.context, { serviceDeploymentArn, hookId })).toThrow(
    'is not awaiting an action',
  )
})

test.each([
  [
    'ROLLBACK',
    [undefined],
    'ROLLBACK_SUCCESSFUL',
    'Service deployment rolled back because POST_SCALE_UP lifecycle hook(s) timed out.',
    [2, 0],
  ],
  ['CONTINUE', [100], 'SUCCESSFUL', undefined, [0, 2]],
] as const)('a pause nobody ends times out with %s', async (action, production, status, reason, left) => {
  const timeout = { timeoutInMinutes: 10, action }
  const { bench, client, update, weights, wanted } = await served({
    ...blueGreen,
    ...pauseAt('POST_SCALE_UP', timeout),
  })
  update()
  await bench.run(9 * minute)
  expect(client.newest?.status).toBe('IN_PROGRESS')
  await bench.run(8 * minute)
  expect(client.newest?.status).toBe(status)
  expect(client.newest?.statusReason).toBe(reason)
  expect(client.newest?.lifecycleHookDetails).toMatchObject([{ status: 'TIMED_OUT' }])
  expect(weights('production')[0]).toBe(production[0])
  expect(wanted()).toEqual(left)
})

test('a rollback that somebody asks for at a pause leaves the old revision as it was', async () => {
  const { bench, client, update, wanted } = await served({ ...blueGreen, ...pauseAt('POST_SCALE_UP') })
  const before = bench.wanted(1).map(({ taskArn }) => taskArn)
  update()
  await bench.run(5 * minute)
  const { lifecycleHookDetails: [run] = [], serviceDeploymentArn } = client.newest ?? {}
  continueServiceDeployment.run(client.context, {
    serviceDeploymentArn,
    hookId: run?.hookId,
    action: 'ROLLBACK',
  })
  await bench.run(2 * minute)
  expect(client.newest).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    statusReason: 'Service deployment rolled back by user.',
    rollback: { serviceRevisionArn: client.serviceDeployments[1]?.targetServiceRevisionArn },
    lifecycleHookDetails: [{ status: 'FAILED' }],
  })
  expect(wanted()).toEqual([2, 0])
  expect(bench.wanted(1).map(({ taskArn }) => taskArn)).toEqual(before)
})

test('a rollback while it bakes gives the traffic back before the new tasks are stopped', async () => {
  const { bench, client, update, shifts, weights, wanted } = await served(blueGreen)
  update()
  await bench.run(2 * minute)
  client.stop()
  await bench.run(2 * minute)
  expect(weights('production')).toEqual([100, 0])
  expect(weights('test')).toEqual([100, 0])
  expect(shifts[2]?.weights.map(({ weight }) => weight)).toEqual([100, 0])
  expect(wanted()).toEqual([2, 0])
  expect(client.newest).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    targetServiceRevision: { requestedProductionTrafficWeight: 0 },
    sourceServiceRevisions: [{ requestedProductionTrafficWeight: 100 }],
  })
  expect(bench.messages).toContain(`(service web) rolling back to deployment ${bench.primary?.deploymentId}.`)
  expect(client.service?.deployments).toMatchObject([{ rolloutState: 'COMPLETED', runningCount: 2 }])
})

test('a new revision whose tasks do not start is given up by the circuit breaker without a shift', async () => {
  const deploymentCircuitBreaker = { enable: true, rollback: true }
  const { bench, client, update, shifts, wanted } = await served(
    { ...blueGreen, deploymentCircuitBreaker },
    { startsOk: (revision) => revision !== 2 },
  )
  update()
  await bench.run(5 * minute)
  expect(client.newest).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    deploymentCircuitBreaker: { status: 'TRIGGERED' },
  })
  expect([shifts, wanted()]).toEqual([[], [2, 0]])
})

test('a broken circuit without rollback leaves the traffic and both revisions as they are', async () => {
  const deploymentCircuitBreaker = { enable: true, rollback: false }
  let broken = false
  const { bench, client, update, wanted } = await served(
    { ...blueGreen, deploymentCircuitBreaker, bakeTimeInMinutes: 60 },
    { startsOk: (revision) => revision !== 2 || !broken },
  )
  update()
  await bench.run(3 * minute)
  broken = true
  for (const task of bench.wanted(2)) bench.report(task, 'STOPPED', { exitCode: 1 })
  await bench.run(10 * minute)
  expect(client.newest).toMatchObject({ status: 'STOPPED', lifecycleStage: 'BAKE_TIME' })
  expect(wanted()).toEqual([2, 0])
  expect(bench.primary?.rolloutState).toBe('FAILED')
  const [lost] = bench.wanted(1)
  if (lost) bench.report(lost, 'STOPPED', { exitCode: 1 })
  await bench.run(2 * minute)
  expect(wanted()).toEqual([2, 0])
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(3) })
  await bench.run(2 * minute)
  expect(bench.wanted(3)).toHaveLength(2)
})

test('the stages go on with tasks that are scaled and lost meanwhile', async () => {
  const { bench, client, update, wanted } = await served(blueGreen)
  update()
  await bench.run(2 * minute)
  bench.updateService({ desiredCount: 3 })
  await bench.run(minute)
  expect(wanted()).toEqual([3, 3])
  const [lost] = bench.wanted(1)
  if (lost) bench.report(lost, 'STOPPED', { exitCode: 1 })
  await bench.run(1 * minute)
  expect(wanted()).toEqual([3, 3])
  await bench.run(4 * minute)
  expect(wanted()).toEqual([0, 3])
  expect(client.newest?.status).toBe('SUCCESSFUL')
})

test('an update amid a shift gives all traffic back to the revision that completed, then begins anew', async () => {
  const { bench, client, update, shifts, atShift, wanted } = await served({
    ...percentages,
    strategy: 'CANARY',
  })
  update(2)
  await bench.run(2 * minute)
  update(3)
  await bench.run(30_000)
  expect(client.newest?.sourceServiceRevisions).toHaveLength(2)
  expect(client.newest?.lifecycleStage).toBe('SCALE_UP')
  expect(atShift.at(-1)).toBe(4)
  expect(shifts.at(-1)?.weights).toEqual([
    { serviceRevisionArn: client.serviceDeployments[2]?.targetServiceRevisionArn, weight: 100 },
    { serviceRevisionArn: client.serviceDeployments[0]?.targetServiceRevisionArn, weight: 0 },
  ])
  expect([...wanted(), bench.wanted(3).length]).toEqual([2, 0, 2])
  await bench.run(15 * minute)
  expect([...wanted(), bench.wanted(3).length]).toEqual([0, 0, 2])
  expect(client.statuses.map(([status]) => status)).toEqual(['SUCCESSFUL', 'STOPPED', 'SUCCESSFUL'])
})

test('a request to roll back comes too late while the old tasks are being stopped', async () => {
  const { bench, client, update, wanted } = await served(blueGreen)
  update()
  await bench.run(5 * minute)
  while (client.newest?.lifecycleStage !== 'CLEAN_UP') await bench.run(500)
  client.stop()
  await bench.run(minute)
  expect([client.newest?.status, wanted()]).toEqual(['SUCCESSFUL', [0, 2]])
})

test('a hook is asked until it has decided, with what it answered last', async () => {
  const payloads: HookPayload[] = []
  const answers = [
    { hookStatus: 'IN_PROGRESS', callBackDelay: 20, hookDetails: { round: 1 } },
    { hookStatus: 'IN_PROGRESS', hookDetails: { round: 2 } },
    { hookStatus: 'SUCCEEDED' },
    { hookStatus: 'SUCCEEDED' },
  ]
  const hooks: Hooks = {
    invoke: (_, payload) => {
      payloads.push(payload)
      return Promise.resolve(answers[payloads.length - 1] ?? {})
    },
  }
  const stages = lambdaAt('POST_SCALE_UP', 'PRODUCTION_TRAFFIC_SHIFT')
  const { bench, client, update } = await served({ ...blueGreen, ...stages }, { hooks })
  update()
  await bench.run(50_000)
  expect(payloads).toHaveLength(1)
  expect(client.newest?.lifecycleHookDetails).toMatchObject([
    { targetType: 'AWS_LAMBDA', targetArn: 'arn:function', status: 'IN_PROGRESS' },
  ])
  await bench.run(2 * minute)
  const target = client.newest?.targetServiceRevision?.arn ?? ''
  expect(payloads.map(({ lifecycleStage, hookDetails }) => [lifecycleStage, hookDetails])).toEqual([
    ['POST_SCALE_UP', undefined],
    ['POST_SCALE_UP', { round: 1 }],
    ['POST_SCALE_UP', { round: 2 }],
    ['PRODUCTION_TRAFFIC_SHIFT', { round: 2 }],
  ])
  expect(payloads[0]?.executionDetails.productionTrafficWeights).toEqual({})
  expect(payloads[3]?.executionDetails.productionTrafficWeights[target]).toBe(100)
  expect(client.newest?.lifecycleStage).toBe('BAKE_TIME')
})

test('a hook that says nothing that can be understood rolls the deployment back', async () => {
  const hooks: Hooks = { invoke: () => Promise.resolve({}) }
  const { bench, client, update } = await served({ ...blueGreen, ...lambdaAt('POST_SCALE_UP') }, { hooks })
  update()
  await bench.run(3 * minute)
  expect(client.newest).toMatchObject({
    status: 'ROLLBACK_SUCCESSFUL',
    statusReason:
      'Service deployment rolled back because POST_SCALE_UP lifecycle hook(s) failed. ECS was unable to parse the response from arn:function due to HookStatus must not be null',
  })
})
