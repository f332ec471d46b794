import type { ContainerInstance } from '#domain/container-instance.ts'
import type { Instance } from '#domain/instance.ts'
import { EngineBench } from '@berth/simulator/engine-bench.ts'
import { expect, onTestFinished, test } from 'vitest'
import { instanceLiveness } from './instance-liveness.ts'
import { serviceScheduler } from './service-scheduler.ts'

const graceMs = 60_000

async function watchOver(given: Partial<ContainerInstance> = {}): Promise<{
  bench: EngineBench
  sessions: Set<string>
  instance: () => ContainerInstance
}> {
  const bench = await EngineBench.open()
  const sessions = new Set<string>()
  const { containerInstanceArn } = bench.putInstance('host1', { ec2InstanceId: 'i-1', ...given })
  sessions.add(containerInstanceArn)
  bench.putService(bench.putTaskDefinition(1))
  bench.obey()
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet }))
  bench.drive(instanceLiveness({ view: bench.store, hasSession: (arn) => sessions.has(arn), graceMs }))
  onTestFinished(async () => {
    await bench.close()
    expect(bench.errors).toEqual([])
  })
  await bench.run(50_000)
  const instance = (): ContainerInstance => {
    const row = bench.store.find('containerInstance', containerInstanceArn)
    if (!row) throw new Error('the instance is gone')
    return row
  }
  return { bench, sessions, instance }
}

const host = (state: Instance['state'], desiredState: Instance['desiredState'] = 'running'): Instance => ({
  accountId: '000000000000',
  region: 'us-east-1',
  instanceId: 'i-1',
  reservationId: 'r-1',
  launchIndex: 0,
  imageId: 'ami-1',
  instanceType: 't3.micro',
  vpcId: 'vpc-1',
  subnetId: 'subnet-1',
  availabilityZone: 'us-east-1a',
  securityGroupIds: [],
  networkInterfaceId: 'eni-1',
  macAddress: '02:00:00:00:00:01',
  privateIpAddress: '10.0.0.4',
  privateDnsName: 'ip-10-0-0-4.ec2.internal',
  launchTime: 0,
  metadataOptions: { httpTokens: 'optional', httpPutResponseHopLimit: 1 },
  desiredState,
  boot: 1,
  state,
  bootSeen: 1,
  stateTransitionReason: '',
})

test('an agent without a session is given up when the grace is over, and its tasks are DISCONNECTED', async () => {
  const { bench, sessions, instance } = await watchOver()
  sessions.clear()
  bench.store.update((tx) =>
    tx.put('containerInstance', { ...instance(), agentLostBy: bench.clock.now() + 15_000 }),
  )
  await bench.run(14_000)
  expect(instance().agentConnected).toBe(true)
  await bench.run(2_000)
  expect(instance()).toMatchObject({ agentConnected: false, version: 2 })
  expect(instance()).not.toHaveProperty('agentLostBy')
  expect(bench.wanted().map(({ connectivity, lastStatus }) => [connectivity, lastStatus])).toEqual([
    ['DISCONNECTED', 'RUNNING'],
    ['DISCONNECTED', 'RUNNING'],
  ])
})

test('after a start of the control plane agents have the grace to come back', async () => {
  const { bench, sessions, instance } = await watchOver()
  sessions.clear()
  bench.store.update((tx) => tx.put('containerInstance', { ...instance() }))
  await bench.run(graceMs - 1_000)
  expect(instance().agentConnected).toBe(true)
  await bench.run(2_000)
  expect(instance().agentConnected).toBe(false)
})

test('tasks of an agent that came back are CONNECTED again', async () => {
  const { bench, sessions, instance } = await watchOver()
  bench.store.update((tx) => tx.put('containerInstance', { ...instance(), agentConnected: false }))
  await bench.run(1_000)
  expect(bench.wanted().map(({ connectivity }) => connectivity)).toEqual(['DISCONNECTED', 'DISCONNECTED'])
  sessions.add(instance().containerInstanceArn)
  bench.store.update((tx) => tx.put('containerInstance', { ...instance(), agentConnected: true }))
  await bench.run(1_000)
  expect(bench.wanted()).toMatchObject([
    { connectivity: 'CONNECTED', connectivityAt: bench.clock.now() - 1_000 },
    { connectivity: 'CONNECTED' },
  ])
})

test.each([
  { state: 'terminated', desiredState: 'terminated', end: 'terminated', status: 'INACTIVE' },
  { state: 'running', desiredState: 'terminated', end: 'terminated', status: 'INACTIVE' },
  { state: 'stopped', desiredState: 'stopped', end: 'stopped', status: 'ACTIVE' },
] as const)(
  'the tasks of a $state EC2 instance that is to be $desiredState are lost and replaced elsewhere',
  async ({ state, desiredState, end, status }) => {
    const { bench, instance } = await watchOver()
    const lost = bench.wanted()
    bench.putInstance('host2')
    bench.store.update((tx) => tx.put('instance', host(state, desiredState)))
    await bench.run(5_000)
    expect(lost.map(({ taskArn }) => bench.store.find('task', taskArn))).toMatchObject(
      lost.map(() => ({
        lastStatus: 'STOPPED',
        stopCode: 'TerminationNotice',
        stoppedReason: `Host EC2 (instance i-1) ${end}.`,
      })),
    )
    expect(instance()).toMatchObject({ status, agentConnected: false })
    expect(bench.wanted().map((task) => [task.lastStatus, task.containerInstanceArn?.slice(-5)])).toEqual([
      ['RUNNING', 'host2'],
      ['RUNNING', 'host2'],
    ])
  },
)

test('the tasks of a running EC2 instance stay', async () => {
  const { bench } = await watchOver()
  bench.store.update((tx) => tx.put('instance', host('running')))
  await bench.run(5_000)
  expect(bench.wanted()).toHaveLength(2)
})

test('a host whose agent came back as another container instance leaves the older one, with its tasks', async () => {
  const { bench, sessions, instance } = await watchOver()
  const lost = bench.wanted()
  bench.store.update((tx) => tx.put('instance', host('running')))
  sessions.clear()
  bench.store.update((tx) => tx.put('containerInstance', { ...instance(), agentConnected: false }))
  await bench.run(1_000)
  expect(instance().status).toBe('ACTIVE')
  const anew = bench.putInstance('anew', { ec2InstanceId: 'i-1' })
  sessions.add(anew.containerInstanceArn)
  await bench.run(5_000)
  expect(instance()).toMatchObject({ status: 'INACTIVE', agentConnected: false })
  expect(lost.map(({ taskArn }) => bench.store.find('task', taskArn))).toMatchObject(
    lost.map(() => ({ lastStatus: 'STOPPED', stopCode: 'TerminationNotice' })),
  )
  expect(bench.wanted().map((task) => [task.lastStatus, task.containerInstanceArn?.slice(-4)])).toEqual([
    ['RUNNING', 'anew'],
    ['RUNNING', 'anew'],
  ])
})
