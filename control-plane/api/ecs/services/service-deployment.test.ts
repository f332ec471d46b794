import type * as ECS from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import { finish, start } from '#domain/service-deployment.ts'
import { progressOf } from '#state/service-deployments.ts'
import { createService } from './service-create.ts'
import {
  continueServiceDeployment,
  describeServiceDeployments,
  listServiceDeployments,
  stopServiceDeployment,
} from './service-deployment.ts'
import { describeServiceRevisions } from './service-revision.ts'
import { updateService } from './service-update.ts'
import { putCluster, putSubnet, putTaskDefinition, refusalOf } from '#api/ecs/testing-rows.ts'

let context: TestContext

beforeEach(async () => {
  context = await testContext()
  putCluster(context, 'c')
  putCluster(context, 'f', { capacityProviders: ['FARGATE'] })
  putTaskDefinition(context, 'web:1', { image: 'web:1' })
  createService.run(context, { cluster: 'c', serviceName: 'web', taskDefinition: 'web:1', desiredCount: 25 })
})

const service = 'arn:aws:ecs:us-east-1:000000000000:service/c/web'
const list = (input: Partial<ECS.ListServiceDeploymentsRequest> = {}) =>
  listServiceDeployments.run(context, { cluster: 'c', service: 'web', ...input })
const newest = () => list().serviceDeployments?.[0]?.serviceDeploymentArn ?? ''
const describe = (...serviceDeploymentArns: string[]) =>
  describeServiceDeployments.run(context, { serviceDeploymentArns })
const redeploy = (afterMs = 1_000): void => {
  context.clock.advance(afterMs)
  updateService.run(context, { cluster: 'c', service: 'web', forceNewDeployment: true })
}
const stop = (serviceDeploymentArn: string, stopType?: ECS.StopServiceDeploymentStopType) =>
  stopServiceDeployment.run(context, { serviceDeploymentArn, ...(stopType && { stopType }) })

test('a new service deployment is PENDING, with the revision it is of', () => {
  const now = new Date(context.clock.now())
  const { serviceDeployments: [brief] = [], nextToken } = list()
  expect(nextToken).toBeUndefined()
  expect(brief).toEqual({
    serviceDeploymentArn: expect.stringMatching(/:service-deployment\/c\/web\/[A-Za-z0-9_-]{21}$/),
    serviceArn: service,
    clusterArn: 'arn:aws:ecs:us-east-1:000000000000:cluster/c',
    createdAt: now,
    targetServiceRevisionArn: expect.stringMatching(/:service-revision\/c\/web\/[1-9]\d{18}$/),
    status: 'PENDING',
  })
  const { serviceDeployments, failures } = describe(newest())
  expect(failures).toEqual([])
  expect(serviceDeployments).toMatchObject([
    {
      createdAt: now,
      updatedAt: now,
      sourceServiceRevisions: [],
      targetServiceRevision: {
        arn: brief?.targetServiceRevisionArn,
        requestedTaskCount: 0,
        runningTaskCount: 0,
        pendingTaskCount: 0,
      },
      deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 100 },
      deploymentCircuitBreaker: { status: 'DISABLED', failureCount: 0, threshold: 13 },
      alarms: { status: 'DISABLED' },
    },
  ])
})

test('a revision shows the service as it was told to be, also when it is another since', () => {
  const now = new Date(context.clock.now())
  const arn = list().serviceDeployments?.[0]?.targetServiceRevisionArn ?? ''
  const describeRevision = () =>
    describeServiceRevisions.run(context, { serviceRevisionArns: [arn, arn, `${arn}0`] })
  const shown = describeRevision()
  expect(shown).toEqual({
    serviceRevisions: [
      {
        serviceRevisionArn: arn,
        serviceArn: service,
        clusterArn: 'arn:aws:ecs:us-east-1:000000000000:cluster/c',
        taskDefinition: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1',
        launchType: 'EC2',
        containerImages: [{ containerName: 'app', image: 'web:1' }],
        guardDutyEnabled: false,
        createdAt: now,
      },
    ],
    failures: [{ arn: `${arn}0`, reason: 'MISSING' }],
  })
  putTaskDefinition(context, 'web:2', { image: 'web:2' })
  updateService.run(context, { cluster: 'c', service: 'web', taskDefinition: 'web:2' })
  expect(describeRevision()).toEqual(shown)
})

test.each<[string, Partial<ECS.CreateServiceRequest>, Partial<ECS.ServiceRevision>]>([
  ['the launch type', { launchType: 'FARGATE' }, { launchType: 'FARGATE' }],
  [
    'a capacity provider',
    { capacityProviderStrategy: [{ capacityProvider: 'FARGATE', weight: 1 }] },
    { capacityProviderStrategy: [expect.objectContaining({ capacityProvider: 'FARGATE', weight: 1 })] },
  ],
])('a revision on Fargate by %s shows its platform', (_, asked, shown) => {
  putTaskDefinition(
    context,
    'far:1',
    {},
    {
      networkMode: 'awsvpc',
      compatibilities: ['EC2', 'FARGATE'],
      cpu: '256',
      memory: '512',
    },
  )
  putSubnet(context, 'subnet-1')
  const network = { awsvpcConfiguration: { subnets: ['subnet-1'] } }
  createService.run(context, {
    cluster: 'f',
    serviceName: 'far',
    taskDefinition: 'far',
    desiredCount: 0,
    networkConfiguration: network,
    ...asked,
  })
  const arn =
    listServiceDeployments.run(context, { cluster: 'f', service: 'far' }).serviceDeployments?.[0]
      ?.targetServiceRevisionArn ?? ''
  expect(
    describeServiceRevisions.run(context, { serviceRevisionArns: [arn] }).serviceRevisions?.[0],
  ).toMatchObject({ platformVersion: '1.4.0', platformFamily: 'Linux', ...shown })
})

test('service deployments are listed newest first, page by page', () => {
  for (let number = 0; number < 24; number++) redeploy()
  const first = list()
  expect(first.serviceDeployments).toHaveLength(20)
  const second = list({ nextToken: first.nextToken })
  const times = [...(first.serviceDeployments ?? []), ...(second.serviceDeployments ?? [])].map(
    ({ createdAt }) => createdAt?.getTime() ?? 0,
  )
  expect(times).toHaveLength(25)
  expect(times).toEqual(times.toSorted((one, other) => other - one))
  expect(second.nextToken).toBeUndefined()
  expect(list({ maxResults: 3 }).serviceDeployments).toHaveLength(3)
  expect(refusalOf(() => list({ nextToken: first.nextToken, status: ['PENDING'] }))).toMatch(
    /^InvalidParameterException/,
  )
})

test('the list is of the statuses and of the time asked for', () => {
  const before = new Date(context.clock.now())
  redeploy()
  redeploy()
  const statuses = (input: Partial<ECS.ListServiceDeploymentsRequest>) =>
    list(input).serviceDeployments?.map(({ status }) => status)
  expect(statuses({})).toEqual(['PENDING', 'STOP_REQUESTED', 'STOP_REQUESTED'])
  expect(statuses({ status: [] })).toHaveLength(3)
  expect(statuses({ status: ['PENDING', 'SUCCESSFUL'] })).toEqual(['PENDING'])
  expect(statuses({ createdAt: { after: before } })).toHaveLength(2)
  expect(statuses({ createdAt: { before: new Date(before.getTime() + 1) } })).toEqual(['STOP_REQUESTED'])
})

test.each<[string, Partial<ECS.ListServiceDeploymentsRequest>, RegExp]>([
  ['no such cluster', { cluster: 'x' }, /^ClusterNotFoundException: Cluster not found\.$/],
  ['no such service', { service: 'x' }, /^ServiceNotFoundException: Service not found\.$/],
  [
    'a service of another cluster',
    { service: service.replace('/c/', '/d/') },
    /^InvalidParameterException: Identifier is for d\. Your cluster is c$/,
  ],
  [
    'a status there is not',
    { status: ['DONE' as 'STOPPED'] },
    /^InvalidParameterException: status should be one of \[PENDING,SUCCESSFUL,/,
  ],
  ['no results', { maxResults: 0 }, /^InvalidParameterException: maxResults/],
  ['too many results', { maxResults: 101 }, /^InvalidParameterException: maxResults/],
  ['a token not ours', { nextToken: 'x' }, /^InvalidParameterException: /],
])('refuses to list service deployments: %s', (_, input, refusal) => {
  expect(refusalOf(() => list(input))).toMatch(refusal)
})

const missing = 'arn:aws:ecs:us-east-1:000000000000:service-deployment/c/web/NCWGC2ZR-taawPAYrIaU5'
test('what is not there is missing, and of another region too', () => {
  const foreign = newest().replace('us-east-1', 'eu-west-1')
  expect(describe(missing, foreign)).toEqual({
    serviceDeployments: [],
    failures: [
      { arn: missing, reason: 'MISSING' },
      { arn: foreign, reason: 'MISSING' },
    ],
  })
})

test.each<[string, string[], RegExp]>([
  ['none', [], /cannot be empty/],
  ['too many', Array.from({ length: 21 }, (_, index) => `${missing}${index}`), /can have at most 20 items/],
  ['no ARN', ['web'], /^InvalidParameterException: Invalid identifier: web$/],
  ['the ARN of a service', [service], /^InvalidParameterException: Unsupported resource type: service$/],
])('refuses to describe service deployments and revisions: %s', (_, arns, refusal) => {
  expect(refusalOf(() => describe(...arns))).toMatch(refusal)
  const revisions = arns.map((arn) => arn.replace('service-deployment', 'service-revision'))
  expect(refusalOf(() => describeServiceRevisions.run(context, { serviceRevisionArns: revisions }))).toMatch(
    refusal,
  )
})

test.each([
  [undefined, 'ROLLBACK_REQUESTED'],
  ['ROLLBACK', 'ROLLBACK_REQUESTED'],
  ['ABORT', 'STOP_REQUESTED'],
] as const)(
  'stopped by %s a service deployment is %s, and stays so when it is asked again',
  (type, status) => {
    const arn = newest()
    expect(stop(arn, type)).toEqual({ serviceDeploymentArn: arn })
    const stopped = describe(arn)
    expect(stopped.serviceDeployments).toMatchObject([{ status }])
    context.clock.advance(1_000)
    expect(stop(arn)).toEqual({ serviceDeploymentArn: arn })
    expect(stop(arn, 'ABORT')).toEqual({ serviceDeploymentArn: arn })
    expect(describe(arn)).toEqual(stopped)
  },
)

test('a service deployment that has finished cannot be stopped', () => {
  const arn = newest()
  context.store.update((tx) => {
    const row = tx.find('serviceDeployment', arn)
    if (!row) return
    const outcome = progressOf(tx, row)
    tx.put('serviceDeployment', finish(start(row, 1), 'SUCCESSFUL', { now: 2, outcome }))
  })
  const before = describe(arn)
  expect(refusalOf(() => stop(arn))).toBe(
    'ConflictException: The service deployment cannot be stopped because it has finished with the status SUCCESSFUL.',
  )
  expect(describe(arn)).toEqual(before)
})

test.each<[string, () => unknown, RegExp]>([
  ['stop: unknown', () => stop(missing), /^ServiceDeploymentNotFoundException: /],
  [
    'stop: another thing',
    () => stop(service),
    /^InvalidParameterException: Unsupported resource type: service$/,
  ],
  ['stop: no ARN', () => stop('x'), /^InvalidParameterException: Invalid identifier: x$/],
  [
    'stop: unknown type',
    () => stop(missing, 'NOW' as 'ABORT'),
    /^InvalidParameterException: stopType should be one of \[ABORT,ROLLBACK\]$/,
  ],
  ['continue: unknown', () => goOn(missing), /^ServiceDeploymentNotFoundException: /],
  ['continue: no hook', () => goOn(newest(), ''), /^InvalidParameterException: hookId cannot be empty\.$/],
  [
    'continue: unknown action',
    () => goOn(newest(), 'h', 'STOP' as 'CONTINUE'),
    /^InvalidParameterException: action should be one of \[CONTINUE,ROLLBACK\]$/,
  ],
  [
    'continue: no hook awaits it',
    () => goOn(newest()),
    /^InvalidParameterException: The lifecycle hook ecs-pause-1 of the service deployment is not awaiting an action\.$/,
  ],
])('refuses to %s', (_, act, refusal) => {
  const before = describe(newest())
  expect(refusalOf(act)).toMatch(refusal)
  expect(describe(newest())).toEqual(before)
})

function goOn(
  serviceDeploymentArn: string,
  hookId = 'ecs-pause-1',
  action?: ECS.DeploymentLifecycleHookAction,
): unknown {
  return continueServiceDeployment.run(context, {
    serviceDeploymentArn,
    hookId,
    ...(action && { action }),
  })
}

test('requests are authorized on the service and on what they name', () => {
  expect(describeServiceDeployments.resources(context, { serviceDeploymentArns: [missing] })).toEqual([
    service,
    missing,
  ])
  const revision = missing.replace('service-deployment', 'service-revision')
  expect(describeServiceRevisions.resources(context, { serviceRevisionArns: [revision] })).toEqual([
    service,
    revision,
  ])
  expect(listServiceDeployments.resources(context, { cluster: 'c', service: 'web' })).toEqual([service])
})
