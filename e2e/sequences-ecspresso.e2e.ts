/**
 * The calls of ecspresso's commands, in its order and with its reading of the answers.
 * https://github.com/kayac/ecspresso
 */
import {
  type ContainerDefinition,
  type ECS,
  type Service,
  type UpdateServiceCommandInput,
  waitUntilServicesStable,
  waitUntilTasksRunning,
  waitUntilTasksStopped,
} from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Account } from './account.ts'
import { Stage } from './stage.ts'
import { eventually } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await Stage.start()
})
afterAll(() => stage.end())

const cluster = 'spresso'
const tags = [{ key: 'app', value: 'web' }]
const web: ContainerDefinition = { name: 'web', image: 'nginx', memory: 64, essential: true }
const wait = { minDelay: 0.2, maxDelay: 0.2, maxWaitTime: 30 }

/** `DescribeService`: undefined where ecspresso says that the service is not found and creates it. */
async function describeService(ecs: ECS, service = 'web'): Promise<Service | undefined> {
  const { services } = await ecs.describeServices({ cluster, services: [service], include: ['TAGS'] })
  const [found] = services ?? []
  return found?.status === 'INACTIVE' ? undefined : found
}

async function register(ecs: ECS, container: ContainerDefinition): Promise<string> {
  const { taskDefinition } = await ecs.registerTaskDefinition({
    family: 'web',
    containerDefinitions: [container],
    // Without one, AWS refuses services with enableExecuteCommand.
    taskRoleArn: 'arn:aws:iam::000000000000:role/web',
    volumes: [],
    placementConstraints: [],
    tags,
  })
  return taskDefinition?.taskDefinitionArn ?? ''
}

async function stable(ecs: ECS): Promise<void> {
  await waitUntilServicesStable({ client: ecs, ...wait }, { cluster, services: ['web'], include: ['TAGS'] })
}

/** `deploy` of a service that is not there. */
async function deployed(more: object = {}): Promise<Account & { first: string }> {
  const account = await stage.withCluster(cluster)
  const { ecs } = account
  expect(await describeService(ecs)).toBeUndefined()
  const first = await register(ecs, web)
  await ecs.createService({
    cluster,
    serviceName: 'web',
    taskDefinition: first,
    desiredCount: 2,
    deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 100 },
    enableECSManagedTags: true,
    enableExecuteCommand: true,
    launchType: 'EC2',
    placementConstraints: [],
    placementStrategy: [],
    propagateTags: 'SERVICE',
    schedulingStrategy: 'REPLICA',
    tags,
    ...more,
  })
  await stable(ecs)
  return Object.assign(account, { first })
}

test.concurrent('deploy creates what is not there, and the service says all that ecspresso shows', async () => {
  const { ecs, first } = await deployed()
  const service = await describeService(ecs)
  expect(service).toMatchObject({
    serviceName: 'web',
    status: 'ACTIVE',
    taskDefinition: first,
    runningCount: 2,
    pendingCount: 0,
    tags,
    deployments: [{ status: 'PRIMARY', desiredCount: 2, runningCount: 2, pendingCount: 0 }],
  })
  // Nobody named a deployment controller: ecspresso takes that for ECS, and waits for anything else in other ways.
  expect([undefined, 'ECS']).toContain(service?.deploymentController?.type)
  const times = (service?.events ?? []).map(({ createdAt }) => createdAt?.getTime() ?? 0)
  expect(times).toEqual(times.toSorted((a, b) => b - a))
  const { taskArns } = await ecs.listTasks({ cluster, family: 'web', desiredStatus: 'RUNNING' })
  const { tasks } = await ecs.describeTasks({ cluster, tasks: taskArns, include: ['TAGS'] })
  expect(tasks?.map((task) => task.tags)).toEqual([
    expect.arrayContaining(tags),
    expect.arrayContaining(tags),
  ])
})

test.concurrent('deploy sends all attributes of the service as they were described, then the definition', async () => {
  const { ecs } = await deployed()
  const service = await describeService(ecs)
  if (!service) throw new Error('there is no service')
  const second = await register(ecs, { ...web, image: 'nginx:2' })
  const attributes: UpdateServiceCommandInput = {
    cluster,
    service: 'web',
    taskDefinition: second,
    forceNewDeployment: false,
    capacityProviderStrategy: service.capacityProviderStrategy,
    deploymentConfiguration: { ...service.deploymentConfiguration, minimumHealthyPercent: 50 },
    desiredCount: service.desiredCount,
    enableECSManagedTags: service.enableECSManagedTags,
    enableExecuteCommand: service.enableExecuteCommand,
    healthCheckGracePeriodSeconds: service.healthCheckGracePeriodSeconds,
    loadBalancers: service.loadBalancers,
    networkConfiguration: service.networkConfiguration,
    placementConstraints: service.placementConstraints,
    placementStrategy: service.placementStrategy,
    platformVersion: service.platformVersion,
    propagateTags: service.propagateTags,
    serviceRegistries: service.serviceRegistries,
  }
  await ecs.updateService(attributes)
  await ecs.tagResource({ resourceArn: service.serviceArn, tags: [{ key: 'stage', value: 'dev' }] })
  await ecs.untagResource({ resourceArn: service.serviceArn, tagKeys: ['app'] })
  await ecs.updateService({
    cluster,
    service: 'web',
    taskDefinition: second,
    desiredCount: 3,
    forceNewDeployment: false,
  })
  await stable(ecs)
  expect(await describeService(ecs)).toMatchObject({
    taskDefinition: second,
    desiredCount: 3,
    deploymentConfiguration: { minimumHealthyPercent: 50 },
    tags: [{ key: 'stage', value: 'dev' }],
  })
})

test.concurrent('refresh is a new deployment of what runs; scale is none', async () => {
  const { ecs, first } = await deployed()
  const primary = async () => (await describeService(ecs))?.deployments?.[0]?.id
  const before = await primary()
  await ecs.updateService({ cluster, service: 'web', taskDefinition: first, forceNewDeployment: true })
  await stable(ecs)
  const refreshed = await primary()
  expect(refreshed).not.toBe(before)
  await ecs.updateService({ cluster, service: 'web', taskDefinition: first, desiredCount: 1 })
  await stable(ecs)
  expect(await describeService(ecs)).toMatchObject({ desiredCount: 1, runningCount: 1 })
  expect(await primary()).toBe(refreshed)
})

test.concurrent('rollback goes to the revision before and deregisters what it left', async () => {
  const { ecs, first } = await deployed()
  const second = await register(ecs, { ...web, image: 'nginx:2' })
  await ecs.updateService({ cluster, service: 'web', taskDefinition: second })
  await stable(ecs)
  const { taskDefinitionArns } = await ecs.listTaskDefinitions({
    familyPrefix: 'web',
    maxResults: 100,
    sort: 'DESC',
  })
  expect(taskDefinitionArns).toEqual([second, first])
  await ecs.updateService({ cluster, service: 'web', taskDefinition: first, forceNewDeployment: false })
  await stable(ecs)
  await ecs.deregisterTaskDefinition({ taskDefinition: second })
  // revisions --delete: what is INACTIVE may be deleted, by family:revision, up to ten at once.
  expect(await ecs.deleteTaskDefinitions({ taskDefinitions: ['web:2'] })).toMatchObject({
    taskDefinitions: [{ taskDefinitionArn: second, status: 'DELETE_IN_PROGRESS' }],
    failures: [],
  })
  expect(await describeService(ecs)).toMatchObject({ taskDefinition: first, runningCount: 2 })
  const latest = await ecs.listTaskDefinitions({ familyPrefix: 'web', maxResults: 1, sort: 'DESC' })
  expect(latest.taskDefinitionArns).toEqual([first])
})

test.concurrent('run waits for the task and reads how its container ended', async () => {
  const { ecs } = await deployed()
  const taskDefinition = await register(ecs, { ...web, image: 'exits-3' })
  const answer = await ecs.runTask({
    cluster,
    taskDefinition,
    launchType: 'EC2',
    overrides: { containerOverrides: [{ name: 'web', command: ['true'] }] },
    count: 1,
    placementConstraints: [],
    placementStrategy: [],
    tags,
    enableECSManagedTags: true,
    enableExecuteCommand: true,
    clientToken: 'run-1',
    volumeConfigurations: [],
  })
  expect(answer).toMatchObject({ failures: [], tasks: [{ group: 'family:web' }] })
  const tasks = [answer.tasks?.[0]?.taskArn ?? '']
  await waitUntilTasksStopped({ client: ecs, ...wait }, { cluster, tasks })
  const described = await ecs.describeTasks({ cluster, tasks })
  expect(described.tasks?.[0]).toMatchObject({
    stopCode: 'EssentialContainerExited',
    stoppedReason: 'Essential container in task exited',
    containers: [{ name: 'web', exitCode: 3 }],
  })
})

test.concurrent('run --wait-until running, and a task that cannot start', async () => {
  const { ecs, first } = await deployed()
  const { tasks: [ran] = [] } = await ecs.runTask({ cluster, taskDefinition: first, count: 1 })
  await waitUntilTasksRunning({ client: ecs, ...wait }, { cluster, tasks: [ran?.taskArn ?? ''] })
  const broken = await register(ecs, { ...web, image: 'unpullable' })
  const { tasks: [failing] = [] } = await ecs.runTask({ cluster, taskDefinition: broken, count: 1 })
  const tasks = [failing?.taskArn ?? '']
  await waitUntilTasksStopped({ client: ecs, ...wait }, { cluster, tasks })
  const described = await ecs.describeTasks({ cluster, tasks })
  expect(described.tasks?.[0]).toMatchObject({
    stopCode: 'TaskFailedToStart',
    stoppedReason: expect.stringContaining('CannotPullContainerError') as unknown,
  })
})

test.concurrent('wait, verify, diff and init read; propagate-tags of run reads the tags of the service', async () => {
  const { ecs, first } = await deployed()
  await stable(ecs)
  expect((await ecs.describeClusters({ clusters: [cluster] })).clusters).toMatchObject([
    { clusterName: cluster, status: 'ACTIVE' },
  ])
  const { taskDefinition, tags: read } = await ecs.describeTaskDefinition({
    taskDefinition: first,
    include: ['TAGS'],
  })
  expect(read).toEqual(tags)
  // What diff and init write must be taken again as it is.
  const { family = '', containerDefinitions, volumes, placementConstraints } = taskDefinition ?? {}
  const again = await ecs.registerTaskDefinition({
    family,
    taskRoleArn: taskDefinition?.taskRoleArn,
    containerDefinitions,
    volumes,
    placementConstraints,
  })
  expect(again.taskDefinition?.containerDefinitions).toEqual(containerDefinitions)
  const service = await describeService(ecs)
  expect(await ecs.listTagsForResource({ resourceArn: service?.serviceArn })).toMatchObject({ tags })
})

test.concurrent('status of newer versions comes from the service to its revisions and deployments', async () => {
  const { ecs, first } = await deployed()
  const service = await describeService(ecs)
  const { serviceDeployments } = await ecs.listServiceDeployments({ cluster, service: 'web' })
  expect(service?.currentServiceDeployment).toBe(serviceDeployments?.[0]?.serviceDeploymentArn)
  const serviceRevisionArns = service?.currentServiceRevisions?.map(({ arn = '' }) => arn)
  expect(serviceRevisionArns).toEqual([serviceDeployments?.[0]?.targetServiceRevisionArn])
  expect(await ecs.describeServiceRevisions({ serviceRevisionArns })).toMatchObject({
    serviceRevisions: [{ taskDefinition: first, launchType: 'EC2' }],
    failures: [],
  })
})

test.concurrent('exec is ExecuteCommand of a task of the service', async () => {
  const { ecs } = await deployed()
  const { taskArns } = await ecs.listTasks({ cluster, serviceName: 'web' })
  await expect(
    ecs.executeCommand({ cluster, task: taskArns?.[0], interactive: true, command: 'sh', container: 'web' }),
  ).rejects.toThrow('The execute command failed')
})

test.concurrent('delete takes a service that was scaled in, or any with --terminate', async () => {
  const { ecs } = await deployed()
  await expect(ecs.deleteService({ cluster, service: 'web', force: false })).rejects.toThrow(
    'The service cannot be stopped while it is scaled above 0.',
  )
  await ecs.deleteService({ cluster, service: 'web', force: true })
  await eventually('the service is not found', async () => !(await describeService(ecs)) || undefined)
})
