/** Tasks of network mode awsvpc on real hosts: addresses of their own, security groups, and nothing left of them. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  RevokeSecurityGroupIngressCommand,
} from '@aws-sdk/client-ec2'
import { type ContainerDefinition, RunTaskCommand, type Task } from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { polite, runtimeId } from './one-instance.ts'
import { type Host, Hosts } from './hosts.ts'
import { processesOf } from './host-processes.ts'
import { installationId } from './left-behind.ts'
import { eventually } from './world.ts'

const execute = promisify(execFile)
let fleet: Hosts
let image: string
const subnets: string[] = []
let webGroup = ''
let defaultGroup = ''

beforeAll(async () => {
  fleet = await Hosts.start(2)
  image = await fleet.world.push('tool')
  const { ec2 } = fleet.world
  const { Subnets } = await ec2.send(new DescribeSubnetsCommand({}))
  subnets.push(...(Subnets ?? []).map(({ SubnetId = '' }) => SubnetId))
  webGroup = await newGroup('web')
  const { SecurityGroups } = await ec2.send(new DescribeSecurityGroupsCommand({ GroupNames: ['default'] }))
  defaultGroup = SecurityGroups?.[0]?.GroupId ?? ''
})
afterAll(() => fleet.end())

async function newGroup(GroupName: string): Promise<string> {
  const made = await fleet.world.ec2.send(
    new CreateSecurityGroupCommand({ GroupName, Description: 'a test' }),
  )
  return made.GroupId ?? ''
}

/** A web server on port 80 that answers with `text`. */
const web = (text: string): Partial<ContainerDefinition> => ({
  command: [
    'sh',
    '-c',
    `mkdir -p /tmp/www; echo ${text} > /tmp/www/index.html; httpd -p 80 -h /tmp/www; ${polite[2]}`,
  ],
  portMappings: [{ containerPort: 80 }],
})

async function run(
  family: string,
  containers: ReadonlyArray<Partial<ContainerDefinition>>,
  host: Host,
  securityGroups: string[],
): Promise<Task> {
  const { world, cluster } = fleet
  const definitions = containers.map((container, index) => ({
    name: index === 0 ? 'main' : `side-${index}`,
    image,
    memory: 32,
    ...container,
  }))
  await world.register(family, definitions[0] ?? {}, {
    networkMode: 'awsvpc',
    containerDefinitions: definitions,
  })
  const { tasks, failures } = await world.ecs.send(
    new RunTaskCommand({
      cluster,
      taskDefinition: family,
      networkConfiguration: { awsvpcConfiguration: { subnets, securityGroups } },
      placementConstraints: [
        { type: 'memberOf', expression: `attribute:ecs.availability-zone == ${host.availabilityZone}` },
      ],
    }),
  )
  const taskArn = tasks?.[0]?.taskArn
  if (taskArn === undefined) throw new Error(`the task was not placed: ${JSON.stringify(failures)}`)
  expect(tasks?.[0]?.attachments).toMatchObject([
    { type: 'ElasticNetworkInterface', status: 'PRECREATED', details: [{ name: 'subnetId' }] },
  ])
  return eventually(`${family} runs`, async () => {
    const task = await world.task(cluster, taskArn)
    if (task.lastStatus === 'STOPPED') throw new Error(`${family}: ${JSON.stringify(task, undefined, 1)}`)
    return task.lastStatus === 'RUNNING' && task
  })
}

const detailsOf = (task: Task): Record<string, string> =>
  Object.fromEntries((task.attachments?.[0]?.details ?? []).map(({ name = '', value = '' }) => [name, value]))
const addressOf = (task: Task): string => detailsOf(task)['privateIPv4Address'] ?? ''
const hostOf = (task: Task): Host => {
  const host = fleet.hosts.find(({ arn }) => arn === task.containerInstanceArn)
  if (!host) throw new Error('the task is on no host')
  return host
}
const dockerHosts = new Map<string, Promise<string>>()
/** Docker of an instance; who it is is asked once, as that takes a process of its own. */
async function docker({ instanceId }: Host, ...words: readonly string[]): Promise<string> {
  const host = dockerHosts.get(instanceId) ?? fleet.world.berthCommand('docker-host', instanceId)
  dockerHosts.set(instanceId, host)
  const { stdout } = await execute('docker', ['-H', await host, ...words])
  return stdout.trim()
}
const shell = (task: Task, script: string, name = 'main'): Promise<string> =>
  docker(hostOf(task), 'exec', runtimeId(task, name), 'sh', '-c', script)
/** What a web server at an address says to a task; '' when it cannot be reached within two seconds. */
const ask = (task: Task, address: string): Promise<string> =>
  shell(task, `timeout 2 wget -qO- http://${address}/ || true`)
const askFromHere = async (address: string): Promise<string> => {
  try {
    const answer = await fetch(`http://${address}/`, { signal: AbortSignal.timeout(1500) })
    return (await answer.text()).trim()
  } catch {
    return ''
  }
}
const permission = (CidrIp: string) => [
  { IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp }] },
]
const authorize = (GroupId: string, IpPermissions: object[]) =>
  fleet.world.ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }))
const revoke = (GroupId: string, IpPermissions: object[]) =>
  fleet.world.ec2.send(new RevokeSecurityGroupIngressCommand({ GroupId, IpPermissions }))

let one: Task
let two: Task

test('two tasks on two hosts have addresses of their own, and one name and one network for all their containers', async () => {
  const [first, second] = fleet.hosts as [Host, Host]
  one = await run('one', [web('one'), { command: [...polite] }], first, [defaultGroup, webGroup])
  two = await run('two', [web('two')], second, [])
  const details = detailsOf(one)
  expect(Object.keys(details)).toEqual([
    'subnetId',
    'networkInterfaceId',
    'macAddress',
    'privateDnsName',
    'privateIPv4Address',
  ])
  expect(one.attachments?.[0]?.status).toBe('ATTACHED')
  expect(one.containers?.[0]?.networkInterfaces).toEqual([
    { attachmentId: one.attachments?.[0]?.id, privateIpv4Address: addressOf(one) },
  ])
  expect(one.containers?.[0]?.networkBindings).toEqual([])
  expect(await shell(one, 'ip -4 -o addr show eth0')).toContain(` ${addressOf(one)}/20 `)
  expect(await shell(one, 'cat /sys/class/net/eth0/address')).toBe(details['macAddress'])
  expect(await shell(one, 'hostname')).toBe(details['privateDnsName'])
  expect(await shell(one, 'timeout 2 wget -qO- http://localhost/', 'side-1')).toBe('one')
})

test('members of the default group reach each other over the hosts, and the agent and the machine reach who lets them', async () => {
  expect(await ask(one, addressOf(two))).toBe('two')
  expect(await ask(two, addressOf(one))).toBe('one')
  expect(await askFromHere(addressOf(one))).toBe('')
  const metadata = await shell(one, 'timeout 2 wget -qO- $ECS_CONTAINER_METADATA_URI_V4/task')
  expect(JSON.parse(metadata)).toMatchObject({ TaskARN: one.taskArn })
  expect(await shell(one, 'timeout 2 wget -qO- http://169.254.169.254/latest/meta-data/instance-id')).toBe(
    hostOf(one).instanceId,
  )
})

test('two services listen on port 80 of one host, each on its address', async () => {
  await authorize(webGroup, permission('0.0.0.0/0'))
  const [first] = fleet.hosts as [Host]
  const three = await run('three', [web('three')], first, [webGroup])
  expect(await eventually('three answers', () => askFromHere(addressOf(three)), 5)).toBe('three')
  expect(await askFromHere(addressOf(one))).toBe('one')
  expect(await ask(three, addressOf(one))).toBe('one')
  expect(await ask(three, addressOf(two))).toBe('')
  // Of its three interfaces a t3.small keeps one to itself.
  await expect(run('four', [web('four')], first, [webGroup])).rejects.toThrow('RESOURCE:ENI')
  await fleet.stop([three.taskArn ?? ''])
})

test('a change of a security group cuts a connection and restores it', async () => {
  const [, second] = fleet.hosts as [Host, Host]
  const five = await run('five', [web('five')], second, [webGroup])
  const clients = [{ IpProtocol: '-1', UserIdGroupPairs: [{ GroupName: 'default' }] }]
  await revoke(webGroup, permission('0.0.0.0/0'))
  await eventually('the machine is shut out', async () => (await askFromHere(addressOf(five))) === '', 5)
  expect(await ask(one, addressOf(five))).toBe('')
  await authorize(webGroup, clients)
  expect(await eventually('members are let in', () => ask(one, addressOf(five)), 5)).toBe('five')
  // A connection that stands: one line a second.
  const listen = `nc -l -p 81 -e sh -c 'while :; do date +%s; sleep 0.2; done' >/dev/null 2>&1 &`
  await shell(five, listen)
  const reader = `nc ${addressOf(five)} 81 > /tmp/lines & echo`
  await shell(one, reader)
  const lines = async (): Promise<number> => Number(await shell(one, 'wc -l < /tmp/lines'))
  await eventually('lines come', async () => (await lines()) > 2, 5)
  await revoke(webGroup, clients)
  await eventually('no new connection', async () => (await ask(one, addressOf(five))) === '', 5)
  const before = await eventually('no lines come', async () => {
    const now = await lines()
    await new Promise((resolve) => setTimeout(resolve, 700))
    return (await lines()) === now && now
  })
  await authorize(webGroup, clients)
  await eventually('lines come again', async () => (await lines()) > before, 10)
  await fleet.stop([five.taskArn ?? ''])
})

test('the address stays when agent and dockerd are started anew', async () => {
  const { instanceId } = hostOf(one)
  const { agent, dockerd } = processesOf(fleet.world.berth.directory, instanceId)
  for (const pid of [dockerd, agent]) if (pid !== undefined) process.kill(pid, 'SIGKILL')
  await eventually('others take their places', () => {
    const now = processesOf(fleet.world.berth.directory, instanceId)
    const areNew = now.agent !== agent && now.dockerd !== dockerd
    return Promise.resolve(areNew && now.agent !== undefined && now.dockerd !== undefined)
  })
  await eventually('docker answers', () => shell(one, 'hostname').catch(() => ''), 20)
  const netns = `berth-${installationId(fleet.world.berth.directory)}-${instanceId}`
  await eventually('the agent has registered again', async () => {
    const asked = ['wget', '-qO-', 'http://127.0.0.1:51678/v1/metadata']
    const { stdout } = await execute('nsenter', [`--net=/run/netns/${netns}`, 'busybox', ...asked])
    return stdout.includes('ContainerInstanceArn')
  })
  expect(await ask(two, addressOf(one))).toBe('one')
  expect((await fleet.describe([one.taskArn ?? '']))[0]).toMatchObject({
    lastStatus: 'RUNNING',
    attachments: [{ status: 'ATTACHED' }],
  })
})

test('with pidMode and ipcMode task the containers of a task in another network share processes and memory', async () => {
  const { world, cluster } = fleet
  const containers = ['main', 'side'].map((name) => ({ name, image, memory: 32, command: [...polite] }))
  await world.register('shared', containers[0] ?? {}, {
    containerDefinitions: containers,
    pidMode: 'task',
    ipcMode: 'task',
  })
  const arn = await world.run(cluster, 'shared')
  const task = await world.taskAt(cluster, arn, 'RUNNING')
  const identity = (name: string): Promise<string> =>
    shell(task, 'readlink /proc/self/ns/pid /proc/self/ns/ipc; cat /proc/1/cmdline', name)
  expect(await identity('side')).toBe(await identity('main'))
  expect(await identity('main')).toContain('/busybox')
  await fleet.stop([arn])
})

test('a task ends with its pause container', async () => {
  const name = `internalecspause-${(two.taskArn ?? '').split('/').at(-1)}`
  const host = hostOf(two)
  await docker(host, 'kill', await docker(host, 'ps', '-q', '--filter', `name=${name}`))
  const stopped = await fleet.world.taskAt(fleet.cluster, two.taskArn ?? '', 'STOPPED')
  expect(stopped).toMatchObject({
    stopCode: 'EssentialContainerExited',
    stoppedReason: 'Essential container in task exited',
    attachments: [{ status: 'DELETED' }],
  })
})

test('nothing is left of tasks that have stopped', async () => {
  const addresses = [addressOf(one), addressOf(two)]
  await fleet.stop([one.taskArn ?? ''])
  const bridge = `berth-${installationId(fleet.world.berth.directory)}`
  const inside = async ({ instanceId }: Host): Promise<string> => {
    const { stdout } = await execute('nsenter', [
      `--net=/run/netns/${bridge}-${instanceId}`,
      'sh',
      '-c',
      'ip -br link show type veth; nft list table inet berth_tasks | grep eni_; ip route | grep veth; true',
    ])
    return stdout
  }
  await eventually('the hosts have forgotten them', async () => {
    const shown = (await Promise.all(fleet.hosts.map(inside))).join('').split('\n')
    // The host's own interface is one end of a pair too.
    expect(shown.filter((line) => line !== '' && !line.startsWith('eth0'))).toEqual([])
    return true
  })
  await eventually('the machine has forgotten them', async () => {
    const { stdout } = await execute('ip', ['route', 'show', 'dev', bridge])
    return addresses.every((address) => !stdout.includes(`${address} `))
  })
  for (const host of fleet.hosts) expect(await docker(host, 'ps', '-q')).toBe('')
  const { NetworkInterfaces } = await fleet.world.ec2.send(
    new DescribeNetworkInterfacesCommand({ Filters: [{ Name: 'requester-managed', Values: ['true'] }] }),
  )
  expect(NetworkInterfaces).toEqual([])
  await fleet.world.ec2.send(new DeleteSecurityGroupCommand({ GroupId: webGroup }))
  expect(await fleet.leftAfterDown()).toEqual([])
  const { stdout } = await execute('nft', ['list', 'tables'])
  expect(stdout).not.toContain(installationId(fleet.world.berth.directory))
})
