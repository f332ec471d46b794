import { arnOf, DaemonBench, daemonArn } from '@berth/simulator/daemon-bench.ts'
import { deleteDaemon } from '#api/ecs/daemons/daemon.ts'
import { expect, onTestFinished, test } from 'vitest'
import { taskDispatch } from './task-dispatch.ts'

const minute = 60_000

async function schedule(instances = 3): Promise<DaemonBench> {
  const daemons = await DaemonBench.open(instances)
  onTestFinished(async () => {
    await daemons.bench.close()
    expect(daemons.bench.errors).toEqual([])
  })
  return daemons
}

test('each instance of the capacity provider gets one task, and the deployment is SUCCESSFUL', async () => {
  const daemons = await schedule()
  daemons.addInstance('elsewhere', { capacityProviderName: 'other' })
  daemons.bench.putInstance('plain')
  daemons.bench.obey()
  daemons.create({
    enableECSManagedTags: true,
    propagateTags: 'DAEMON',
    tags: [{ key: 'team', value: 'ops' }],
  })
  await daemons.run(10_000)
  expect(daemons.running).toEqual(['host1:1', 'host2:1', 'host3:1'])
  expect(daemons.deployment).toMatchObject({ status: 'IN_PROGRESS', threshold: 10 })
  const [task] = daemons.bench.wanted()
  expect(task).toMatchObject({
    group: 'daemon:logs',
    launchType: 'MANAGED_INSTANCES',
    capacityProviderName: 'mi',
    taskDefinitionArn: arnOf('daemon-task-definition/logs:1'),
    startedBy: daemons.deployment?.daemonDeploymentArn.split('/').at(-1),
  })
  expect(daemons.bench.store.find('resourceTags', task?.taskArn ?? '')?.tags).toEqual([
    { key: 'team', value: 'ops' },
    { key: 'aws:ecs:clusterName', value: 'default' },
    { key: 'aws:ecs:daemonName', value: 'logs' },
  ])
  await daemons.run(minute)
  expect(daemons.deployment).toMatchObject({
    status: 'SUCCESSFUL',
    statusReason: 'Deployment completed successfully.',
  })
})

test('without instances the deployment is SUCCESSFUL at once, and what comes later gets its task', async () => {
  const daemons = await schedule(0)
  daemons.bench.obey()
  daemons.create()
  await daemons.run(100)
  expect(daemons.deployment?.status).toBe('SUCCESSFUL')
  daemons.addInstance('late', { agentConnected: false })
  await daemons.run(10_000)
  expect(daemons.running).toEqual([])
  daemons.change('late', { agentConnected: true })
  await daemons.run(10_000)
  expect(daemons.running).toEqual(['late:1'])
})

test('a task that ends by itself is started again, and one that somebody stopped too', async () => {
  const daemons = await schedule(2)
  daemons.bench.obey()
  daemons.create()
  await daemons.run(2 * minute)
  for (const task of daemons.bench.wanted()) daemons.bench.report(task, 'STOPPED', { exitCode: 1 })
  await daemons.run(2_000)
  expect(daemons.running).toEqual(['host1:1', 'host2:1'])
  expect(daemons.deployment).toMatchObject({ status: 'SUCCESSFUL', failureCount: 0 })
})

test('on a draining instance the daemon stops after all others', async () => {
  const daemons = await schedule(2)
  daemons.bench.obey()
  daemons.create()
  await daemons.run(2 * minute)
  const application = daemons.bench.putStandalone('host1')
  daemons.change('host1', { status: 'DRAINING' })
  await daemons.run(5 * minute)
  expect(daemons.running).toEqual(['host1:1', 'host2:1'])
  daemons.bench.report(application, 'STOPPED', { exitCode: 0 })
  await daemons.run(1_000)
  expect(daemons.running).toEqual(['host2:1'])
  daemons.change('host1', { status: 'ACTIVE' })
  await daemons.run(5_000)
  expect(daemons.running).toEqual(['host1:1', 'host2:1'])
})

test.each([
  [true, 'IN_PROGRESS'],
  [false, 'SUCCESSFUL'],
])(
  'of a daemon with critical %s a full instance leaves the deployment %s, and gets its task when there is room',
  async (critical, status) => {
    const daemons = await schedule(2)
    const full = daemons.bench.putStandalone('host1', { memoryMiB: 4_096 })
    daemons.bench.obey()
    daemons.create({ critical })
    await daemons.run(5 * minute)
    expect(daemons.running).toEqual(['host2:1'])
    expect(daemons.deployment).toMatchObject({ status, failureCount: 0 })
    daemons.bench.report(full, 'STOPPED', { exitCode: 0 })
    await daemons.run(minute)
    expect(daemons.running).toEqual(['host1:1', 'host2:1'])
    expect(daemons.deployment?.status).toBe('SUCCESSFUL')
  },
)

test('tasks leave the capacity providers that an update takes away, and come to those it brings', async () => {
  const daemons = await schedule(2)
  daemons.addInstance('other1', { capacityProviderName: 'other' })
  daemons.bench.obey()
  daemons.create()
  await daemons.run(2 * minute)
  daemons.update({ capacityProviderArns: [arnOf('capacity-provider/other')] })
  await daemons.run(2 * minute)
  expect(daemons.running).toEqual(['other1:2'])
  expect(daemons.deployment?.status).toBe('SUCCESSFUL')
})

test('a deleted daemon is gone when its tasks have stopped, and its name is free', async () => {
  const daemons = await schedule(2)
  daemons.bench.obey()
  daemons.create({ tags: [{ key: 'team', value: 'ops' }] })
  await daemons.run(2 * minute)
  const { deploymentArn } = deleteDaemon.run(daemons.context, { daemonArn })
  await daemons.run(500)
  expect(daemons.bench.store.find('daemon', daemonArn)?.status).toBe('DELETE_IN_PROGRESS')
  await daemons.run(minute)
  expect(daemons.bench.store.find('daemon', daemonArn)).toBeUndefined()
  expect(daemons.bench.store.find('resourceTags', daemonArn)).toBeUndefined()
  expect(daemons.bench.store.find('daemonDeployment', deploymentArn ?? '')?.status).toBe('SUCCESSFUL')
  expect(daemons.running).toEqual([])
  daemons.create()
  await daemons.run(2 * minute)
  expect(daemons.running).toEqual(['host1:2', 'host2:2'])
})

test('applications are told to an agent once the daemons that start there run', async () => {
  const daemons = await schedule(1)
  const told = new Map<string, 'RUNNING' | 'STOPPED'>()
  daemons.bench.drive(
    taskDispatch({
      told: () => told,
      tell: (_, arns) => {
        for (const arn of arns) told.set(arn, 'RUNNING')
        return Promise.resolve()
      },
    }),
  )
  daemons.create()
  await daemons.run(100)
  const application = daemons.bench.putStandalone('host1')
  await daemons.run(minute)
  const [daemon] = daemons.bench.wanted().filter((task) => task.daemonArn !== undefined)
  expect([...told.keys()]).toEqual([daemon?.taskArn])
  if (daemon) daemons.bench.report(daemon, 'RUNNING')
  await daemons.run(1_000)
  expect([...told.keys()]).toEqual([daemon?.taskArn, application.taskArn])
})
