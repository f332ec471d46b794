/**
 * The calls of what deploys from pipelines: the GitHub action amazon-ecs-deploy-task-definition and ecs-deploy, in
 * their order and with their reading of the answers.
 */
import { DescribeSubnetsCommand, EC2Client } from '@aws-sdk/client-ec2'
import {
  type ContainerDefinition,
  type ECS,
  type Service,
  waitUntilServicesStable,
  waitUntilTasksStopped,
} from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Stage } from './stage.ts'
import { eventually } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await Stage.start()
})
afterAll(() => stage.end())

const cluster = 'pipeline'
const web: ContainerDefinition = { name: 'web', image: 'nginx', memory: 64 }
const wait = { minDelay: 0.2, maxDelay: 0.2, maxWaitTime: 90 }

async function register(ecs: ECS, container: ContainerDefinition): Promise<string> {
  const { taskDefinition } = await ecs.registerTaskDefinition({
    family: 'web',
    containerDefinitions: [container],
  })
  return taskDefinition?.taskDefinitionArn ?? ''
}

async function describe(ecs: ECS): Promise<Service> {
  const { services } = await ecs.describeServices({ cluster, services: ['web'] })
  if (!services?.[0]) throw new Error('there is no service')
  return services[0]
}

const primaryId = (service: Service | undefined): string | undefined =>
  service?.deployments?.find(({ status }) => status === 'PRIMARY')?.id

async function serviceOf(taskDefinition: ContainerDefinition, more: object = {}): Promise<ECS> {
  const { ecs } = await stage.withCluster(cluster)
  await ecs.createService({
    cluster,
    serviceName: 'web',
    taskDefinition: await register(ecs, taskDefinition),
    desiredCount: 1,
    ...more,
  })
  await waitUntilServicesStable({ client: ecs, ...wait }, { cluster, services: ['web'] })
  return ecs
}

/** What the action always sends, though nobody asked for it: nothing, as JavaScript says it. */
const unasked = {
  volumeConfigurations: [],
  enableECSManagedTags: null,
  propagateTags: null,
} as object

test.concurrent('the GitHub action finds its deployment after the service is stable', async () => {
  const ecs = await serviceOf(web)
  const taskDefinition = await register(ecs, { ...web, image: 'nginx:2' })
  const before = await describe(ecs)
  expect(before.status).toBe('ACTIVE')
  expect([undefined, 'ECS']).toContain(before.deploymentController?.type)
  const { service } = await ecs.updateService({
    cluster,
    service: 'web',
    taskDefinition,
    forceNewDeployment: false,
    desiredCount: 1,
    ...unasked,
  })
  const id = primaryId(service)
  expect(id).not.toBe(primaryId(before))
  await waitUntilServicesStable({ client: ecs, ...wait }, { cluster, services: ['web'] })
  const after = await describe(ecs)
  const deployment = after.deployments?.find((found) => found.id === id)
  expect(deployment).toMatchObject({ status: 'PRIMARY', taskDefinition, failedTasks: 0 })
  expect(deployment?.rolloutState).not.toBe('FAILED')
})

test.concurrent('the GitHub action misses its deployment after the circuit breaker rolled back', async () => {
  // The health check spares the time that a task without one must run before it counts.
  const checked = { ...web, healthCheck: { command: ['CMD', 'true'] } }
  const ecs = await serviceOf(checked, {
    desiredCount: 3,
    deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
  })
  // What never was completed is nothing to roll back to.
  const before = await eventually('the first deployment is completed', async () => {
    const service = await describe(ecs)
    return service.deployments?.[0]?.rolloutState === 'COMPLETED' && service
  })
  const taskDefinition = await register(ecs, { ...checked, image: 'unpullable' })
  const { service } = await ecs.updateService({ cluster, service: 'web', taskDefinition, ...unasked })
  const id = primaryId(service)
  await eventually('the deployment is rolled back', async () => primaryId(await describe(ecs)) !== id)
  await waitUntilServicesStable({ client: ecs, ...wait }, { cluster, services: ['web'] })
  const after = await describe(ecs)
  expect(after.taskDefinition).toBe(before.taskDefinition)
  const found = after.deployments?.find((deployment) => deployment.id === id)
  expect(found?.rolloutState ?? 'FAILED').toBe('FAILED')
})

test.concurrent('the GitHub action tells a service that is not there, and one that others deploy', async () => {
  const { ecs } = await stage.withCluster(cluster)
  const { failures } = await ecs.describeServices({ cluster, services: ['web'] })
  expect(failures).toMatchObject([
    { arn: expect.stringMatching(/:service\/pipeline\/web$/) as unknown, reason: 'MISSING' },
  ])
  await ecs.createService({
    cluster,
    serviceName: 'web',
    desiredCount: 0,
    deploymentController: { type: 'EXTERNAL' },
  })
  expect(await describe(ecs)).toMatchObject({ status: 'ACTIVE', deploymentController: { type: 'EXTERNAL' } })
})

test.concurrent('the GitHub action runs a task and waits for its end', async () => {
  const { ecs } = await stage.withCluster(cluster)
  const { tasks = [], failures } = await ecs.runTask({
    startedBy: 'GitHub-Actions',
    cluster,
    taskDefinition: await register(ecs, { ...web, image: 'exits-0' }),
    overrides: { containerOverrides: [] },
    launchType: 'EC2',
    ...({ capacityProviderStrategy: null, networkConfiguration: null } as object),
    tags: [],
    ...unasked,
  })
  expect(failures).toEqual([])
  const arns = tasks.map(({ taskArn }) => taskArn ?? '')
  await waitUntilTasksStopped({ client: ecs, ...wait }, { cluster, tasks: arns })
  const { tasks: ended } = await ecs.describeTasks({ cluster, tasks: arns })
  expect(ended?.flatMap(({ containers }) => containers?.map(({ exitCode }) => exitCode))).toEqual([0])
})

test.concurrent('the GitHub action runs tasks on Fargate unless told otherwise, and shows why one was not placed', async () => {
  const { ecs, id: accessKeyId, url: endpoint } = await stage.withCluster(cluster)
  const credentials = { accessKeyId, secretAccessKey: 'any' }
  const ec2 = new EC2Client({ region: 'us-east-1', endpoint, credentials })
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({}))
  const subnet = Subnets?.[0]?.SubnetId ?? ''
  ec2.destroy()
  const { taskDefinition } = await ecs.registerTaskDefinition({
    family: 'fargate',
    requiresCompatibilities: ['FARGATE'],
    networkMode: 'awsvpc',
    cpu: '256',
    memory: '512',
    containerDefinitions: [{ name: 'web', image: 'nginx' }],
  })
  const { tasks, failures } = await ecs.runTask({
    startedBy: 'GitHub-Actions',
    cluster,
    taskDefinition: taskDefinition?.taskDefinitionArn,
    overrides: { containerOverrides: [] },
    launchType: 'FARGATE',
    networkConfiguration: { awsvpcConfiguration: { subnets: [subnet], assignPublicIp: 'DISABLED' } },
    tags: [],
    ...unasked,
  })
  expect(tasks).toEqual([])
  expect(failures).toMatchObject([{ reason: 'RESOURCE:FARGATE' }])
})

test.concurrent('cdk deploy --hotswap replaces the definition with nothing kept healthy, and waits', async () => {
  const ecs = await serviceOf(web)
  const { taskDefinition: current } = await describe(ecs)
  const taskDefinition = await register(ecs, { ...web, image: 'nginx:2' })
  await ecs.updateService({
    cluster,
    service: 'web',
    taskDefinition,
    deploymentConfiguration: { minimumHealthyPercent: 0 },
    forceNewDeployment: true,
  })
  await waitUntilServicesStable({ client: ecs, ...wait }, { cluster, services: ['web'] })
  expect(taskDefinition).not.toBe(current)
  expect(await describe(ecs)).toMatchObject({
    taskDefinition,
    deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 200 },
  })
})

/** `is_deployed`: one deployment, and as many tasks of the service's definition running as are wanted. */
async function isDeployed(ecs: ECS): Promise<boolean> {
  const service = await describe(ecs)
  const primary = service.deployments?.find(({ status }) => status === 'PRIMARY')
  if (primary?.rolloutState === 'FAILED') throw new Error(`Deployment Failed! ${primary.rolloutStateReason}`)
  if (service.deployments?.length !== 1) return false
  const { taskArns = [] } = await ecs.listTasks({ cluster, serviceName: 'web' })
  if (taskArns.length === 0) return service.desiredCount === 0
  const { tasks } = await ecs.describeTasks({ cluster, tasks: taskArns })
  const running = tasks?.filter(
    (task) => task.taskDefinitionArn === service.taskDefinition && task.lastStatus === 'RUNNING',
  )
  return running?.length === service.desiredCount
}

test.concurrent('ecs-deploy registers what it was shown with another image, and empty roles', async () => {
  const ecs = await serviceOf({ ...web, portMappings: [{ containerPort: 80 }] })
  const service = await describe(ecs)
  const { taskDefinition: current, tags } = await ecs.describeTaskDefinition({
    taskDefinition: service.taskDefinition,
    include: ['TAGS'],
  })
  expect(tags).toEqual([])
  const { taskDefinition } = await ecs.registerTaskDefinition({
    family: current?.family,
    containerDefinitions: current?.containerDefinitions?.map((one) => ({ ...one, image: 'nginx:2' })),
    volumes: current?.volumes,
    placementConstraints: current?.placementConstraints,
    taskRoleArn: '',
    executionRoleArn: '',
  })
  expect(taskDefinition).toMatchObject({ revision: 2, containerDefinitions: [{ image: 'nginx:2' }] })
  await ecs.updateService({ cluster, service: 'web', taskDefinition: taskDefinition?.taskDefinitionArn })
  await eventually('it is deployed', () => isDeployed(ecs))
  expect((await describe(ecs)).taskDefinition).toBe(taskDefinition?.taskDefinitionArn)
  await ecs.deregisterTaskDefinition({ taskDefinition: current?.taskDefinitionArn })
})

test.concurrent('ecs-deploy scales, runs a task, and reads what could not be placed from the events', async () => {
  const ecs = await serviceOf(web)
  const { taskDefinition } = await describe(ecs)
  await ecs.updateService({ cluster, service: 'web', desiredCount: 0, taskDefinition })
  await eventually('it is scaled in', () => isDeployed(ecs))
  const overrides = { containerOverrides: [] }
  const ran = await ecs.runTask({
    cluster,
    taskDefinition: 'web:1',
    count: 2,
    startedBy: 'ecs-deploy',
    overrides,
  })
  expect(ran.tasks).toHaveLength(2)

  const since = new Date()
  const large = await register(ecs, { ...web, memory: 1_000_000 })
  await ecs.updateService({ cluster, service: 'web', desiredCount: 1, taskDefinition: large })
  const warning = await eventually('an event says so', async () => {
    const { events = [] } = await describe(ecs)
    return events.find(
      ({ message = '', createdAt = since }) => message.includes('unable') && createdAt > since,
    )
  })
  expect(warning.message).toContain(
    'was unable to place a task because no container instance met all of its requirements.',
  )
  // An image that nobody has is no reason to refuse a definition; a definition that nobody has is one.
  await expect(
    ecs.describeTaskDefinition({ taskDefinition: 'none:1', include: ['TAGS'] }),
  ).rejects.toMatchObject({ name: 'ClientException', message: 'Unable to describe task definition.' })
})
