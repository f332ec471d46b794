import { expect, test } from 'vitest'
import { AdjustableClock, SimulatedClock } from '@berth/simulator/clock.ts'
import { fakeContainer, fakeTask, instanceArn } from './fake-control-plane.ts'
import { FakeHost, type FakeHostOptions } from './fake-host.ts'
import { RuntimeError } from './container-runtime.ts'

const newHost = (config?: FakeHostOptions['config'], runtime?: FakeHostOptions['runtime']): FakeHost =>
  new FakeHost(new SimulatedClock(1_000_000), { ...(config && { config }), ...(runtime && { runtime }) })
const web = fakeTask('aaaa')
const hour = 3_600_000

test('without its data directory the agent ends what it cannot know, and says so', async () => {
  const host = newHost()
  await host.start()
  await host.send(web, fakeTask('ended'))
  host.runtime.exit(host.runtime.find([...host.runtime.containers.keys()][1] ?? '')?.id ?? '', 0)
  await host.run()
  host.crash()
  host.disk.values.clear()
  await host.start()
  await host.run(1000)
  expect(host.runtime.containers.size).toBe(0)
  expect(host.control.told(web.arn)).toEqual(['RUNNING | web RUNNING', 'STOPPED | web STOPPED 137'])
  expect(host.control.submissions.at(-1)).toMatchObject({
    reason: "TaskStateError: The agent lost the task's state and removed its containers",
  })
  // Of what had ended already nothing is said: on a copy of a disk it is another host's task.
  expect(host.control.told(fakeTask('ended').arn)).toHaveLength(2)
  await host.send(fakeTask('next'))
  expect(host.control.told(fakeTask('next').arn)).toEqual(['RUNNING | web RUNNING'])
})

test('one lost record costs one task, and containers of nobody go', async () => {
  const host = newHost()
  await host.start()
  const other = fakeTask('bbbb')
  await host.send(web, other)
  host.crash()
  host.disk.values.delete('task-aaaa')
  await host.start()
  await host.run(1000)
  expect(host.control.registrations.at(-1)?.containerInstanceArn).toBe(instanceArn)
  expect(host.control.told(web.arn).at(-1)).toBe('STOPPED | web STOPPED 137')
  expect(host.control.told(other.arn)).toEqual(['RUNNING | web RUNNING'])
  expect([...host.runtime.containers.values()].map(({ status }) => status)).toEqual(['running'])
})

test('a disk copied to another instance takes no task away from the first', async () => {
  const host = newHost()
  await host.start()
  await host.send(web)
  host.runtime.goDown(true)
  host.crash()
  host.runtime.comeUp()
  host.disk.values.set(
    'agent',
    JSON.stringify({
      schemaVersion: 1,
      cluster: 'proof',
      containerInstanceArn: 'x',
      ec2InstanceId: 'i-other',
      timeline: 0,
    }),
  )
  const before = host.control.submissions.length
  await host.start()
  await host.run(1000)
  expect(host.runtime.containers.size).toBe(0)
  expect(host.control.submissions.length).toBe(before)
})

test('an agent that dies while it registers for the first time becomes one container instance', async () => {
  const host = newHost()
  host.disk.refuse = (key) => key === 'agent'
  await expect(host.start()).rejects.toThrow('no space left on device')
  host.disk.refuse = () => false
  host.crash()
  await host.start()
  const tokens = new Set(host.control.registrations.map(({ clientToken }) => clientToken))
  expect(host.control.registrations.length).toBeGreaterThan(1)
  expect(tokens.size).toBe(1)
  await host.restart()
  expect(host.control.registrations.at(-1)?.clientToken).not.toBe([...tokens][0])
})

test('a full disk: what comes is not taken, what runs is told of, and all goes on when there is room', async () => {
  const host = newHost()
  await host.start()
  await host.send(web)
  host.disk.refuse = () => true
  const late = fakeTask('late')
  const refused = await host.send(late)
  expect(host.control.acknowledged(refused)).toBe(false)
  host.runtime.exit(host.container('web').id, 5)
  await host.run(1000)
  expect(host.control.told(web.arn)).toEqual(['RUNNING | web RUNNING', 'STOPPED | web STOPPED 5'])
  host.disk.refuse = () => false
  await host.restart()
  await host.send(late)
  await host.run(1000)
  expect(host.control.told(late.arn)).toEqual(['RUNNING | web RUNNING'])
  // Told again after the restart, and in the same words: that changes nothing.
  expect(host.control.told(web.arn).at(-1)).toBe('STOPPED | web STOPPED 5')
  expect([...host.runtime.starts.values()]).toEqual([1, 1])
})

test('the control plane away for hours: restart policies go on, and each thing is told once and in order', async () => {
  const restarting = fakeTask('again', [
    fakeContainer('web', { restartPolicy: { enabled: true, restartAttemptPeriod: 60 } }),
    fakeContainer('job', { essential: false }),
  ])
  const host = newHost()
  await host.start()
  await host.send(restarting, web)
  host.control.goAway()
  await host.run(hour)
  const ids = [...host.runtime.containers.values()].map(({ id, labels }) => ({
    id,
    task: labels['com.amazonaws.ecs.task-arn'],
  }))
  host.runtime.exit(host.container('web').id, 1)
  await host.run(hour)
  host.runtime.exit(host.container('job').id, 0)
  host.runtime.exit(ids.find(({ task }) => task === web.arn)?.id ?? '', 9)
  await host.run(4 * hour)
  host.control.comeBack()
  await host.run(5 * 60_000)
  expect(host.container('web')).toMatchObject({ status: 'running', starts: 2 })
  expect(host.control.told(restarting.arn)).toEqual([
    'RUNNING | web RUNNING | job RUNNING',
    'RUNNING | job STOPPED 0',
  ])
  expect(host.control.told(web.arn)).toEqual(['RUNNING | web RUNNING', 'STOPPED | web STOPPED 9'])
})

test.each([-hour, hour])(
  'the clock jumps by %d ms: waits and restart periods are as long as they are',
  async (jumpMs) => {
    const time = new SimulatedClock(10 * hour)
    const clock = new AdjustableClock(time)
    const host = new FakeHost(
      Object.assign(clock, { run: (untilMs: number) => time.run(untilMs - clock.aheadMs) }),
    )
    await host.start()
    const health = { config: '{"Healthcheck":{"Test":["CMD","true"]}}', hostConfig: '{}', version: '1.24' }
    const waiting = fakeTask('waits', [
      fakeContainer('database', { healthCheckType: 'docker', dockerConfig: health, startTimeout: 120 }),
      fakeContainer('web', { dependsOn: [{ containerName: 'database', condition: 'HEALTHY' }] }),
    ])
    const restarting = fakeTask('again', [
      fakeContainer('worker', { restartPolicy: { enabled: true, restartAttemptPeriod: 60 } }),
      fakeContainer('young', { restartPolicy: { enabled: true, restartAttemptPeriod: 1800 } }),
    ])
    await host.send(waiting, restarting)
    await host.run(90_000)
    clock.aheadMs = jumpMs
    host.runtime.exit(host.container('worker').id, 1)
    await host.run(20_000)
    expect(host.container('worker')).toMatchObject({ status: 'running', starts: 2 })
    expect(host.control.told(waiting.arn)).toEqual([])
    host.runtime.exit(host.container('young').id, 1)
    await host.run(20_000)
    expect(host.control.told(restarting.arn).slice(1)).toEqual([
      'RUNNING | young STOPPED 1',
      'STOPPED | worker STOPPED 143',
    ])
    expect(host.control.submissions.find(({ task }) => task === waiting.arn)?.containers).toContainEqual(
      expect.objectContaining({
        containerName: 'web',
        reason: expect.stringContaining('within its start timeout') as string,
      }),
    )
  },
)

test('a daemon that hangs at a start: the task fails after the time it has, and what starts then is removed', async () => {
  let hung = true
  const host = newHost(
    {},
    {
      fault: async (call, moment) => {
        if (call === 'start' && moment === 'before' && hung) await new Promise(() => undefined)
        if (call === 'remove' && hung) throw new RuntimeError('unreachable', 'no answer from docker')
      },
    },
  )
  await host.start()
  await host.send(web)
  await host.run(181_000)
  expect(host.control.submissions.at(-1)?.containers?.[0]?.reason).toBe(
    'DockerTimeoutError: Could not transition to started; timed out after waiting 3m0s',
  )
  hung = false
  await host.runtime.start(host.container('web').id)
  await host.run(20_000)
  expect(host.runtime.containers.size).toBe(0)
})

test('a container that counts as stopped and runs after all is removed at the next start', async () => {
  const host = newHost()
  await host.start()
  await host.send(web)
  const { id } = host.container('web')
  host.runtime.exit(id, 1)
  await host.run(1000)
  host.crash()
  await host.runtime.start(id)
  await host.start()
  await host.run(1000)
  expect(host.runtime.containers.size).toBe(0)
})
