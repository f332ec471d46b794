import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FileDisk } from '@berth/agent/adapters/disk.ts'
import { DockerRuntime } from '@berth/agent/adapters/docker.ts'
import { Agent } from '@berth/agent/runtime/agent.ts'
import {
  FakeControlPlane,
  fakeContainer,
  fakeTask,
  instanceArn,
} from '@berth/agent/runtime/fake-control-plane.ts'
import { agentDefaults } from '@berth/agent/runtime/ports.ts'
import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { systemIds } from '@berth/std/system-ids.ts'
import { OwnDockerd } from './own-dockerd.ts'

const image = 'busybox:1'
const dockerd = new OwnDockerd()
let run = 0
let directory = ''
let control = new FakeControlPlane()
let runtime = new DockerRuntime(dockerd.host)
let agent = newAgent()

function newAgent(): Agent {
  return new Agent(
    {
      clock: systemClock,
      ids: systemIds,
      runtime,
      ecs: control,
      connect: control.connect,
      login: () => Promise.reject(new Error('no registry here')),
      disk: new FileDisk(directory),
      host: {
        cpu: 2048,
        memoryMiB: 4096,
        identityDocument: '',
        identitySignature: '',
        cpuArchitecture: 'x86_64',
        ephemeralPorts: [32768, 60999],
      },
      log: () => undefined,
    },
    { ...agentDefaults, cluster: 'proof' },
  )
}

beforeAll(async () => {
  await dockerd.start()
  dockerd.importBusybox(image)
})
afterAll(() => dockerd.remove())

beforeEach(async () => {
  directory = join(dockerd.directory, `agent-${++run}`)
  control = new FakeControlPlane()
  runtime = new DockerRuntime(dockerd.host)
  agent = newAgent()
  await startAgent()
})
afterEach(async () => {
  await agent.stop()
  runtime.close()
  dockerd.removeContainers()
})

async function restartAgent(whileAway: () => void = () => undefined): Promise<void> {
  await agent.stop()
  whileAway()
  agent = newAgent()
  await startAgent()
}

/** Resolves when the agent has both its sessions. */
async function startAgent(): Promise<void> {
  const before = control.connections.length
  await agent.start()
  await until(() => control.connections.length === before + 2)
}

/** Waits until `probe` holds; what is waited for is told by the test's name. */
async function until(probe: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (probe()) return
    await sleep(50)
  }
  throw new Error(`waited in vain; submissions: ${JSON.stringify(control.submissions)}`)
}

const told = (task: PayloadTask): readonly string[] => control.told(task.arn)
const isTold = (task: PayloadTask, status: 'RUNNING' | 'STOPPED') => () =>
  told(task).some((line) => line.startsWith(status))
const sleeper = (id: string, more: object = {}): PayloadTask =>
  fakeTask(id, [fakeContainer('web', { image, command: ['/bin/sleep', '600'], stopTimeout: 1, ...more })])
const nameOf = (label: string): string =>
  dockerd
    .docker(
      'ps',
      '--all',
      '--filter',
      `label=com.amazonaws.ecs.container-name=${label}`,
      '--format',
      '{{.Names}}',
    )
    .trim()

test('runs a container with a published port and stops it with its exit code', async () => {
  const task = fakeTask('serve', [
    fakeContainer('web', {
      image,
      command: ['/bin/sh', '-c', 'echo here > /tmp/index.html; exec httpd -f -p 80 -h /tmp'],
      portMappings: [{ containerPort: 80, hostPort: 0, protocol: 'tcp' }],
      stopTimeout: 1,
    }),
  ])
  control.send(task)
  await until(isTold(task, 'RUNNING'))
  const [binding] = control.submissions[0]?.containers?.[0]?.networkBindings ?? []
  expect(binding).toEqual({ bindIP: '0.0.0.0', containerPort: 80, hostPort: 32768, protocol: 'tcp' })
  expect(dockerd.within('busybox', 'wget', '-qO-', 'http://10.199.1.1:32768/')).toBe('here\n')
  expect(nameOf('web')).toMatch(/^ecs-proof-1-web-[0-9a-f]{20}$/)
  control.send({ arn: task.arn, desiredStatus: 'STOPPED' })
  await until(isTold(task, 'STOPPED'))
  expect(told(task)).toEqual(['RUNNING | web RUNNING', 'STOPPED | web STOPPED 137'])
})

test('reports the exit code of a task that ends by itself', async () => {
  const task = fakeTask('quick', [fakeContainer('web', { image, command: ['/bin/sh', '-c', 'exit 42'] })])
  control.send(task)
  await until(isTold(task, 'STOPPED'))
  expect(told(task).at(-1)).toMatch(/web STOPPED 42$/)
})

test('reports a command that does not exist as CannotStartContainerError', async () => {
  const task = fakeTask('missing', [fakeContainer('web', { image, command: ['/bin/nothing'] })])
  control.send(task)
  await until(isTold(task, 'STOPPED'))
  expect(control.submissions.at(-1)?.containers?.[0]?.reason).toMatch(
    /^CannotStartContainerError: Error response from daemon: .*\/bin\/nothing/,
  )
})

test('reports an image nobody has as CannotPullContainerError', async () => {
  const task = fakeTask('nowhere', [fakeContainer('web', { image: 'localhost:1/nothing:1' })])
  control.send(task)
  await until(isTold(task, 'STOPPED'))
  expect(control.submissions.at(-1)?.containers?.[0]?.reason).toMatch(/^CannotPullContainerError: /)
})

test('names running out of memory', async () => {
  const command = ['/bin/sh', '-c', 'x=a; while true; do x=$x$x; done']
  const task = fakeTask('hungry', [fakeContainer('web', { image, memory: 8, command })])
  control.send(task)
  await until(isTold(task, 'STOPPED'))
  expect(control.submissions.at(-1)?.containers?.at(-1)).toMatchObject({
    exitCode: 137,
    reason: 'OutOfMemoryError: Container killed due to memory usage',
  })
})

test('tells health as Docker sees it change', async () => {
  const healthcheck = { Test: ['CMD-SHELL', 'cat /tmp/ok'], Interval: 5e8, Timeout: 1e9, Retries: 1 }
  const task = sleeper('health', {
    command: ['/bin/sh', '-c', 'echo ok > /tmp/ok; sleep 600'],
    healthCheckType: 'docker',
    dockerConfig: { config: JSON.stringify({ Healthcheck: healthcheck }), hostConfig: '{}', version: '1.24' },
  })
  const health = (): readonly string[] =>
    control.tcsMessages.flatMap((sent) =>
      sent.type === 'PublishHealthRequest'
        ? (sent.message.tasks?.[0]?.containers ?? []).map(({ healthStatus }) => healthStatus)
        : [],
    )
  control.send(task)
  await until(() => health().at(-1) === 'HEALTHY')
  dockerd.docker('exec', nameOf('web'), '/bin/sh', '-c', 'echo > /tmp/no; busybox rm /tmp/ok')
  await until(() => health().at(-1) === 'UNHEALTHY')
  expect(told(task)).toEqual(['RUNNING | web RUNNING'])
})

test('reports what is killed and what is removed behind its back', async () => {
  const killed = sleeper('killed')
  control.send(killed)
  await until(isTold(killed, 'RUNNING'))
  dockerd.docker('kill', nameOf('web'))
  await until(isTold(killed, 'STOPPED'))
  expect(told(killed).at(-1)).toBe('STOPPED | web STOPPED 137')
  dockerd.docker('rm', nameOf('web'))

  const removed = sleeper('removed')
  control.send(removed)
  await until(isTold(removed, 'RUNNING'))
  dockerd.docker('rm', '--force', nameOf('web'))
  await until(isTold(removed, 'STOPPED'))
  expect(told(removed).at(-1)).toBe('STOPPED | web STOPPED 137')
})

test('takes over after a restart: what runs goes on, what ended meanwhile is reported once', async () => {
  const [runs, ends] = [sleeper('runs'), sleeper('ends')]
  control.send(runs, ends)
  await until(() => isTold(runs, 'RUNNING')() && isTold(ends, 'RUNNING')())
  const idOf = (task: PayloadTask): string =>
    control.submissions.find((sent) => sent.task === task.arn)?.containers?.[0]?.runtimeId ?? ''
  const startedAt = dockerd.docker('inspect', '--format', '{{.State.StartedAt}}', idOf(runs))
  await restartAgent(() => dockerd.docker('kill', idOf(ends)))
  expect(control.registrations.at(-1)?.containerInstanceArn).toBe(instanceArn)
  await until(isTold(ends, 'STOPPED'))
  await restartAgent()
  await sleep(500)
  expect(told(ends)).toEqual(['RUNNING | web RUNNING', 'STOPPED | web STOPPED 137'])
  expect(told(runs)).toEqual(['RUNNING | web RUNNING'])
  expect(dockerd.docker('inspect', '--format', '{{.State.StartedAt}}', idOf(runs))).toBe(startedAt)
})

test('a killed daemon is waited for, and then told of what it shows', async () => {
  const statuses = (): readonly string[] =>
    control.tcsMessages.flatMap((sent) =>
      sent.type === 'PublishInstanceStatusRequest' ? sent.message.statuses.map(({ status }) => status) : [],
    )
  const task = sleeper('outlived')
  control.send(task)
  await until(isTold(task, 'RUNNING'))
  await dockerd.end('SIGKILL')
  await until(() => statuses().at(-1) === 'IMPAIRED')
  expect(told(task)).toEqual(['RUNNING | web RUNNING'])
  await dockerd.start()
  await until(() => statuses().at(-1) === 'OK')
  const running = dockerd.docker('ps', '--quiet').trim() !== ''
  const next = sleeper('next')
  control.send(next)
  await until(isTold(next, 'RUNNING'))
  if (!running) await until(isTold(task, 'STOPPED'))
  expect(told(task)[0]).toBe('RUNNING | web RUNNING')
  expect(told(task).length).toBe(running ? 1 : 2)
})

test('publishes what a container uses', async () => {
  const task = sleeper('busy', { command: ['/bin/sh', '-c', 'while true; do true; done'] })
  control.send(task)
  const metric = (): unknown =>
    control.tcsMessages
      .flatMap((sent) => (sent.type === 'PublishMetricsRequest' ? (sent.message.taskMetrics ?? []) : []))
      .at(0)?.containerMetrics?.[0]
  await until(() => metric() !== undefined)
  expect(metric()).toMatchObject({ containerName: 'web', cpuStatsSet: { sampleCount: expect.any(Number) } })
  expect((metric() as { cpuStatsSet: { max: number } }).cpuStatsSet.max).toBeGreaterThan(10)
})
