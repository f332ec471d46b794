/**
 * The calls of what looks at ECS and reaches in: e1s, lazy-ecs, ecsta, prometheus-ecs-discovery and
 * amazon-ecs-exec-checker, with their reading of the answers.
 */
import {
  type ECS,
  paginateListClusters,
  paginateListServices,
  paginateListTasks,
  type Task,
  waitUntilServicesStable,
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

const cluster = 'seen'
const wait = { minDelay: 0.2, maxDelay: 0.2, maxWaitTime: 30 }

/** A cluster with the service `web` of two tasks. */
async function seen(): Promise<Account> {
  const account = await stage.withCluster(cluster)
  const { ecs } = account
  await ecs.registerTaskDefinition({
    family: 'web',
    taskRoleArn: `arn:aws:iam::${account.id}:role/web`,
    containerDefinitions: [
      {
        name: 'web',
        image: 'nginx',
        memory: 64,
        portMappings: [{ containerPort: 9100 }],
        dockerLabels: { PROMETHEUS_EXPORTER_PORT: '9100' },
        linuxParameters: { initProcessEnabled: true },
        readonlyRootFilesystem: false,
        environment: [{ name: 'STAGE', value: 'dev' }],
      },
    ],
  })
  await ecs.createService({
    cluster,
    serviceName: 'web',
    taskDefinition: 'web',
    desiredCount: 2,
    enableExecuteCommand: true,
  })
  await waitUntilServicesStable({ client: ecs, ...wait }, { cluster, services: ['web'] })
  return account
}

/** A stopped task of the service, which the service has replaced. */
async function stopOne(ecs: ECS): Promise<string> {
  const { taskArns } = await ecs.listTasks({ cluster, serviceName: 'web' })
  const task = taskArns?.[0] ?? ''
  await ecs.stopTask({ cluster, task, reason: 'Request stop task by user action.' })
  await waitUntilTasksStopped({ client: ecs, ...wait }, { cluster, tasks: [task] })
  return task
}

test.concurrent('e1s lists clusters, services, instances and task definitions, and describes each', async () => {
  const { ecs } = await seen()
  const { clusterArns } = await ecs.listClusters({ maxResults: 100 })
  const { clusters } = await ecs.describeClusters({
    clusters: clusterArns,
    include: ['ATTACHMENTS', 'CONFIGURATIONS', 'SETTINGS', 'STATISTICS', 'TAGS'],
  })
  expect(clusters).toMatchObject([
    {
      clusterName: cluster,
      status: 'ACTIVE',
      activeServicesCount: 1,
      runningTasksCount: 2,
      pendingTasksCount: 0,
      registeredContainerInstancesCount: 1,
      tags: [],
      settings: [{ name: 'containerInsights' }],
      statistics: expect.arrayContaining([{ name: 'runningEC2TasksCount', value: '2' }]) as unknown,
    },
  ])
  const { serviceArns } = await ecs.listServices({ cluster, maxResults: 100 })
  const { services } = await ecs.describeServices({ cluster, services: serviceArns, include: ['TAGS'] })
  expect(services).toMatchObject([
    { serviceName: 'web', runningCount: 2, tags: [], createdAt: expect.any(Date) as unknown },
  ])
  const { containerInstanceArns } = await ecs.listContainerInstances({ cluster, maxResults: 100 })
  const { containerInstances } = await ecs.describeContainerInstances({
    cluster,
    containerInstances: containerInstanceArns,
    include: ['TAGS', 'CONTAINER_INSTANCE_HEALTH'],
  })
  expect(containerInstances).toMatchObject([{ status: 'ACTIVE', agentConnected: true, runningTasksCount: 2 }])
  expect(await ecs.listTaskDefinitionFamilies({ status: 'ACTIVE', maxResults: 100 })).toMatchObject({
    families: ['web'],
  })
  const { taskDefinitionArns } = await ecs.listTaskDefinitions({ familyPrefix: 'web', sort: 'DESC' })
  const { taskDefinition } = await ecs.describeTaskDefinition({
    taskDefinition: taskDefinitionArns?.[0],
    include: ['TAGS'],
  })
  expect(taskDefinition).toMatchObject({ family: 'web', revision: 1 })
})

test.concurrent('e1s describes ten services at once and no more', async () => {
  const { ecs } = await seen()
  const services = Array.from({ length: 11 }, (_, index) => `web-${index}`)
  await expect(ecs.describeServices({ cluster, services })).rejects.toMatchObject({
    name: 'InvalidParameterException',
  })
  const ten = await ecs.describeServices({ cluster, services: services.slice(1) })
  expect(ten.failures?.map(({ reason }) => reason)).toEqual(Array.from({ length: 10 }, () => 'MISSING'))
  await expect(ecs.describeServices({ cluster, services: [] })).rejects.toMatchObject({
    name: 'InvalidParameterException',
  })
})

test.concurrent('e1s finds the stopped tasks of a service among all of the cluster, by their group', async () => {
  const { ecs } = await seen()
  const stopped = await stopOne(ecs)
  await ecs.runTask({ cluster, taskDefinition: 'web', group: 'apart' })
  const { taskArns } = await ecs.listTasks({ cluster, desiredStatus: 'STOPPED', maxResults: 100 })
  const { tasks = [] } = await ecs.describeTasks({ cluster, tasks: taskArns, include: ['TAGS'] })
  const ofService = tasks.filter(({ group }) => group === 'service:web')
  expect(ofService.map(({ taskArn }) => taskArn)).toEqual([stopped])
  const { tasks: running } = await ecs.describeTasks({
    cluster,
    tasks: (await ecs.listTasks({ cluster, serviceName: 'web', desiredStatus: 'RUNNING' })).taskArns,
  })
  expect(running?.every(({ group }) => group === 'service:web')).toBe(true)
})

test.concurrent('e1s shows deployments and their revisions, and rolls one back', async () => {
  const { ecs } = await seen()
  const list = await ecs.listServiceDeployments({ cluster, service: 'web', maxResults: 20 })
  const { serviceDeployments } = await ecs.describeServiceDeployments({
    serviceDeploymentArns: list.serviceDeployments?.map(
      ({ serviceDeploymentArn = '' }) => serviceDeploymentArn,
    ),
  })
  const [deployment] = serviceDeployments ?? []
  expect(deployment).toMatchObject({
    status: expect.stringMatching(/^(?:PENDING|IN_PROGRESS)$/) as unknown,
    createdAt: expect.any(Date) as unknown,
    targetServiceRevision: { requestedTaskCount: 2, runningTaskCount: 2, pendingTaskCount: 0 },
    sourceServiceRevisions: [],
    deploymentConfiguration: { maximumPercent: 200, minimumHealthyPercent: 100 },
  })
  const { serviceRevisions } = await ecs.describeServiceRevisions({
    serviceRevisionArns: [deployment?.targetServiceRevision?.arn ?? ''],
  })
  expect(serviceRevisions).toMatchObject([
    {
      serviceRevisionArn: deployment?.targetServiceRevision?.arn,
      serviceArn: deployment?.serviceArn,
      taskDefinition: expect.stringMatching(/\/web:1$/) as unknown,
      containerImages: [{ containerName: 'web', image: 'nginx' }],
    },
  ])
  // There is nothing before the first deployment: it can be stopped, and says so when it cannot be rolled back.
  await expect(
    ecs.stopServiceDeployment({
      serviceDeploymentArn: `${deployment?.serviceDeploymentArn}0`,
      stopType: 'ROLLBACK',
    }),
  ).rejects.toMatchObject({ name: 'ServiceDeploymentNotFoundException' })
})

test.concurrent('lazy-ecs pages through clusters, services and tasks and compares definitions', async () => {
  const { ecs } = await seen()
  const names: string[] = []
  for await (const page of paginateListClusters({ client: ecs }, {})) names.push(...(page.clusterArns ?? []))
  expect(names).toHaveLength(1)
  for await (const page of paginateListServices({ client: ecs }, { cluster })) {
    const { services } = await ecs.describeServices({ cluster, services: page.serviceArns })
    expect(services).toMatchObject([
      { status: 'ACTIVE', desiredCount: 2, events: expect.any(Array) as unknown },
    ])
  }
  const stopped = await stopOne(ecs)
  for (const [desiredStatus, expected] of [
    ['STOPPED', [stopped]],
    ['PENDING', []],
  ] as const) {
    const found: string[] = []
    const asked = { cluster, serviceName: 'web', desiredStatus }
    for await (const page of paginateListTasks({ client: ecs }, asked)) found.push(...(page.taskArns ?? []))
    expect(found).toEqual(expected)
  }
  await ecs.updateService({ cluster, service: 'web', forceNewDeployment: true })
  await waitUntilServicesStable({ client: ecs, ...wait }, { cluster, services: ['web'] })
  const { taskDefinitionArns } = await ecs.listTaskDefinitions({ familyPrefix: 'web', sort: 'DESC' })
  expect(taskDefinitionArns).toHaveLength(1)
})

test.concurrent('ecsta lists the tasks of a family or service, running and stopped, with their tags', async () => {
  const { ecs } = await seen()
  const stopped = await stopOne(ecs)
  await eventually('the service has replaced the task', async () => {
    return (await ecs.listTasks({ cluster, serviceName: 'web' })).taskArns?.length === 2
  })
  const tasks: Task[] = []
  for (const desiredStatus of ['RUNNING', 'STOPPED'] as const)
    for await (const page of paginateListTasks({ client: ecs }, { cluster, family: 'web', desiredStatus }))
      if (page.taskArns?.length)
        tasks.push(
          ...((await ecs.describeTasks({ cluster, tasks: page.taskArns, include: ['TAGS'] })).tasks ?? []),
        )
  const wanted = Object.groupBy(tasks, ({ desiredStatus = '' }) => desiredStatus)
  expect(wanted).toMatchObject({ RUNNING: [{}, {}], STOPPED: [{ taskArn: stopped }] })
  expect(tasks.find(({ taskArn }) => taskArn === stopped)).toMatchObject({
    stopCode: 'UserInitiated',
    stoppedReason: 'Request stop task by user action.',
    tags: [],
  })
  const { taskDefinition } = await ecs.describeTaskDefinition({ taskDefinition: tasks[0]?.taskDefinitionArn })
  expect(taskDefinition?.containerDefinitions?.[0]?.logConfiguration).toBeUndefined()
})

test.concurrent('prometheus-ecs-discovery comes from clusters to the host ports of containers', async () => {
  const { ecs } = await seen()
  const { clusterArns } = await ecs.listClusters({})
  const { taskArns } = await ecs.listTasks({ cluster: clusterArns?.[0] })
  const { tasks = [] } = await ecs.describeTasks({ cluster: clusterArns?.[0], tasks: taskArns })
  for (const { taskDefinitionArn, containers, containerInstanceArn, version } of tasks) {
    const { taskDefinition } = await ecs.describeTaskDefinition({ taskDefinition: taskDefinitionArn })
    const port = taskDefinition?.containerDefinitions?.[0]?.dockerLabels?.['PROMETHEUS_EXPORTER_PORT']
    const bindings = containers?.[0]?.networkBindings ?? []
    expect(bindings.find(({ containerPort }) => String(containerPort) === port)?.hostPort).toBeGreaterThan(
      1024,
    )
    expect(version).toBeGreaterThan(0)
    const { containerInstances } = await ecs.describeContainerInstances({
      cluster: clusterArns?.[0],
      containerInstances: [containerInstanceArn ?? ''],
    })
    // Under it the address is looked up with EC2.
    expect(containerInstances?.[0]?.ec2InstanceId).toMatch(/^i-[0-9a-f]{17}$/)
  }
  expect(tasks).toHaveLength(2)
})

test.concurrent('amazon-ecs-exec-checker reads why commands cannot be run', async () => {
  const { ecs } = await seen()
  const { taskArns } = await ecs.listTasks({ cluster, serviceName: 'web' })
  const { tasks } = await ecs.describeTasks({ cluster, tasks: [taskArns?.[0] ?? ''] })
  const [task] = tasks ?? []
  expect(task).toMatchObject({ enableExecuteCommand: true, lastStatus: 'RUNNING', launchType: 'EC2' })
  const { clusters } = await ecs.describeClusters({ clusters: [cluster], include: ['CONFIGURATIONS'] })
  expect(clusters?.[0]?.configuration?.executeCommandConfiguration).toBeUndefined()
  const { containerInstances } = await ecs.describeContainerInstances({
    cluster,
    containerInstances: [task?.containerInstanceArn ?? ''],
  })
  expect(containerInstances?.[0]?.versionInfo?.agentVersion).toMatch(/^\d+\.\d+\.\d+$/)
  // It counts the containers by their managed agents: each must have one that says how it is.
  expect(task?.containers).toMatchObject([
    { name: 'web', managedAgents: [{ name: 'ExecuteCommandAgent', lastStatus: 'PENDING' }] },
  ])
  const { taskDefinition } = await ecs.describeTaskDefinition({ taskDefinition: task?.taskDefinitionArn })
  expect(taskDefinition).toMatchObject({
    family: 'web',
    taskRoleArn: expect.stringContaining(':role/web') as unknown,
    containerDefinitions: [{ linuxParameters: { initProcessEnabled: true }, readonlyRootFilesystem: false }],
  })
  expect(task?.overrides?.taskRoleArn).toBeUndefined()
  expect(task?.attachments).toEqual([])
})
