import { createTaskSet } from '#api/ecs/services/task-set-create.ts'
import {
  deleteTaskSet,
  describeTaskSets,
  updateServicePrimaryTaskSet,
  updateTaskSet,
} from '#api/ecs/services/task-set.ts'
import { deleteService } from '#api/ecs/services/service.ts'
import { updateService } from '#api/ecs/services/service-update.ts'
import { scheduledBench } from '@berth/simulator/bench-client.ts'
import type { TaskSet } from '@aws-sdk/client-ecs'
import { expect, test } from 'vitest'

const minute = 60_000
const where = { cluster: 'default', service: 'web' }

/** A service of an external controller that desires four tasks; of the revisions, which the hosts can start. */
async function external(startsOk?: (revision: number) => boolean) {
  const { bench, client } = await scheduledBench(startsOk)
  const { context } = client
  for (const revision of [1, 2, 3]) bench.putTaskDefinition(revision)
  bench.putExternalService({ desiredCount: 4 })
  const create = (revision: number, percent: number): TaskSet =>
    createTaskSet.run(context, {
      ...where,
      taskDefinition: `web:${revision}`,
      scale: { value: percent, unit: 'PERCENT' },
    }).taskSet ?? {}
  const described = (): readonly TaskSet[] => client.service?.taskSets ?? []
  return { bench, client, context, create, described }
}

const named = (messages: readonly string[]): string[] =>
  messages.map((message) =>
    message.replaceAll(/[0-9a-f]{32}/g, 'ID').replaceAll(/ecs-svc\/\d+/g, 'ecs-svc/N'),
  )

test('a task set runs its share of the service, rounded up, and comes to rest', async () => {
  const { bench, client, create, described } = await external()
  const { id } = create(1, 30)
  await bench.run(2 * minute)
  expect(bench.wanted(1).map(({ startedBy, deploymentId }) => [startedBy, deploymentId])).toEqual([
    [id, id],
    [id, id],
  ])
  const [taskSet] = described()
  expect(taskSet).toMatchObject({
    computedDesiredCount: 2,
    runningCount: 2,
    pendingCount: 0,
    stabilityStatus: 'STEADY_STATE',
  })
  expect(taskSet?.stabilityStatusAt?.getTime()).toBeGreaterThan(taskSet?.updatedAt?.getTime() ?? 0)
  expect(client.service).toMatchObject({ runningCount: 2, deployments: [] })
  expect(named(bench.messages)).toEqual([
    '(service web, taskSet ecs-svc/N) has started 2 tasks: (task ID) (task ID).',
    '(service web) has reached a steady state.',
  ])
})

test('task sets run side by side, each with its own revision, as they are scaled', async () => {
  const { bench, context, create } = await external()
  const first = create(1, 100)
  await bench.run(2 * minute)
  const second = create(2, 50)
  await bench.run(2 * minute)
  expect([bench.wanted(1).length, bench.wanted(2).length]).toEqual([4, 2])
  const scale = (taskSet: TaskSet, value: number): unknown =>
    updateTaskSet.run(context, { ...where, taskSet: taskSet.id, scale: { value, unit: 'PERCENT' } })
  scale(second, 100)
  scale(first, 0)
  await bench.run(2 * minute)
  expect([bench.wanted(1).length, bench.wanted(2).length]).toEqual([0, 4])
  updateService.run(context, { ...where, desiredCount: 2 })
  await bench.run(2 * minute)
  expect(bench.wanted(2)).toHaveLength(2)
  expect(named(bench.messages)).toContain(
    '(service web, taskSet ecs-svc/N) has stopped 4 running tasks: (task ID) (task ID) (task ID) (task ID).',
  )
})

test('a task that ends is replaced by one of its own task set', async () => {
  const { bench, create } = await external()
  create(1, 50)
  create(2, 50)
  await bench.run(2 * minute)
  const [lost] = bench.wanted(1)
  if (lost) bench.report(lost, 'STOPPED', { exitCode: 1 })
  await bench.run(2 * minute)
  expect([bench.wanted(1).length, bench.wanted(2).length]).toEqual([2, 2])
  expect(bench.wanted(1)).not.toContainEqual(expect.objectContaining({ taskArn: lost?.taskArn }))
})

test('a deleted task set drains and is gone with its last task, and its tags', async () => {
  const { bench, context, create, described } = await external()
  const [kept, dropped] = [create(1, 100), create(2, 100)]
  updateServicePrimaryTaskSet.run(context, { ...where, primaryTaskSet: kept.id })
  await bench.run(2 * minute)
  const deleted = deleteTaskSet.run(context, { ...where, taskSet: dropped.id, force: true }).taskSet
  expect(deleted).toMatchObject({ status: 'DRAINING', computedDesiredCount: 0, runningCount: 4 })
  await bench.run(1 * minute)
  expect(described().map(({ id }) => id)).toEqual([kept.id])
  expect([bench.wanted(1).length, bench.wanted(2).length]).toEqual([4, 0])
  expect(describeTaskSets.run(context, { ...where, taskSets: [dropped.id ?? ''] }).failures).toMatchObject([
    { reason: 'MISSING' },
  ])
})

test('a task set that cannot start its tasks waits longer each time, without keeping the others back', async () => {
  const { bench, create } = await external((revision) => revision !== 2)
  create(2, 100)
  create(1, 100)
  await bench.run(10 * minute)
  expect(bench.wanted(1)).toHaveLength(4)
  const attempts = bench.store.list('task').filter((task) => task.taskDefinitionArn.endsWith(':2'))
  expect(attempts.length).toBeLessThan(60)
  expect(named(bench.messages)).toContain(
    '(service web, taskSet ecs-svc/N) is unable to consistently start tasks successfully.',
  )
})

test('a task set without room says so, and gets it when there is some', async () => {
  const { bench, create, described } = await external()
  for (const instance of bench.store.list('containerInstance'))
    bench.store.update((tx) => tx.put('containerInstance', { ...instance, status: 'DRAINING' }))
  create(1, 100)
  await bench.run(1 * minute)
  expect(bench.messages[0]).toMatch(/taskSet ecs-svc\/\d+\) was unable to place a task because no container/)
  expect(described()).toMatchObject([{ stabilityStatus: 'STABILIZING', runningCount: 0 }])
  bench.putInstance('another')
  await bench.run(6 * minute)
  expect(bench.wanted(1)).toHaveLength(4)
})

test('a deleted service takes its task sets and their tasks with it', async () => {
  const { bench, context, create } = await external()
  create(1, 100)
  await bench.run(2 * minute)
  deleteService.run(context, { ...where, force: true })
  await bench.run(1 * minute)
  expect(bench.service).toMatchObject({ status: 'INACTIVE', inactiveAt: expect.any(Number) })
  expect(bench.wanted()).toEqual([])
})

test('a service whose controller becomes ECS goes on with the tasks of its task set', async () => {
  const { bench, context, client, create } = await external()
  const { id } = create(1, 100)
  updateServicePrimaryTaskSet.run(context, { ...where, primaryTaskSet: id })
  await bench.run(2 * minute)
  updateService.run(context, { ...where, deploymentController: { type: 'ECS' } })
  await bench.run(10_000)
  expect(bench.wanted()).toHaveLength(8)
  await bench.run(5 * minute)
  expect(bench.wanted().map(({ deploymentId }) => deploymentId)).toEqual(
    Array.from({ length: 4 }, () => bench.primary?.deploymentId),
  )
  expect(client.statuses).toEqual([['SUCCESSFUL', undefined]])
})
