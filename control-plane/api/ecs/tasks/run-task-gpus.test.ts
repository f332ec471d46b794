/** Which GPUs the containers of tasks get, and what is left for others. */
import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import { beforeEach, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import { loseTask } from '#domain/task.ts'
import { describeContainerInstances } from '#api/ecs/instances/container-instance.ts'
import { putCluster, putContainerInstance, putTaskDefinition } from '#api/ecs/testing-rows.ts'
import { runTask } from './run-task.ts'

const asking = (value: string): ContainerDefinition => ({ resourceRequirements: [{ type: 'GPU', value }] })
const id = '1'.repeat(32)
let context: TestContext
beforeEach(async () => {
  context = await testContext()
  putContainerInstance(context, putCluster(context, 'default'), id, {
    registeredResources: [
      { name: 'CPU', type: 'INTEGER', integerValue: 1024 },
      { name: 'MEMORY', type: 'INTEGER', integerValue: 1024 },
      { name: 'GPU', type: 'STRINGSET', stringSetValue: ['g0', 'g1', 'g2'] },
    ],
  })
  putTaskDefinition(context, 'one:1', asking('1'))
  putTaskDefinition(context, 'two:1', asking('2'))
})

const run = (taskDefinition: string) => {
  const { tasks = [], failures = [] } = runTask.run(context, { taskDefinition })
  return {
    taskArn: tasks[0]?.taskArn ?? '',
    gpuIds: tasks[0]?.containers?.[0]?.gpuIds,
    reasons: failures.map(({ reason }) => reason),
  }
}
const left = (): readonly string[] | undefined => {
  const { containerInstances } = describeContainerInstances.run(context, { containerInstances: [id] })
  return containerInstances?.[0]?.remainingResources?.find(({ name }) => name === 'GPU')?.stringSetValue
}

test('a GPU goes to one container at a time, and comes back with the end of its task', () => {
  const first = run('one')
  expect(first.gpuIds).toEqual(['g0'])
  expect(run('two').gpuIds).toEqual(['g1', 'g2'])
  expect(left()).toEqual([])
  expect(run('one').reasons).toEqual(['RESOURCE:GPU'])
  context.store.update((tx) => {
    const task = tx.find('task', first.taskArn)
    if (task) tx.put('task', loseTask(task, { stopCode: 'UserInitiated', stoppedReason: '', now: 0 }))
  })
  expect(left()).toEqual(['g0'])
  expect(run('one').gpuIds).toEqual(['g0'])
})

test('a container that asks for none is shown none', () => {
  putTaskDefinition(context, 'none:1')
  expect(run('none').gpuIds).toBeUndefined()
})
