import { beforeEach, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import { putCluster, putTaskDefinition } from '#api/ecs/testing-rows.ts'
import { requestStop, newTask, type Task } from '#domain/task.ts'
import { ensureDefaultNetwork } from './default-network.ts'
import { taskNetwork } from './task-network.ts'

let context: TestContext
let subnets: string[]
beforeEach(async () => {
  context = await testContext()
  subnets = context.store
    .update((tx) => ensureDefaultNetwork(tx, context.scope))
    .subnets.map(({ subnetId }) => subnetId)
})

function put(group: string, given = subnets): Task {
  const { scope, ids, store } = context
  const cluster = putCluster(context, 'default')
  const taskDefinition = putTaskDefinition(context, 'web:1')
  return store.update((tx) => {
    const task = newTask({
      scope,
      cluster,
      taskDefinition,
      ids,
      now: 0,
      group,
      launchType: 'FARGATE',
      enableExecuteCommand: false,
      network: taskNetwork(
        tx,
        { networkMode: 'awsvpc' },
        { awsvpcConfiguration: { subnets: given, assignPublicIp: 'ENABLED' } },
        { clusterArn: cluster.clusterArn, group, launchType: 'FARGATE', fraction: () => ids.fraction() },
      ),
    })
    tx.put('task', task)
    return task
  })
}
const zones = (tasks: readonly Task[]): string[] =>
  tasks.map(({ availabilityZone = '' }) => availabilityZone).toSorted()

test('the Fargate tasks of a group are spread over the zones of its subnets, and show theirs before they have a host', () => {
  const tasks = Array.from({ length: 6 }, () => put('service:web'))
  expect(zones(tasks)).toEqual(['a', 'a', 'b', 'b', 'c', 'c'].map((zone) => `us-east-1${zone}`))
  for (const { network, attachments, availabilityZone } of tasks) {
    expect(network).toMatchObject({ availabilityZone, assignPublicIp: true })
    expect(attachments).toMatchObject([
      { status: 'PRECREATED', details: [{ name: 'subnetId', value: network?.subnets[0] }] },
    ])
  }
})

test('each group is spread by itself, and tasks that are to stop do not count', () => {
  const [first, ...others] = Array.from({ length: 3 }, () => put('service:web')) as [Task, ...Task[]]
  put('family:batch', [first.network?.subnets[0] ?? ''])
  const cause = { stopCode: 'UserInitiated', stoppedReason: 'so', now: 1 } as const
  context.store.update((tx) => tx.put('task', requestStop(first, cause)))
  const next = put('service:web')
  expect(next.availabilityZone).toBe(first.availabilityZone)
  expect(zones([next, ...others])).toEqual(['us-east-1a', 'us-east-1b', 'us-east-1c'])
})

test('a subnet that is gone is the last that is tried', () => {
  expect(put('service:web', ['subnet-gone', subnets[1] ?? '']).availabilityZone).toBe('us-east-1b')
})
