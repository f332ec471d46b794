import { expect, test } from 'vitest'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import { officialContainer } from './adoption-testing.ts'
import type { AgentIdentity } from './agent-state.ts'
import { fakeContainer, fakeTask, instanceArn } from './fake-control-plane.ts'
import { FakeHost } from './fake-host.ts'

const predecessor: AgentIdentity = {
  schemaVersion: 1,
  cluster: 'proof',
  containerInstanceArn: instanceArn,
  ec2InstanceId: '',
  timeline: 7,
}
const newHost = (more: Partial<AgentIdentity> = {}): FakeHost =>
  new FakeHost(new SimulatedClock(1_000_000), { predecessor: { ...predecessor, ...more } })

const web = fakeTask(
  'aaaa',
  [
    fakeContainer('web', {
      portMappings: [{ containerPort: 80 }, { containerPortRange: '9000-9001' }],
      mountPoints: [{ sourceVolume: 'data', containerPath: '/data' }],
    }),
    fakeContainer('side', { essential: false }),
  ],
  { volumes: [{ name: 'data', host: {} }] },
)
const asked = (host: FakeHost): readonly string[] =>
  host.control.acsMessages.flatMap(({ type, message }) =>
    type === 'BerthTasksRequest' ? message.taskArns : [],
  )
const ids = (host: FakeHost): readonly string[] => [...host.runtime.containers.keys()]
/** What the control plane says of a task that is over. */
const over = ({ arn }: PayloadTask): PayloadTask => ({ arn, desiredStatus: 'STOPPED', containers: [] })

test('it goes on as the container instance that the official agent was', async () => {
  const host = newHost()
  await host.start()
  expect(host.control.registrations).toMatchObject([{ containerInstanceArn: instanceArn }])
  host.control.manifest(7, [])
  await host.run()
  expect(host.control.acknowledged('manifest-7')).toBe(false)
  expect(asked(host)).toEqual([])
})

test('a task that runs is taken over as it is, and is this agent’s from then on', async () => {
  const host = newHost()
  await officialContainer(host, web, 'web', {
    ports: { 80: 32_768, 9000: 32_769, 9001: 32_770 },
    volume: 'ecs-v',
  })
  await officialContainer(host, web, 'side')
  const before = ids(host)
  await host.start()
  expect(asked(host)).toEqual([web.arn])
  const messageId = await host.send(web)
  expect(host.control.acknowledged(messageId)).toBe(true)
  expect(ids(host)).toEqual(before)
  expect([...host.runtime.starts.values()]).toEqual([1, 1])
  expect(host.control.submissions).toMatchObject([
    {
      status: 'RUNNING',
      containers: [
        {
          containerName: 'web',
          runtimeId: before[0],
          networkBindings: [
            { containerPort: 80, hostPort: 32_768 },
            { containerPortRange: '9000-9001', hostPortRange: '32769-32770' },
          ],
        },
        { containerName: 'side', runtimeId: before[1] },
      ],
    },
  ])
  const [record] = host.agent.records()
  expect(record?.containers[0]).toMatchObject({ metadataId: 'official-web', dockerName: 'official-aaaa-web' })
  expect(record?.volumes).toEqual([{ name: 'data', dockerName: 'ecs-v', owned: true, ready: true }])
  await host.restart()
  expect(ids(host)).toEqual(before)
  expect(asked(host)).toEqual([web.arn])
  await host.send({ arn: web.arn, desiredStatus: 'STOPPED' })
  await host.run(1000)
  expect(host.control.told(web.arn).at(-1)).toBe('STOPPED | web STOPPED 143 | side STOPPED 143')
})

test('until it is known what they are for, containers are left alone, over restarts and without a control plane', async () => {
  const host = newHost()
  await officialContainer(host, web, 'web')
  const before = ids(host)
  await host.start()
  await host.restart()
  host.control.goAway()
  await host.run(600_000)
  host.control.comeBack()
  await host.run(200_000)
  expect(ids(host)).toEqual(before)
  expect(host.runtime.find('official-aaaa-web')?.status).toBe('running')
  // At the first connection of each agent, and when the control plane is back.
  expect(asked(host).length).toBeGreaterThan(2)
})

test('what ended while no agent was there is told', async () => {
  const host = newHost()
  const id = await officialContainer(host, web, 'web')
  await officialContainer(host, web, 'side')
  host.runtime.exit(id, 3)
  await host.start()
  await host.send(web)
  await host.run(60_000)
  expect(host.control.told(web.arn).at(-1)).toMatch(/^STOPPED/)
  expect(JSON.stringify(host.control.submissions)).toContain('"exitCode":3')
})

test('a task that is to stop is stopped as its definition says, once it is known what it is', async () => {
  const host = newHost()
  await officialContainer(host, web, 'web')
  await officialContainer(host, web, 'side')
  await host.start()
  const bare = await host.send({ arn: web.arn, desiredStatus: 'STOPPED' })
  expect(host.control.acknowledged(bare)).toBe(false)
  expect(host.runtime.find('official-aaaa-web')?.status).toBe('running')
  await host.send({ ...web, desiredStatus: 'STOPPED' })
  await host.run(1000)
  expect(host.control.told(web.arn)).toEqual([
    'STOPPED | web RUNNING | side RUNNING | web STOPPED 143 | side STOPPED 143',
  ])
})

test('the start of a task that was begun goes on', async () => {
  const host = newHost()
  const id = await officialContainer(host, web, 'web')
  await host.start()
  await host.send(web)
  expect(ids(host)[0]).toBe(id)
  expect(host.container('side').status).toBe('running')
  expect(host.control.told(web.arn)).toEqual(['RUNNING | web RUNNING | side RUNNING'])
})

test('what is left of a task that is over is removed', async () => {
  const host = newHost()
  await officialContainer(host, web, 'web')
  await host.start()
  await host.send(over(web))
  expect(ids(host)).toEqual([])
  await host.restart()
  expect(asked(host)).toEqual([web.arn])
})

test('a task with a network that the official agent made is ended, and said to have ended', async () => {
  const host = newHost()
  await officialContainer(host, web, 'web')
  await officialContainer(host, web, '~internal~ecs~pause')
  await host.start()
  await host.send(web)
  expect(ids(host)).toEqual([])
  expect(host.control.told(web.arn)).toEqual(['STOPPED | web STOPPED 137 | ~internal~ecs~pause STOPPED 137'])
})

test.each([
  ['in another cluster', { cluster: 'other' }],
  ['on another EC2 instance', { ec2InstanceId: 'i-1' }],
])('an official agent that was one %s is none of its predecessors', async (_, more) => {
  const host = newHost(more)
  await host.start()
  expect(host.control.registrations[0]).not.toHaveProperty('containerInstanceArn')
})

test('the same task twice at once is taken over once', async () => {
  const host = newHost()
  await officialContainer(host, web, 'web')
  await officialContainer(host, web, 'side')
  await host.start()
  host.control.send(web)
  await host.send(web)
  expect(host.agent.records()).toHaveLength(1)
  expect([...host.runtime.starts.values()]).toEqual([1, 1])
})

test('of many tasks that are taken over at once none stays awaited', async () => {
  const host = newHost()
  const tasks = Array.from({ length: 8 }, (_, index) => fakeTask(`many-${index}`))
  for (const task of tasks) await officialContainer(host, task, 'web')
  await host.start()
  // The disk is slow with what is written, and quick to remove.
  const save = host.disk.save.bind(host.disk)
  host.disk.save = async (key, value) => {
    await new Promise<void>((resolve) => host.clock.at(host.clock.now() + 10, resolve))
    await save(key, value)
  }
  await host.send(...tasks)
  await host.run(10_000)
  expect(host.agent.records()).toHaveLength(8)
  expect((await host.disk.load()).has('awaited')).toBe(false)
})
