// Berth's agent in the place of the official one, on containers as that one leaves them, by a real Docker.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { boltFile } from '@berth/agent/adapters/bolt-testing.ts'
import { officialAgentIdentity } from '@berth/agent/adapters/official-agent.ts'
import { fakeContainer, fakeTask, instanceArn } from '@berth/agent/runtime/fake-control-plane.ts'
import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import { AgentBench } from './agent-bench.ts'
import { OwnDockerd } from './own-dockerd.ts'

const image = 'busybox:1'
const dockerd = new OwnDockerd()
let bench: AgentBench | undefined

beforeAll(async () => {
  await dockerd.start()
  dockerd.importBusybox(image)
})
afterAll(() => dockerd.remove())
afterEach(async () => {
  await bench?.end()
  dockerd.removeContainers()
})

/** Starts an agent in a data directory where the official one noted who it was. */
async function takeOver(name: string): Promise<AgentBench> {
  const directory = join(dockerd.directory, name)
  mkdirSync(directory)
  const metadata = { 'cluster-name': '"proof"', 'container-instance-arn': JSON.stringify(instanceArn) }
  writeFileSync(join(directory, 'agent.db'), boltFile({ metadata }, 'leaf'))
  const identity = await officialAgentIdentity(directory, () => undefined)
  const started = new AgentBench(dockerd, `${name}/berth`, {}, identity)
  bench = started
  await started.start()
  return started
}

/** A container of the official agent: its id. */
function made(task: PayloadTask, container: string, ...more: readonly string[]): string {
  const suffix = `${task.arn.split('/').at(-1)}${container}`
  const named = ['--name', `ecs-web-1-${container}-${suffix}`]
  const labels = [
    `--label=com.amazonaws.ecs.task-arn=${task.arn}`,
    `--label=com.amazonaws.ecs.container-name=${container}`,
  ]
  const address = `--env=ECS_CONTAINER_METADATA_URI_V4=http://169.254.170.2/v4/meta-${container}`
  return dockerd.docker('run', '--detach', ...named, ...labels, address, ...more).trim()
}

const sleeps = ['/bin/sh', '-c', 'trap "exit 7" TERM; while :; do sleep 1 & wait $!; done']
const containers = [
  fakeContainer('web', {
    image,
    command: sleeps,
    portMappings: [{ containerPort: 80 }, { containerPortRange: '9000-9001' }],
    mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }],
  }),
  fakeContainer('init', { image, essential: false }),
]
const taskOf = (id: string): PayloadTask =>
  fakeTask(id, containers, { volumes: [{ name: 'data', host: {} }] })
const published = ['-p', '32768:80', '-p', '32769:9000', '-p', '32770:9001']

test('a task runs on with its containers, ports, volume and metadata address', async () => {
  const task = taskOf('kept')
  const web = made(task, 'web', ...published, '-v', 'ecs-web-1-data:/data', image, ...sleeps)
  const init = made(task, 'init', image, '/bin/true')
  const agent = await takeOver('kept')
  await agent.until(() => agent.control.acsMessages.some(({ type }) => type === 'BerthTasksRequest'))
  agent.control.send(task)
  await agent.told(task, 'RUNNING')
  const said = agent.control.submissions[0]?.containers ?? []
  expect(said.find(({ containerName }) => containerName === 'web')).toMatchObject({
    status: 'RUNNING',
    runtimeId: web,
    networkBindings: [
      { containerPort: 80, hostPort: 32_768 },
      { containerPortRange: '9000-9001', hostPortRange: '32769-32770' },
    ],
  })
  expect(said.filter(({ containerName }) => containerName === 'init')).toMatchObject([
    { status: 'RUNNING', runtimeId: init },
    { status: 'STOPPED', exitCode: 0 },
  ])
  expect(agent.agent.records()[0]?.containers[0]?.metadataId).toBe('meta-web')
  await agent.restart()
  expect(dockerd.docker('ps', '--quiet', '--no-trunc').trim()).toBe(web)
  agent.control.send({ arn: task.arn, desiredStatus: 'STOPPED' })
  expect((await agent.told(task, 'STOPPED')).at(-1)).toBe('STOPPED | web STOPPED 7')
  // The official agent's volume goes with its task, as one of this agent's own does.
  expect(agent.agent.records()[0]?.volumes).toMatchObject([{ dockerName: 'ecs-web-1-data', owned: true }])
})

test('a task that is over leaves nothing', async () => {
  const task = taskOf('over')
  made(task, 'web', image, ...sleeps)
  const agent = await takeOver('over')
  agent.control.send({ arn: task.arn, desiredStatus: 'STOPPED', containers: [] })
  await agent.until(() => dockerd.docker('ps', '--all', '--quiet') === '')
  expect(await agent.told(task, 'STOPPED')).toEqual(['STOPPED | web STOPPED 137'])
})
