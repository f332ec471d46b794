import type { DesiredStatus } from '#domain/task.ts'
import { requestStop } from '#domain/task.ts'
import { EngineBench } from '@berth/simulator/engine-bench.ts'
import { expect, onTestFinished, test } from 'vitest'
import { serviceScheduler } from './service-scheduler.ts'
import { type Agents, taskDispatch } from './task-dispatch.ts'

/** Agents that remember what they are told, while they are connected. */
class RecordedAgents implements Agents {
  readonly sessions = new Map<string, Map<string, DesiredStatus>>()
  readonly calls: Array<readonly [string, number]> = []
  #bench: EngineBench
  answer: (containerInstanceArn: string) => Promise<void> = () => Promise.resolve()

  constructor(bench: EngineBench) {
    this.#bench = bench
  }

  told(containerInstanceArn: string): ReadonlyMap<string, DesiredStatus> | undefined {
    return this.sessions.get(containerInstanceArn)
  }

  async tell(containerInstanceArn: string, taskArns: readonly string[]): Promise<void> {
    this.calls.push([containerInstanceArn, taskArns.length])
    await this.answer(containerInstanceArn)
    for (const taskArn of taskArns) {
      const task = this.#bench.store.find('task', taskArn)
      if (task) this.sessions.get(containerInstanceArn)?.set(taskArn, task.desiredStatus)
    }
  }
}

async function dispatch(
  connected: readonly string[],
): Promise<{ bench: EngineBench; agents: RecordedAgents }> {
  const bench = await EngineBench.open()
  const agents = new RecordedAgents(bench)
  for (const name of ['host1', 'host2']) {
    const { containerInstanceArn } = bench.putInstance(name)
    if (connected.includes(name)) agents.sessions.set(containerInstanceArn, new Map())
  }
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet }))
  bench.drive(taskDispatch(agents))
  onTestFinished(() => bench.close())
  return { bench, agents }
}

test('each connected agent is told its tasks, once', async () => {
  const { bench, agents } = await dispatch(['host1', 'host2'])
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 4 })
  await bench.run(60_000)
  const calls = agents.calls.map(([arn, count]) => `${arn.slice(-5)} ${count}`)
  expect(new Set(calls)).toEqual(new Set(['host1 2', 'host2 2']))
  expect(calls).toHaveLength(2)
})

test('a task that is to stop is told again', async () => {
  const { bench, agents } = await dispatch(['host1', 'host2'])
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 1 })
  await bench.run(1_000)
  const [task] = bench.wanted()
  if (!task) throw new Error('there is no task')
  bench.store.update((tx) =>
    tx.put(
      'task',
      requestStop(task, { stopCode: 'UserInitiated', stoppedReason: 'x', now: bench.clock.now() }),
    ),
  )
  await bench.run(1_000)
  expect(agents.told(task.containerInstanceArn ?? '')?.get(task.taskArn)).toBe('STOPPED')
})

test('an agent that was away is told when its session opens', async () => {
  const { bench, agents } = await dispatch([])
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 2 })
  await bench.run(60_000)
  expect(agents.calls).toEqual([])
  const [instance] = bench.store.list('containerInstance')
  if (!instance) throw new Error('there is no instance')
  agents.sessions.set(instance.containerInstanceArn, new Map())
  bench.store.update((tx) => tx.put('containerInstance', { ...instance }))
  await bench.run(10)
  expect(agents.calls).toEqual([[instance.containerInstanceArn, 1]])
})

test('an agent that does not answer keeps nobody else waiting, and is told again after a failure', async () => {
  const { bench, agents } = await dispatch(['host1', 'host2'])
  let fail: (reason: Error) => void = () => undefined
  agents.answer = (arn) =>
    arn.endsWith('host1') ? new Promise((_, reject) => (fail = reject)) : Promise.resolve()
  bench.putService(bench.putTaskDefinition(1), { desiredCount: 2 })
  await bench.run(1_000)
  bench.updateService({ desiredCount: 4 })
  await bench.run(30_000)
  expect(agents.calls.filter(([arn]) => arn.endsWith('host2'))).toHaveLength(2)
  expect(agents.calls.filter(([arn]) => arn.endsWith('host1'))).toHaveLength(1)
  agents.answer = () => Promise.resolve()
  fail(new Error('connection lost'))
  await bench.run(10_000)
  expect(bench.errors).toEqual([new Error('connection lost')])
  const told = [...agents.sessions.values()].map((tasks) => tasks.size)
  expect(told).toEqual([2, 2])
})
