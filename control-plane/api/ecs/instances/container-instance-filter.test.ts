/** The cluster query language as the filter of ListContainerInstances. */
import { expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { newTask } from '#domain/task.ts'
import { listContainerInstances } from './container-instance.ts'
import { putCluster, putContainerInstance, putTaskDefinition, refusalOf } from '#api/ecs/testing-rows.ts'

const day = 86_400_000

/** Three instances: `a` an old one that runs a task of group `database`, `b` and `c` without any. */
async function withInstances() {
  const context = await testContext()
  const cluster = putCluster(context, 'default')
  const zone = { name: 'ecs.availability-zone', value: 'us-east-1a' }
  const { containerInstanceArn } = putContainerInstance(context, cluster, 'a'.repeat(32), {
    ec2InstanceId: 'i-a',
    versionInfo: { agentVersion: '1.9.0' },
    registeredAt: Date.UTC(2018, 0, 1),
    attributes: [zone, { name: 'ecs.instance-type', value: 't2.small' }, { name: 'a', value: '1' }],
  })
  putContainerInstance(context, cluster, 'b'.repeat(32), {
    ec2InstanceId: 'i-b',
    versionInfo: { agentVersion: '1.10.0' },
    registeredAt: Date.UTC(2018, 1, 13),
    attributes: [{ name: 'b', value: '1' }, { name: 'c' }],
  })
  putContainerInstance(context, cluster, 'c'.repeat(32), {
    ec2InstanceId: 'i-c',
    agentConnected: false,
    status: 'DRAINING',
    versionInfo: { agentVersion: '1.84.0' },
    registeredAt: Date.UTC(2018, 1, 13) + day,
  })
  const task = newTask({
    scope: context.scope,
    cluster,
    taskDefinition: putTaskDefinition(context, 'db:1'),
    ids: context.ids,
    now: context.clock.now(),
    placement: { containerInstanceArn },
    group: 'database',
    launchType: 'EC2',
    enableExecuteCommand: false,
  })
  context.store.update((tx) => tx.put('task', { ...task, lastStatus: 'RUNNING' }))
  return context
}

test.each<[filter: string, found: string]>([
  ['', 'abc'],
  ['attribute:ecs.instance-type =~ t2', ''],
  ['attribute:ecs.instance-type =~ t2.*', 'a'],
  ['attribute:ecs.instance-type == t2.small', 'a'],
  ['attribute:ecs.instance-type != t2.small', 'bc'],
  ['attribute:ecs.availability-zone in [us-east-1a, us-east-1b]', 'ac'],
  ['agentVersion < 1.10.0', 'a'],
  ['agentVersion >= 1.10.0', 'bc'],
  ['not(task:group == database)', 'bc'],
  ['task:group == database', 'a'],
  ['registeredAt < 2018-02-13', 'a'],
  ['registeredAt <= 2018-02-13T00:00:00Z', 'ab'],
  ['runningTasksCount == 0 and agentConnected == true', 'b'],
  ['runningTasksCount > 0', 'a'],
  ['(attribute:a == 1 or attribute:b == 1) and !(attribute:c exists)', 'a'],
  ['attribute:a == 1 or attribute:b == 1 and attribute:c exists', 'ab'],
  ["ec2InstanceId in ['i-a','i-c']", 'ac'],
])('%s finds %j', async (filter, found) => {
  const { containerInstanceArns = [] } = listContainerInstances.run(await withInstances(), { filter })
  expect(containerInstanceArns.map((arn) => arn.at(-1)).join('')).toBe(found)
})

test('a filter goes with a status', async () => {
  const context = await withInstances()
  const list = (status: 'ACTIVE' | 'DRAINING') =>
    listContainerInstances.run(context, { filter: 'runningTasksCount == 0', status }).containerInstanceArns
  expect(list('ACTIVE')).toHaveLength(1)
  expect(list('DRAINING')).toHaveLength(1)
})

test.each([
  'attribute:a ==',
  'colour == red',
  'agentVersion =~ 1.*',
  'runningTasksCount == many',
  '(a',
  'a == 1 b',
])('what is no expression is refused: %s', async (filter) => {
  const context = await withInstances()
  expect(refusalOf(() => listContainerInstances.run(context, { filter }))).toMatch(
    /^InvalidParameterException: Invalid filter '/,
  )
})
