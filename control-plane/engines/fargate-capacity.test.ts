import { EngineBench, clusterArn } from '@berth/simulator/engine-bench.ts'
import { expect, onTestFinished, test } from 'vitest'
import { fargateAccountId, fargatePool, type FargateLimits } from '#domain/fargate.ts'
import { formatArn } from '#domain/arn.ts'
import type { Instance } from '#domain/instance.ts'
import { newTask, type Task } from '#domain/task.ts'
import { fargateCapacity } from './fargate-capacity.ts'
import { serviceScheduler } from './service-scheduler.ts'

const idleMs = 60_000
const gib = 1024
const pool = fargatePool('us-east-1')

/** A pool whose hosts register, or not, as the test says. */
async function fargate(
  limits: Partial<FargateLimits> = {},
  { registers = true }: { registers?: boolean } = {},
): Promise<EngineBench> {
  const bench = await EngineBench.open()
  const whole: FargateLimits = { cpu: 64 * gib, memoryMiB: 64 * gib, cpuArchitecture: 'x86_64', ...limits }
  bench.putTaskDefinition(1)
  bench.obey()
  if (registers)
    bench.store.watch((changes) => {
      for (const { table, before, after } of changes)
        if (table === 'instance' && !before && after) queueMicrotask(() => register(bench, after as Instance))
    })
  bench.drive(fargateCapacity({ fleet: bench.fleet, ids: bench.ids, limits: whole, idleMs }))
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet, fargate: whole }))
  onTestFinished(async () => {
    await bench.close()
    expect(bench.errors).toEqual([])
  })
  return bench
}

function register(bench: EngineBench, host: Instance): void {
  const { instanceId, accountId, region, availabilityZone } = host
  bench.putInstance(instanceId, {
    accountId,
    region,
    ec2InstanceId: instanceId,
    clusterArn: pool.clusterArn,
    containerInstanceArn: formatArn(pool, 'ecs', `container-instance/fargate/${instanceId}`),
    registeredResources: [
      { name: 'CPU', type: 'INTEGER', integerValue: 2048 },
      { name: 'MEMORY', type: 'INTEGER', integerValue: 8 * gib - 256 },
      { name: 'PORTS', type: 'STRINGSET', stringSetValue: [] },
      { name: 'PORTS_UDP', type: 'STRINGSET', stringSetValue: [] },
    ],
    attributes: [{ name: 'ecs.availability-zone', value: availabilityZone }],
  })
}

function fail(bench: EngineBench, instanceId: string, number: number): void {
  bench.store.update((tx) => {
    const row = tx.find('instance', instanceId)
    const stateReason = { code: 'Server.InternalError', message: `no Docker ${number}` }
    if (row) tx.put('instance', { ...row, state: 'terminated', desiredState: 'terminated', stateReason })
  })
}

function put(bench: EngineBench, memoryMiB: number, provider?: 'FARGATE_SPOT'): Task {
  const taskDefinition = bench.store.list('taskDefinition')[0]
  if (!taskDefinition) throw new Error('there is no task definition')
  const made = newTask({
    scope: { accountId: '000000000000', region: 'us-east-1' },
    cluster: { clusterArn, clusterName: 'default' },
    taskDefinition,
    ids: bench.ids,
    now: bench.clock.now(),
    group: 'family:web',
    launchType: 'FARGATE',
    capacityProviderName: provider,
    enableExecuteCommand: false,
  })
  const task = { ...made, demand: { ...made.demand, cpu: 256, memoryMiB } }
  bench.store.update((tx) => tx.put('task', task))
  return task
}

const now = (bench: EngineBench, { taskArn }: Task): Task => {
  const task = bench.store.find('task', taskArn)
  if (!task) throw new Error('the task is gone')
  return task
}
const hosts = (bench: EngineBench): Instance[] =>
  bench.store.list('instance').filter(({ desiredState }) => desiredState === 'running')

test('brings a host for a task that has none, and runs the next one there', async () => {
  const bench = await fargate()
  const first = put(bench, 512)
  expect(first).toMatchObject({
    lastStatus: 'PROVISIONING',
    platformVersion: '1.4.0',
    platformFamily: 'Linux',
  })
  await bench.run(5_000)
  expect(now(bench, first)).toMatchObject({ lastStatus: 'RUNNING', connectivity: 'CONNECTED' })
  const second = put(bench, 512)
  await bench.run(5_000)
  expect(now(bench, second).containerInstanceArn).toBe(now(bench, first).containerInstanceArn)
  expect(hosts(bench)).toHaveLength(1)
  expect(hosts(bench)[0]).toMatchObject({ accountId: fargateAccountId, instanceType: 'm5.large' })
})

test('promises the room of a host on its way once only', async () => {
  const bench = await fargate({}, { registers: false })
  for (let number = 0; number < 5; number++) put(bench, 3 * gib)
  await bench.run(5_000)
  // Two tasks of 3 GiB fit beside what a host of 8 GiB keeps for itself.
  expect(hosts(bench)).toHaveLength(3)
})

test('takes a larger host for a task that needs one', async () => {
  const bench = await fargate({}, { registers: false })
  put(bench, 15 * gib)
  await bench.run(1_000)
  expect(hosts(bench).map(({ instanceType }) => instanceType)).toEqual(['r5.large'])
})

test('gives a host back when it has been idle for long, and one that never came', async () => {
  const bench = await fargate()
  const task = put(bench, 512)
  await bench.run(5_000)
  bench.report(task, 'STOPPED')
  await bench.run(idleMs / 2)
  expect(hosts(bench)).toHaveLength(1)
  await bench.run(idleMs)
  expect(hosts(bench)).toEqual([])

  const silent = await fargate({}, { registers: false })
  const waiting = put(silent, 512)
  await silent.run(1_000)
  const [never] = hosts(silent)
  await silent.run(150_000)
  expect(hosts(silent).map(({ instanceId }) => instanceId)).not.toContain(never?.instanceId)
  expect(hosts(silent)).toHaveLength(1)
  expect(now(silent, waiting).lastStatus).toBe('PROVISIONING')
})

test('interrupts the youngest Spot tasks for on-demand ones, and starts others when there is room again', async () => {
  const bench = await fargate({ memoryMiB: 4 * gib })
  const old = put(bench, 2 * gib, 'FARGATE_SPOT')
  await bench.run(5_000)
  const young = put(bench, 2 * gib, 'FARGATE_SPOT')
  await bench.run(5_000)
  expect(now(bench, young).lastStatus).toBe('RUNNING')
  const onDemand = put(bench, 2 * gib)
  await bench.run(500)
  expect(now(bench, young)).toMatchObject({
    desiredStatus: 'STOPPED',
    stopCode: 'SpotInterruption',
    stoppedReason: 'Your Spot Task was interrupted.',
  })
  expect(now(bench, onDemand).lastStatus).toBe('PROVISIONING')
  await bench.run(5_000)
  expect(now(bench, onDemand).lastStatus).toBe('RUNNING')
  expect(now(bench, old).lastStatus).toBe('RUNNING')
  const again = put(bench, 2 * gib, 'FARGATE_SPOT')
  await bench.run(5_000)
  expect(now(bench, again).lastStatus).toBe('PROVISIONING')
  bench.report(onDemand, 'STOPPED')
  await bench.run(5_000)
  expect(now(bench, again).lastStatus).toBe('RUNNING')
})

test('a service of four runs on hosts that are in no cluster of its own', async () => {
  const bench = await fargate()
  bench.putService(bench.putTaskDefinition(2), { desiredCount: 4, launchType: 'FARGATE' })
  await bench.run(30_000)
  const tasks = bench.wanted(2)
  expect(tasks.map(({ lastStatus }) => lastStatus)).toEqual(['RUNNING', 'RUNNING', 'RUNNING', 'RUNNING'])
  expect(bench.store.by('containerInstance', 'cluster', clusterArn)).toEqual([])
})

test('a service says that Fargate has no capacity left', async () => {
  const bench = await fargate({ memoryMiB: 512 })
  bench.putService(bench.putTaskDefinition(2), { desiredCount: 4, launchType: 'FARGATE' })
  await bench.run(10_000)
  expect(bench.wanted(2)).toHaveLength(2)
  expect(bench.messages.at(-1)).toMatch(
    /was unable to place a task\. Reason: Capacity is unavailable at this time/,
  )
})

test('a service gets its Spot task back as soon as there is room', async () => {
  const bench = await fargate({ memoryMiB: 512 })
  const onDemand = put(bench, 256)
  await bench.run(5_000)
  const strategy = [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }]
  bench.putService(bench.putTaskDefinition(2), { desiredCount: 2, capacityProviderStrategy: strategy })
  await bench.run(10 * 60_000)
  expect(bench.wanted(2)).toHaveLength(1)
  // By now its next attempt by itself is minutes away.
  bench.report(onDemand, 'STOPPED')
  await bench.run(5_000)
  expect(bench.wanted(2).map(({ lastStatus }) => lastStatus)).toEqual(['RUNNING', 'RUNNING'])
})

test('nothing is put on a host that is given back', async () => {
  const bench = await fargate()
  const done = put(bench, 512)
  await bench.run(5_000)
  const [first] = hosts(bench)
  bench.report(done, 'STOPPED')
  await bench.run(2 * idleMs)
  expect(bench.store.by('containerInstance', 'ec2Instance', first?.instanceId ?? '')).toMatchObject([
    { status: 'DRAINING', agentConnected: true },
  ])
  const task = put(bench, 512)
  await bench.run(5_000)
  expect(now(bench, task).lastStatus).toBe('RUNNING')
  expect(now(bench, task).containerInstanceArn).not.toContain(first?.instanceId)
})

test('tasks end that wait for a host which cannot be started, and it is not tried for ever', async () => {
  const bench = await fargate({}, { registers: false })
  let failures = 0
  bench.store.watch((changes) => {
    for (const { table, before, after } of changes)
      if (table === 'instance' && !before && after) {
        const { instanceId } = after as Instance
        queueMicrotask(() => fail(bench, instanceId, ++failures))
      }
  })
  const task = put(bench, 512)
  bench.putService(bench.putTaskDefinition(2), { desiredCount: 2, launchType: 'FARGATE' })
  await bench.run(60_000)
  expect(now(bench, task)).toMatchObject({
    lastStatus: 'STOPPED',
    stopCode: 'TaskFailedToStart',
    stoppedReason: expect.stringMatching(
      /^Capacity is unavailable at this time.* \(no host could be started: no Docker 1\)$/,
    ) as unknown,
  })
  expect(failures).toBeGreaterThan(3)
  expect(failures).toBeLessThan(12)
})
