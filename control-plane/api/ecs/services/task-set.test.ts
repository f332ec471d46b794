import type { CreateTaskSetRequest } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import type { Service } from '#domain/service.ts'
import { createWeb, external, putDefinitions } from './service-testing.ts'
import { updateService } from './service-update.ts'
import { deleteService, describeServices } from './service.ts'
import { listTagsForResource, tagResource, untagResource } from '#api/ecs/tag.ts'
import { createTaskSet } from './task-set-create.ts'
import { deleteTaskSet, describeTaskSets, updateServicePrimaryTaskSet, updateTaskSet } from './task-set.ts'
import { putCluster, putTaskDefinition, refusalOf } from '#api/ecs/testing-rows.ts'

let context: TestContext

beforeEach(async () => {
  context = await testContext()
  putCluster(context, 'c')
  putDefinitions(context)
  putTaskDefinition(context, 'web:2')
  createWeb(context, external)
})

const where = { cluster: 'c', service: 'web' }
const invalid = 'InvalidParameterException: '
const notFound = 'TaskSetNotFoundException: The specified task set does not exist.'
const create = (input: Partial<CreateTaskSetRequest> = {}) =>
  createTaskSet.run(context, { ...where, taskDefinition: 'web:1', ...input }).taskSet ?? {}
const describeAll = (taskSets: Array<string | undefined>, include?: ['TAGS']) =>
  describeTaskSets.run(context, {
    ...where,
    taskSets: taskSets.map((ref) => ref ?? ''),
    ...(include && { include }),
  })
const scale = (taskSet: string | undefined, value: number) =>
  updateTaskSet.run(context, { ...where, taskSet, scale: { value, unit: 'PERCENT' } }).taskSet
const makePrimary = (primaryTaskSet: string | undefined) =>
  updateServicePrimaryTaskSet.run(context, { ...where, primaryTaskSet }).taskSet
const remove = (taskSet: string | undefined, force = false) =>
  deleteTaskSet.run(context, { ...where, taskSet, force }).taskSet
const service = (include?: ['TAGS']) =>
  describeServices.run(context, { cluster: 'c', services: ['web'], ...(include && { include }) })
    .services?.[0]

function change(with_: Partial<Service>): void {
  context.store.update((tx) => {
    for (const row of tx.list('service')) tx.put('service', { ...row, ...with_ })
  })
}

test('a task set is shown as AWS does, scaled to the whole service unless it is said', () => {
  const now = new Date(context.clock.now())
  const taskSet = create({ externalId: 'release-7' })
  expect(taskSet).toEqual({
    id: expect.stringMatching(/^ecs-svc\/[1-9]\d{18}$/),
    taskSetArn: `arn:aws:ecs:us-east-1:000000000000:task-set/c/web/${taskSet.id}`,
    serviceArn: 'arn:aws:ecs:us-east-1:000000000000:service/c/web',
    clusterArn: 'arn:aws:ecs:us-east-1:000000000000:cluster/c',
    externalId: 'release-7',
    status: 'ACTIVE',
    taskDefinition: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1',
    computedDesiredCount: 2,
    pendingCount: 0,
    runningCount: 0,
    createdAt: now,
    updatedAt: now,
    launchType: 'EC2',
    loadBalancers: [],
    serviceRegistries: [],
    scale: { value: 100, unit: 'PERCENT' },
    stabilityStatus: 'STABILIZING',
    stabilityStatusAt: now,
    tags: [],
  })
  scale(taskSet.id, 0)
  expect(describeAll([taskSet.id]).taskSets).toMatchObject([{ stabilityStatus: 'STEADY_STATE' }])
})

test('runs its share of what the service desires, rounded up', () => {
  updateService.run(context, { ...where, desiredCount: 4 })
  const { id } = create({ scale: { value: 30, unit: 'PERCENT' } })
  expect(describeAll([id]).taskSets).toMatchObject([
    { computedDesiredCount: 2, stabilityStatus: 'STABILIZING' },
  ])
  expect(scale(id, 25)).toMatchObject({ computedDesiredCount: 1, scale: { value: 25, unit: 'PERCENT' } })
  updateService.run(context, { ...where, desiredCount: 10 })
  expect(service()?.taskSets).toMatchObject([{ computedDesiredCount: 3 }])
})

test('one task set is primary, and the service says what it says', () => {
  const first = create()
  expect(service()).not.toHaveProperty('taskDefinition')
  expect(makePrimary(first.taskSetArn)).toMatchObject({ id: first.id, status: 'PRIMARY' })
  expect(service()).toMatchObject({
    taskDefinition: first.taskDefinition,
    deployments: [],
    taskSets: [{ status: 'PRIMARY' }],
  })
  const second = create({ taskDefinition: 'web:2', launchType: 'EXTERNAL' })
  expect(service()?.taskSets?.map(({ status }) => status)).toEqual(['PRIMARY', 'ACTIVE'])
  makePrimary(second.id)
  expect(service()?.taskSets?.map(({ status }) => status)).toEqual(['ACTIVE', 'PRIMARY'])
  expect(service()).toMatchObject({ taskDefinition: second.taskDefinition, launchType: 'EXTERNAL' })
})

test('a task set with a network tells the service of it', () => {
  const networkConfiguration = { awsvpcConfiguration: { subnets: ['a'] } }
  const { id } = create({ taskDefinition: 'vpc', networkConfiguration })
  makePrimary(id)
  expect(service()?.networkConfiguration).toEqual({
    awsvpcConfiguration: { subnets: ['a'], securityGroups: [], assignPublicIp: 'DISABLED' },
  })
  const { id: other } = create()
  makePrimary(other)
  expect(service()).not.toHaveProperty('networkConfiguration')
})

test('the primary task set stays, and one that is scaled is deleted by force only', () => {
  const first = create()
  makePrimary(first.id)
  expect(refusalOf(() => remove(first.id, true))).toBe(`${invalid}Primary TaskSet cannot be deleted`)
  const second = create({ scale: { value: 100, unit: 'PERCENT' } })
  expect(refusalOf(() => remove(second.id))).toBe(
    `${invalid}The TaskSet cannot be deleted while it is scaled above 0.`,
  )
  expect(remove(second.taskSetArn, true)).toMatchObject({
    id: second.id,
    status: 'DRAINING',
    computedDesiredCount: 0,
  })
  expect(describeAll([second.id])).toEqual({
    taskSets: [],
    failures: [{ arn: second.taskSetArn, reason: 'MISSING' }],
  })
  expect(refusalOf(() => remove(second.id, true))).toBe(notFound)
  expect(refusalOf(() => scale(second.id, 1))).toBe(notFound)
  expect(refusalOf(() => makePrimary(second.id))).toBe(notFound)
})

test('a service has at most five task sets', () => {
  for (let count = 0; count < 5; count++) create()
  expect(refusalOf(() => create())).toBe(
    `${invalid}5 deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.`,
  )
})

test('the same request with the same token is the same task set', () => {
  const first = create({ clientToken: 't' })
  expect(create({ clientToken: 't' })).toEqual(first)
  expect(refusalOf(() => create({ clientToken: 't', externalId: 'x' }))).toBe(
    `${invalid}Creation of task set was not idempotent.`,
  )
  remove(first.id, true)
  expect(create({ clientToken: 't', externalId: 'x' }).id).not.toBe(first.id)
})

test('refuses tags that no resource can have, and creates nothing', () => {
  expect(refusalOf(() => create({ tags: [{ key: 'aws:x', value: '' }] }))).toMatch(/^Invalid.*Tag key/)
  expect(context.store.size('taskSet')).toBe(0)
})

test('task sets have tags, which answers show where they are asked for', () => {
  const tags = [{ key: 'a', value: 'b' }]
  const { taskSetArn = '', id } = create({ tags })
  expect(describeAll([id]).taskSets?.[0]).not.toHaveProperty('tags')
  expect(describeAll([id], ['TAGS']).taskSets).toMatchObject([{ tags }])
  expect(service()?.taskSets).toMatchObject([{ tags: [] }])
  expect(service(['TAGS'])?.taskSets).toMatchObject([{ tags }])
  tagResource.run(context, { resourceArn: taskSetArn, tags: [{ key: 'c', value: 'd' }] })
  untagResource.run(context, { resourceArn: taskSetArn, tagKeys: ['a'] })
  expect(listTagsForResource.run(context, { resourceArn: taskSetArn }).tags).toEqual([
    { key: 'c', value: 'd' },
  ])
  remove(id, true)
  expect(context.store.size('resourceTags')).toBe(0)
})

const loadBalancer = { containerName: 'app', containerPort: 80, targetGroupArn: 'arn:tg' }
test.each<[string, Partial<CreateTaskSetRequest>, string]>([
  ['cluster', { cluster: 'x' }, 'ClusterNotFoundException: Cluster not found.'],
  ['service', { service: 'x' }, 'ServiceNotFoundException: Service not found.'],
  [
    'token',
    { clientToken: 'a'.repeat(37) },
    `${invalid}clientToken must have between 1 and 36 characters, each of ASCII 33 to 126.`,
  ],
  ['unit', { scale: { unit: 'X' as 'PERCENT' } }, `${invalid}scale unit should be one of [PERCENT]`],
  ['scale above 100', { scale: { value: 100.1 } }, `${invalid}The scale value must be between 0 and 100.`],
  ['negative scale', { scale: { value: -1 } }, `${invalid}The scale value must be between 0 and 100.`],
  [
    'launch type',
    { launchType: 'SOMETHING' as 'EC2' },
    `${invalid}launch type should be one of [EC2,FARGATE,EXTERNAL]`,
  ],
  [
    'both capacities',
    { launchType: 'EC2', capacityProviderStrategy: [{ capacityProvider: 'a' }] },
    `${invalid}Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.`,
  ],
  ['unknown definition', { taskDefinition: 'x' }, 'ClientException: TaskDefinition not found.'],
  ['inactive definition', { taskDefinition: 'old:1' }, 'ClientException: TaskDefinition is inactive'],
  [
    'network',
    { taskDefinition: 'vpc' },
    `${invalid}Network Configuration must be provided when networkMode 'awsvpc' is specified.`,
  ],
  [
    'platform',
    { platformVersion: '1.4.0' },
    `${invalid}The platform version must be null when specifying an EC2 launch type.`,
  ],
  [
    'two balancers',
    { loadBalancers: [loadBalancer, { ...loadBalancer, targetGroupArn: 'arn:2' }] },
    `${invalid}load balancers can have at most 1 items.`,
  ],
  [
    'Classic Load Balancer',
    { loadBalancers: [{ ...loadBalancer, targetGroupArn: undefined, loadBalancerName: 'x' }] },
    `${invalid}Task sets support Application Load Balancers and Network Load Balancers only.`,
  ],
  [
    'container',
    { loadBalancers: [{ ...loadBalancer, containerName: 'nope' }] },
    `${invalid}The container nope does not exist in the task definition.`,
  ],
  [
    'two registries',
    { serviceRegistries: [{}, {}] },
    `${invalid}service registries can have at most 1 items.`,
  ],
  [
    'balancer',
    { loadBalancers: [loadBalancer] },
    'UnsupportedFeatureException: Berth does not support load balancers of task sets yet. Leave it out of the task set.',
  ],
  [
    'registry',
    { serviceRegistries: [{ registryArn: 'arn:r', containerName: 'app', containerPort: 80 }] },
    'UnsupportedFeatureException: Berth does not support service discovery yet. Leave it out of the task set.',
  ],
])('refuses to create a task set: %s', (_, input, message) => {
  expect(refusalOf(() => create(input))).toBe(message)
  expect(context.store.size('taskSet')).toBe(0)
})

test.each(['arn:aws:ecs:us-east-1:000000000000:task/c/0123456789abcdef0123456789abcdef', '1', ''])(
  'knows no task set by %j',
  (ref) => {
    const unknown = `${invalid}Task Set Identifier is invalid`
    expect(refusalOf(() => describeAll([ref]))).toBe(unknown)
    expect(refusalOf(() => scale(ref, 1))).toBe(unknown)
    expect(refusalOf(() => remove(ref))).toBe(unknown)
    expect(refusalOf(() => makePrimary(ref))).toBe(unknown)
  },
)

test('what is to be described belongs to the service; all task sets when none is named', () => {
  const { taskSetArn } = create()
  expect(refusalOf(() => describeAll([]))).toBe(`${invalid}TaskSets cannot be empty.`)
  expect(describeTaskSets.run(context, where).taskSets).toMatchObject([{ taskSetArn }])
  createWeb(context, { ...external, serviceName: 'other' })
  expect(
    describeTaskSets.run(context, { cluster: 'c', service: 'other', taskSets: [taskSetArn ?? ''] }),
  ).toEqual({ taskSets: [], failures: [{ arn: taskSetArn, reason: 'MISSING' }] })
})

test.each(['ECS', 'CODE_DEPLOY'] as const)(
  'a service that %s deploys lets nobody manage task sets',
  (type) => {
    change({ deploymentController: { type } })
    const only = `${invalid}Amazon ECS only supports task set management on services configured to use external deployment controllers.`
    expect(refusalOf(() => create())).toBe(only)
    expect(refusalOf(() => describeAll(['ecs-svc/1']))).toBe(only)
    expect(refusalOf(() => scale('ecs-svc/1', 1))).toBe(only)
    expect(refusalOf(() => makePrimary('ecs-svc/1'))).toBe(only)
    expect(refusalOf(() => remove('ecs-svc/1'))).toBe(only)
  },
)

test('a service that is being deleted takes no task set', () => {
  change({ status: 'DRAINING' })
  expect(refusalOf(() => create())).toBe('ServiceNotActiveException: Service was not ACTIVE.')
})

test('a service with task sets is deleted by force, and they with it', () => {
  create({ tags: [{ key: 'a', value: 'b' }] })
  const drop = (force: boolean) => deleteService.run(context, { cluster: 'c', service: 'web', force }).service
  expect(refusalOf(() => drop(false))).toBe(
    `${invalid}The service cannot be stopped while it is scaled above 0.`,
  )
  updateService.run(context, { ...where, desiredCount: 0 })
  expect(refusalOf(() => drop(false))).toBe(
    `${invalid}The service cannot be stopped while deployments are active.`,
  )
  expect(drop(true)).toMatchObject({ status: 'DRAINING', taskSets: [] })
  expect(context.store.size('taskSet') + context.store.size('resourceTags')).toBe(0)
})
