import { expect, test } from 'vitest'
import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { fakeContainer, fakeTask } from './fake-control-plane.ts'
import { FakeHost, type FakeHostOptions } from './fake-host.ts'

const clock = (): SimulatedClock => new SimulatedClock(1_000_000)
const newHost = (config?: FakeHostOptions['config'], runtime?: FakeHostOptions['runtime']): FakeHost =>
  new FakeHost(clock(), { ...(config && { config }), ...(runtime && { runtime }) })
const web = fakeTask('aaaa')
const stop = (task: PayloadTask): PayloadTask => ({ arn: task.arn, desiredStatus: 'STOPPED' })

test('runs a task, acknowledges it once it is on disk, and reports it running and stopped', async () => {
  const bench = newHost()
  await bench.start()
  const messageId = await bench.send(web)
  expect(bench.control.acknowledged(messageId)).toBe(true)
  expect(bench.control.told(web.arn)).toEqual(['RUNNING | web RUNNING'])
  expect(bench.container('web').name).toMatch(/^ecs-proof-1-web-[0-9a-f]{20}$/)

  await bench.send(stop(web))
  expect(bench.control.told(web.arn)).toEqual(['RUNNING | web RUNNING', 'STOPPED | web STOPPED 143'])
})

test('a redelivered payload starts nothing again and is acknowledged', async () => {
  const bench = newHost()
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
  const bench = newHost()
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
  const bench = newHost()
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
  const bench = newHost()
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
  const bench = newHost()
  await bench.start()
  await bench.send(web)
  bench.runtime.removeBehindBack(bench.container('web').id)
  await bench.run()
  expect(bench.control.told(web.arn).at(-1)).toBe('STOPPED | web STOPPED 137')
})

test('running out of memory is named as the reason', async () => {
  const bench = newHost()
  await bench.start()
  await bench.send(web)
  bench.runtime.exit(bench.container('web').id, 137, true)
  await bench.run()
  expect(bench.control.submissions.at(-1)?.containers).toMatchObject([
    { exitCode: 137, reason: 'OutOfMemoryError: Container killed due to memory usage' },
  ])
})

test('an image that cannot be pulled stops the task without ever running it', async () => {
  const bench = newHost({}, { hasImage: () => false })
  await bench.start()
  await bench.send(web)
  expect(bench.control.told(web.arn)).toEqual(['STOPPED | web STOPPED'])
  expect(bench.control.submissions.at(-1)?.containers?.[0]?.reason).toMatch(/^CannotPullContainerError: /)
})

test('an image at hand is used when its registry is not, and many tasks share one pull', async () => {
  let online = true
  const bench = newHost({}, { hasImage: () => online })
  await bench.start()
  await bench.send(web, fakeTask('eeee'), fakeTask('ffff'))
  expect(bench.runtime.pulls.get('web:1')).toBe(1)
  online = false
  await bench.send(fakeTask('0000'))
  expect(bench.control.told(fakeTask('0000').arn)).toEqual(['RUNNING | web RUNNING'])
})

test('host ports are chosen from the low end and reported as bindings', async () => {
  const published = fakeContainer('web', { portMappings: [{ containerPort: 80, hostPort: 0 }] })
  const bench = newHost()
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
  const bench = newHost()
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

test('a task that is slow to run tells the digests of its images ahead', async () => {
  const waits = fakeTask('slow', [
    fakeContainer('database', {
      healthCheckType: 'docker',
      dockerConfig: { config: '{"Healthcheck":{"Test":["CMD","true"]}}', hostConfig: '{}', version: '1.24' },
    }),
    fakeContainer('web', { dependsOn: [{ containerName: 'database', condition: 'HEALTHY' }] }),
  ])
  const bench = newHost()
  await bench.start()
  await bench.send(waits, web)
  await bench.run(5000)
  expect(bench.control.digests).toMatchObject([
    {
      task: waits.arn,
      status: 'PENDING',
      containers: [
        {
          containerName: 'database',
          status: 'PENDING',
          imageDigest: expect.stringMatching(/^sha256:/) as string,
        },
        { containerName: 'web', status: 'PENDING' },
      ],
    },
  ])
  await bench.restart()
  bench.runtime.setHealth(bench.container('database').id, 'healthy')
  await bench.run(5000)
  expect(bench.control.digests).toHaveLength(1)
  expect(bench.control.told(waits.arn)).toEqual(['RUNNING | database RUNNING | web RUNNING'])
})
