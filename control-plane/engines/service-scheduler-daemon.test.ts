import { EngineBench, serviceArn } from '@berth/simulator/engine-bench.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { Service } from '#domain/service.ts'
import { protect } from '#domain/task-protection.ts'
import type { Task } from '#domain/task.ts'
import { expect, onTestFinished, test } from 'vitest'
import { serviceScheduler } from './service-scheduler.ts'

const minute = 60_000

async function schedule(instances = 3): Promise<EngineBench> {
  const bench = await EngineBench.open()
  for (let number = 1; number <= instances; number++) bench.putInstance(`host${number}`)
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet }))
  onTestFinished(async () => {
    await bench.close()
    expect(bench.errors).toEqual([])
  })
  return bench
}

function putDaemonService(
  bench: EngineBench,
  taskDefinitionArn: string,
  given: Partial<Service> = {},
): Service {
  return bench.putService(taskDefinitionArn, {
    schedulingStrategy: 'DAEMON',
    desiredCount: 0,
    deploymentConfiguration: { minimumHealthyPercent: 0, maximumPercent: 100 },
    ...given,
  })
}

const changeInstance = (bench: EngineBench, name: string, change: Partial<ContainerInstance>): void => {
  const arn = `arn:aws:ecs:us-east-1:000000000000:container-instance/default/${name}`
  bench.store.update((tx) => {
    const row = tx.find('containerInstance', arn)
    if (row) tx.put('containerInstance', { ...row, ...change })
  })
}
const hostOf = (task: Task): string | undefined => task.containerInstanceArn?.split('/').at(-1)
const hosts = (tasks: readonly Task[]): string[] =>
  tasks.map((task) => hostOf(task) ?? '').toSorted((one, other) => (one < other ? -1 : 1))
const named = (messages: readonly string[]): string[] =>
  messages.map((message) =>
    message.replaceAll(/[0-9a-f]{32}/g, 'ID').replaceAll(/ecs-svc\/\d+/g, 'ecs-svc/N'),
  )

test('each instance gets one task, the count follows, and the service becomes steady', async () => {
  const bench = await schedule()
  bench.obey()
  putDaemonService(bench, bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  expect(hosts(bench.wanted())).toEqual(['host1', 'host2', 'host3'])
  expect(bench.service.desiredCount).toBe(3)
  expect(bench.primary).toMatchObject({ rolloutState: 'COMPLETED' })
  expect(named(bench.messages)).toEqual([
    '(service web) has started 3 tasks: (task ID) (task ID) (task ID).',
    '(service web) (deployment ecs-svc/N) deployment completed.',
    '(service web) has reached a steady state.',
  ])
})

test('without instances it is complete at once, and a new instance gets its task', async () => {
  const bench = await schedule(0)
  bench.obey()
  putDaemonService(bench, bench.putTaskDefinition(1))
  await bench.run(1_000)
  expect(bench.primary?.rolloutState).toBe('COMPLETED')
  bench.putInstance('late', { agentConnected: false })
  await bench.run(minute)
  expect([bench.wanted().length, bench.service.desiredCount]).toEqual([0, 0])
  changeInstance(bench, 'late', { agentConnected: true })
  await bench.run(minute)
  expect([hosts(bench.wanted()), bench.service.desiredCount]).toEqual([['late'], 1])
})

test.each<[string, Partial<ContainerInstance>]>([
  ['is DRAINING', { status: 'DRAINING' }],
  ['is INACTIVE', { status: 'INACTIVE' }],
  ['is external', { external: true }],
  ['lacks what a constraint asks', { attributes: [{ name: 'rack', value: 'b' }] }],
])('an instance that %s gets none', async (_, change) => {
  const bench = await schedule(0)
  bench.obey()
  bench.putInstance('fit', { attributes: [{ name: 'rack', value: 'a' }] })
  bench.putInstance('unfit', { attributes: [{ name: 'rack', value: 'a' }], ...change })
  putDaemonService(bench, bench.putTaskDefinition(1), {
    placementConstraints: [
      { type: 'memberOf', expression: 'attribute:rack == a' },
      { type: 'distinctInstance' },
    ],
  })
  await bench.run(minute)
  expect(hosts(bench.wanted())).toEqual(['fit'])
  expect(bench.service.desiredCount).toBe(1)
})

test('a task whose instance no longer meets the constraints is stopped', async () => {
  const bench = await schedule()
  bench.obey()
  putDaemonService(bench, bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  changeInstance(bench, 'host2', { attributes: [{ name: 'rack', value: 'b' }] })
  bench.updateService({
    placementConstraints: [
      { type: 'memberOf', expression: 'attribute:rack != b or not(attribute:rack exists)' },
    ],
  })
  await bench.run(minute)
  expect(hosts(bench.wanted())).toEqual(['host1', 'host3'])
  expect(bench.service.desiredCount).toBe(2)
  expect(bench.deployments).toHaveLength(1)
})

test('an update stops the old task of an instance before it starts the new one there', async () => {
  const bench = await schedule()
  bench.obey()
  putDaemonService(bench, bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  let most = 0
  bench.store.watch(() => {
    const running = bench.store.by('task', 'service', serviceArn)
    for (const tasks of Map.groupBy(running, hostOf).values()) most = Math.max(most, tasks.length)
  })
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(2 * minute)
  expect(hosts(bench.wanted(2))).toEqual(['host1', 'host2', 'host3'])
  expect(bench.wanted(1)).toEqual([])
  expect(most).toBe(1)
  expect(bench.deployments).toHaveLength(1)
  expect(bench.primary?.rolloutState).toBe('COMPLETED')
})

test.each([
  [0, 100, [4]],
  [50, 100, [2, 2]],
  [75, 100, [1, 1, 1, 1]],
])(
  'with %i percent healthy of four instances tasks go in batches',
  async (minimumHealthyPercent, maximumPercent, batches) => {
    const bench = await schedule(4)
    bench.obey()
    putDaemonService(bench, bench.putTaskDefinition(1), {
      deploymentConfiguration: { minimumHealthyPercent, maximumPercent },
    })
    await bench.run(2 * minute)
    const seen: number[] = []
    bench.store.watch((changes) => {
      const stops = changes.filter(
        ({ table, before, after }) =>
          table === 'task' &&
          (before as Task | undefined)?.desiredStatus === 'RUNNING' &&
          (after as Task | undefined)?.desiredStatus === 'STOPPED',
      ).length
      if (stops > 0) seen.push(stops)
    })
    bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
    await bench.run(10 * minute)
    expect(seen).toEqual(batches)
    expect(bench.wanted(2)).toHaveLength(4)
  },
)

test('with more than a hundred percent the new task comes before the old one goes', async () => {
  const bench = await schedule(4)
  bench.obey()
  putDaemonService(bench, bench.putTaskDefinition(1), {
    deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 150 },
  })
  await bench.run(2 * minute)
  let least = Infinity
  bench.store.watch(() => {
    least = Math.min(least, bench.wanted().filter(({ lastStatus }) => lastStatus === 'RUNNING').length)
  })
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(10 * minute)
  expect(hosts(bench.wanted())).toEqual(['host1', 'host2', 'host3', 'host4'])
  expect(bench.wanted(2)).toHaveLength(4)
  expect(least).toBe(4)
})

test('percentages that allow nothing are said once', async () => {
  const bench = await schedule(2)
  bench.obey()
  putDaemonService(bench, bench.putTaskDefinition(1), {
    deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 100 },
  })
  await bench.run(2 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(30 * minute)
  expect(bench.wanted(1)).toHaveLength(2)
  expect(
    bench.messages.filter((message) => message.includes('was unable to stop or start tasks')),
  ).toHaveLength(1)
})

test('on a draining instance the task stops after all others, and comes back with the instance', async () => {
  const bench = await schedule(2)
  bench.obey()
  putDaemonService(bench, bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  const other = bench.putStandalone('host1')
  changeInstance(bench, 'host1', { status: 'DRAINING' })
  await bench.run(10 * minute)
  expect(hosts(bench.wanted().filter(({ serviceArn: of }) => of))).toEqual(['host1', 'host2'])
  expect(bench.service.desiredCount).toBe(1)
  expect(bench.service.steadyAt).toBeDefined()
  bench.report(other, 'STOPPED', { exitCode: 0 })
  await bench.run(10_000)
  expect(hosts(bench.wanted())).toEqual(['host2'])
  changeInstance(bench, 'host1', { status: 'ACTIVE' })
  await bench.run(10_000)
  expect(hosts(bench.wanted())).toEqual(['host1', 'host2'])
})

test('an instance without its agent keeps the task that runs, and loses the one that does not yet', async () => {
  const bench = await schedule(2)
  bench.obey((task) => hostOf(task) !== undefined)
  putDaemonService(bench, bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  changeInstance(bench, 'host1', { agentConnected: false })
  await bench.run(minute)
  expect(hosts(bench.wanted())).toEqual(['host1', 'host2'])
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(5 * minute)
  expect([hosts(bench.wanted(1)), hosts(bench.wanted(2))]).toEqual([['host1'], ['host2']])
  expect(bench.primary?.rolloutState).toBe('IN_PROGRESS')
  changeInstance(bench, 'host1', { agentConnected: true })
  await bench.run(5 * minute)
  expect(hosts(bench.wanted(2))).toEqual(['host1', 'host2'])
  expect(bench.primary?.rolloutState).toBe('COMPLETED')
})

test('a full instance is said and gets its task as soon as there is room', async () => {
  const bench = await schedule(2)
  const full = bench.putStandalone('host1', { cpu: 4_096 })
  bench.obey()
  putDaemonService(bench, bench.putTaskDefinition(1))
  await bench.run(10_000)
  expect(hosts(bench.wanted().filter(({ serviceArn: of }) => of))).toEqual(['host2'])
  expect(bench.service.desiredCount).toBe(2)
  expect(named(bench.messages).at(-1)).toBe(
    '(service web) was unable to place a task because no container instance met all of its requirements. The closest matching (container-instance host1) has insufficient CPU units available. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.',
  )
  bench.report(full, 'STOPPED', { exitCode: 0 })
  await bench.run(1_000)
  expect(hosts(bench.wanted())).toEqual(['host1', 'host2'])
})

test('the daemon goes before the replicas that wait for the same room', async () => {
  const bench = await schedule(0)
  bench.obey()
  putDaemonService(bench, bench.putTaskDefinition(1))
  const daemon = bench.service
  const replica = { ...daemon, serviceArn: `${serviceArn}-all`, serviceName: 'all' }
  bench.store.update((tx) => {
    tx.put('service', { ...replica, schedulingStrategy: 'REPLICA', desiredCount: 40 })
    tx.put('deployment', {
      ...daemon,
      ...(bench.primary ?? { rolloutStateReason: '', failedTasks: 0, updatedAt: 0, deploymentId: '' }),
      deploymentId: 'ecs-svc/2',
      serviceArn: replica.serviceArn,
      status: 'PRIMARY',
      rolloutState: 'IN_PROGRESS',
    })
  })
  await bench.run(minute)
  bench.putInstance('late')
  await bench.run(minute)
  const wanted = bench.wanted()
  expect(wanted.filter((task) => task.serviceArn === serviceArn)).toHaveLength(1)
  expect(wanted).toHaveLength(16)
})

test('a revision that cannot start breaks the circuit and rolls back', async () => {
  const bench = await schedule(2)
  bench.obey((task) => !task.taskDefinitionArn.endsWith(':2'))
  putDaemonService(bench, bench.putTaskDefinition(1), {
    deploymentConfiguration: {
      minimumHealthyPercent: 50,
      maximumPercent: 100,
      deploymentCircuitBreaker: { enable: true, rollback: true },
    },
  })
  await bench.run(2 * minute)
  const [, ...others] = bench.wanted()
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(10 * minute)
  expect(bench.store.list('task').filter((task) => task.taskDefinitionArn.endsWith(':2'))).toHaveLength(3)
  expect(hosts(bench.wanted(1))).toEqual(['host1', 'host2'])
  expect(bench.wanted(1)).toEqual(expect.arrayContaining(others))
  expect(bench.deployments).toMatchObject([{ status: 'PRIMARY', rolloutState: 'COMPLETED' }])
})

test('without rolling back, what served before fills the places that a failed revision leaves', async () => {
  const bench = await schedule(2)
  bench.obey((task) => !task.taskDefinitionArn.endsWith(':2'))
  putDaemonService(bench, bench.putTaskDefinition(1), {
    deploymentConfiguration: {
      minimumHealthyPercent: 50,
      maximumPercent: 100,
      deploymentCircuitBreaker: { enable: true, rollback: false },
    },
  })
  await bench.run(2 * minute)
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(10 * minute)
  expect(hosts(bench.wanted(1))).toEqual(['host1', 'host2'])
  expect(bench.primary).toMatchObject({ rolloutState: 'FAILED', failedTasks: 3 })
  bench.putInstance('late')
  await bench.run(minute)
  expect(hosts(bench.wanted(1))).toEqual(['host1', 'host2', 'late'])
})

test('an unhealthy task is stopped first and then replaced', async () => {
  const bench = await schedule(2)
  bench.obey()
  putDaemonService(bench, bench.putTaskDefinition(1, { healthCheck: { command: ['CMD', 'true'] } }))
  await bench.run(minute)
  for (const task of bench.wanted()) bench.setHealth(task, 'HEALTHY')
  await bench.run(minute)
  const [sick] = bench.wanted()
  if (sick) bench.setHealth(sick, 'UNHEALTHY')
  await bench.run(minute)
  expect(bench.store.find('task', sick?.taskArn ?? '')).toMatchObject({
    lastStatus: 'STOPPED',
    stoppedReason: 'Task failed container health checks',
  })
  expect(hosts(bench.wanted())).toEqual(['host1', 'host2'])
})

test('a protected task is not replaced until its protection is over, and the others are', async () => {
  const bench = await schedule(2)
  bench.obey()
  putDaemonService(bench, bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  const [kept] = bench.wanted()
  bench.store.update((tx) => {
    const task = tx.find('task', kept?.taskArn ?? '')
    if (task) tx.put('task', protect(task, 30, bench.clock.now()))
  })
  bench.updateService({ taskDefinitionArn: bench.putTaskDefinition(2) })
  await bench.run(10 * minute)
  expect([bench.wanted(1).map(({ taskArn }) => taskArn), bench.wanted(2).length]).toEqual([
    [kept?.taskArn],
    1,
  ])
  expect(bench.messages.filter((message) => message.includes('under protection'))).toHaveLength(1)
  await bench.run(30 * minute)
  expect(bench.wanted(2)).toHaveLength(2)
  expect(bench.primary?.rolloutState).toBe('COMPLETED')
})

test('with a capacity provider strategy the instances of its providers get a task, whatever the weights', async () => {
  const bench = await schedule(1)
  bench.obey()
  for (const capacityProviderName of ['one', 'two', 'three'])
    bench.putInstance(capacityProviderName, { capacityProviderName })
  const taskDefinition = bench.putTaskDefinition(1)
  const { launchType: _, ...service } = putDaemonService(bench, taskDefinition, { status: 'INACTIVE' })
  bench.store.update((tx) => {
    const capacityProviderStrategy = [
      { capacityProvider: 'one', weight: 1 },
      { capacityProvider: 'two', weight: 0 },
    ]
    tx.put('service', { ...service, status: 'ACTIVE', capacityProviderStrategy })
    for (const { launchType: __, ...deployment } of bench.deployments)
      tx.put('deployment', { ...deployment, capacityProviderStrategy })
  })
  await bench.run(minute)
  expect(hosts(bench.wanted())).toEqual(['one', 'two'])
  expect(bench.wanted().map((task) => task.capacityProviderName)).toEqual(['one', 'two'])
})

test('a deleted service stops its tasks and becomes INACTIVE', async () => {
  const bench = await schedule(2)
  bench.obey()
  putDaemonService(bench, bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  bench.updateService({ status: 'DRAINING', desiredCount: 0 })
  await bench.run(minute)
  expect(bench.service.status).toBe('INACTIVE')
  expect(bench.wanted()).toEqual([])
})
