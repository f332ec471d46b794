import type { TaskMetric } from '@berth/agent-protocol/tcs.ts'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { pauseContainerName, sandboxName } from '#engine/sandbox.ts'
import { expect, test } from 'vitest'
import { fakeContainer, fakeTask } from './fake-control-plane.ts'
import { FakeHost } from './fake-host.ts'

const newHost = (): FakeHost => new FakeHost(new SimulatedClock(1_000_000))
const metrics = ({ control }: FakeHost): TaskMetric[] =>
  control.tcsMessages.flatMap((sent) =>
    sent.type === 'PublishMetricsRequest' ? (sent.message.taskMetrics ?? []) : [],
  )
const eni = { ec2Id: 'eni-1', attachmentArn: 'arn:attachment', macAddress: '0a:00:00:00:00:01' }
const awsvpc = { networkMode: 'awsvpc', elasticNetworkInterfaces: [eni] }
const containers = [fakeContainer('web'), fakeContainer('side')]

test('each container of a task with a network of its own has an equal part of what went over it', async () => {
  const host = newHost()
  await host.start()
  const task = fakeTask('one', containers, awsvpc)
  await host.runtime.pull('pause')
  const pause = await host.runtime.create(sandboxName(task), {
    Image: 'pause',
    Env: [],
    Labels: { name: pauseContainerName },
    HostConfig: {},
  })
  await host.runtime.start(pause)
  await host.send(task)
  await host.run(60_000)
  const figures = metrics(host).at(-1)?.containerMetrics ?? []
  expect(figures.map(({ containerName }) => containerName)).toEqual(['web', 'side'])
  for (const { networkStatsSet } of figures)
    expect(networkStatsSet).toMatchObject({
      rxBytes: { max: 450 },
      txBytes: { max: 350 },
      rxPackets: { max: 4 },
    })
})

test('a task whose network cannot be read, or is Docker’s, has the other figures all the same', async () => {
  const host = newHost()
  await host.start()
  await host.send(fakeTask('one', containers, awsvpc), fakeTask('two', containers))
  await host.run(60_000)
  const figures = metrics(host).slice(-2)
  expect(figures.map(({ taskArn }) => taskArn?.at(-1))).toEqual(['e', 'o'])
  expect(figures.map(({ containerMetrics = [] }) => containerMetrics.length)).toEqual([2, 2])
  for (const { containerMetrics = [] } of figures)
    for (const metric of containerMetrics) expect(metric).not.toHaveProperty('networkStatsSet')
})
