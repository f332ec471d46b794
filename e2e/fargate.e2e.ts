/** Fargate on real hosts that nobody sees: tasks with addresses of their own, held to their size; hosts that die; Spot. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import {
  AuthorizeSecurityGroupIngressCommand,
  DescribeInstancesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSubnetsCommand,
} from '@aws-sdk/client-ec2'
import {
  CreateServiceCommand,
  type CreateServiceCommandInput,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ListTasksCommand,
  PutClusterCapacityProvidersCommand,
  RunTaskCommand,
  StopTaskCommand,
  type Task,
} from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { cutPower } from './host-processes.ts'
import { installationId, leftOf } from './left-behind.ts'
import { eventually, World } from './world.ts'

const cluster = 'default'
const vcpu = 1024
const gib = 1024
let world: World
const subnets: string[] = []

/** Serves its environment and its metadata; ends with 42 when it is asked to. */
const server = [
  'trap "exit 42" TERM',
  'mkdir -p /tmp/www/cgi-bin',
  ...Object.entries({
    env: 'env',
    task: 'wget -qO- $ECS_CONTAINER_METADATA_URI_V4/task',
    imds: 'timeout 2 wget -qO- http://169.254.169.254/latest/ || echo none',
  }).map(
    ([name, script]) =>
      String.raw`printf '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\n${script}\n' > /tmp/www/cgi-bin/${name}`,
  ),
  'chmod +x /tmp/www/cgi-bin/*',
  'httpd -p 80 -h /tmp/www',
  'while :; do sleep 1 & wait $!; done',
].join('\n')

beforeAll(async () => {
  world = await World.start(['--dev', '--fargate-cpu', '6', '--fargate-memory', '12'])
  await world.cluster(cluster, 0)
  const image = await world.push('tool')
  await world.register(
    'web',
    { image, command: ['sh', '-c', server], portMappings: [{ containerPort: 80 }], stopTimeout: 10 },
    {
      requiresCompatibilities: ['FARGATE'],
      networkMode: 'awsvpc',
      cpu: String(vcpu),
      memory: String(2 * gib),
      executionRoleArn: 'arn:aws:iam::000000000000:role/execution',
    },
  )
  const { Subnets = [] } = await world.ec2.send(new DescribeSubnetsCommand({}))
  subnets.push(...Subnets.map(({ SubnetId = '' }) => SubnetId))
  await world.ec2.send(
    new AuthorizeSecurityGroupIngressCommand({
      GroupName: 'default',
      IpPermissions: [{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
    }),
  )
})
afterAll(() => world.end())

const network = (): Pick<CreateServiceCommandInput, 'networkConfiguration'> => ({
  networkConfiguration: { awsvpcConfiguration: { subnets, assignPublicIp: 'ENABLED' } },
})
const create = (serviceName: string, desiredCount: number, more: Partial<CreateServiceCommandInput>) =>
  world.ecs.send(
    new CreateServiceCommand({
      cluster,
      serviceName,
      taskDefinition: 'web',
      desiredCount,
      ...network(),
      ...more,
    }),
  )

async function tasksOf(
  serviceName: string,
  desiredStatus: 'RUNNING' | 'STOPPED' = 'RUNNING',
): Promise<Task[]> {
  const { taskArns = [] } = await world.ecs.send(
    new ListTasksCommand({ cluster, serviceName, desiredStatus }),
  )
  if (taskArns.length === 0) return []
  return (await world.ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns }))).tasks ?? []
}

/** The tasks of a service once exactly so many are to run, and do. */
const running = (serviceName: string, count: number): Promise<Task[]> =>
  eventually(
    `${count} tasks of ${serviceName} run`,
    async () => {
      const tasks = await tasksOf(serviceName)
      return tasks.length === count && tasks.every(({ lastStatus }) => lastStatus === 'RUNNING') && tasks
    },
    90,
  )

const eventsOf = async (service: string): Promise<string[]> => {
  const { services } = await world.ecs.send(new DescribeServicesCommand({ cluster, services: [service] }))
  return (services?.[0]?.events ?? []).map(({ message = '' }) => message)
}
const addressOf = ({ containers }: Task): string =>
  containers?.[0]?.networkInterfaces?.[0]?.privateIpv4Address ?? ''
const ask = (task: Task, what: string): Promise<string> =>
  eventually(`${addressOf(task)} answers`, async () => {
    const answer = await fetch(`http://${addressOf(task)}/cgi-bin/${what}`, {
      signal: AbortSignal.timeout(4000),
    })
    return answer.ok && (await answer.text())
  })

/** Where the hosts are kept that no API shows. */
const hosts = (): string[] =>
  readdirSync(`${world.berth.directory}/instances`).filter((name) => name.startsWith('i-'))

/** The cgroup of a task's containers, in version 1 or else in version 2. */
function cgroupFile(taskId: string, controller: string, version1: string, version2: string): string {
  const found = (folder: string): string =>
    execFileSync('find', [folder, '-type', 'd', '-name', taskId], { encoding: 'utf8' }).trim()
  const one = existsSync(`/sys/fs/cgroup/${controller}`) ? found(`/sys/fs/cgroup/${controller}/`) : ''
  return readFileSync(
    one === '' ? `${found('/sys/fs/cgroup')}/${version2}` : `${one}/${version1}`,
    'utf8',
  ).trim()
}

test('a service of four runs, and its cluster has no instances', async () => {
  await create('web', 4, { launchType: 'FARGATE' })
  const tasks = await running('web', 4)
  expect(await world.containerInstances(cluster)).toEqual([])
  expect((await world.ec2.send(new DescribeInstancesCommand({}))).Reservations).toEqual([])
  expect(hosts()).toHaveLength(2)
  for (const task of tasks)
    expect(task).toMatchObject({
      launchType: 'FARGATE',
      platformVersion: '1.4.0',
      platformFamily: 'Linux',
      ephemeralStorage: { sizeInGiB: 20 },
      attachments: [{ type: 'ElasticNetworkInterface', status: 'ATTACHED' }],
    })
  expect(tasks.every((task) => task.containerInstanceArn === undefined)).toBe(true)
  expect(new Set(tasks.map(({ availabilityZone }) => availabilityZone)).size).toBe(3)
})

test('each is reached at its own address, knows where it is, and nothing of its host', async () => {
  const tasks = await tasksOf('web')
  expect(new Set(tasks.map(addressOf)).size).toBe(4)
  for (const task of tasks) {
    expect(await ask(task, 'env')).toContain('AWS_EXECUTION_ENV=AWS_ECS_FARGATE')
    expect(JSON.parse(await ask(task, 'task'))).toMatchObject({
      Cluster: task.clusterArn,
      TaskARN: task.taskArn,
      LaunchType: 'FARGATE',
      AvailabilityZone: task.availabilityZone,
      Limits: { CPU: 1, Memory: 2 * gib },
    })
  }
  const [task] = tasks as [Task]
  expect(await ask(task, 'imds')).toContain('none')
  const { NetworkInterfaces } = await world.ec2.send(
    new DescribeNetworkInterfacesCommand({
      Filters: [{ Name: 'private-ip-address', Values: [addressOf(task)] }],
    }),
  )
  expect(NetworkInterfaces).toMatchObject([{ Association: { PublicIp: addressOf(task) } }])
  expect(NetworkInterfaces?.[0]?.Attachment?.InstanceId).toBeUndefined()
})

test('a task is held to its size', async () => {
  const [task] = (await tasksOf('web')) as [Task]
  const taskId = task.taskArn?.split('/').at(-1) ?? ''
  expect(['100000', '100000 100000']).toContain(cgroupFile(taskId, 'cpu', 'cpu.cfs_quota_us', 'cpu.max'))
  expect(cgroupFile(taskId, 'memory', 'memory.limit_in_bytes', 'memory.max')).toBe(String(2 * gib * 2 ** 20))
})

test('the control plane is killed and comes back: the same four run on, on the same hosts', async () => {
  const before = new Set((await tasksOf('web')).map(({ taskArn }) => taskArn))
  const on = hosts()
  await world.crash()
  await world.restart()
  const after = await running('web', 4)
  expect(new Set(after.map(({ taskArn }) => taskArn))).toEqual(before)
  expect(hosts()).toEqual(on)
  for (const task of after) await ask(task, 'env')
})

test('a host of the pool dies: four run again', async () => {
  const before = new Set((await tasksOf('web')).map(({ taskArn }) => taskArn))
  const [lost = ''] = hosts()
  cutPower(world.berth.directory, lost)
  execFileSync('ip', ['netns', 'delete', `berth-${installationId(world.berth.directory)}-${lost}`])
  const gone = await eventually(
    'its tasks have stopped',
    async () => {
      const stopped = await tasksOf('web', 'STOPPED')
      return stopped.length === 2 && stopped.every(({ lastStatus }) => lastStatus === 'STOPPED') && stopped
    },
    90,
  )
  for (const { taskArn } of gone) expect(before).toContain(taskArn)
  for (const task of await running('web', 4)) await ask(task, 'env')
})

test('Spot tasks make way for on-demand ones, and come back when there is room', async () => {
  await world.ecs.send(
    new PutClusterCapacityProvidersCommand({
      cluster,
      capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
      defaultCapacityProviderStrategy: [],
    }),
  )
  await create('spot', 3, {
    capacityProviderStrategy: [
      { capacityProvider: 'FARGATE', base: 1, weight: 0 },
      { capacityProvider: 'FARGATE_SPOT', weight: 1 },
    ],
  })
  const providers = async (): Promise<string> =>
    (await tasksOf('spot'))
      .filter(({ lastStatus }) => lastStatus === 'RUNNING')
      .map(({ capacityProviderName }) => capacityProviderName ?? '')
      .toSorted()
      .join()
  await eventually(
    'one on demand and one on Spot run',
    async () => (await providers()) === 'FARGATE,FARGATE_SPOT',
    90,
  )
  expect((await eventsOf('spot'))[0]).toMatch(/was unable to place a task\. Reason: Capacity is unavailable/)
  const spot = (await tasksOf('spot')).find(
    ({ capacityProviderName }) => capacityProviderName === 'FARGATE_SPOT',
  )

  const { tasks } = await world.ecs.send(
    new RunTaskCommand({ cluster, taskDefinition: 'web', launchType: 'FARGATE', ...network() }),
  )
  const onDemand = tasks?.[0]?.taskArn ?? ''
  expect(await world.taskAt(cluster, spot?.taskArn ?? '', 'STOPPED')).toMatchObject({
    stopCode: 'SpotInterruption',
    stoppedReason: 'Your Spot Task was interrupted.',
    containers: [{ exitCode: 42 }],
  })
  await world.taskAt(cluster, onDemand, 'RUNNING')
  expect(await providers()).toBe('FARGATE')

  await world.ecs.send(new StopTaskCommand({ cluster, task: onDemand }))
  await eventually('it is back', async () => (await providers()) === 'FARGATE,FARGATE_SPOT', 60)
})

test('nothing is left on the machine', async () => {
  const launched = hosts()
  await world.berthCommand('down')
  expect(await leftOf(world.berth.directory, launched)).toEqual([])
})
