import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { DescribeSubnetsCommand } from '@aws-sdk/client-ec2'
import { CreateServiceCommand, ListTasksCommand, RunTaskCommand, type Task } from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { killAgent } from './host-processes.ts'
import { OneInstance, polite, runtimeId } from './one-instance.ts'
import { eventually } from './world.ts'

const execute = promisify(execFile)
const taskRoleArn = 'arn:aws:iam::000000000000:role/app'
let one: OneInstance
let task: Task

/** One instance whose control plane checks signatures, and one task with a role that runs throughout. */
beforeAll(async () => {
  one = await OneInstance.start(['ECS_ENABLE_CONTAINER_METADATA=true'], [])
  const web = { command: polite, portMappings: [{ containerPort: 80, hostPort: 8080 }] }
  await one.world.register(
    'web',
    { image: one.image, ...web },
    { taskRoleArn, executionRoleArn: 'pull', cpu: '256', memory: '128' },
  )
  const { tasks } = await one.world.ecs.send(
    new RunTaskCommand({
      cluster: one.cluster,
      taskDefinition: 'web',
      tags: [{ key: 'team', value: 'blue' }],
    }),
  )
  task = await one.at(tasks?.[0]?.taskArn ?? '', 'RUNNING')
})
afterAll(() => one.end())

/** What a shell in a task's container prints. */
const inside = (of: Task, script: string): Promise<string> =>
  one.docker('exec', runtimeId(of), 'sh', '-c', script)
const within = (script: string): Promise<string> => inside(task, script)
const asked = async (path: string, variable = 'ECS_CONTAINER_METADATA_URI_V4'): Promise<unknown> =>
  JSON.parse(await within(`wget -qO- $${variable}${path}`)) as unknown
const variables = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await within('env'))
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )

test('a container finds its task and itself at the addresses in its environment', async () => {
  expect(await asked('/task')).toMatchObject({
    Cluster: 'tasks',
    TaskARN: task.taskArn,
    Family: 'web',
    Revision: '1',
    DesiredStatus: 'RUNNING',
    KnownStatus: 'RUNNING',
    Limits: { CPU: 0.25, Memory: 128 },
    LaunchType: 'EC2',
    AvailabilityZone: task.availabilityZone,
    VPCID: expect.stringMatching(/^vpc-/),
    FaultInjectionEnabled: false,
    Containers: [{ Name: 'main', KnownStatus: 'RUNNING', Type: 'NORMAL', Limits: { CPU: 2, Memory: 32 } }],
  })
  expect(await asked('')).toMatchObject({
    DockerId: runtimeId(task),
    Name: 'main',
    ContainerARN: task.containers?.[0]?.containerArn,
    Ports: [{ ContainerPort: 80, Protocol: 'tcp', HostPort: 8080, HostIp: '0.0.0.0' }, { HostIp: '::' }],
    Networks: [{ NetworkMode: 'bridge', IPv4Addresses: [expect.stringMatching(/^172\./)] }],
    CreatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{4,9}Z$/),
  })
  expect(await asked('', 'ECS_CONTAINER_METADATA_URI')).not.toHaveProperty('ContainerARN')
  expect(await asked('/taskWithTags')).toMatchObject({ TaskTags: { team: 'blue' } })
})

test('what a task uses is had by container, with the rates of its network', async () => {
  const stats = (await asked('/task/stats')) as Record<string, unknown>
  expect(stats[runtimeId(task)]).toMatchObject({
    cpu_stats: { cpu_usage: expect.anything() },
    network_rate_stats: { rx_bytes_per_sec: expect.any(Number), tx_bytes_per_sec: expect.any(Number) },
  })
})

test('the credentials of the task role have five members and sign as the role, by the SDK as it is', async () => {
  const environment = await variables()
  const uri = environment['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'] ?? ''
  const found = JSON.parse(await within(`wget -qO- http://169.254.170.2${uri}`)) as Record<string, string>
  expect(Object.keys(found)).toEqual(['RoleArn', 'AccessKeyId', 'SecretAccessKey', 'Token', 'Expiration'])
  expect(found['RoleArn']).toBe(taskRoleArn)
  expect(await within('wget -qSO- http://169.254.170.2/v2/credentials/guessed 2>&1 || true')).toContain('400')

  const pid = await one.docker('inspect', '--format', '{{.State.Pid}}', runtimeId(task))
  const program = `import { STSClient, GetCallerIdentityCommand } from '@aws-sdk/client-sts'
    console.log((await new STSClient({}).send(new GetCallerIdentityCommand({}))).Arn)`
  const command = [process.execPath, '--input-type=module', '--eval', program]
  const { stdout } = await execute('nsenter', [`--net=/proc/${pid}/ns/net`, ...command], {
    env: { ...environment, PATH: process.env['PATH'] },
  })
  const id = task.taskArn?.split('/').at(-1)
  expect(stdout.trim()).toBe(`arn:aws:sts::000000000000:assumed-role/app/${id}`)
})

test('a task finds itself without a role, and can say where its endpoint is', async () => {
  const plain = await one.printed('env')
  expect(plain).not.toContain('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI')
  expect(plain).toMatch(/^AWS_ENDPOINT_URL=http:\/\/10\.213\./m)
  expect(plain).toContain('AWS_EXECUTION_ENV=AWS_ECS_EC2')
  expect(plain).toContain('AWS_REGION=us-east-1')
  const own = await one.printed('env', {
    environment: [{ name: 'AWS_ENDPOINT_URL', value: 'http://elsewhere' }],
  })
  expect(own).toMatch(/^AWS_ENDPOINT_URL=http:\/\/elsewhere$/m)
})

test('of a hundred requests at once some are told to come later', async () => {
  const script =
    'for i in $(seq 100); do wget -qSO /dev/null $ECS_CONTAINER_METADATA_URI_V4/associations/none 2>&1 & done; wait'
  const printed = await within(script)
  expect(printed).toContain('HTTP/1.1 200')
  expect(printed).toContain('HTTP/1.1 429')
})

test('the metadata file is complete once the container runs', async () => {
  const file = await eventually('the file is ready', async () => {
    const text = await within('cat $ECS_CONTAINER_METADATA_FILE')
    return text.includes('READY') && (JSON.parse(text) as unknown)
  })
  expect(file).toMatchObject({
    Cluster: 'tasks',
    TaskARN: task.taskArn,
    TaskDefinitionFamily: 'web',
    TaskDefinitionRevision: '1',
    ContainerID: runtimeId(task),
    ContainerName: 'main',
    PortMappings: [{ ContainerPort: 80, HostPort: 8080, BindIp: '0.0.0.0', Protocol: 'tcp' }],
    Networks: [{ NetworkMode: 'bridge' }],
    MetadataFileStatus: 'READY',
    HostPrivateIPv4Address: one.address,
  })
})

test('a task with a network of its own finds itself by its address, with its interface and its traffic', async () => {
  const { Subnets } = await one.world.ec2.send(new DescribeSubnetsCommand({}))
  const subnet = Subnets?.find(({ AvailabilityZone }) => AvailabilityZone === task.availabilityZone)
  await one.world.register(
    'own',
    { image: one.image, command: polite },
    { networkMode: 'awsvpc', taskRoleArn },
  )
  const { tasks } = await one.world.ecs.send(
    new RunTaskCommand({
      cluster: one.cluster,
      taskDefinition: 'own',
      networkConfiguration: { awsvpcConfiguration: { subnets: [subnet?.SubnetId ?? ''] } },
    }),
  )
  const own = await one.at(tasks?.[0]?.taskArn ?? '', 'RUNNING')
  const details = Object.fromEntries(
    (own.attachments?.[0]?.details ?? []).map(({ name = '', value = '' }) => [name, value]),
  )
  const read = async (url: string): Promise<Record<string, unknown>> =>
    JSON.parse(await inside(own, `wget -qO- ${url}`)) as Record<string, unknown>
  const container = await read('$ECS_CONTAINER_METADATA_URI_V4')
  expect(container).toMatchObject({
    Networks: [
      {
        NetworkMode: 'awsvpc',
        IPv4Addresses: [details['privateIPv4Address']],
        MACAddress: details['macAddress'],
        AttachmentIndex: 0,
        IPv4SubnetCIDRBlock: subnet?.CidrBlock,
      },
    ],
  })
  expect(container).not.toHaveProperty('Ports')
  expect(await read('http://169.254.170.2/v2/metadata')).toMatchObject({ TaskARN: own.taskArn })
  const stats = await read('$ECS_CONTAINER_METADATA_URI_V4/stats')
  expect(stats).toMatchObject({
    networks: { eth0: { rx_bytes: expect.any(Number) } },
    network_rate_stats: { rx_bytes_per_sec: expect.any(Number) },
  })
  expect(await read('http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI')).toMatchObject({
    RoleArn: taskRoleArn,
  })
  // The control plane answers at the address the task was told, from its own network.
  expect(await inside(own, 'wget -qO- $AWS_ENDPOINT_URL/health')).toContain('ok')
  await one.stop(own.taskArn ?? '')
})

test('a task of a service protects itself as its role, on the network of the host as well', async () => {
  await one.world.register(
    'guarded',
    { image: one.image, command: polite },
    { networkMode: 'host', taskRoleArn },
  )
  await one.world.ecs.send(
    new CreateServiceCommand({
      cluster: one.cluster,
      serviceName: 'guarded',
      taskDefinition: 'guarded',
      desiredCount: 1,
    }),
  )
  const taskArn = await eventually('the service has a task', async () => {
    const { taskArns } = await one.world.ecs.send(
      new ListTasksCommand({ cluster: one.cluster, serviceName: 'guarded' }),
    )
    return taskArns?.[0]
  })
  const guarded = await one.at(taskArn, 'RUNNING')
  const state = '$ECS_AGENT_URI/task-protection/v1/state'
  const body = '{"ProtectionEnabled":true,"ExpiresInMinutes":60}'
  const head = `PUT $path HTTP/1.0\\r\\nContent-Length: ${body.length}\\r\\n\\r\\n`
  // busybox has no client that puts, and its nc goes when it has no more to say.
  const put = `path=/api/\${ECS_AGENT_URI##*/}/task-protection/v1/state; (printf "${head}"; echo '${body}'; sleep 2) | nc 169.254.170.2 80`
  const answered = await inside(guarded, put)
  expect(answered).toContain(`{"protection":{"ExpirationDate":"`)
  expect(JSON.parse(await inside(guarded, `wget -qO- ${state}`))).toMatchObject({
    protection: { ProtectionEnabled: true, TaskArn: taskArn },
  })
  const { ServiceName } = JSON.parse(
    await inside(guarded, 'wget -qO- $ECS_CONTAINER_METADATA_URI_V4/task'),
  ) as { ServiceName: string }
  expect(ServiceName).toBe('guarded')
})

test('after the agent was killed its successor is given the credentials anew, under the same address', async () => {
  const uri = 'http://169.254.170.2$AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'
  const keyOf = async (): Promise<string> =>
    (JSON.parse(await within(`wget -qO- ${uri}`)) as { AccessKeyId: string }).AccessKeyId
  const first = await keyOf()
  killAgent(one.world.berth.directory, one.instanceId)
  const second = await eventually('other credentials are there', async () => {
    const key = await keyOf().catch(() => first)
    return key !== first && key
  })
  expect(second).toMatch(/^ASIA/)
})
