import type { ContainerDefinition, TaskOverride } from '@aws-sdk/client-ecs'
import { decodeAcsServerMessage } from '@berth/agent-protocol/acs.ts'
import { encode } from '@berth/agent-protocol/message.ts'
import type { PayloadContainer } from '@berth/agent-protocol/payload.ts'
import { expect, test } from 'vitest'
import type { TaskDefinition } from '#domain/task-definition.ts'
import type { Task } from '#domain/task.ts'
import { type PayloadFacts, taskPayload } from './task-payload.ts'

const scope = { accountId: '123456789012', region: 'eu-west-1' }
const taskArn = 'arn:aws:ecs:eu-west-1:123456789012:task/demo/0123456789abcdef'
const clusterArn = 'arn:aws:ecs:eu-west-1:123456789012:cluster/demo'
const containerArn = 'arn:aws:ecs:eu-west-1:123456789012:container/demo/0123/4567'
const facts: PayloadFacts = { registryHost: 'localhost:4566', ecrUrl: 'http://10.0.0.1:4566' }

const definition: TaskDefinition = {
  ...scope,
  taskDefinitionArn: 'arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7',
  family: 'web',
  revision: 7,
  status: 'ACTIVE',
  containerDefinitions: [],
  volumes: [],
  placementConstraints: [],
  requiresAttributes: [],
  compatibilities: ['EC2'],
  enableFaultInjection: false,
  registeredAt: 0,
  registeredBy: 'arn:aws:iam::123456789012:root',
}

const task: Task = {
  ...scope,
  taskArn,
  clusterArn,
  taskDefinitionArn: definition.taskDefinitionArn,
  group: 'family:web',
  launchType: 'EC2',
  enableExecuteCommand: false,
  cpuArchitecture: 'x86_64',
  cpu: '0',
  memory: '128',
  demand: { cpu: 0, memoryMiB: 128, ports: [], gpu: 0 },
  overrides: {},
  desiredStatus: 'RUNNING',
  lastStatus: 'PENDING',
  containers: [
    {
      containerArn,
      name: 'web',
      image: 'nginx:1',
      lastStatus: 'PENDING',
      networkBindings: [],
      healthStatus: 'UNKNOWN',
      cpu: '0',
    },
  ],
  healthStatus: 'UNKNOWN',
  connectivity: 'CONNECTED',
  createdAt: 0,
  version: 1,
}

const web: ContainerDefinition = { name: 'web', image: 'nginx:1', essential: true, memory: 128 }

function containerOf(container: ContainerDefinition, overrides: TaskOverride = {}): PayloadContainer {
  const payload = taskPayload(
    { ...task, overrides },
    { ...definition, containerDefinitions: [{ ...web, ...container }] },
    facts,
  )
  const [made] = payload.containers ?? []
  if (!made) throw new Error('no container')
  return made
}
test('a plain task has all that an agent needs and nothing else', () => {
  expect(taskPayload(task, { ...definition, containerDefinitions: [web] }, facts)).toEqual({
    arn: taskArn,
    desiredStatus: 'RUNNING',
    taskClusterArn: clusterArn,
    family: 'web',
    version: '7',
    taskDefinitionAccountId: '123456789012',
    networkMode: 'bridge',
    overrides: '{}',
    containers: [
      {
        name: 'web',
        image: 'nginx:1',
        containerArn,
        essential: true,
        cpu: 0,
        memory: 128,
        environment: { AWS_EXECUTION_ENV: 'AWS_ECS_EC2' },
        portMappings: [],
        volumesFrom: [],
        mountPoints: [],
        overrides: '{}',
        dockerConfig: { config: '{}', hostConfig: '{"NetworkMode":"bridge"}', version: '1.17' },
      },
    ],
    volumes: [],
    launchType: 'EC2',
    group: 'family:web',
  })
})

test('a Fargate task brings its zone and its storage, one on an instance does not', () => {
  const row = { ...definition, containerDefinitions: [web] }
  const traits = { availabilityZone: 'eu-west-1b', ephemeralStorageGiB: 20 }
  expect(taskPayload({ ...task, ...traits, launchType: 'FARGATE' }, row, facts)).toMatchObject(traits)
  expect(taskPayload({ ...task, ...traits }, row, facts)).not.toHaveProperty('availabilityZone')
})

test('the GPUs of containers go as associations', () => {
  const containers = task.containers.map((container) => ({ ...container, gpuIds: ['g1', 'g0'] }))
  const row = { ...definition, containerDefinitions: [web] }
  expect(taskPayload({ ...task, containers }, row, facts).associations).toEqual([
    { type: 'gpu', name: 'g1', containers: ['web'] },
    { type: 'gpu', name: 'g0', containers: ['web'] },
  ])
})

test('the size of a task is in vCPUs and MiB, of a container in units', () => {
  const row = { ...definition, cpu: '256', memory: '512', containerDefinitions: [{ ...web, cpu: 64 }] }
  expect(taskPayload(task, row, facts)).toMatchObject({ cpu: 0.25, memory: 512, containers: [{ cpu: 64 }] })
  const overridden = { ...task, overrides: { cpu: '1 vCPU', memory: '1 GB' } }
  expect(taskPayload(overridden, row, facts)).toMatchObject({ cpu: 1, memory: 1024 })
})

test('overrides are worked in: environment by name, all else in place', () => {
  const made = containerOf(
    {
      command: ['serve'],
      environment: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
      ],
    },
    {
      containerOverrides: [
        { name: 'web', command: ['migrate', '--now'], memory: 256, environment: [{ name: 'B', value: '3' }] },
      ],
    },
  )
  expect(made).toMatchObject({
    command: ['migrate', '--now'],
    environment: { A: '1', B: '3' },
    memory: 256,
    overrides: '{}',
  })
})

test('health is reported because the check is called docker in lower case', () => {
  expect(containerOf({ healthCheck: { command: ['CMD', 'true'] } }).healthCheckType).toBe('docker')
  expect(containerOf({})).not.toHaveProperty('healthCheckType')
})

test('a container is essential unless it says otherwise', () => {
  expect(containerOf({}).essential).toBe(true)
  expect(containerOf({ essential: false }).essential).toBe(false)
})

test('ports, links, mounts, order and restarts keep their shape', () => {
  expect(
    containerOf({
      portMappings: [
        { containerPort: 80 },
        { containerPort: 53, hostPort: 53, protocol: 'udp' },
        { containerPortRange: '9000-9002' },
      ],
      links: ['db:database'],
      mountPoints: [{ sourceVolume: 'data', containerPath: '/data', readOnly: true }],
      volumesFrom: [{ sourceContainer: 'init' }],
      dependsOn: [{ containerName: 'init', condition: 'SUCCESS' }],
      startTimeout: 30,
      stopTimeout: 5,
      restartPolicy: { enabled: true, ignoredExitCodes: [0], restartAttemptPeriod: 60 },
      entryPoint: ['/bin/sh'],
    }),
  ).toMatchObject({
    portMappings: [
      { containerPort: 80, hostPort: 0, protocol: 'tcp' },
      { containerPort: 53, hostPort: 53, protocol: 'udp' },
      { containerPortRange: '9000-9002', protocol: 'tcp' },
    ],
    links: ['db:database'],
    mountPoints: [{ sourceVolume: 'data', containerPath: '/data', readOnly: true }],
    volumesFrom: [{ sourceContainer: 'init', readOnly: false }],
    dependsOn: [{ containerName: 'init', condition: 'SUCCESS' }],
    startTimeout: 30,
    stopTimeout: 5,
    restartPolicy: { enabled: true, ignoredExitCodes: [0], restartAttemptPeriod: 60 },
    entryPoint: ['/bin/sh'],
  })
})

test.each([
  [{ name: 'v' }, { name: 'v', type: 'host', host: {} }],
  [
    { name: 'v', host: {} },
    { name: 'v', type: 'host', host: {} },
  ],
  [
    { name: 'v', host: { sourcePath: '/srv' } },
    { name: 'v', type: 'host', host: { sourcePath: '/srv' } },
  ],
  [
    { name: 'v', dockerVolumeConfiguration: { scope: 'shared' as const, autoprovision: true } },
    {
      name: 'v',
      type: 'docker',
      dockerVolumeConfiguration: { scope: 'shared', autoprovision: true, driver: 'local' },
    },
  ],
  [
    {
      name: 'v',
      efsVolumeConfiguration: { fileSystemId: 'fs-1', authorizationConfig: { iam: 'ENABLED' as const } },
    },
    {
      name: 'v',
      type: 'efs',
      efsVolumeConfiguration: { fileSystemId: 'fs-1', authorizationConfig: { iam: 'ENABLED' } },
    },
  ],
])('volume %j', (volume, expected) => {
  const row = { ...definition, volumes: [volume], containerDefinitions: [web] }
  expect(taskPayload(task, row, facts).volumes).toEqual([expected])
})

test.each([
  ['localhost:4566/web:1', '123456789012', 'eu-west-1'],
  ['210987654321.dkr.ecr.us-east-2.amazonaws.com/web:1', '210987654321', 'us-east-2'],
  ['210987654321.dkr-ecr.us-east-2.on.aws/web:1', '210987654321', 'us-east-2'],
])('an image %s is pulled with a token of our ECR', (image, registryId, region) => {
  expect(containerOf({ image }).registryAuthentication).toEqual({
    type: 'ecr',
    ecrAuthData: { registryId, region, endpointOverride: 'http://10.0.0.1:4566', useExecutionRole: false },
  })
})

test.each(['nginx:1', 'localhost:5000/web:1', 'ghcr.io/localhost:4566/web', 'localhost:45660/web'])(
  'an image %s is pulled without our token',
  (image) => {
    expect(containerOf({ image })).not.toHaveProperty('registryAuthentication')
  },
)

test('a private registry is opened with the secret named', () => {
  const credentialsParameter = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:hub'
  expect(containerOf({ repositoryCredentials: { credentialsParameter } }).registryAuthentication).toEqual({
    type: 'asm',
    asmAuthData: { credentialsParameter, region: 'us-west-2' },
  })
})

test('a secret says who keeps it and where', () => {
  const valueFrom = 'arn:aws:secretsmanager:us-west-2:123456789012:secret:s'
  expect(
    containerOf({
      secrets: [
        { name: 'A', valueFrom },
        { name: 'B', valueFrom: '/parameter' },
        { name: 'C', valueFrom: 'arn:aws:ssm:us-west-2:123456789012:parameter/a/b' },
      ],
    }).secrets,
  ).toEqual([
    { name: 'A', valueFrom, region: 'us-west-2', provider: 'asm', type: 'ENVIRONMENT_VARIABLE' },
    {
      name: 'B',
      valueFrom: '/parameter',
      region: 'eu-west-1',
      provider: 'ssm',
      type: 'ENVIRONMENT_VARIABLE',
    },
    { name: 'C', valueFrom: '/a/b', region: 'us-west-2', provider: 'ssm', type: 'ENVIRONMENT_VARIABLE' },
  ])
})

test.each([
  ['nginx:1', {}, 'nginx@sha256:1'],
  ['nginx', { versionConsistency: 'enabled' }, 'nginx@sha256:1'],
  ['localhost:4566/web:1', {}, 'localhost:4566/web@sha256:1'],
  ['localhost:4566/web', {}, 'localhost:4566/web@sha256:1'],
  ['nginx:1', { versionConsistency: 'disabled' }, 'nginx:1'],
  ['nginx@sha256:2', {}, 'nginx@sha256:2'],
] as const)('image %s with %j goes by the digest of its deployment', (image, more, expected) => {
  const row = { ...definition, containerDefinitions: [{ ...web, image, ...more }] }
  const imageDigests = new Map([['web', 'sha256:1']])
  expect(taskPayload(task, row, { ...facts, imageDigests }).containers?.[0]?.image).toBe(expected)
  expect(taskPayload(task, row, { ...facts, imageDigests: new Map() }).containers?.[0]?.image).toBe(image)
})

test('a service task names its service', () => {
  expect(taskPayload(task, definition, { ...facts, serviceName: 'front' }).serviceName).toBe('front')
})

test('what is made is what agents can read', () => {
  const tasks = [taskPayload(task, { ...definition, containerDefinitions: [web] }, facts)]
  const message = { messageId: 'm', clusterArn, containerInstanceArn: 'i', seqNum: 1, generatedAt: 1, tasks }
  expect(decodeAcsServerMessage(encode({ type: 'PayloadMessage', message }))).toEqual({
    kind: 'message',
    message: { type: 'PayloadMessage', message },
  })
})
