// What the unmodified official agent says, in the shapes and the order that were seen of a real one, to a control plane
// that checks signatures. The runs themselves are described in docs/agent-protocol.md.
import {
  type ContainerDefinition,
  CreateClusterCommand,
  DeregisterContainerInstanceCommand,
  DescribeContainerInstancesCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs'
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { RoleCredentials } from '@berth/agent-protocol/payload.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OfficialAgent } from './official-agent.ts'
import { eventually, World } from './world.ts'

const cluster = 'demo'
const role = (name: string): string => `arn:aws:iam::000000000000:role/${name}`
const digest = `sha256:${'76a0b309'.repeat(8)}`
const runtimeId = '9501822b'.repeat(8)
const port = { containerPort: 80, hostPort: 32_768, protocol: 'tcp' }
const networkBindings = [{ bindIP: '0.0.0.0', ...port }]
/** Of the task that runs through all of the tests. */
const pulls = { pullStartedAt: 1_795_407_104.769, pullStoppedAt: 1_795_407_105.213 }

let world: World
let agent: OfficialAgent
let secretArn: string
let web: string
beforeAll(async () => {
  world = await World.start(['--no-fargate'])
  await world.ecs.send(new CreateClusterCommand({ clusterName: cluster }))
  const client = new SecretsManagerClient({
    region: 'us-east-1',
    credentials: world.key,
    endpoint: world.berth.url,
  })
  const secret = await client.send(new CreateSecretCommand({ Name: 'db', SecretString: '{"p":"PLANTED"}' }))
  client.destroy()
  secretArn = secret.ARN ?? ''
  agent = new OfficialAgent(world.berth.url, world.key, cluster)
})
afterAll(async () => {
  agent.end()
  await world.end()
})

async function instance() {
  const containerInstances = await world.containerInstances(cluster)
  const found = await world.ecs.send(new DescribeContainerInstancesCommand({ cluster, containerInstances }))
  return found.containerInstances?.[0]
}

async function run(
  family: string,
  container: Partial<ContainerDefinition>,
  more: object = {},
): Promise<string> {
  const image = `localhost:${world.berth.port}/tool:latest`
  await world.register(family, { image, ...container }, { networkMode: 'bridge', ...more })
  const { tasks, failures } = await world.ecs.send(
    new RunTaskCommand({ cluster, taskDefinition: family, launchType: 'EXTERNAL' }),
  )
  const [task] = tasks ?? []
  if (!task?.taskArn) throw new Error(`the task was not placed: ${JSON.stringify(failures)}`)
  return task.taskArn
}

const keyOf = (credentials: RoleCredentials | undefined) => ({
  accessKeyId: credentials?.accessKeyId ?? '',
  secretAccessKey: credentials?.secretAccessKey ?? '',
  sessionToken: credentials?.sessionToken ?? '',
})

test('it registers and is told what it may keep', async () => {
  const { body } = await agent.start()
  const { containerInstance } = body as { containerInstance: { attributes: unknown[] } }
  expect(containerInstance.attributes).toContainEqual({ name: 'ecs.cpu-architecture', value: 'x86_64' })
  expect(containerInstance.attributes).toContainEqual({ name: 'ecs.os-type-detailed', value: 'LINUX' })
  const connected = await eventually('it is connected', async () => {
    const found = await instance()
    return found?.agentConnected && found
  })
  expect(connected).toMatchObject({
    status: 'ACTIVE',
    ec2InstanceId: expect.stringMatching(/^mi-[0-9a-f]{17}$/) as unknown,
    versionInfo: {
      agentVersion: '1.105.1',
      agentHash: 'a8b3e7d3',
      dockerVersion: 'DockerVersion: 20.10.24+dfsg1',
    },
  })
  expect(connected.attributes).toContainEqual({ name: 'rack', value: '7' })
  await eventually('it is greeted', async () => agent.acs?.heard('TaskManifestMessage').length === 1)
})

test('a task with roles, a secret, a private image and a health check comes to run', async () => {
  const healthCheck = { command: ['CMD', 'true'], interval: 5 }
  const secrets = [{ name: 'PASS', valueFrom: `${secretArn}:p::` }]
  web = await run(
    'web',
    { portMappings: [{ containerPort: 80 }], healthCheck, secrets },
    { taskRoleArn: role('app'), executionRoleArn: role('exec') },
  )
  const task = await agent.acs?.task(web)
  const [container] = task?.containers ?? []
  expect(container).toMatchObject({
    healthCheckType: 'docker',
    overrides: '{}',
    secrets: [{ provider: 'asm' }],
  })
  const { ecrAuthData } = container?.registryAuthentication ?? {}
  expect(ecrAuthData).toMatchObject({ useExecutionRole: true, registryId: '000000000000' })

  const key = keyOf(task?.executionRoleCredentials)
  const token = await agent.call(
    'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
    { registryIds: ['000000000000'] },
    { service: 'ecr', key },
  )
  expect(token.body).toHaveProperty('authorizationData')
  const secret = await agent.call(
    'secretsmanager.GetSecretValue',
    { SecretId: secretArn },
    { service: 'secretsmanager', key },
  )
  expect(secret.body).toMatchObject({ SecretString: '{"p":"PLANTED"}' })

  const told = await agent.submit(web, 'PENDING', [
    { containerName: 'main', imageDigest: digest, status: 'PENDING' },
  ])
  expect(told).toEqual({ status: 200, body: { acknowledgment: 'ok' } })
  await agent.submit(
    web,
    'RUNNING',
    [{ containerName: 'main', imageDigest: digest, networkBindings, runtimeId, status: 'RUNNING' }],
    pulls,
  )
  expect(await world.taskAt(cluster, web, 'RUNNING')).toMatchObject({
    pullStartedAt: new Date(pulls.pullStartedAt * 1000),
    containers: [{ lastStatus: 'RUNNING', imageDigest: digest, runtimeId, networkBindings }],
  })
})

test('health and metrics come over telemetry, in frames with headers of their own', async () => {
  const named = { taskArn: web, taskDefinitionFamily: 'web', taskDefinitionVersion: '1' }
  const since = 1_795_407_110.828
  const healthy = [{ containerName: 'main', healthStatus: 'HEALTHY', statusSince: since }]
  const health = { metadata: { fin: true }, tasks: [{ ...named, containers: healthy }] }
  await agent.publish('PublishHealthRequest', health, 'AckPublishHealth')
  const shown = await eventually('its health is shown', async () => {
    const task = await world.task(cluster, web)
    return task.healthStatus !== 'UNKNOWN' && task
  })
  expect(shown).toMatchObject({ healthStatus: 'HEALTHY', containers: [{ healthStatus: 'HEALTHY' }] })
  const counter = {
    max: 1182,
    min: 286,
    overflowMax: 0,
    overflowMin: 0,
    overflowSum: 0,
    sampleCount: 18,
    sum: 18_700,
  }
  const containerMetrics = [
    {
      containerName: 'main',
      cpuStatsSet: { max: 1.46, min: 0.04, sampleCount: 17, sum: 4.67 },
      memoryStatsSet: { max: 2, min: 0, sampleCount: 18, sum: 2 },
      networkStatsSet: {
        rxBytes: counter,
        rxBytesPerSecond: { max: 436.5, min: 0, sampleCount: 17, sum: 883.3 },
      },
      storageStatsSet: { readSizeBytes: counter, writeSizeBytes: counter },
    },
  ]
  const metrics = { metadata: { fin: true, idle: false }, taskMetrics: [{ ...named, containerMetrics }] }
  await agent.publish('PublishMetricsRequest', metrics, 'AckPublishMetric')
  const runtime = { lastStatusChange: since, lastUpdated: since, status: 'OK', type: 'ContainerRuntime' }
  const status = { metadata: { requestId: '4b91b1d5' }, statuses: [runtime] }
  await agent.publish('PublishInstanceStatusRequest', status, 'AckPublishInstanceStatus')
  const found = await world.ecs.send(
    new DescribeContainerInstancesCommand({
      cluster,
      containerInstances: [agent.containerInstanceArn ?? ''],
      include: ['CONTAINER_INSTANCE_HEALTH'],
    }),
  )
  expect(found.containerInstances?.[0]?.healthStatus).toMatchObject({
    overallStatus: 'OK',
    details: [{ type: 'CONTAINER_RUNTIME', status: 'OK' }],
  })
})

test('a container that is over before it was told of is RUNNING with an exit code, and then STOPPED', async () => {
  const exits = await run('exits', {})
  const task = await agent.acs?.task(exits)
  // Without an execution role the instance itself fetches the image.
  expect(task?.containers?.[0]?.registryAuthentication?.ecrAuthData?.useExecutionRole).not.toBe(true)
  const container = { containerName: 'main', exitCode: 3, imageDigest: digest, runtimeId }
  await agent.submit(exits, 'RUNNING', [{ ...container, status: 'RUNNING' }], pulls)
  const ended = { executionStoppedAt: 1_795_407_106.666, ...pulls }
  await agent.submit(exits, 'STOPPED', [{ ...container, status: 'STOPPED' }], ended)
  expect(await world.taskAt(cluster, exits, 'STOPPED')).toMatchObject({
    stopCode: 'EssentialContainerExited',
    stoppedReason: 'Essential container in task exited',
    containers: [{ exitCode: 3 }],
  })
})

test('an image that is not there ends the task before it starts', async () => {
  const missing = await run('missing', {})
  await agent.acs?.task(missing)
  const reason = 'CannotPullImageManifestError: Error response from daemon: name unknown'
  const stopped = { executionStoppedAt: 1_795_407_136.255, ...pulls }
  await agent.submit(missing, 'STOPPED', [{ containerName: 'main', reason, status: 'STOPPED' }], stopped)
  expect(await world.taskAt(cluster, missing, 'STOPPED')).toMatchObject({
    stopCode: 'TaskFailedToStart',
    stoppedReason: reason,
  })
})

test('a control plane that was killed is found again, and tells of no task a second time', async () => {
  const before = agent.acs
  await world.crash()
  await eventually('it notices', async () => before?.closed !== undefined)
  await world.restart()
  await agent.connect()
  await agent.connectTelemetry()
  const manifest = await eventually('it is greeted', async () => agent.acs?.heard('TaskManifestMessage')[0])
  expect(manifest.tasks).toEqual([expect.objectContaining({ taskArn: web, desiredStatus: 'RUNNING' })])
  const [earlier] = before?.heard('TaskManifestMessage') ?? []
  expect(manifest.timeline).toBeGreaterThan(earlier?.timeline ?? Infinity)
  expect(await world.task(cluster, web)).toMatchObject({ lastStatus: 'RUNNING', healthStatus: 'HEALTHY' })
  expect(agent.acs?.heard('PayloadMessage')).toEqual([])
})

test('an agent that starts anew keeps its ARN and gets the credentials of its tasks', async () => {
  const arn = agent.containerInstanceArn
  agent.acs?.socket.terminate()
  const { body } = await agent.start()
  expect(body).toMatchObject({ containerInstance: { containerInstanceArn: arn } })
  const sent = await eventually('credentials come', async () => {
    const messages = agent.acs?.heard('IAMRoleCredentialsMessage') ?? []
    return messages.length === 2 && messages
  })
  expect(sent.map(({ roleType }) => roleType)).toEqual(['TaskApplication', 'TaskExecution'])
  expect((await instance())?.attributes).toContainEqual({ name: 'rack', value: '7' })
  expect(agent.acs?.heard('PayloadMessage')).toEqual([])

  // What containers ask of it it asks as their role.
  const key = keyOf(sent[0]?.roleCredentials)
  const protection = await agent.call(
    'AmazonEC2ContainerServiceV20141113.UpdateTaskProtection',
    { cluster, expiresInMinutes: 60, protectionEnabled: true, tasks: [web] },
    { key, suffix: ' container/main' },
  )
  expect(protection.body).toMatchObject({ failures: [{ reason: 'TASK_NOT_VALID' }], protectedTasks: [] })
  const tags = await agent.call('AmazonEC2ContainerServiceV20141113.ListTagsForResource', {
    resourceArn: web,
  })
  expect(tags).toEqual({ status: 200, body: { tags: [] } })
})

test('a stop names the task and no more, and what became of it is told at once', async () => {
  await world.ecs.send(new StopTaskCommand({ cluster, task: web, reason: 'enough' }))
  const stop = await agent.acs?.task(web)
  expect(stop).toEqual({
    arn: web,
    desiredStatus: 'STOPPED',
    taskClusterArn: 'arn:aws:ecs:us-east-1:000000000000:cluster/demo',
  })
  const container = { containerName: 'main', exitCode: 7, imageDigest: digest, networkBindings, runtimeId }
  const ended = { executionStoppedAt: 1_795_407_149.637, ...pulls }
  await agent.submit(web, 'STOPPED', [{ ...container, status: 'STOPPED' }], ended)
  expect(await world.taskAt(cluster, web, 'STOPPED')).toMatchObject({
    stopCode: 'UserInitiated',
    stoppedReason: 'enough',
    containers: [{ exitCode: 7 }],
  })
})

test('once deregistered it is sent away at once and told so when it comes back', async () => {
  const containerInstance = agent.containerInstanceArn
  await world.ecs.send(new DeregisterContainerInstanceCommand({ cluster, containerInstance, force: true }))
  await eventually('it is sent away', async () => agent.acs?.closed !== undefined)
  // A clean end: it comes back without a pause.
  expect(agent.acs?.closed).toBe(1000)
  await expect(agent.connect()).rejects.toThrow(/^\{"InactiveInstanceException":/)
  const containerInstances = [containerInstance ?? '']
  const found = await world.ecs.send(new DescribeContainerInstancesCommand({ cluster, containerInstances }))
  expect(found.containerInstances).toMatchObject([{ status: 'INACTIVE', agentConnected: false }])
})
