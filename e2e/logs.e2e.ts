/** What containers print, in CloudWatch Logs: by Docker's own driver, with signatures checked, read with the AWS CLI. */
import { spawn } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  paginateGetLogEvents,
  StartLiveTailCommand,
} from '@aws-sdk/client-cloudwatch-logs'
import {
  CreateServiceCommand,
  DeleteServiceCommand,
  type LogConfiguration,
  type Task,
} from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OneInstance, runtimeId } from './one-instance.ts'
import { eventually } from './world.ts'

let one: OneInstance
let logs: CloudWatchLogsClient

beforeAll(async () => {
  one = await OneInstance.start([], [])
  logs = new CloudWatchLogsClient({
    region: 'us-east-1',
    endpoint: one.world.berth.url,
    credentials: one.world.key,
    disableHostPrefix: true,
  })
  await logs.send(new CreateLogGroupCommand({ logGroupName: '/ecs/tests' }))
})
afterAll(async () => {
  logs.destroy()
  await one.end()
})

const sh = (script: string): { command: string[] } => ({ command: ['sh', '-c', script] })
const awslogs = (options: Readonly<Record<string, string>> = {}): { logConfiguration: LogConfiguration } => ({
  logConfiguration: {
    logDriver: 'awslogs',
    options: {
      'awslogs-group': '/ecs/tests',
      'awslogs-region': 'us-east-1',
      'awslogs-stream-prefix': 'ecs',
      ...options,
    },
  },
})
const idOf = ({ taskArn = '' }: Task): string => taskArn.slice(taskArn.lastIndexOf('/') + 1)

async function linesOf(logStreamName: string, logGroupName = '/ecs/tests'): Promise<string[]> {
  const lines: string[] = []
  const pages = paginateGetLogEvents(
    { client: logs, stopOnSameToken: true },
    { logGroupName, logStreamName, startFromHead: true },
  )
  for await (const { events = [] } of pages) lines.push(...events.map(({ message = '' }) => message))
  return lines
}

test('what a task prints is in the stream of its prefix, container and id, signed for as its instance', async () => {
  const task = await one.at(await one.run([{ ...sh('echo one; echo two >&2'), ...awslogs() }]), 'STOPPED')
  expect((await linesOf(`ecs/main/${idOf(task)}`)).toSorted()).toEqual(['one', 'two'])
  const { LogConfig } = (await one.inspect(task)).HostConfig as {
    readonly LogConfig: { readonly Config: Readonly<Record<string, string>> }
  }
  expect(LogConfig.Config).toMatchObject({ mode: 'non-blocking', 'max-buffer-size': '10m' })
})

test('with an execution role it is signed for as that; lines are joined, and the group made, as asked', async () => {
  const options = {
    'awslogs-group': '/ecs/made',
    'awslogs-create-group': 'true',
    'awslogs-multiline-pattern': '^start',
  }
  const task = await one.at(
    await one.run([{ ...sh('echo start 1; echo more; echo start 2'), ...awslogs(options) }], {
      executionRoleArn: 'arn:aws:iam::000000000000:role/execution',
    }),
    'STOPPED',
  )
  const { LogConfig } = (await one.inspect(task)).HostConfig as {
    readonly LogConfig: { readonly Config: Readonly<Record<string, string>> }
  }
  expect(LogConfig.Config['awslogs-credentials-endpoint']).toMatch(/^\/v2\/credentials\/.+/)
  expect(await linesOf(`ecs/main/${idOf(task)}`, '/ecs/made')).toEqual(['start 1\nmore\n', 'start 2\n'])
})

test('without a prefix the stream has the name of the container', async () => {
  const { logConfiguration } = awslogs()
  const { 'awslogs-stream-prefix': _, ...options } = logConfiguration.options ?? {}
  const task = await one.at(
    await one.run([{ ...sh('echo here'), logConfiguration: { ...logConfiguration, options } }]),
    'STOPPED',
  )
  expect(await linesOf(runtimeId(task))).toEqual(['here'])
})

// One that does not wait for its logs runs without them: Docker goes on trying to make the stream.
test('a task that waits for its logs stops when their group is missing, and says so', async () => {
  const task = await one.at(
    await one.run([
      { ...sh('echo never'), ...awslogs({ 'awslogs-group': '/ecs/missing', mode: 'blocking' }) },
    ]),
    'STOPPED',
  )
  expect(task.containers?.[0]?.reason).toMatch(
    /^CannotStartContainerError: .*ResourceNotFoundException: The specified log group does not exist\./,
  )
})

test('the CLI and a live tail follow a running service', async () => {
  await logs.send(new CreateLogGroupCommand({ logGroupName: '/ecs/service' }))
  const { responseStream } = await logs.send(
    new StartLiveTailCommand({
      logGroupIdentifiers: ['arn:aws:logs:us-east-1:000000000000:log-group:/ecs/service'],
      logEventFilterPattern: 'tick',
    }),
  )
  const family = await one.world.register('ticking', {
    image: one.image,
    ...sh('while :; do echo "tick $(hostname)"; sleep 0.5; done'),
    ...awslogs({ 'awslogs-group': '/ecs/service' }),
  })
  await one.world.ecs.send(
    new CreateServiceCommand({
      cluster: one.cluster,
      serviceName: 'ticking',
      taskDefinition: family,
      desiredCount: 1,
    }),
  )
  const tail = spawn(
    '/usr/bin/aws',
    ['--endpoint-url', one.world.berth.url, 'logs', 'tail', '/ecs/service', '--follow', '--format', 'short'],
    {
      env: {
        ...process.env,
        AWS_ACCESS_KEY_ID: one.world.key.accessKeyId,
        AWS_SECRET_ACCESS_KEY: one.world.key.secretAccessKey,
        AWS_DEFAULT_REGION: 'us-east-1',
        PYTHONUNBUFFERED: '1',
      },
    },
  )
  let printed = ''
  tail.stdout.on('data', (text: Buffer) => (printed += text.toString()))
  tail.stderr.on('data', (text: Buffer) => (printed += text.toString()))
  const live: string[] = []
  for await (const { sessionUpdate } of responseStream ?? []) {
    live.push(...(sessionUpdate?.sessionResults ?? []).map(({ message = '' }) => message))
    if (live.length >= 3) break
  }
  expect(live.every((line) => line.startsWith('tick '))).toBe(true)
  const count = (): number => printed.match(/tick /g)?.length ?? 0
  await eventually('lines are printed', () => Promise.resolve(count() > 0))
  const before = count()
  await eventually('lines go on being printed', () => Promise.resolve(count() > before + 5))
  tail.kill()
  await one.world.ecs.send(
    new DeleteServiceCommand({ cluster: one.cluster, service: 'ticking', force: true }),
  )
})

test('of 20,000 lines a second none is lost', async () => {
  const seconds = Number(process.env['BERTH_LOG_SECONDS'] ?? 3)
  const script = `i=0; while [ $i -lt ${seconds * 10} ]; do seq $((i*2000+1)) $(((i+1)*2000)); usleep 100000; i=$((i+1)); done`
  const task = await one.at(await one.run([{ ...sh(script), ...awslogs() }]), 'STOPPED')
  // Docker lets a container end before all that it said is sent.
  const lines = await eventually('all lines are there', async () => {
    const found = await linesOf(`ecs/main/${idOf(task)}`)
    return found.length >= seconds * 20_000 && found
  })
  expect(lines).toHaveLength(seconds * 20_000)
  expect(new Set(lines).size).toBe(seconds * 20_000)
})

test('a control plane that is killed loses nothing that it has acknowledged, and goes on', async () => {
  const arn = await one.run([
    { ...sh(`i=0; while :; do i=$((i+1)); echo "n $i"; usleep 20000; done`), ...awslogs() },
  ])
  const task = await one.at(arn, 'RUNNING')
  const stream = `ecs/main/${idOf(task)}`
  const present = async (): Promise<string[]> => linesOf(stream).catch(() => [])
  const before = await eventually('lines are there', async () => {
    const lines = await present()
    return lines.length > 200 && lines
  })
  await one.world.crash()
  await wait(300)
  await one.world.restart()
  const after = await present()
  expect(after.slice(0, before.length)).toEqual(before)
  const last = after.length
  await eventually('more lines come', async () => (await present()).length > last + 100)
  const { logStreams } = await logs.send(
    new DescribeLogStreamsCommand({ logGroupName: '/ecs/tests', logStreamNamePrefix: stream }),
  )
  expect(logStreams).toHaveLength(1)
  const { events } = await logs.send(
    new FilterLogEventsCommand({
      logGroupName: '/ecs/tests',
      filterPattern: '"n 17" -"n 170"',
      logStreamNames: [stream],
      limit: 1,
    }),
  )
  expect(events?.[0]?.message).toBe('n 17')
})
