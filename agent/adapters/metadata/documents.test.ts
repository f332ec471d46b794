import { afterEach, describe, expect, test } from 'vitest'
import {
  fakeContainer,
  fakeTask,
  idOf,
  inspectedContainer,
  recordOf,
  type TestEndpoint,
  testEndpoint,
  type TestEndpointOptions,
} from './endpoint-testing.ts'
import { type Check, containerV3, containerV4, taskV3, taskV4 } from './schema-testing.ts'

let endpoint: TestEndpoint | undefined
afterEach(() => endpoint?.end())
async function open(options: TestEndpointOptions): Promise<TestEndpoint> {
  endpoint = await testEndpoint(options)
  return endpoint
}

const atMs = Date.parse('2026-11-23T00:00:01.120Z')
const containerArn = 'arn:aws:ecs:us-east-1:000000000000:container/proof/one/web'
const logConfig = {
  LogConfig: { Type: 'json-file', Config: { 'max-size': '10m' } },
  NetworkMode: 'bridge',
}
const web = fakeContainer('web', {
  containerArn,
  cpu: 0,
  portMappings: [{ containerPort: 80, hostPort: 8080, protocol: 'tcp' }],
  healthCheckType: 'docker',
  restartPolicy: { enabled: true },
  dockerConfig: {
    config: '{"Healthcheck":{"Test":["CMD","true"]}}',
    hostConfig: JSON.stringify(logConfig),
    version: '1.24',
  },
})
const task = fakeTask('one', [web, fakeContainer('init'), fakeContainer('late')], {
  launchType: 'EC2',
  cpu: 0.25,
  memory: 256,
  serviceName: 'svc',
  group: 'service:svc',
})
/** A task of which one container runs, one has ended, and one has only its image yet. */
const mixed = recordOf(
  task,
  {
    web: {
      state: 'RUNNING',
      runtimeId: 'web-id',
      hostPorts: [{ containerPort: 80, hostPort: 8080, protocol: 'tcp' }],
      health: { status: 'HEALTHY', since: atMs, output: 'fine' },
      restarts: { count: 2, at: atMs },
    },
    init: { state: 'STOPPED', runtimeId: 'init-id', exitCode: 0 },
    late: { state: 'PULLED', imageId: 'sha256:44eb' },
  },
  { pullStartedAt: atMs, pullStoppedAt: atMs + 880 },
)
const docker = [inspectedContainer('web-id', 'running'), inspectedContainer('init-id', 'exited')]

describe('documents are as their schema says', () => {
  const stopped = recordOf(
    task,
    {
      web: {
        state: 'STOPPED',
        runtimeId: 'web-id',
        exitCode: 137,
        createdAt: atMs,
        startedAt: atMs,
        finishedAt: atMs,
      },
      init: { state: 'STOPPED', runtimeId: 'init-id', exitCode: 0 },
      late: { state: 'STOPPED' },
    },
    { desiredStatus: 'STOPPED', executionStoppedAt: atMs, stoppedAt: atMs },
  )
  const pending = recordOf(task, {
    web: { state: 'CREATED', runtimeId: 'web-id' },
    init: { state: 'PULLED' },
  })
  const cases: ReadonlyArray<readonly [string, typeof mixed, string, Check]> = [
    ['a running container', mixed, '', containerV4],
    ['a task that runs in part', mixed, '/task', taskV4],
    ['a stopped container that Docker has no more', stopped, '', containerV4],
    ['a stopped task', stopped, '/task', taskV4],
    ['a container that has not begun', pending, '', containerV4],
    ['a pending task', pending, '/task', taskV4],
  ]
  test.each(cases)('version 4: %s', async (_, record, path, schema) => {
    const { get } = await open({ records: [record], docker: record === mixed ? docker : [] })
    const { status, body } = await get(`/v4/${idOf(record, 'web')}${path}`)
    expect([status, schema(body, 'document')]).toEqual([200, []])
  })
  test.each(cases)('version 3: %s', async (_, record, path) => {
    const { get } = await open({ records: [record], docker: record === mixed ? docker : [] })
    const { status, body } = await get(`/v3/${idOf(record, 'web')}${path}`)
    expect([status, (path ? taskV3 : containerV3)(body, 'document')]).toEqual([200, []])
  })
  test('the schema does see faults', () => {
    expect(taskV4({ Revision: 1, Strange: true }, 'document')).toEqual(
      expect.arrayContaining([
        'document.Cluster is missing',
        'document.Revision is 1, not /^\\d+$/',
        'document.Strange is not in the schema',
      ]),
    )
  })
})

test('a running container is shown with all there is of it', async () => {
  const { get } = await open({ records: [mixed], docker })
  expect((await get(`/v4/${idOf(mixed, 'web')}`)).body).toEqual({
    DockerId: 'web-id',
    Name: 'web',
    DockerName: mixed.containers[0]?.dockerName,
    Image: 'web:1',
    ImageID: 'sha256:33da',
    Ports: [
      { ContainerPort: 80, Protocol: 'tcp', HostPort: 8080, HostIp: '0.0.0.0' },
      { ContainerPort: 80, Protocol: 'tcp', HostPort: 8080, HostIp: '::' },
    ],
    Labels: { my: 'label', 'com.amazonaws.ecs.cluster': 'proof' },
    DesiredStatus: 'RUNNING',
    KnownStatus: 'RUNNING',
    Limits: { CPU: 2, Memory: 64 },
    CreatedAt: '2026-11-23T00:00:01.865442865Z',
    StartedAt: '2026-11-23T00:00:02.272784006Z',
    Type: 'NORMAL',
    Health: { status: 'HEALTHY', statusSince: '2026-11-23T00:00:01.12Z', output: 'fine' },
    Volumes: [{ Source: '/srv/data', Destination: '/data' }],
    LogDriver: 'json-file',
    LogOptions: { 'max-size': '10m' },
    ContainerARN: containerArn,
    Networks: [{ NetworkMode: 'bridge', IPv4Addresses: ['172.17.0.2'] }],
    RestartCount: 2,
  })
})

test('a task is shown with its containers, those without a container of Docker only once they have an image', async () => {
  const { get } = await open({ records: [mixed], docker })
  const { body } = await get(`/v4/${idOf(mixed, 'init')}/task`)
  expect(body).toMatchObject({
    Cluster: 'proof',
    Revision: '1',
    KnownStatus: 'PULLED',
    Limits: { CPU: 0.25, Memory: 256 },
    PullStartedAt: '2026-11-23T00:00:01.12Z',
    PullStoppedAt: '2026-11-23T00:00:02Z',
    AvailabilityZone: 'us-east-1a',
    AvailabilityZoneID: 'use1-az1',
    VPCID: 'vpc-1',
    ServiceName: 'svc',
    LaunchType: 'EC2',
    FaultInjectionEnabled: false,
    Containers: [
      { Name: 'web' },
      { Name: 'init', KnownStatus: 'STOPPED', ExitCode: 0, FinishedAt: '2026-11-23T00:00:03.5Z' },
      { Name: 'late', KnownStatus: 'PULLED', ImageID: 'sha256:44eb' },
    ],
  })
  expect(body).not.toHaveProperty('Group')
  const { body: v3 } = await get(`/v3/${idOf(mixed, 'init')}/task`)
  expect((v3 as { Containers: object[] }).Containers).toHaveLength(2)
  for (const name of ['LaunchType', 'ServiceName', 'VPCID', 'FaultInjectionEnabled'])
    expect(v3).not.toHaveProperty(name)
})

test('on Fargate the cluster is an ARN, and a task without limits shows none', async () => {
  const record = recordOf(fakeTask('two', [web], { launchType: 'FARGATE', group: 'family:proof' }), {
    web: { state: 'RUNNING', runtimeId: 'web-id' },
  })
  const { get } = await open({ records: [record], docker })
  const { body } = await get(`/v4/${idOf(record, 'web')}/task`)
  expect(body).toMatchObject({
    Cluster: 'arn:aws:ecs:us-east-1:000000000000:cluster/proof',
    Group: 'family:proof',
  })
  expect(body).not.toHaveProperty('Limits')
  expect(taskV4(body, 'document')).toEqual([])
})

test('tags are asked of the control plane for the container that asks; what fails is told by version 4', async () => {
  const { get, told } = await open({
    records: [mixed],
    docker,
    ecs: (_, { resourceArn }) =>
      resourceArn === task.arn ? { tags: [{ key: 'team', value: 'blue' }] } : undefined,
  })
  const { body } = await get(`/v4/${idOf(mixed, 'web')}/taskWithTags`)
  expect(body).toMatchObject({
    TaskTags: { team: 'blue' },
    Errors: [
      {
        ErrorField: 'ContainerInstanceTags',
        ErrorCode: 'InvalidParameterException',
        ErrorMessage: 'not like this',
        StatusCode: 400,
        RequestId: 'request-1',
        ResourceARN: 'arn:aws:ecs:us-east-1:000000000000:container-instance/proof/1111',
      },
    ],
  })
  expect(body).not.toHaveProperty('ContainerInstanceTags')
  expect(taskV4(body, 'document')).toEqual([])
  expect(told.map(({ operation, userAgent }) => [operation, userAgent])).toEqual([
    ['ListTagsForResource', 'agent container/web'],
    ['ListTagsForResource', 'agent container/web'],
  ])
  expect((await get(`/v3/${idOf(mixed, 'web')}/taskWithTags`)).body).not.toHaveProperty('Errors')
})

const eni = {
  ec2Id: 'eni-1',
  macAddress: '0a:00:00:00:00:01',
  ipv4Addresses: [{ primary: true, privateAddress: '127.0.0.1' }],
  subnetGatewayIpv4Address: '10.0.17.1/20',
  domainNameServers: ['10.0.0.2'],
  privateDnsName: 'ip-10-0-17-5.ec2.internal',
}
const own = recordOf(
  fakeTask('three', [web], { networkMode: 'awsvpc', launchType: 'EC2', elasticNetworkInterfaces: [eni] }),
  { web: { state: 'RUNNING', runtimeId: 'web-id' } },
)

test('a task with a network of its own shows the interface, and the container that holds it', async () => {
  const pause = inspectedContainer('pause-id', 'running', { Name: '/ecs-proof-1-internalecspause-three' })
  const { get } = await open({ records: [own], docker: [...docker, pause] })
  const { body } = await get(`/v4/${idOf(own, 'web')}/task`)
  const network = {
    NetworkMode: 'awsvpc',
    IPv4Addresses: ['127.0.0.1'],
    AttachmentIndex: 0,
    MACAddress: '0a:00:00:00:00:01',
    IPv4SubnetCIDRBlock: '10.0.16.0/20',
    DomainNameServers: ['10.0.0.2'],
    PrivateDNSName: 'ip-10-0-17-5.ec2.internal',
    SubnetGatewayIpv4Address: '10.0.17.1/20',
  }
  expect(taskV4(body, 'document')).toEqual([])
  expect(body).toMatchObject({
    Containers: [
      { Name: 'web', Networks: [network] },
      {
        Name: '~internal~ecs~pause',
        Type: 'CNI_PAUSE',
        KnownStatus: 'RESOURCES_PROVISIONED',
        Networks: [network],
      },
    ],
  })
})

test('version 2 knows a task by the address it asks from, and nobody else', async () => {
  const stats = {
    'web-id': {
      read: '2026-11-23T00:00:05Z',
      network_rate_stats: { rx_bytes_per_sec: 1, tx_bytes_per_sec: 1 },
    },
  }
  const { get } = await open({ records: [own], docker, stats })
  const { body } = await get('/v2/metadata')
  expect(body).toMatchObject({ TaskARN: own.task.arn, Containers: [{ Name: 'web' }] })
  expect(taskV3(body, 'document')).toEqual([])
  expect((await get('/v2/metadata/web-id')).body).toMatchObject({ Name: 'web' })
  expect(await get('/v2/metadata/none')).toEqual({
    status: 400,
    body: "Unable to generate metadata for container 'none'",
  })
  expect((await get('/v2/stats')).body).toEqual({ 'web-id': { read: '2026-11-23T00:00:05Z' } })
  endpoint?.end()
  const { get: ask } = await open({ records: [mixed], docker })
  expect(await ask('/v2/metadata')).toEqual({
    status: 400,
    body: "Unable to get task arn from request: unable to associate '127.0.0.1' with task",
  })
})

test('stats are by Docker id, null of a container without any, and a failure for one alone', async () => {
  const web = {
    read: '2026-11-23T00:00:05Z',
    cpu_stats: {},
    network_rate_stats: { rx_bytes_per_sec: 1, tx_bytes_per_sec: 2 },
  }
  const { get } = await open({ records: [mixed], docker, stats: { 'web-id': web } })
  expect((await get(`/v4/${idOf(mixed, 'web')}/stats`)).body).toEqual(web)
  expect((await get(`/v4/${idOf(mixed, 'web')}/task/stats`)).body).toEqual({ 'web-id': web, 'init-id': null })
  expect((await get(`/v3/${idOf(mixed, 'web')}/stats`)).body).not.toHaveProperty('network_rate_stats')
  expect(await get(`/v4/${idOf(mixed, 'init')}/stats`)).toEqual({
    status: 500,
    body: 'Unable to get container stats for: init-id',
  })
})

const noDocker = 'unable to get docker ID from v3 endpoint ID: x'
const noArn = 'unable to get task arn from request: unable to get task Arn from v3 endpoint ID: x'
test.each([
  ['/v4/x', 404, `V4 container metadata handler: unable to get container ID from request: ${noDocker}`],
  ['/v4/x/task', 404, `V4 task metadata handler: ${noArn}`],
  ['/v4/x/stats', 404, `V4 container stats handler: ${noArn}`],
  ['/v4/x/task/stats', 404, `V4 task stats handler: ${noArn}`],
  [
    '/v4/x/associations/gpu',
    400,
    `V4 container associations handler: unable to get container id from request: ${noDocker}`,
  ],
  ['/v3/x', 500, `V3 container metadata handler: unable to get container ID from request: ${noDocker}`],
  ['/v3/x/task', 500, `V3 task metadata handler: ${noArn}`],
  ['/v3/x/stats', 400, `V3 container stats handler: ${noArn}`],
  ['/v4/x/nothing', 404, '404 page not found\n'],
  ['/', 404, '404 page not found\n'],
])('%s is answered with %i', async (path, status, body) => {
  const { get } = await open({ records: [mixed] })
  expect(await get(path)).toEqual({ status, body })
})

test('there are no associations', async () => {
  const { get } = await open({ records: [mixed] })
  expect(await get(`/v4/${idOf(mixed, 'web')}/associations/gpu`)).toEqual({
    status: 200,
    body: { Associations: [] },
  })
  expect((await get(`/v4/${idOf(mixed, 'web')}/associations/gpu/one`)).status).toBe(400)
})
