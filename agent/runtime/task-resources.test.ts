import { expect, test } from 'vitest'
import { ResourceError, type TaskResource, TaskResources } from './task-resources.ts'
import type { TaskRecord } from '#engine/task-record.ts'

const record = { task: { arn: 'arn:task' } } as TaskRecord
const counting = (provide: () => Promise<object>): TaskResource & { asked: number } => ({
  name: 'counted',
  asked: 0,
  isNeeded: () => true,
  provide() {
    this.asked += 1
    return provide().then(() => ({ '*': { environment: { A: '1' } } }))
  },
})

test('asks each resource once, however many containers there are to make', async () => {
  const resource = counting(() => Promise.resolve({}))
  const resources = new TaskResources([resource])
  const both = await Promise.all([resources.provide(record), resources.provide(record)])
  expect(both[0]).toEqual([{ '*': { environment: { A: '1' } } }])
  expect(resource.asked).toBe(1)
})

test('asks again after a failure', async () => {
  let fails = true
  const resource = counting(() =>
    fails ? Promise.reject(new ResourceError('not yet')) : Promise.resolve({}),
  )
  const resources = new TaskResources([resource])
  await expect(resources.provide(record)).rejects.toThrow('not yet')
  fails = false
  await resources.provide(record)
  expect(resource.asked).toBe(2)
})

test('one that cannot be released keeps no other from it; the last made goes first', async () => {
  const released: string[] = []
  const releasing = (name: string, failure?: string): TaskResource => ({
    ...counting(() => Promise.resolve({})),
    name,
    release: () => {
      released.push(name)
      return failure === undefined ? Promise.resolve() : Promise.reject(new Error(failure))
    },
  })
  const resources = new TaskResources([releasing('first'), releasing('second', 'busy'), releasing('third')])
  await expect(resources.release(record)).rejects.toThrow('busy')
  expect(released).toEqual(['third', 'second', 'first'])
})
