import { expect, test } from 'vitest'
import type { TaskLimits } from '#engine/task-limits.ts'
import { SimulatedClock } from '@berth/simulator/clock.ts'
import { fakeContainer, fakeTask } from './fake-control-plane.ts'
import { FakeHost } from './fake-host.ts'
import { type TaskCgroups, taskCgroup } from './task-cgroup.ts'

class RecordedCgroups implements TaskCgroups {
  readonly made = new Map<string, TaskLimits>()
  readonly #fault: string | undefined
  constructor(fault?: string) {
    this.#fault = fault
  }
  parentOf(taskId: string): string {
    return `/ecs/${taskId}`
  }
  make(taskId: string, limits: TaskLimits): Promise<void> {
    if (this.#fault !== undefined) return Promise.reject(new Error(this.#fault))
    this.made.set(taskId, limits)
    return Promise.resolve()
  }
  remove(taskId: string): Promise<void> {
    this.made.delete(taskId)
    return Promise.resolve()
  }
}

async function started(cgroups: TaskCgroups): Promise<FakeHost> {
  const bench = new FakeHost(new SimulatedClock(1_000_000), {
    resources: [taskCgroup(cgroups, { pidsMax: 100 })],
  })
  await bench.start()
  return bench
}
const lastReason = (bench: FakeHost): string | undefined => bench.control.submissions.at(-1)?.reason

test.each([
  [
    { cpu: 0.25, memory: 128 },
    { cpuQuotaUs: 25_000, memoryBytes: 128 * 2 ** 20, pidsMax: 100 },
  ],
  [{}, { cpuShares: 576, pidsMax: 100 }],
])('a task with %j gets a cgroup with %j, and loses it when it has stopped', async (size, limits) => {
  const cgroups = new RecordedCgroups()
  const bench = await started(cgroups)
  const task = fakeTask('aaaa', [fakeContainer('web', { cpu: 512 }), fakeContainer('side')], size)
  await bench.send(task)
  expect(bench.control.told(task.arn)).toEqual(['RUNNING | web RUNNING | side RUNNING'])
  expect([...cgroups.made]).toEqual([['aaaa', limits]])
  await bench.send({ arn: task.arn, desiredStatus: 'STOPPED' })
  expect(cgroups.made.size).toBe(0)
})

test('no container may have more memory than its task', async () => {
  const bench = await started(new RecordedCgroups())
  await bench.send(fakeTask('aaaa', [fakeContainer('web', { memory: 256 })], { memory: 128 }))
  expect(lastReason(bench)).toBe(
    'ResourceInitializationError: task memory spec builder: container memory limit(256) greater than task memory limit(128) for container web',
  )
})

test('without a cgroup the task does not start', async () => {
  const bench = await started(new RecordedCgroups('read-only file system'))
  await bench.send(fakeTask('aaaa', [fakeContainer('web')]))
  expect(lastReason(bench)).toBe(
    'ResourceInitializationError: cgroup resource: setup cgroup: unable to create cgroup at /ecs/aaaa: read-only file system',
  )
})
