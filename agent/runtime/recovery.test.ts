import { expect, test } from 'vitest'
import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { sleep } from '@berth/std/clock.ts'
import { fakeContainer, fakeTask, instanceArn } from './fake-control-plane.ts'
import { FakeHost, type FakeHostOptions } from './fake-host.ts'
import { RuntimeError } from './container-runtime.ts'
import type { InMemoryRuntimeOptions, RuntimeCall } from './in-memory-runtime.ts'

const clock = (): SimulatedClock => new SimulatedClock(1_000_000)
const newHost = (config?: FakeHostOptions['config'], runtime?: FakeHostOptions['runtime']): FakeHost =>
  new FakeHost(clock(), { ...(config && { config }), ...(runtime && { runtime }) })
const web = fakeTask('aaaa')
const stop = (task: PayloadTask): PayloadTask => ({ arn: task.arn, desiredStatus: 'STOPPED' })

test('the daemon gone and back: nothing is invented, then all is looked at again', async () => {
  const bench = newHost()
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
  const bench = newHost()
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
  const bench = newHost()
  await bench.start()
  await bench.send(web)
  bench.crash()
  bench.runtime.exit(bench.container('web').id, 7)
  await bench.start()
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
    const bench: FakeHost = newHost(
      {},
      {
        fault: (seen, when) => {
          if (!armed || seen !== call || when !== moment) return
          armed = false
          bench.crash()
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
  const bench = newHost({}, { fault })
  await bench.start()
  await bench.send(web)
  await bench.run(5000)
  expect(bench.container('web')).toMatchObject({ status: 'running', starts: 1 })
  expect(bench.runtime.containers.size).toBe(1)
  expect(bench.control.told(web.arn)).toEqual(['RUNNING | web RUNNING'])
})

test('a crash while others are stopped for a pull that failed does not make their end the cause', async () => {
  let armed = true
  const task = fakeTask('aaaa', [fakeContainer('proxy'), fakeContainer('app', { image: 'missing' })])
  const bench: FakeHost = newHost(
    {},
    {
      hasImage: (image) => image !== 'missing',
      fault: (call, moment, subject) => {
        if (call === 'pull' && moment === 'before' && subject === 'missing') return sleep(bench.clock, 5000)
        if (armed && call === 'stop' && moment === 'after') {
          armed = false
          bench.crash()
        }
        return undefined
      },
    },
  )
  await bench.start()
  await bench.send(task)
  await bench.run(60_000)
  await bench.restart()
  await bench.run(60_000)
  expect(armed).toBe(false)
  expect(bench.control.submissions.at(-1)).toMatchObject({
    status: 'STOPPED',
    containers: expect.arrayContaining([
      expect.objectContaining({ containerName: 'app', reason: expect.stringContaining('CannotPull') }),
    ]),
  })
})

test('a container nobody has looked at yet is not called stopped because it should be', async () => {
  let armed = true
  let looks = 0
  const bench: FakeHost = newHost(
    {},
    {
      fault: (call, moment) => {
        if (armed && call === 'start' && moment === 'after') {
          armed = false
          bench.crash()
        }
        if (call === 'inspect' && moment === 'before' && looks++ < 3)
          throw new RuntimeError('unreachable', 'socket hang up')
      },
    },
  )
  await bench.start()
  await bench.send(web)
  await bench.start()
  await bench.send(stop(web))
  expect(bench.control.told(web.arn)).toEqual([])
  await bench.run(10_000)
  expect(bench.container('web').status).toBe('exited')
  expect(bench.control.told(web.arn)).toEqual(['STOPPED | web RUNNING | web STOPPED 143'])
})

test('a container that was started, and removed while no agent ran, is not run again', async () => {
  let armed = true
  const bench: FakeHost = newHost(
    {},
    {
      fault: (call, moment) => {
        if (!armed || call !== 'start' || moment !== 'after') return
        armed = false
        bench.crash()
      },
    },
  )
  await bench.start()
  await bench.send(web)
  bench.runtime.removeBehindBack(bench.container('web').id)
  await bench.start()
  await bench.run(5000)
  expect([...bench.runtime.starts.values()]).toEqual([1])
  expect(bench.control.submissions.at(-1)).toMatchObject({ status: 'STOPPED' })
})

test.each(['create', 'start'] as const)('a crash after %s forgets no host port', async (crashing) => {
  const task = fakeTask('ports', [
    fakeContainer('web', { portMappings: [{ containerPort: 80, hostPort: 0, protocol: 'tcp' }] }),
  ])
  let armed = true
  const bench: FakeHost = newHost(
    {},
    {
      fault: (call, moment) => {
        if (!armed || call !== crashing || moment !== 'after') return
        armed = false
        bench.crash()
      },
    },
  )
  await bench.start()
  await bench.send(task)
  await bench.start()
  await bench.run(5000)
  expect(bench.control.submissions.at(-1)?.containers?.[0]?.networkBindings).toEqual([
    { bindIP: '0.0.0.0', containerPort: 80, hostPort: 32768, protocol: 'tcp' },
  ])
})

test('an idle agent with running tasks holds a handful of timers', async () => {
  const time = clock()
  const host = new FakeHost(time, { config: { metricsEnabled: false } })
  await host.start()
  await host.send(...Array.from({ length: 50 }, (_, index) => fakeTask(`idle-${index}`)))
  await host.run(300_000)
  const before = time.steps
  await host.run(60_000)
  expect(time.steps - before).toBeLessThan(20)
})
