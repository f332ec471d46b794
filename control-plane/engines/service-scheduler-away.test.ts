/** Services whose tasks are on an instance that has lost its agent. */
import { EngineBench } from '@berth/simulator/engine-bench.ts'
import type { Task } from '#domain/task.ts'
import { expect, onTestFinished, test } from 'vitest'
import { serviceScheduler } from './service-scheduler.ts'

const minute = 60_000

/** A service of two tasks on the one instance `host1`, steady. */
async function steady(): Promise<EngineBench> {
  const bench = await EngineBench.open()
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet }))
  onTestFinished(async () => {
    await bench.close()
    expect(bench.errors).toEqual([])
  })
  bench.obey()
  bench.putInstance('host1')
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(2 * minute)
  return bench
}
const hosts = (tasks: readonly Task[]): Array<string | undefined> =>
  tasks.map((task) => task.containerInstanceArn?.split('/').at(-1))
const arns = (tasks: readonly Task[]): string[] => tasks.map(({ taskArn }) => taskArn)

test('others take over, and what ran there is to stop once they are healthy', async () => {
  const bench = await steady()
  bench.putInstance('host2')
  bench.putInstance('host1', { agentConnected: false })
  await bench.run(20_000)
  const both = hosts(bench.wanted())
  expect(both.filter((host) => host === 'host1')).toHaveLength(2)
  expect(both.filter((host) => host === 'host2')).toHaveLength(2)
  await bench.run(minute)
  expect(hosts(bench.wanted())).toEqual(['host2', 'host2'])
})

test('where there is no other the tasks stay, and serve on when the agent comes back', async () => {
  const bench = await steady()
  const before = arns(bench.wanted())
  bench.putInstance('host1', { agentConnected: false })
  await bench.run(10 * minute)
  expect(arns(bench.wanted())).toEqual(before)
  bench.putInstance('host1')
  await bench.run(10 * minute)
  expect(arns(bench.wanted())).toEqual(before)
  expect(bench.store.size('task')).toBe(2)
  expect(bench.messages.at(-1)).toBe('(service web) has reached a steady state.')
})
