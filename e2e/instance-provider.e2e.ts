import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import {
  DescribeInstancesCommand,
  type Instance,
  RunInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installationId, leftOf } from './left-behind.ts'
import { eventually, World } from './world.ts'

let world: World
let ids: string[]
let image: string
/** Where `docker login` keeps its password, so that the user's own file stays as it is. */
const dockerConfig = mkdtempSync(join(tmpdir(), 'docker-config-'))
beforeAll(async () => {
  process.env['DOCKER_CONFIG'] = dockerConfig
  world = await World.start()
  await world.cluster('demo', 0)
  ids = await world.launch('demo', 2)
  image = await world.push('web', { 'www/index.html': 'hello' }, ['httpd', '-f', '-h', '/www'])
})
afterAll(async () => {
  rmSync(dockerConfig, { recursive: true })
  await world.end()
})

const sh = (script: string): string => execFileSync('sh', ['-c', script], { encoding: 'utf8' })
const describe = async (id: string): Promise<Instance> => {
  const { Reservations } = await world.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] }))
  const instance = Reservations?.[0]?.Instances?.[0]
  if (!instance) throw new Error(`no instance ${id}`)
  return instance
}
const at = (id: string, state: string): Promise<Instance> =>
  eventually(`${id} is ${state}`, async () => {
    const instance = await describe(id)
    return instance.State?.Name === state && instance
  })
/** What the container that listens on port 8080 of each instance answers, asked by address and by name. */
const answers = async (id: string): Promise<string[]> => {
  const { PublicIpAddress: address, PublicDnsName: name } = await describe(id)
  return eventually(`${id} answers`, () =>
    Promise.all([address, name].map(async (host) => (await fetch(`http://${host}:8080/`)).text())),
  )
}

test('instances pull from the registry and serve the same port, each on its own address and name', async () => {
  const password = await world.aws('ecr', 'get-login-password')
  for (const id of ids) {
    await world.docker(id, 'login', '-u', 'AWS', '-p', password, `localhost:${world.berth.port}`)
    await world.docker(id, 'run', '-d', '--name', 'web', '--restart', 'always', '-p', '8080:80', image)
    expect(await answers(id)).toEqual(['hello', 'hello'])
  }
})

test('a container reaches its instance metadata', async () => {
  for (const id of ids) {
    const url = 'http://169.254.169.254/latest/meta-data/instance-id'
    expect(await world.docker(id, 'exec', 'web', 'wget', '-qO-', url)).toBe(id)
  }
})

test('containers are inside the limits of the instance type', async () => {
  const [id = ''] = ids
  const memory = sh(
    `find /sys/fs/cgroup -path '*${id}/containers/memory.*' | grep -E 'memory.(max|limit_in_bytes)$'`,
  )
  expect(readFileSync(memory.trim().split('\n')[0] ?? '', 'utf8').trim()).toBe(String(2048 * 1024 * 1024))
})

test('containers outlive the daemon and the control plane', async () => {
  const [id = ''] = ids
  const since = await world.docker(id, 'inspect', '-f', '{{.State.StartedAt}}', 'web')
  const socket = new URL(await world.berthCommand('docker-host', id)).pathname
  process.kill(Number(readFileSync(join(dirname(socket), 'dockerd.pid'), 'utf8')), 'SIGKILL')
  await world.crash()
  await world.restart()
  expect(await answers(id)).toEqual(['hello', 'hello'])
  const now = await eventually('the daemon is back', () =>
    world.docker(id, 'inspect', '-f', '{{.State.StartedAt}}', 'web'),
  )
  expect(now).toBe(since)
})

test('an instance keeps its containers over a stop and a start', async () => {
  const [id = ''] = ids
  await world.ec2.send(new StopInstancesCommand({ InstanceIds: [id] }))
  await at(id, 'stopped')
  await world.ec2.send(new StartInstancesCommand({ InstanceIds: [id] }))
  await at(id, 'running')
  expect(await answers(id)).toEqual(['hello', 'hello'])
})

test('terminated instances leave nothing on the machine', async () => {
  await world.ec2.send(new TerminateInstancesCommand({ InstanceIds: ids }))
  for (const id of ids) await at(id, 'terminated')
  expect(await leftOf(world.berth.directory, ids)).toEqual([])
})

const launchThree = async (): Promise<string[]> => {
  const { Instances } = await world.ec2.send(new RunInstancesCommand({ MinCount: 3, MaxCount: 3 }))
  return (Instances ?? []).map(({ InstanceId = '' }) => InstanceId)
}

test('instances terminated while they are pending leave nothing, and do not disturb one that boots', async () => {
  const [first = '', second = '', kept = ''] = await launchThree()
  await world.ec2.send(new TerminateInstancesCommand({ InstanceIds: [first] }))
  await wait(150)
  await world.ec2.send(new TerminateInstancesCommand({ InstanceIds: [second] }))
  await world.ec2.send(new TerminateInstancesCommand({ InstanceIds: [first, second] }))
  for (const id of [first, second]) await at(id, 'terminated')
  await at(kept, 'running')
  expect(sh(`ip netns exec $(ip netns | grep -o 'berth-[0-9a-f]*-${kept}') ip route`)).toContain(
    'default via',
  )
  await world.ec2.send(new TerminateInstancesCommand({ InstanceIds: [kept] }))
  await at(kept, 'terminated')
  expect(await leftOf(world.berth.directory, [first, second, kept])).toEqual([])
})

test('a control plane killed at any point of a launch brings the instances up when it is back', async () => {
  const launched: string[] = []
  for (const afterMs of [40, 300]) {
    launched.push(...(await launchThree()))
    await wait(afterMs)
    await world.crash()
    await world.restart()
  }
  for (const id of launched) await at(id, 'running')
  await world.ec2.send(new TerminateInstancesCommand({ InstanceIds: launched.slice(0, 4) }))
  await world.crash()
  await world.restart()
  for (const id of launched.slice(0, 4)) await at(id, 'terminated')
  await world.ec2.send(new TerminateInstancesCommand({ InstanceIds: launched }))
  for (const id of launched) await at(id, 'terminated')
  expect(await leftOf(world.berth.directory, launched)).toEqual([])
})

test('berth down leaves nothing of launches under way, nor of those of a control plane that was killed', async () => {
  for (const afterMs of [60, 250, 800]) {
    const launched = await launchThree()
    await wait(afterMs)
    if (afterMs !== 800) await world.crash()
    await world.berthCommand('down')
    expect(await leftOf(world.berth.directory, launched)).toEqual([])
    await world.restart()
    await world.ec2.send(new TerminateInstancesCommand({ InstanceIds: launched }))
  }
})

test('a control plane removes at its start what belongs to no instance', async () => {
  const { directory } = world.berth
  await world.berthCommand('down')
  const id = installationId(directory)
  const stranger = 'i-0000000000000dead'
  sh(`ip netns add berth-${id}-${stranger}
    ip link add berth-${id} type bridge
    ip link add bv${stranger.slice(-12)} type veth peer name eth0 netns berth-${id}-${stranger}
    ip link set bv${stranger.slice(-12)} master berth-${id}
    iptables -w -t nat -I POSTROUTING -s 172.31.99.99/32 ! -o berth-${id} -j MASQUERADE
    iptables -w -I FORWARD -i berth-${id} -j ACCEPT; iptables -w -I FORWARD -i berth-${id} -j ACCEPT`)
  await world.restart()
  expect(await leftOf(directory, [stranger])).toEqual([])
})
