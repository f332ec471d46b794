import { beforeEach, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import { moved } from '#domain/daemon.ts'
import {
  describeDaemonDeployments,
  describeDaemonRevisions,
  listDaemonDeployments,
} from './daemon-deployment.ts'
import { arnOf, daemonArn, DaemonRequests } from './testing-daemons.ts'
import { putContainerInstance, refusalOf } from '#api/ecs/testing-rows.ts'

let context: TestContext
let daemons: DaemonRequests
beforeEach(async () => {
  context = await testContext()
  daemons = new DaemonRequests(context)
})

test('counts are those of the tasks and instances of each capacity provider', () => {
  daemons.create({
    critical: false,
    capacityProviderArns: [arnOf('capacity-provider/mi'), arnOf('capacity-provider/other')],
  })
  const pulled = daemons.putTask('one')
  daemons.putTask('two', { desiredStatus: 'STOPPED' })
  daemons.putTask('three', { lastStatus: 'PENDING' })
  putContainerInstance(context, daemons.cluster, 'four', { capacityProviderName: 'other' })
  context.store.update((tx) =>
    tx.put('task', {
      ...pulled,
      containers: pulled.containers.map((container) => ({ ...container, imageDigest: 'sha256:1' })),
    }),
  )
  const [current] = daemons.describe()?.currentRevisions ?? []
  expect(current).toMatchObject({
    capacityProviders: [
      { arn: arnOf('capacity-provider/mi'), runningCount: 1, withoutDaemonCount: 1 },
      { arn: arnOf('capacity-provider/other'), runningCount: 0, withoutDaemonCount: 1 },
    ],
    totalRunningCount: 1,
    totalWithoutDaemonCount: 2,
  })
  expect(daemons.deploymentOf(daemons.describe()?.deploymentArn)?.targetDaemonRevision).toMatchObject({
    totalRunningInstanceCount: 1,
    totalWithoutDaemonInstanceCount: 2,
    totalDrainingInstanceCount: 1,
  })
  expect(
    describeDaemonRevisions.run(context, { daemonRevisionArns: [current?.arn ?? ''] }).daemonRevisions?.[0]
      ?.containerImages,
  ).toEqual([{ containerName: 'app', image: 'fluent:1', imageDigest: 'sha256:1' }])
})

test('an older revision is shown for as long as it has tasks', () => {
  daemons.create()
  daemons.putTask('one')
  daemons.update()
  expect(daemons.describe()?.currentRevisions).toMatchObject([
    { totalRunningCount: 0 },
    { totalRunningCount: 1 },
  ])
})

test('deployments are listed newest first, by status and by time', () => {
  const { deploymentArn: first } = daemons.create()
  const start = context.clock.now()
  context.clock.advance(1_000)
  const { deploymentArn: second } = daemons.update()
  const listed = (filters: Partial<Parameters<typeof listDaemonDeployments.run>[1]>) =>
    listDaemonDeployments
      .run(context, { daemonArn, ...filters })
      .daemonDeployments?.map(({ daemonDeploymentArn }) => daemonDeploymentArn)
  expect(listed({})).toEqual([second, first])
  expect(listed({ status: ['PENDING'] })).toEqual([second])
  expect(listed({ status: ['STOP_REQUESTED', 'STOPPED'] })).toEqual([first])
  expect(listed({ createdAt: { after: new Date(start) } })).toEqual([second])
  expect(listed({ createdAt: { before: new Date(start + 1) } })).toEqual([first])
  expect(refusalOf(() => listed({ status: ['DONE' as 'PENDING'] }))).toContain(
    'InvalidParameterException: status should be one of [',
  )
})

test.each([
  [
    'daemonDeploymentArns',
    (arns: string[]) => describeDaemonDeployments.run(context, { daemonDeploymentArns: arns }),
  ],
  [
    'daemonRevisionArns',
    (arns: string[]) => describeDaemonRevisions.run(context, { daemonRevisionArns: arns }),
  ],
] as const)('%s are from one to twenty, and what is not there is MISSING', (member, act) => {
  const kind = member === 'daemonRevisionArns' ? 'daemon-revision' : 'daemon-deployment'
  const missing = arnOf(`${kind}/demo/logs/1`)
  expect(act([missing]).failures).toEqual([{ arn: missing, reason: 'MISSING' }])
  expect(refusalOf(() => act([]))).toBe(`InvalidParameterException: ${member} cannot be empty.`)
  expect(refusalOf(() => act(Array<string>(21).fill(missing)))).toBe(
    `InvalidParameterException: ${member} can have at most 20 items.`,
  )
  expect(refusalOf(() => act([daemonArn]))).toBe(
    'InvalidParameterException: Unsupported resource type: daemon',
  )
})

test('a deployment never goes back', () => {
  const { deploymentArn = '' } = daemons.create()
  const row = context.store.find('daemonDeployment', deploymentArn)
  if (!row) throw new Error('there is no deployment')
  expect(() => moved(row, 'SUCCESSFUL', { now: 1 })).toThrow('cannot go from PENDING to SUCCESSFUL')
  const done = moved(moved(row, 'IN_PROGRESS', { now: 1 }), 'SUCCESSFUL', { now: 2 })
  expect(done).toMatchObject({ startedAt: 1, finishedAt: 2 })
  expect(() => moved(done, 'STOPPED', { now: 3 })).toThrow('cannot go from SUCCESSFUL to STOPPED')
})
