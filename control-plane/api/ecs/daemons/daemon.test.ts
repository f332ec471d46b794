import type { CreateDaemonRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import { describeDaemonRevisions, listDaemonDeployments } from './daemon-deployment.ts'
import { deleteDaemonTaskDefinition } from './daemon-task-definition.ts'
import { deleteDaemon, describeDaemon, listDaemons } from './daemon.ts'
import { listTagsForResource, tagResource } from '#api/ecs/tag.ts'
import { arnOf, daemonArn, DaemonRequests, daemonTaskDefinition } from './testing-daemons.ts'
import { refusalOf } from '#api/ecs/testing-rows.ts'

let context: TestContext
let daemons: DaemonRequests
beforeEach(async () => {
  context = await testContext()
  daemons = new DaemonRequests(context)
})

test('a new daemon is ACTIVE, with a revision and a deployment that waits for the engine', () => {
  const answer = daemons.create()
  expect(answer).toEqual({
    daemonArn,
    status: 'ACTIVE',
    createdAt: new Date(context.clock.now()),
    deploymentArn: expect.stringMatching(/:daemon-deployment\/demo\/logs\/[\w-]{16}$/),
  })
  const [current] = daemons.describe()?.currentRevisions ?? []
  expect(daemons.describe()).toEqual({
    daemonArn,
    clusterArn: daemons.cluster.clusterArn,
    status: 'ACTIVE',
    currentRevisions: [
      {
        arn: expect.stringMatching(/:daemon-revision\/demo\/logs\/\d{19}$/),
        capacityProviders: [{ arn: arnOf('capacity-provider/mi'), runningCount: 0, withoutDaemonCount: 0 }],
        totalRunningCount: 0,
        totalWithoutDaemonCount: 0,
      },
    ],
    deploymentArn: answer.deploymentArn,
    createdAt: new Date(context.clock.now()),
    updatedAt: new Date(context.clock.now()),
  })
  expect(daemons.deploymentOf(answer.deploymentArn)).toEqual({
    daemonDeploymentArn: answer.deploymentArn,
    clusterArn: daemons.cluster.clusterArn,
    status: 'PENDING',
    targetDaemonRevision: {
      arn: current?.arn,
      capacityProviders: [
        {
          arn: arnOf('capacity-provider/mi'),
          runningInstanceCount: 0,
          withoutDaemonInstanceCount: 0,
          drainingInstanceCount: 0,
        },
      ],
      totalRunningInstanceCount: 0,
      totalWithoutDaemonInstanceCount: 0,
      totalDrainingInstanceCount: 0,
    },
    sourceDaemonRevisions: [],
    circuitBreaker: { failureCount: 0, status: 'MONITORING', threshold: 10 },
    alarms: { alarmNames: [], status: 'DISABLED', triggeredAlarmNames: [] },
    deploymentConfiguration: {
      drainPercent: 25,
      bakeTimeInMinutes: 0,
      alarms: { alarmNames: [], enable: false },
    },
    createdAt: new Date(context.clock.now()),
  })
  expect(
    describeDaemonRevisions.run(context, { daemonRevisionArns: [current?.arn ?? ''] }).daemonRevisions,
  ).toEqual([
    {
      daemonRevisionArn: current?.arn,
      clusterArn: daemons.cluster.clusterArn,
      daemonArn,
      daemonTaskDefinitionArn: daemonTaskDefinition,
      createdAt: new Date(context.clock.now()),
      containerImages: [{ containerName: 'app', image: 'fluent:1' }],
      propagateTags: 'NONE',
      enableECSManagedTags: false,
      enableExecuteCommand: false,
      critical: true,
    },
  ])
})

test.each<[string, Partial<CreateDaemonRequest>, string]>([
  [
    'a bad name',
    { daemonName: 'a b' },
    'InvalidParameterException: DaemonName must match ^[a-zA-Z0-9\\-_]{1,255}$, but was a b',
  ],
  ['another cluster', { clusterArn: 'none' }, 'ClusterNotFoundException: Cluster not found.'],
  [
    'the ARN of no cluster',
    { clusterArn: daemonArn },
    'InvalidParameterException: Unsupported resource type: daemon',
  ],
  [
    'no task definition',
    { daemonTaskDefinitionArn: '' },
    'InvalidParameterException: daemonTaskDefinitionArn cannot be empty.',
  ],
  [
    'an ordinary task definition',
    { daemonTaskDefinitionArn: arnOf('task-definition/logs:1') },
    'InvalidParameterException: Unsupported resource type: task-definition',
  ],
  [
    'a task definition that is not there',
    { daemonTaskDefinitionArn: arnOf('daemon-task-definition/logs:2') },
    'ClientException: Daemon task definition not found.',
  ],
  [
    'no capacity providers',
    { capacityProviderArns: [] },
    'InvalidParameterException: capacityProviderArns cannot be empty.',
  ],
  [
    'a capacity provider that is not there',
    { capacityProviderArns: [arnOf('capacity-provider/none')] },
    `InvalidParameterException: The specified capacity provider '${arnOf('capacity-provider/none')}' was not found.`,
  ],
  [
    'Fargate',
    { capacityProviderArns: ['FARGATE'] },
    'InvalidParameterException: Daemons are only supported for Amazon ECS Managed Instances capacity providers.',
  ],
  [
    'an Auto Scaling group',
    { capacityProviderArns: [arnOf('capacity-provider/asg')] },
    'InvalidParameterException: Daemons are only supported for Amazon ECS Managed Instances capacity providers.',
  ],
  [
    'a capacity provider of another cluster',
    { capacityProviderArns: [arnOf('capacity-provider/far')] },
    'InvalidParameterException: The specified capacity provider is not associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.',
  ],
  [
    'a capacity provider twice',
    { capacityProviderArns: [arnOf('capacity-provider/mi'), 'mi'] },
    'InvalidParameterException: capacityProviderArns must not name a capacity provider twice.',
  ],
  [
    'more than all at once',
    { deploymentConfiguration: { drainPercent: 100.5 } },
    'InvalidParameterException: drainPercent must be between 0.0 and 100.0.',
  ],
  [
    'a bake time of more than a day',
    { deploymentConfiguration: { bakeTimeInMinutes: 1_441 } },
    'InvalidParameterException: bakeTimeInMinutes must be between 0 and 1440.',
  ],
  [
    'alarms without names',
    { deploymentConfiguration: { alarms: { enable: true } } },
    'InvalidParameterException: alarmNames cannot be empty when alarms are enabled.',
  ],
  [
    'alarms',
    { deploymentConfiguration: { alarms: { enable: true, alarmNames: ['cpu'] } } },
    'UnsupportedFeatureException: Berth does not support alarms of daemon deployments yet. Leave them out: the circuit breaker is always on.',
  ],
  [
    'a way of propagating that there is not',
    { propagateTags: 'SERVICE' as 'NONE' },
    'InvalidParameterException: propagateTags should be one of [DAEMON,NONE]',
  ],
  [
    'a long token',
    { clientToken: 'x'.repeat(37) },
    'InvalidParameterException: clientToken must have 1 to 36 characters in the range of ASCII 33-126.',
  ],
  [
    'a reserved tag',
    { tags: [{ key: 'aws:x', value: '' }] },
    'InvalidParameterException: Tag key must not start with aws:',
  ],
])('%s is refused and creates nothing', (_, more, refusal) => {
  daemons.putProvider('asg', { autoScalingGroupProvider: { autoScalingGroupArn: 'arn' } })
  daemons.putProvider('far', { managedInstancesProvider: {}, clusterArn: arnOf('cluster/far') })
  expect(refusalOf(() => daemons.create(more))).toBe(refusal)
  for (const table of ['daemon', 'daemonRevision', 'daemonDeployment'] as const)
    expect(context.store.size(table)).toBe(0)
})

test('a name is taken while there is a daemon of that name', () => {
  daemons.create()
  expect(refusalOf(() => daemons.create())).toBe(
    'InvalidParameterException: Creation of daemon was not idempotent.',
  )
  deleteDaemon.run(context, { daemonArn })
  expect(refusalOf(() => daemons.create())).toBe(
    'InvalidParameterException: Unable to create a daemon that is still being deleted.',
  )
})

test('a request with a token takes effect once, and with other parameters it is a conflict', () => {
  const first = daemons.create({ clientToken: 'a' })
  expect(daemons.create({ clientToken: 'a', clusterArn: 'demo' })).toEqual(first)
  expect(context.store.size('daemonDeployment')).toBe(1)
  expect(refusalOf(() => daemons.create({ clientToken: 'a', critical: false }))).toContain(
    'ConflictException',
  )
})

test('an update is a new revision and a deployment of it, which takes over from the one under way', () => {
  const { deploymentArn: before } = daemons.create({ enableECSManagedTags: true, critical: false })
  context.clock.advance(1_000)
  const answer = daemons.update({ deploymentConfiguration: { drainPercent: 50 } })
  expect(answer).toMatchObject({ daemonArn, status: 'ACTIVE', updatedAt: new Date(context.clock.now()) })
  expect(answer.deploymentArn).not.toBe(before)
  expect(daemons.deploymentOf(before)).toMatchObject({
    status: 'STOP_REQUESTED',
    statusReason: 'A newer daemon deployment was started.',
  })
  const [source] = daemons.deploymentOf(answer.deploymentArn)?.sourceDaemonRevisions ?? []
  expect(source?.arn).toBe(daemons.deploymentOf(before)?.targetDaemonRevision?.arn)
  expect(daemons.deploymentOf(answer.deploymentArn)?.deploymentConfiguration?.drainPercent).toBe(50)
  // What the update leaves out is as it would be in a new daemon.
  const [current] = daemons.describe()?.currentRevisions ?? []
  expect(
    describeDaemonRevisions.run(context, { daemonRevisionArns: [current?.arn ?? ''] }).daemonRevisions?.[0],
  ).toMatchObject({ enableECSManagedTags: false, critical: true })
})

test('a deleted daemon is shown as being deleted, and is neither updated nor deleted again', () => {
  daemons.create()
  const answer = deleteDaemon.run(context, { daemonArn })
  expect(answer).toMatchObject({ daemonArn, status: 'DELETE_IN_PROGRESS' })
  expect(daemons.describe()).toMatchObject({
    status: 'DELETE_IN_PROGRESS',
    deploymentArn: answer.deploymentArn,
  })
  const shown = daemons.deploymentOf(answer.deploymentArn)
  expect(shown).toMatchObject({ status: 'PENDING', circuitBreaker: { status: 'DISABLED' } })
  expect(shown?.targetDaemonRevision).toBeUndefined()
  const refusal = 'DaemonNotActiveException: Daemon was not ACTIVE.'
  expect(refusalOf(() => daemons.update())).toBe(refusal)
  expect(refusalOf(() => deleteDaemon.run(context, { daemonArn }))).toBe(refusal)
})

test.each<[string, (ref: string) => unknown]>([
  ['DescribeDaemon', (ref) => describeDaemon.run(context, { daemonArn: ref })],
  ['UpdateDaemon', (ref) => daemons.update({ daemonArn: ref })],
  ['DeleteDaemon', (ref) => deleteDaemon.run(context, { daemonArn: ref })],
  ['ListDaemonDeployments', (ref) => listDaemonDeployments.run(context, { daemonArn: ref })],
  ['TagResource', (ref) => tagResource.run(context, { resourceArn: ref, tags: [] })],
])('%s knows what is no daemon', (operation, act) => {
  daemons.create()
  expect(refusalOf(() => act(arnOf('daemon/demo/none')))).toBe('DaemonNotFoundException: Daemon not found.')
  expect(refusalOf(() => act(daemonArn.replace('000000000000', '111111111111')))).toBe(
    'DaemonNotFoundException: Daemon not found.',
  )
  if (operation === 'TagResource') return
  expect(refusalOf(() => act('logs'))).toBe('InvalidParameterException: Invalid identifier: logs')
  expect(refusalOf(() => act(daemons.cluster.clusterArn))).toBe(
    'InvalidParameterException: Unsupported resource type: cluster',
  )
})

test('a task definition that is being deleted starts no daemon', () => {
  deleteDaemonTaskDefinition.run(context, { daemonTaskDefinition: 'logs:1' })
  expect(refusalOf(() => daemons.create())).toBe('ClientException: Daemon task definition is inactive')
})

test('daemons are listed by cluster and capacity provider, page by page', () => {
  for (const daemonName of ['a', 'b', 'c'])
    daemons.create({
      daemonName,
      capacityProviderArns: [arnOf(`capacity-provider/${daemonName === 'b' ? 'other' : 'mi'}`)],
    })
  const names = (filters: Partial<Parameters<typeof listDaemons.run>[1]>) => {
    const { daemonSummariesList = [], nextToken } = listDaemons.run(context, {
      clusterArn: 'demo',
      ...filters,
    })
    return { names: daemonSummariesList.map((daemon) => daemon.daemonArn?.slice(-1)), nextToken }
  }
  expect(names({}).names).toEqual(['a', 'b', 'c'])
  expect(names({ capacityProviderArns: [arnOf('capacity-provider/mi')] }).names).toEqual(['a', 'c'])
  const first = names({ maxResults: 2 })
  expect(first.names).toEqual(['a', 'b'])
  expect(names({ maxResults: 2, nextToken: first.nextToken }).names).toEqual(['c'])
  expect(refusalOf(() => listDaemons.run(context, {}))).toBe('ClusterNotFoundException: Cluster not found.')
  expect(listDaemons.run(context, { clusterArn: 'demo', maxResults: 1 }).daemonSummariesList).toEqual([
    {
      daemonArn: arnOf('daemon/demo/a'),
      status: 'ACTIVE',
      createdAt: new Date(context.clock.now()),
      updatedAt: new Date(context.clock.now()),
    },
  ])
})

test('a daemon has tags', () => {
  daemons.create({ tags: [{ key: 'team', value: 'web' }] })
  tagResource.run(context, { resourceArn: daemonArn, tags: [{ key: 'tier', value: '1' }] })
  expect(listTagsForResource.run(context, { resourceArn: daemonArn }).tags).toEqual([
    { key: 'team', value: 'web' },
    { key: 'tier', value: '1' },
  ])
})
