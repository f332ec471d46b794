import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DescribeInstancesCommand, RunInstancesCommand } from '@aws-sdk/client-ec2'
import { CreateClusterCommand, ListClustersCommand } from '@aws-sdk/client-ecs'
import { startControlPlane } from '@berth/tools/control-plane.ts'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { eventually, World } from './world.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-command-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** What `berth` printed to standard error before it failed; the words must be a line, without a stack trace. */
function failure(words: readonly string[], environment: NodeJS.ProcessEnv = process.env): string {
  const { status, stderr } = spawnSync('./berth', [...words], {
    encoding: 'utf8',
    env: environment,
    timeout: 20_000,
  })
  expect(status).toBe(1)
  expect(stderr).not.toMatch(/^\s+at /m)
  return stderr.trim()
}

test('a port that is taken is named', async () => {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const said = failure(['up', '--port', String(port), '--data', directory])
  expect(said).toContain(String(port))
  expect(said).toMatch(/--port/)
  server.close()
})

test('a journal that cannot be read stops the start, and says which file and what to do', () => {
  writeFileSync(
    join(directory, 'state.sqlite'),
    'this is no database, and long enough not to be an empty one'.repeat(100),
  )
  const said = failure(['up', '--port', '1', '--data', directory])
  expect(said).toContain('state.sqlite')
  expect(said.split('\n')).toHaveLength(1)
})

test('a second control plane on the same directory is refused', async () => {
  const first = await startControlPlane(['--dev'], { directory })
  const said = failure(['up', '--port', '1', '--data', directory])
  expect(said).toContain(directory)
  await first.stop()
})

test.each([
  [['up', '--port', 'http'], /port/i],
  [['up', '--account-id', '12'], /twelve digits/],
  [['upp'], /unknown command/],
  [['env', '--data', '/nonexistent'], /berth up/],
])('berth %j is refused with words that help', (words, said) => {
  expect(failure(words)).toMatch(said)
})

test('root credentials are made once and only their owner reads them', async () => {
  const first = await startControlPlane([], { directory })
  const credentials = readFileSync(join(directory, 'credentials'), 'utf8')
  expect(statSync(join(directory, 'credentials')).mode & 0o777).toBe(0o600)
  await first.crash()
  const second = await startControlPlane([], { directory })
  expect(readFileSync(join(directory, 'credentials'), 'utf8')).toBe(credentials)
  await second.stop()
})

test('what was acknowledged before a kill is there after it', async () => {
  const world = await World.start(['--dev'], { directory })
  for (let count = 0; count < 20; count++)
    await world.ecs.send(new CreateClusterCommand({ clusterName: `c${count}` }))
  await world.crash()
  await world.restart()
  expect((await world.ecs.send(new ListClustersCommand({}))).clusterArns).toHaveLength(20)
  await world.end()
})

/** Why the instance that was asked for is terminated. */
async function launchFailure(world: World): Promise<string> {
  const { Instances } = await world.ec2.send(new RunInstancesCommand({ MinCount: 1, MaxCount: 1 }))
  const InstanceIds = [Instances?.[0]?.InstanceId ?? '']
  return eventually('the instance ends', async () => {
    const { Reservations } = await world.ec2.send(new DescribeInstancesCommand({ InstanceIds }))
    const instance = Reservations?.[0]?.Instances?.[0]
    return instance?.State?.Name === 'terminated' && instance.StateReason?.Message
  })
}

test('without Docker an instance is terminated with the reason, and everything else works', async () => {
  const bin = mkdtempSync(join(directory, 'bin-'))
  for (const program of ['sh', 'dirname', 'readlink', 'ip', 'iptables', 'nsenter', 'sysctl', 'setsid'])
    symlinkSync(
      execFileSync('sh', ['-c', `PATH=$PATH:/usr/sbin:/sbin command -v ${program}`], {
        encoding: 'utf8',
      }).trim(),
      join(bin, program),
    )
  const world = await World.start(['--dev'], { directory, environment: { ...process.env, PATH: bin } })
  expect(await launchFailure(world)).toMatch(/install docker\.io/i)
  expect(await world.ecs.send(new ListClustersCommand({}))).toMatchObject({ clusterArns: [] })
  await world.end()
})

test('without root an instance is terminated with the reason, and everything else works', async () => {
  // In a user namespace of its own the process is user 1000 and has no capabilities, yet can read this checkout.
  const prefix = ['unshare', '--user', '--map-user=1000']
  const world = await World.start(['--dev'], { directory, prefix })
  expect(await launchFailure(world)).toMatch(/root/)
  expect(await world.ecs.send(new ListClustersCommand({}))).toMatchObject({ clusterArns: [] })
  await world.end()
})
