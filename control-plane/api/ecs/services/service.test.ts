import type {
  CreateServiceRequest,
  ListServicesByNamespaceRequest,
  ListServicesRequest,
  UpdateServiceRequest,
} from '@aws-sdk/client-ecs'
import { beforeEach, describe, expect, test } from 'vitest'
import { type TestContext, testContext } from '#api/testing.ts'
import { arnName } from '#domain/arn.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { Deployment, Service } from '#domain/service.ts'
import { newTask, type Task } from '#domain/task.ts'
import { createService } from './service-create.ts'
import { updateService } from './service-update.ts'
import { deleteService, describeServices, listServices, listServicesByNamespace } from './service.ts'
import { putCluster, putTaskDefinition, refusalOf } from '#api/ecs/testing-rows.ts'

let context: TestContext
let cluster: Cluster

beforeEach(async () => {
  context = await testContext()
  cluster = putCluster(context, 'c')
  putTaskDefinition(context, 'web:1', {}, { taskRoleArn: 'arn:aws:iam::000000000000:role/web' })
  putTaskDefinition(context, 'web:2')
})

const create = (input: Partial<CreateServiceRequest> = {}) =>
  createService.run(context, {
    cluster: 'c',
    serviceName: 'web',
    taskDefinition: 'web:1',
    desiredCount: 2,
    ...input,
  }).service
const update = (input: Partial<UpdateServiceRequest> = {}) =>
  updateService.run(context, { cluster: 'c', service: 'web', ...input }).service
const remove = (force = false) => deleteService.run(context, { cluster: 'c', service: 'web', force }).service
const show = () => describeServices.run(context, { cluster: 'c', services: ['web'] }).services?.[0]
const list = () => listServices.run(context, { cluster: 'c' }).serviceArns

function change(with_: Partial<Service>): void {
  context.store.update((tx) => {
    for (const service of tx.list('service')) tx.put('service', { ...service, ...with_ })
  })
}

/** A task of the deployment, made as engines make one. */
function putTask(deployment: Deployment, more: Partial<Task>): void {
  const { store, scope, ids } = context
  const [taskDefinition] = store.list('taskDefinition')
  if (!taskDefinition) throw new Error('there is none')
  const task = newTask({
    scope,
    cluster,
    taskDefinition,
    ids,
    now: 0,
    group: 'service:web',
    service: deployment,
    launchType: 'EC2',
    enableExecuteCommand: false,
  })
  const { serviceArn, deploymentId } = deployment
  store.update((tx) => tx.put('task', { ...task, serviceArn, deploymentId, ...more }))
}

describe('with a service', () => {
  const primary = (): Deployment => {
    const found = context.store.list('deployment').find(({ status }) => status === 'PRIMARY')
    if (!found) throw new Error('there is no PRIMARY')
    return found
  }
  beforeEach(() => void create())

  test('a new revision starts a new deployment, which is shown first', () => {
    const before = primary()
    context.clock.advance(1000)
    const after = update({ taskDefinition: 'web:2' })
    expect(after?.taskDefinition).toMatch(/web:2$/)
    expect(after?.deployments).toMatchObject([
      { status: 'PRIMARY', taskDefinition: expect.stringMatching(/web:2$/), desiredCount: 2 },
      {
        id: before.deploymentId,
        status: 'ACTIVE',
        taskDefinition: expect.stringMatching(/web:1$/),
        desiredCount: 0,
      },
    ])
  })

  test.each<[string, Partial<UpdateServiceRequest>]>([
    ['the count', { desiredCount: 5 }],
    ['the same revision', { taskDefinition: 'web:1' }],
    ['the deployment configuration', { deploymentConfiguration: { maximumPercent: 150 } }],
    [
      'placement',
      {
        placementStrategy: [{ type: 'random' }],
        placementConstraints: [],
        availabilityZoneRebalancing: 'DISABLED',
      },
    ],
    ['tags', { propagateTags: 'SERVICE', enableECSManagedTags: true }],
    ['exec', { enableExecuteCommand: true }],
    ['grace', { healthCheckGracePeriodSeconds: 60 }],
    ['rebalancing', { availabilityZoneRebalancing: 'DISABLED' }],
  ])('a change of %s starts no deployment', (_, input) => {
    const before = primary()
    context.clock.advance(1000)
    expect(update(input)?.deployments).toMatchObject([
      { id: before.deploymentId, createdAt: new Date(before.createdAt) },
    ])
    expect(context.store.size('deployment')).toBe(1)
  })

  test('a new deployment can be forced', () => {
    const { deploymentId } = primary()
    expect(update({ forceNewDeployment: true })?.deployments).toHaveLength(2)
    expect(primary().deploymentId).not.toBe(deploymentId)
  })

  test('goes on with its revision when that is INACTIVE by now, and takes no other such', () => {
    putTaskDefinition(context, 'web:1', {}, { status: 'INACTIVE' })
    expect(update({ desiredCount: 3 })?.desiredCount).toBe(3)
    expect(refusalOf(() => update({ taskDefinition: 'web:1' }))).toBe(
      'ClientException: TaskDefinition is inactive',
    )
  })

  test('counts are those of its tasks, by deployment and in all', () => {
    const first = primary()
    putTask(first, { lastStatus: 'RUNNING' })
    putTask(first, { lastStatus: 'RUNNING', desiredStatus: 'STOPPED' })
    putTask(first, { lastStatus: 'STOPPED', desiredStatus: 'STOPPED' })
    update({ taskDefinition: 'web:2' })
    putTask(primary(), { lastStatus: 'PENDING' })
    expect(show()).toMatchObject({
      runningCount: 2,
      pendingCount: 1,
      deployments: [
        { status: 'PRIMARY', desiredCount: 2, runningCount: 0, pendingCount: 1 },
        { status: 'ACTIVE', desiredCount: 1, runningCount: 2, pendingCount: 0 },
      ],
    })
  })

  test('a deployment that is over is shown no more, so that waiters see the service stable', () => {
    const first = primary()
    update({ taskDefinition: 'web:2' })
    context.store.update((tx) => tx.put('deployment', { ...first, status: 'INACTIVE' }))
    for (let count = 0; count < 2; count++) putTask(primary(), { lastStatus: 'RUNNING' })
    const shown = show()
    expect(shown?.deployments).toMatchObject([{ id: primary().deploymentId }])
    expect(shown?.runningCount).toBe(shown?.desiredCount)
  })

  test('shows the newest hundred events, the newest first', () => {
    const serviceArn = show()?.serviceArn ?? ''
    context.store.update((tx) => {
      for (let sequence = 1; sequence <= 101; sequence++)
        tx.put('serviceEvent', { serviceArn, sequence, id: `${sequence}`, createdAt: sequence, message: 'm' })
    })
    const events = show()?.events ?? []
    expect(events).toHaveLength(100)
    expect(events[0]).toEqual({ id: '101', createdAt: new Date(101), message: 'm' })
    expect(events.at(-1)?.id).toBe('2')
  })

  test('is deleted when scaled to 0, or by force, and drains until the last task has stopped', () => {
    expect(refusalOf(() => remove())).toBe(
      'InvalidParameterException: The service cannot be stopped while it is scaled above 0.',
    )
    putTask(primary(), { lastStatus: 'RUNNING' })
    update({ taskDefinition: 'web:2', desiredCount: 0 })
    expect(refusalOf(() => remove())).toBe(
      'InvalidParameterException: The service cannot be stopped while deployments are active.',
    )
    expect(remove(true)).toMatchObject({ status: 'DRAINING', desiredCount: 0 })
    expect(remove(true)).toMatchObject({ status: 'DRAINING' })
    expect(list()).toEqual([])
    expect(show()?.status).toBe('DRAINING')
    expect(refusalOf(() => create())).toBe(
      'InvalidParameterException: Unable to Start a service that is still Draining.',
    )
    expect(refusalOf(() => update({ desiredCount: 1 }))).toBe(
      'ServiceNotActiveException: Service was not ACTIVE.',
    )
  })

  test('the name of an INACTIVE service is free, and its history does not pass on', () => {
    const serviceArn = show()?.serviceArn ?? ''
    change({ status: 'INACTIVE', desiredCount: 0 })
    context.store.update((tx) =>
      tx.put('serviceEvent', { serviceArn, sequence: 1, id: '1', createdAt: 1, message: 'm' }),
    )
    expect(show()).toMatchObject({ status: 'INACTIVE', deployments: [] })
    expect(refusalOf(() => remove())).toBe('ServiceNotFoundException: Service not found.')
    expect(create()).toMatchObject({ status: 'ACTIVE', events: [], deployments: [{ status: 'PRIMARY' }] })
    expect(context.store.size('deployment')).toBe(1)
  })

  test('unknown services are missing, or not found', () => {
    expect(describeServices.run(context, { cluster: 'c', services: ['web', 'x'] })).toMatchObject({
      services: [{ serviceName: 'web' }],
      failures: [{ arn: 'arn:aws:ecs:us-east-1:000000000000:service/c/x', reason: 'MISSING' }],
    })
    expect(refusalOf(() => update({ service: 'x' }))).toBe('ServiceNotFoundException: Service not found.')
    const many = Array.from({ length: 11 }, (_, index) => `${index}`)
    expect(refusalOf(() => describeServices.run(context, { cluster: 'c', services: many }))).toMatch(
      /^Invalid/,
    )
  })

  test('lists services ten at a time', () => {
    for (let number = 0; number < 10; number++) create({ serviceName: `more-${number}` })
    const first = listServices.run(context, { cluster: 'c' })
    expect(first.serviceArns).toHaveLength(10)
    const { nextToken = '' } = first
    expect(listServices.run(context, { cluster: 'c', nextToken }).serviceArns).toHaveLength(1)
    expect(refusalOf(() => listServices.run(context, { cluster: 'x' }))).toBe(
      'ClusterNotFoundException: Cluster not found.',
    )
  })

  test.each<[string, Partial<ListServicesRequest>, string[]]>([
    ['EC2', { launchType: 'EC2' }, ['each', 'web']],
    ['Fargate', { launchType: 'FARGATE' }, []],
    ['EXTERNAL', { launchType: 'EXTERNAL' }, ['far']],
    ['daemons', { schedulingStrategy: 'DAEMON' }, ['each']],
    ['replicas', { schedulingStrategy: 'REPLICA' }, ['far', 'web']],
    ['both', { schedulingStrategy: 'REPLICA', launchType: 'EC2' }, ['web']],
    ['those of ECS', { resourceManagementType: 'ECS' }, []],
    ['those of the customer', { resourceManagementType: 'CUSTOMER' }, ['each', 'far', 'web']],
  ])('lists services by kind: %s', (_, filters, names) => {
    create({ serviceName: 'far', launchType: 'EXTERNAL' })
    create({ serviceName: 'each', schedulingStrategy: 'DAEMON', desiredCount: undefined })
    const { serviceArns = [] } = listServices.run(context, { cluster: 'c', ...filters })
    expect(serviceArns.map(arnName)).toEqual(names)
  })

  test('services are known by name, by ARN and by the short ARN of before 2018, in their own cluster only', () => {
    const long = 'arn:aws:ecs:us-east-1:000000000000:service/c/web'
    const found = (ref: string) =>
      describeServices.run(context, { cluster: 'c', services: [ref] }).services?.[0]?.serviceArn
    expect(['web', long, 'arn:aws:ecs:us-east-1:000000000000:service/web'].map(found)).toEqual([
      long,
      long,
      long,
    ])
    putCluster(context, 'default')
    expect(refusalOf(() => describeServices.run(context, { services: [long] }))).toBe(
      'InvalidParameterException: Identifier is for c. Your cluster is default',
    )
    expect(refusalOf(() => found('arn:aws:ecs:us-east-1:000000000000:cluster/c'))).toBe(
      'InvalidParameterException: Unsupported resource type: cluster',
    )
  })

  test('tags are shown where they are asked for', () => {
    create({ serviceName: 'tagged', tags: [{ key: 'a', value: 'b' }] })
    const shown = (include?: ['TAGS']) =>
      describeServices.run(context, { cluster: 'c', services: ['tagged'], ...(include && { include }) })
        .services?.[0]
    expect(shown()).not.toHaveProperty('tags')
    expect(shown(['TAGS'])?.tags).toEqual([{ key: 'a', value: 'b' }])
  })
})

test('a daemon is deleted as it stands', () => {
  create({ schedulingStrategy: 'DAEMON', desiredCount: undefined })
  expect(remove()).toMatchObject({ status: 'DRAINING' })
})

test('no namespace is ever found', () => {
  const inNamespace = (input: ListServicesByNamespaceRequest) =>
    refusalOf(() => listServicesByNamespace.run(context, input))
  expect(inNamespace({ namespace: 'n' })).toBe(
    'NamespaceNotFoundException: The specified namespace was not found.',
  )
  expect(inNamespace({ namespace: 'n', maxResults: 101 })).toBe(
    'InvalidParameterException: maxResults must be between 1 and 100.',
  )
})
