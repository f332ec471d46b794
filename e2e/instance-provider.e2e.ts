import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  DescribeInstancesCommand,
  type Instance,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
  const installation = `berth-${createHash('sha256').update(realpathSync(world.berth.directory)).digest('hex').slice(0, 8)}`
  const traces = `ip netns; ip -br link; ip route; iptables -S; iptables -t nat -S; cat /etc/hosts /proc/mounts
    find /sys/fs/cgroup -type d -name 'berth-*'; find /run/berth 2>/dev/null; true`
  await eventually('nothing is left', async () => !sh(traces).includes(installation.slice('berth-'.length)))
  for (const id of ids) expect(sh(`pgrep -f ${id} | grep -v $$ || true`)).toBe('')
})
