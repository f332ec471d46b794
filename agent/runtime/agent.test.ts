import { expect, test } from 'vitest'
import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { Agent } from './agent.ts'
import { RuntimeError } from './container-runtime.ts'
import { FakeControlPlane, fakeContainer, fakeTask, instanceArn } from './fake-control-plane.ts'
import { InMemoryDisk } from './in-memory-disk.ts'
import { InMemoryRuntime, type InMemoryRuntimeOptions, type RuntimeCall } from './in-memory-runtime.ts'
import { type AgentConfig, agentDefaults } from './ports.ts'

class Crash extends Error {}

/** A host whose agents come and go while its disk, its containers and the control plane stay. */
class Bench {
  readonly clock = new SimulatedClock(1_000_000)
  readonly ids = idsFrom(prng(1))
  readonly disk = new InMemoryDisk()
  readonly control = new FakeControlPlane()
  readonly runtime: InMemoryRuntime
  readonly config: AgentConfig
  agent: Agent

  constructor(config: Partial<AgentConfig> = {}, runtime: Partial<InMemoryRuntimeOptions> = {}) {
    this.config = { ...agentDefaults, cluster: 'proof', ...config }
    this.runtime = new InMemoryRuntime({ clock: this.clock, ids: this.ids, ...runtime })
    this.agent = this.#newAgent()
  }

  #newAgent(): Agent {
    return new Agent(
      {
        clock: this.clock,
        ids: this.ids,
        runtime: this.runtime,
        ecs: this.control,
        connect: this.control.connect,
        login: () => Promise.reject(new Error('no registry here')),
        disk: this.disk,
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
      this.config,
    )
  }

  async start(): Promise<void> {
    const started = this.agent.start()
    await this.run(10)
    await started
    await this.run(10)
  }

  /** The agent's process ends without a word, and a new one starts. */
  async restart(): Promise<void> {
    await this.agent.stop()
    this.agent = this.#newAgent()
    await this.start()
  }

  run(durationMs = 1): Promise<void> {
    return this.clock.run(this.clock.now() + durationMs)
  }

  async send(...tasks: readonly PayloadTask[]): Promise<string> {
    const messageId = this.control.send(...tasks)
    await this.run()
    return messageId
  }

  container(name: string): NonNullable<ReturnType<InMemoryRuntime['find']>> {
    const found = [...this.runtime.containers.values()].find(({ body }) =>
      Object.values(body.Labels).includes(name),
    )
    if (!found) throw new Error(`no container ${name}`)
    return found
  }
}

const web = fakeTask('aaaa')
const stop = (task: PayloadTask): PayloadTask => ({ arn: task.arn, desiredStatus: 'STOPPED' })

test('registers and opens both sessions with the queries of the official agent', async () => {
  const bench = new Bench()
  await bench.start()
  const [registration] = bench.control.registrations
  expect(registration).toMatchObject({ cluster: 'proof', instanceIdentityDocument: '' })
  expect(registration?.totalResources).toContainEqual({ name: 'CPU', type: 'INTEGER', integerValue: 2048 })
  expect(bench.control.connections).toContainEqual({
    url: 'ws://control.test/acs/ws',
    query: expect.objectContaining({ clusterArn: 'proof', containerInstanceArn: instanceArn, seqNum: '1' }),
  })
  expect(bench.control.connections).toContainEqual({
    url: 'ws://control.test/tcs/ws',
    query: expect.objectContaining({ cluster: 'proof', containerInstance: instanceArn }),
  })
})

test('runs a task, acknowledges it once it is on disk, and reports it running and stopped', async () => {
  const bench = new Bench()
  await bench.start()
  const messageId = await bench.send(web)
  expect(bench.control.acknowledged(messageId)).toBe(true)
  expect(bench.control.told(web.arn)).toEqual(['RUNNING | web RUNNING'])
  expect(bench.container('web').name).toMatch(/^ecs-proof-1-web-[0-9a-f]{20}$/)

  await bench.send(stop(web))
  expect(bench.control.told(web.arn)).toEqual(['RUNNING | web RUNNING', 'STOPPED | web STOPPED 143'])
})

test('a redelivered payload starts nothing again and is acknowledged', async () => {
  const bench = new Bench()
  await bench.start()
  await bench.send(web)
  const again = await bench.send(web)
  expect(bench.control.acknowledged(again)).toBe(true)
  expect(bench.container('web').starts).toBe(1)
})

test('an essential exit stops the others, those that need it first', async () => {
  const task = fakeTask('bbbb', [
    fakeContainer('database'),
    fakeContainer('web', { dependsOn: [{ containerName: 'database', condition: 'START' }] }),
    fakeContainer('sidecar', { essential: false }),
  ])
  const bench = new Bench()
  await bench.start()
  await bench.send(task)
  bench.runtime.exit(bench.container('sidecar').id, 3)
  await bench.run()
  expect(bench.control.told(task.arn).at(-1)).toBe('RUNNING | sidecar STOPPED 3')
  bench.runtime.exit(bench.container('web').id, 0)
  await bench.run()
  expect(bench.control.told(task.arn).at(-1)).toMatch(/^STOPPED.*database STOPPED 143/)
  expect(bench.container('database').finishedAt).toBeGreaterThanOrEqual(
    bench.container('web').finishedAt ?? 0,
  )
})

test('a task waits for a healthy dependency before it is RUNNING, and health goes out at once', async () => {
  const dockerConfig = {
    config: '{"Healthcheck":{"Test":["CMD","true"]}}',
    hostConfig: '{}',
    version: '1.24',
  }
  const task = fakeTask('cccc', [
    fakeContainer('database', { healthCheckType: 'docker', dockerConfig }),
    fakeContainer('web', { dependsOn: [{ containerName: 'database', condition: 'HEALTHY' }] }),
  ])
  const bench = new Bench()
  await bench.start()
  await bench.send(task)
  expect(bench.control.told(task.arn)).toEqual([])
  bench.runtime.setHealth(bench.container('database').id, 'healthy')
  await bench.run()
  expect(bench.control.told(task.arn)).toEqual(['RUNNING | database RUNNING | web RUNNING'])
  expect(bench.control.tcsMessages).toContainEqual(
    expect.objectContaining({
      type: 'PublishHealthRequest',
      message: expect.objectContaining({
        tasks: [
          expect.objectContaining({
            containers: [expect.objectContaining({ containerName: 'database', healthStatus: 'HEALTHY' })],
          }),
        ],
      }),
    }),
  )
})

test('a dependency that is not healthy within its start timeout stops the task', async () => {
  const dockerConfig = {
    config: '{"Healthcheck":{"Test":["CMD","true"]}}',
    hostConfig: '{}',
    version: '1.24',
  }
  const task = fakeTask('dddd', [
    fakeContainer('database', { healthCheckType: 'docker', dockerConfig, startTimeout: 60 }),
    fakeContainer('web', { dependsOn: [{ containerName: 'database', condition: 'HEALTHY' }] }),
  ])
  const bench = new Bench()
  await bench.start()
  await bench.send(task)
  await bench.run(59_000)
  expect(bench.control.told(task.arn)).toEqual([])
  await bench.run(2000)
  const last = bench.control.submissions.at(-1)
  expect(last?.status).toBe('STOPPED')
  const dependant = last?.containers?.find(({ containerName }) => containerName === 'web')
  expect(dependant?.reason).toMatch(/^TaskDependencyError: /)
  expect(dependant).not.toHaveProperty('exitCode')
})

test('a container killed and removed behind its back is reported with its exit code', async () => {
  const bench = new Bench()
  await bench.start()
  await bench.send(web)
  bench.runtime.removeBehindBack(bench.container('web').id)
  await bench.run()
  expect(bench.control.told(web.arn).at(-1)).toBe('STOPPED | web STOPPED 137')
})

test('running out of memory is named as the reason', async () => {
  const bench = new Bench()
  await bench.start()
  await bench.send(web)
  bench.runtime.exit(bench.container('web').id, 137, true)
  await bench.run()
  expect(bench.control.submissions.at(-1)?.containers).toMatchObject([
    { exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
  ])
})

test('an image that cannot be pulled stops the task without ever running it', async () => {
  const bench = new Bench({}, { hasImage: () => false })
  await bench.start()
  await bench.send(web)
  expect(bench.control.told(web.arn)).toEqual(['STOPPED | web STOPPED'])
  expect(bench.control.submissions.at(-1)?.containers?.[0]?.reason).toMatch(/^CannotPullContainerError: /)
})

test('an image at hand is used when its registry is not, and many tasks share one pull', async () => {
  let online = true
  const bench = new Bench({}, { hasImage: () => online })
  await bench.start()
  await bench.send(web, fakeTask('eeee'), fakeTask('ffff'))
  expect(bench.runtime.pulls.get('web:1')).toBe(1)
  online = false
  await bench.send(fakeTask('0000'))
  expect(bench.control.told(fakeTask('0000').arn)).toEqual(['RUNNING | web RUNNING'])
})

test('host ports are chosen from the low end and reported as bindings', async () => {
  const published = fakeContainer('web', { portMappings: [{ containerPort: 80, hostPort: 0 }] })
  const bench = new Bench()
  await bench.start()
  await bench.send(fakeTask('1', [published]), fakeTask('2', [published]))
  const ports = bench.control.submissions.map(({ containers }) => containers?.[0]?.networkBindings)
  expect(ports).toEqual([
    [{ bindIP: '0.0.0.0', containerPort: 80, hostPort: 32768, protocol: 'tcp' }],
    [{ bindIP: '0.0.0.0', containerPort: 80, hostPort: 32769, protocol: 'tcp' }],
  ])
  await bench.send(stop(fakeTask('1')))
  await bench.send(fakeTask('3', [published]))
  expect(bench.control.submissions.at(-1)?.containers?.[0]?.networkBindings).toMatchObject([
    { hostPort: 32768 },
  ])
})

test('the restart policy starts a container again without a word of it, until it is not due', async () => {
  const container = fakeContainer('web', { restartPolicy: { enabled: true, restartAttemptPeriod: 60 } })
  const bench = new Bench()
  await bench.start()
  await bench.send(fakeTask('a', [container]))
  await bench.run(61_000)
  bench.runtime.exit(bench.container('web').id, 1)
  await bench.run()
  expect(bench.container('web')).toMatchObject({ status: 'running', starts: 2 })
  expect(bench.control.submissions).toHaveLength(1)
  bench.runtime.exit(bench.container('web').id, 1)
  await bench.run()
  expect(bench.control.told(fakeTask('a').arn).at(-1)).toBe('STOPPED | web STOPPED 1')
})

test('a refused submission is tried again, in order, and an invalid one is dropped', async () => {
  const bench = new Bench()
  await bench.start()
  bench.control.submissionErrors.push(new Error('ECONNREFUSED'), new Error('ECONNREFUSED'))
  await bench.send(web)
  expect(bench.control.told(web.arn)).toEqual([])
  await bench.run(1000)
  expect(bench.control.told(web.arn)).toEqual(['RUNNING | web RUNNING'])
  bench.control.submissionErrors.push(Object.assign(new Error('no'), { name: 'InvalidParameterException' }))
  await bench.send(stop(web))
  await bench.run(60_000)
  expect(bench.control.told(web.arn)).toEqual(['RUNNING | web RUNNING'])
})

test('a task that cannot be run is reported STOPPED and not acknowledged; its neighbours run', async () => {
  const bad = fakeTask('bad', [fakeContainer('web', { overrides: '{"memory":1}' })])
  const bench = new Bench()
  await bench.start()
  const messageId = await bench.send(bad, web)
  expect(bench.control.acknowledged(messageId)).toBe(false)
  expect(bench.control.told(web.arn)).toEqual(['RUNNING | web RUNNING'])
  expect(bench.control.submissions.find(({ task }) => task === bad.arn)).toMatchObject({
    status: 'STOPPED',
    reason: 'UnrecogniedTaskError: Error loading task - json: unknown field "memory"',
  })
})

test('a stop for an unknown task is answered with its end', async () => {
  const bench = new Bench()
  await bench.start()
  await bench.send(stop(web))
  expect(bench.control.submissions).toMatchObject([
    {
      task: web.arn,
      status: 'STOPPED',
      reason: "TaskStateError: Agent could not progress task's state to stopped",
    },
  ])
})

test('a manifest stops what it does not list, once the control plane has confirmed it', async () => {
  const bench = new Bench()
  await bench.start()
  await bench.send(web)
  bench.control.manifest(1, [])
  expect(bench.control.acsMessages.some(({ type }) => type === 'TaskStopVerificationMessage')).toBe(false)
  bench.control.manifest(2, [])
  const asked = bench.control.acsMessages.find(({ type }) => type === 'TaskStopVerificationMessage')
  expect(asked?.message).toMatchObject({ messageId: 'manifest-2', stopCandidates: [{ taskArn: web.arn }] })
  const stopTasks = [{ taskArn: web.arn, taskClusterArn: 'proof', desiredStatus: 'STOPPED' as const }]
  bench.control.say({
    type: 'TaskStopVerificationAck',
    message: { messageId: 'manifest-2', generatedAt: 0, stopTasks },
  })
  await bench.run()
  expect(bench.control.told(web.arn).at(-1)).toBe('STOPPED | web STOPPED 143')
})

test('comes back at once after a clean close, later after others, and in an hour when it is inactive', async () => {
  const bench = new Bench()
  await bench.start()
  const sessions = (): number => bench.control.connections.filter(({ url }) => url.includes('/acs/')).length
  await bench.run(1000)
  bench.control.hangUp(1006)
  await bench.run()
  expect(sessions()).toBe(2)
  expect(
    bench.control.connections.findLast(({ url }) => url.includes('/acs/'))?.query['sendCredentials'],
  ).toBe('false')
  await bench.run(1000)
  bench.control.hangUp(1008)
  await bench.run()
  expect(sessions()).toBe(2)
  await bench.run(1000)
  expect(sessions()).toBe(3)
  bench.control.connectErrors.push(new Error('refused: InactiveInstanceException: gone'), new Error('tcs'))
  bench.control.hangUp(1000)
  await bench.run(3_590_000)
  const before = sessions()
  await bench.run(20_000)
  expect(sessions()).toBe(before + 1)
})

test('finished tasks are cleaned up after three hours: containers, volumes and record', async () => {
  const task = fakeTask(
    'volume',
    [fakeContainer('web', { mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }] })],
    { volumes: [{ name: 'data', host: {} }] },
  )
  const bench = new Bench()
  await bench.start()
  await bench.send(task)
  expect([...bench.runtime.volumes.keys()][0]).toMatch(/^ecs-proof-1-data-[0-9a-f]{20}$/)
  await bench.send(stop(task))
  await bench.run(3 * 3_600_000 - 10_000)
  expect(bench.runtime.containers.size).toBe(1)
  await bench.run(20_000)
  expect(bench.runtime.containers.size).toBe(0)
  expect(bench.runtime.volumes.size).toBe(0)
  expect(bench.agent.records()).toEqual([])
  expect([...bench.disk.values.keys()].filter((key) => key.startsWith('task-'))).toEqual([])
})

test('the daemon gone and back: nothing is invented, then all is looked at again', async () => {
  const bench = new Bench()
  await bench.start()
  await bench.send(web)
  bench.runtime.goDown(true)
  await bench.send(fakeTask('late'))
  await bench.run(60_000)
  expect(bench.control.submissions).toHaveLength(1)
  bench.runtime.comeUp()
  await bench.run()
  expect(bench.control.told(web.arn).at(-1)).toBe('STOPPED | web STOPPED 137')
  expect(bench.control.told(fakeTask('late').arn)).toEqual(['RUNNING | web RUNNING'])
  const statuses = bench.control.tcsMessages.flatMap((sent) =>
    sent.type === 'PublishInstanceStatusRequest' ? sent.message.statuses.map(({ status }) => status) : [],
  )
  expect(statuses).toEqual(['OK', 'IMPAIRED', 'OK'])
})

test('a restarted agent registers under its old name and takes over what runs', async () => {
  const bench = new Bench()
  await bench.start()
  await bench.send(web)
  await bench.restart()
  expect(bench.control.registrations[1]?.containerInstanceArn).toBe(instanceArn)
  await bench.run(1000)
  expect(bench.control.told(web.arn)).toEqual(['RUNNING | web RUNNING'])
  expect(bench.container('web').starts).toBe(1)
  await bench.send(stop(web))
  expect(bench.control.told(web.arn).at(-1)).toBe('STOPPED | web STOPPED 143')
})

test('an exit while no agent ran is reported once', async () => {
  const bench = new Bench()
  await bench.start()
  await bench.send(web)
  await bench.agent.stop()
  bench.runtime.exit(bench.container('web').id, 7)
  await bench.restart()
  await bench.run(1000)
  await bench.restart()
  expect(bench.control.told(web.arn)).toEqual(['RUNNING | web RUNNING', 'STOPPED | web STOPPED 7'])
})

const crashes: ReadonlyArray<readonly [RuntimeCall, 'before' | 'after']> = [
  ['pull', 'before'],
  ['pull', 'after'],
  ['create', 'before'],
  ['create', 'after'],
  ['start', 'before'],
  ['start', 'after'],
]

test.each(crashes)(
  'a crash %s (%s it took effect) starts each container exactly once',
  async (call, moment) => {
    let armed = true
    const bench: Bench = new Bench(
      {},
      {
        fault: (seen, when) => {
          if (!armed || seen !== call || when !== moment) return
          armed = false
          void bench.agent.stop()
          throw new Crash()
        },
      },
    )
    await bench.start()
    await bench.send(web)
    await bench.restart()
    await bench.run(5000)
    expect(bench.container('web')).toMatchObject({ status: 'running', starts: 1 })
    expect(bench.runtime.containers.size).toBe(1)
    expect(bench.control.told(web.arn)).toEqual(['RUNNING | web RUNNING'])
  },
)

test.each(crashes)('a lost answer to %s (%s it took effect) is found out about', async (call, moment) => {
  let armed = true
  const fault: InMemoryRuntimeOptions['fault'] = (seen, when) => {
    if (!armed || seen !== call || when !== moment) return
    armed = false
    throw new RuntimeError('unreachable', 'socket hang up')
  }
  const bench = new Bench({}, { fault })
  await bench.start()
  await bench.send(web)
  await bench.run(5000)
  expect(bench.container('web')).toMatchObject({ status: 'running', starts: 1 })
  expect(bench.runtime.containers.size).toBe(1)
  expect(bench.control.told(web.arn)).toEqual(['RUNNING | web RUNNING'])
})

test('an idle agent with running tasks holds a handful of timers', async () => {
  const bench = new Bench({ metricsEnabled: false })
  await bench.start()
  await bench.send(...Array.from({ length: 50 }, (_, index) => fakeTask(`idle-${index}`)))
  const before = bench.clock.steps
  await bench.run(60_000)
  expect(bench.clock.steps - before).toBeLessThan(20)
})
