import { execFile } from 'node:child_process'
import { request } from 'node:http'
import { promisify } from 'node:util'
import {
  DescribeContainerInstancesCommand,
  ListTasksCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs'
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  GetLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import { postPinned } from '@berth/cli/join-tunnel.ts'
import { freePort } from '@berth/tools/control-plane.ts'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Machine } from './join-machine.ts'
import { eventually, World } from './world.ts'

const machine = new Machine(200 + (process.pid % 50))
const cluster = 'edge'
let world: World
let image: string
let line: string

beforeAll(async () => {
  machine.plugIn()
  const port = await freePort()
  ;[world] = await Promise.all([World.start(['--listen', machine.near], { port }), machine.start()])
  image = await world.push('tool')
  await world.cluster(cluster, 0)
}, 60_000)
afterAll(async () => {
  await machine.remove()
  await world?.end()
})

const token = async (...more: readonly string[]): Promise<string> =>
  world.berthCommand('token', 'create', '--cluster', cluster, ...more)
const wordsOf = (typed: string): string[] => [...typed.split(' ').slice(1), '--docker', machine.docker.host]

async function instance() {
  const containerInstances = await world.containerInstances(cluster)
  if (containerInstances.length === 0) return undefined
  const found = await world.ecs.send(
    new DescribeContainerInstancesCommand({ cluster, containerInstances, include: ['TAGS'] }),
  )
  return found.containerInstances?.[0]
}

const forever = 'trap "exit 0" TERM; while :; do sleep 1 & wait $!; done'

async function run(
  command: string,
  container: object = {},
  more: object = {},
  enableExecuteCommand = false,
): Promise<string> {
  await world.register('on-the-edge', { image, command: ['sh', '-c', command], ...container }, more)
  const { tasks, failures } = await world.ecs.send(
    new RunTaskCommand({
      cluster,
      taskDefinition: 'on-the-edge',
      launchType: 'EXTERNAL',
      enableExecuteCommand,
    }),
  )
  const taskArn = tasks?.[0]?.taskArn
  if (taskArn === undefined) throw new Error(`the task was not placed: ${JSON.stringify(failures)}`)
  return taskArn
}

test('takes no plain HTTP where other machines reach it', async () => {
  const said = await new Promise<string>((resolve, reject) => {
    request({ host: machine.near, port: world.berth.port, path: '/health' }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve(`${response.statusCode} ${text}`))
    })
      .on('error', reject)
      .end()
  })
  expect(said).toBe(`400 This address takes https only: https://${machine.near}:${world.berth.port}\n`)
  expect((await fetch(`http://127.0.0.1:${world.berth.port}/health`)).status).toBe(200)
})

test('joins no control plane that has another key, and none with a token that is not whole', async () => {
  line = await token('--tags', 'site=edge')
  expect(line).toMatch(
    new RegExp(`^berth join https://${machine.near}:${world.berth.port} --token bjt\\.\\S+$`),
  )
  const pin = line.split('.').at(-1) ?? ''
  const wrongPin = `${line.slice(0, -pin.length)}${'A'.repeat(43)}`
  await expect(machine.berth(...wordsOf(wrongPin))).rejects.toThrow(/has the key .* the token is of another/)
  await expect(machine.berth(...wordsOf(line.slice(0, -1)))).rejects.toThrow('needs the whole token')
  const secret = line.split('.').at(-2) ?? ''
  const wrongSecret = line.replace(secret, '0'.repeat(40))
  await expect(machine.berth(...wordsOf(wrongSecret))).rejects.toThrow(/InvalidJoinToken: .*token create/)
})

test('joins as an external container instance', async () => {
  const said = await machine.berth(...wordsOf(line))
  const found = await instance()
  expect(found).toMatchObject({
    agentConnected: true,
    status: 'ACTIVE',
    ec2InstanceId: expect.stringMatching(/^mi-[0-9a-f]{17}$/) as string,
    tags: [{ key: 'site', value: 'edge' }],
  })
  expect(found?.attributes?.map(({ name }) => name)).toContain('ecs.capability.external')
  expect(said).toContain(
    `joined: ${found?.ec2InstanceId} is the container instance ${found?.containerInstanceArn}`,
  )
  await expect(machine.berth(...wordsOf(line))).rejects.toThrow('this machine has joined')
})

test('lets a token in once', async () => {
  const [, , url = '', , text = ''] = line.split(' ')
  const remote = { url, pin: text.split('.').at(-1) ?? '' }
  const again = postPinned(remote, '/berth/join', { token: text, nonce: '0'.repeat(32) })
  await expect(again).rejects.toThrow('The token has been used')
})

test('runs a task of an image of this registry, which reaches the control plane and logs to it', async () => {
  const logs = new CloudWatchLogsClient({
    region: 'us-east-1',
    credentials: world.key,
    endpoint: world.berth.url,
  })
  await logs.send(new CreateLogGroupCommand({ logGroupName: '/edge' }))
  const options = {
    'awslogs-group': '/edge',
    'awslogs-region': 'us-east-1',
    'awslogs-stream-prefix': 'e',
  }
  const taskArn = await run(
    'echo "at $AWS_ENDPOINT_URL"; wget -qO- $AWS_ENDPOINT_URL/health',
    { logConfiguration: { logDriver: 'awslogs', options } },
    { executionRoleArn: 'arn:aws:iam::000000000000:role/execution' },
  )
  const task = await world.taskAt(cluster, taskArn, 'STOPPED')
  expect(task).toMatchObject({ launchType: 'EXTERNAL', stopCode: 'EssentialContainerExited' })
  expect(task.containers?.[0]).toMatchObject({ exitCode: 0 })
  const { events } = await logs.send(
    new GetLogEventsCommand({
      logGroupName: '/edge',
      logStreamName: `e/main/${taskArn.split('/').at(-1)}`,
      startFromHead: true,
    }),
  )
  logs.destroy()
  expect(events?.map(({ message }) => message)).toEqual([
    `at http://169.254.170.2:${world.berth.port}`,
    '{"status":"ok"}',
  ])
})

test('opens sessions in its tasks', async () => {
  const taskArn = await run(forever, {}, { taskRoleArn: 'arn:aws:iam::000000000000:role/web' }, true)
  await eventually('exec is there', async () => {
    const { containers = [] } = await world.task(cluster, taskArn)
    return containers[0]?.managedAgents?.[0]?.lastStatus === 'RUNNING'
  })
  const asked = ['--data', world.berth.directory, '--cluster', cluster, taskArn, '--', 'echo', 'from inside']
  const { stdout } = await promisify(execFile)('./berth', ['exec', ...asked])
  expect(stdout).toContain('from inside')
  await world.ecs.send(new StopTaskCommand({ cluster, task: taskArn }))
  await world.taskAt(cluster, taskArn, 'STOPPED')
})

test('keeps its task while the control plane is away, has been started anew, and its agent is killed', async () => {
  const taskArn = await run(forever)
  await world.taskAt(cluster, taskArn, 'RUNNING')
  await world.crash()
  await world.restart()
  process.kill(machine.pid, 'SIGKILL')
  await eventually('the process is gone', () => Promise.resolve(!isThere(machine.pid)))
  await machine.berth('join')
  await eventually('its agent is back', async () => (await instance())?.agentConnected)
  expect(machine.agents()).toHaveLength(1)
  expect((await world.task(cluster, taskArn)).lastStatus).toBe('RUNNING')
}, 60_000)

test('leaves with its tasks only when told to, and leaves nothing', async () => {
  await expect(machine.berth('leave')).rejects.toThrow(/A task runs on this host.*--force/)
  expect(await machine.berth('leave', '--force')).toContain('has left')
  expect(await instance()).toBeUndefined()
  const { taskArns } = await world.ecs.send(new ListTasksCommand({ cluster }))
  expect(taskArns).toEqual([])
  expect(machine.left()).toEqual([])
  expect(await machine.berth('leave')).toContain('has not joined')
}, 60_000)

test('goes by itself, when told to, while the control plane is away', async () => {
  await machine.berth(...wordsOf(await token()))
  await run(forever)
  await eventually('its container runs', () => Promise.resolve(machine.docker.docker('ps', '--quiet') !== ''))
  await world.crash()
  await expect(machine.berth('leave')).rejects.toThrow(/does not answer .* --force/)
  expect(await machine.berth('leave', '--force')).toMatch(
    /has left[^]*deregister-container-instance --force.*mi-/,
  )
  expect(machine.left()).toEqual([])
  await world.restart()
}, 60_000)

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
