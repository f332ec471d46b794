import { expect, test } from 'vitest'
import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { fakeContainer, fakeTask, instanceArn } from './fake-control-plane.ts'
import { FakeHost, type FakeHostOptions } from './fake-host.ts'

const clock = (): SimulatedClock => new SimulatedClock(1_000_000)
const newHost = (config?: FakeHostOptions['config'], runtime?: FakeHostOptions['runtime']): FakeHost =>
  new FakeHost(clock(), { ...(config && { config }), ...(runtime && { runtime }) })
const web = fakeTask('aaaa')
const stop = (task: PayloadTask): PayloadTask => ({ arn: task.arn, desiredStatus: 'STOPPED' })

test('registers and opens both sessions with the queries of the official agent', async () => {
  const bench = newHost()
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

test('a refused submission is tried again, in order, and an invalid one is dropped', async () => {
  const bench = newHost()
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
  const bench = newHost()
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
  const bench = newHost()
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
  const bench = newHost()
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
  const bench = newHost()
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
  const bench = newHost()
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
