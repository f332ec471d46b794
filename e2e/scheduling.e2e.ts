/** Where tasks go among real hosts: placement, spreading, capacity providers, daemons, draining. */
import {
  CreateCapacityProviderCommand,
  PutAttributesCommand,
  PutClusterCapacityProvidersCommand,
  RunTaskCommand,
  type RunTaskCommandInput,
  StartTaskCommand,
  type Task,
  UpdateContainerInstancesStateCommand,
} from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { polite } from './one-instance.ts'
import { type Host, providerOf, tally, Hosts, watch } from './hosts.ts'
import { eventually } from './world.ts'

let fleet: Hosts
beforeAll(async () => {
  fleet = await Hosts.start()
  const image = await fleet.world.push('tool')
  const command = [...polite]
  await fleet.world.register('plain', { image, command })
  // The shortest interval that AWS allows: without a check a task counts as healthy after forty seconds.
  const healthCheck = { command: ['CMD', 'true'], interval: 5, retries: 1 }
  await fleet.world.register('checked', { image, command, healthCheck })
  const portMappings = [{ containerPort: 80, hostPort: 9080 }]
  await fleet.world.register('fixed-port', { image, command, portMappings })
})
afterAll(() => fleet.end())

const zoneOf = (task: Task): string | undefined => task.availabilityZone
const hostOf = (task: Task): string | undefined =>
  fleet.hosts.find(({ arn }) => arn === task.containerInstanceArn)?.instanceId

/** The ARNs of the tasks that RunTask started, and the reasons why it did not start the others. */
async function run(taskDefinition: string, input: Partial<RunTaskCommandInput> = {}) {
  const { cluster } = fleet
  const { tasks = [], failures = [] } = await fleet.world.ecs.send(
    new RunTaskCommand({ cluster, taskDefinition, ...input }),
  )
  return { arns: tasks.map(({ taskArn = '' }) => taskArn), failures }
}

const setStatus = ({ arn }: Host, status: 'ACTIVE' | 'DRAINING') =>
  fleet.world.ecs.send(
    new UpdateContainerInstancesStateCommand({ cluster: fleet.cluster, containerInstances: [arn], status }),
  )

/** The tasks once all of them run. */
const allRunning = (arns: readonly string[]): Promise<Task[]> =>
  Promise.all(arns.map((arn) => fleet.world.taskAt(fleet.cluster, arn, 'RUNNING')))

test('a service is spread over the Availability Zones', async () => {
  await fleet.create('spread', 'plain', 6)
  const tasks = await fleet.running('spread', 6)
  expect(tally(tasks.map(zoneOf))).toEqual({ 'us-east-1a': 2, 'us-east-1b': 2, 'us-east-1c': 2 })
  for (const host of fleet.hosts) expect(await fleet.containersOn(host)).toHaveLength(2)
  await fleet.remove('spread')
  for (const host of fleet.hosts) expect(await fleet.containersOn(host)).toEqual([])
})

test('a host port is there once on each instance: the task after that says RESOURCE:PORTS of every one', async () => {
  const { arns, failures } = await run('fixed-port', { count: 3 })
  expect(failures).toEqual([])
  const tasks = await allRunning(arns)
  expect(new Set(tasks.map(hostOf)).size).toBe(3)
  const fourth = await run('fixed-port')
  expect(fourth.arns).toEqual([])
  expect(new Set(fourth.failures.map(({ arn }) => arn))).toEqual(new Set(fleet.hosts.map(({ arn }) => arn)))
  expect(tally(fourth.failures.map(({ reason }) => reason))).toEqual({ 'RESOURCE:PORTS': 3 })
  await fleet.stop(arns)
})

test('memberOf finds the instance that PutAttributes gave an attribute', async () => {
  const [, second] = fleet.hosts
  const placementConstraints = [{ type: 'memberOf' as const, expression: 'attribute:rack == r2' }]
  const { failures } = await run('plain', { placementConstraints })
  expect(tally(failures.map(({ reason }) => reason))).toEqual({
    'MemberOf placement constraint unsatisfied': 3,
  })
  const attributes = [
    { name: 'rack', value: 'r2', targetType: 'container-instance' as const, targetId: second?.arn },
  ]
  await fleet.world.ecs.send(new PutAttributesCommand({ cluster: fleet.cluster, attributes }))
  const { arns } = await run('plain', { count: 3, placementConstraints })
  expect(tally((await allRunning(arns)).map(hostOf))).toEqual({ [second?.instanceId ?? '']: 3 })
  await fleet.stop(arns)
})

test('distinctInstance: four wanted on three instances are three, and the service says why', async () => {
  await fleet.create('distinct', 'plain', 4, { placementConstraints: [{ type: 'distinctInstance' }] })
  const tasks = await fleet.running('distinct', 3)
  expect(new Set(tasks.map(hostOf)).size).toBe(3)
  const messages = await eventually('the service says it cannot place the fourth', async () => {
    const texts = (await fleet.service('distinct')).events?.map(({ message }) => message ?? '')
    return texts?.filter((text) => text.includes('was unable to place a task'))
  })
  expect(messages).toHaveLength(1)
  expect(messages[0]).toMatch(
    /^\(service distinct\) was unable to place a task because no container instance met/,
  )
  await fleet.remove('distinct')
})

test('StartTask starts a task on the instance it names', async () => {
  const [, , third] = fleet.hosts
  const { tasks } = await fleet.world.ecs.send(
    new StartTaskCommand({
      cluster: fleet.cluster,
      taskDefinition: 'plain',
      containerInstances: [third?.arn ?? ''],
    }),
  )
  const [task] = await allRunning([tasks?.[0]?.taskArn ?? ''])
  expect(task && hostOf(task)).toBe(third?.instanceId)
  const container = task?.containers?.[0]?.runtimeId
  expect(third && (await fleet.containersOn(third))).toEqual([container])
  await fleet.stop([task?.taskArn ?? ''])
})

test('a strategy shares tasks over capacity providers by base and weight', async () => {
  const [base = '', more = ''] = fleet.hosts.map(providerOf)
  for (const name of [base, more])
    await fleet.world.ecs.send(
      new CreateCapacityProviderCommand({
        name,
        autoScalingGroupProvider: { autoScalingGroupArn: `${name}-instances` },
      }),
    )
  await fleet.world.ecs.send(
    new PutClusterCapacityProvidersCommand({
      cluster: fleet.cluster,
      capacityProviders: [base, more],
      defaultCapacityProviderStrategy: [],
    }),
  )
  const capacityProviderStrategy = [
    { capacityProvider: base, base: 1, weight: 1 },
    { capacityProvider: more, weight: 3 },
  ]
  // One goes to the base; the other four are shared one to three.
  const shared = { 'us-east-1a': 2, 'us-east-1b': 3 }
  const { arns } = await run('plain', { count: 5, capacityProviderStrategy })
  const tasks = await allRunning(arns)
  expect(tally(tasks.map(zoneOf))).toEqual(shared)
  expect(tally(tasks.map(({ capacityProviderName }) => capacityProviderName))).toEqual({
    [base]: 2,
    [more]: 3,
  })
  await fleet.create('shared', 'plain', 5, { capacityProviderStrategy })
  expect(tally((await fleet.running('shared', 5)).map(zoneOf))).toEqual(shared)
  await fleet.remove('shared')
  await fleet.stop(arns)
})

test('a draining instance gives its tasks of a service away, never fewer than wanted run, and others stay', async () => {
  const [first, ...others] = fleet.hosts
  if (!first) throw new Error('no host')
  const here = [{ type: 'memberOf' as const, expression: `ec2InstanceId == ${first.instanceId}` }]
  const { arns: alone } = await run('plain', { placementConstraints: here })
  await allRunning(alone)
  await fleet.create('moves', 'checked', 2, {
    // Where least memory is left, which is beside the task that stands alone.
    placementStrategy: [{ type: 'binpack', field: 'memory' }],
    deploymentConfiguration: { minimumHealthyPercent: 100, maximumPercent: 200 },
  })
  await fleet.running('moves', 2, [first])
  await fleet.steady('moves')

  const runningCount = watch(async () => (await fleet.service('moves')).runningCount ?? 0)
  await setStatus(first, 'DRAINING')
  const moved = await fleet.running('moves', 2, others)
  await eventually('they have left', async () => (await fleet.containersOn(first)).length === 1)
  expect(await runningCount.stop()).toEqual({ least: 2, most: 4 })
  expect(await fleet.describe(alone)).toMatchObject([{ lastStatus: 'RUNNING', desiredStatus: 'RUNNING' }])
  expect((await run('plain', { placementConstraints: here })).failures).not.toEqual([])

  await setStatus(first, 'ACTIVE')
  const { arns: again } = await run('plain', { placementConstraints: here })
  await allRunning(again)
  const still = (await fleet.tasksOf('moves')).map(({ taskArn }) => taskArn)
  expect(new Set(still)).toEqual(new Set(moved.map(({ taskArn }) => taskArn)))
  await fleet.remove('moves')
  await fleet.stop([...alone, ...again])
})

test('a DAEMON service has a task on each instance, on one that comes too, and none on one that goes', async () => {
  await fleet.create('daemon', 'plain', undefined, { schedulingStrategy: 'DAEMON' })
  const before = await fleet.running('daemon', 3)
  expect(new Set(before.map(hostOf)).size).toBe(3)
  const fourth = await fleet.launch('us-east-1a')
  const after = await fleet.running('daemon', 4, [...fleet.hosts, fourth])
  expect((await fleet.service('daemon')).desiredCount).toBe(4)
  const own = after.find(({ containerInstanceArn }) => containerInstanceArn === fourth.arn)
  expect(await fleet.containersOn(fourth)).toEqual([own?.containers?.[0]?.runtimeId])
  await fleet.terminate(fourth)
  const left = await fleet.running('daemon', 3)
  expect(new Set(left.map(({ taskArn }) => taskArn))).toEqual(new Set(before.map(({ taskArn }) => taskArn)))
  expect(await fleet.service('daemon')).toMatchObject({ desiredCount: 3, runningCount: 3 })
  await fleet.remove('daemon')
})

test('nothing is left on the machine', async () => {
  expect(await fleet.leftAfterDown()).toEqual([])
})
