import { present } from '@berth/std/assert.ts'
import {
  putCluster,
  putContainerInstance,
  putTaskDefinition,
} from '@berth/control-plane/api/ecs/testing-rows.ts'
import { operations } from '@berth/control-plane/api/ecs/operations.ts'
import type { Operation } from '@berth/control-plane/api/operation.ts'
import { testContext, type TestContext } from '@berth/control-plane/api/testing.ts'
import { beforeEach, expect, test } from 'vitest'
import { type Ask, brokenAnswer } from './answer-laws.ts'

let context: TestContext
let ask: Ask

beforeEach(async () => {
  context = await testContext()
  ask = (name, input) =>
    (operations[name as keyof typeof operations] as Operation<object, unknown>).run(context, input)
  putContainerInstance(context, putCluster(context, 'default'), 'a'.repeat(32))
  putTaskDefinition(context, 'web:1')
  ask('CreateService', { serviceName: 'web', taskDefinition: 'web', desiredCount: 1 })
  ask('RunTask', { taskDefinition: 'web', count: 2 })
  const { serviceArn } = present(context.store.list('service')[0], 'the service')
  context.store.update((tx) => {
    const event = { serviceArn, createdAt: 1, message: 'has begun' }
    tx.put('serviceEvent', { ...event, sequence: 1, id: 'one' })
    tx.put('serviceEvent', { ...event, sequence: 2, id: 'other' })
  })
})

test('answers agree with the rows they are made of', () => {
  expect(brokenAnswer(context.store, ask)).toBeUndefined()
})

const changes: ReadonlyArray<readonly [string, string, string, (member: never) => unknown]> = [
  ['DescribeClusters', 'pendingTasksCount', 'cluster/default shows', (count: number) => count + 1],
  ['DescribeClusters', 'registeredContainerInstancesCount', 'cluster/default shows', () => 0],
  ['DescribeServices', 'desiredCount', 'service/default/web shows', () => 2],
  ['DescribeServices', 'events', 'newest first', (events: readonly object[]) => events.toReversed()],
  ['DescribeServices', 'events', 'newest first', () => []],
  ['DescribeContainerInstances', 'pendingTasksCount', 'shows', (count: number) => count - 1],
]
test.each(changes)('%s with another %s breaks a law', (operation, member, law, change) => {
  const changing: Ask = (name, input) => {
    const answer = ask(name, input)
    const text = JSON.stringify(answer, (key, value: unknown) =>
      key === member ? change(value as never) : value,
    )
    return name === operation ? JSON.parse(text) : answer
  }
  expect(brokenAnswer(context.store, changing)).toContain(law)
})
