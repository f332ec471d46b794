import { requestStop, type Task, type TaskContainer } from '@berth/control-plane/domain/task.ts'
import type { Change } from '@berth/control-plane/state/store.ts'
import { serviceScheduler } from '@berth/control-plane/engines/service-scheduler.ts'
import { beforeEach, expect, test } from 'vitest'
import { Chance } from './chance.ts'
import { Checker, Violation } from './checker.ts'
import { JournalDisk } from './disk.ts'
import { EngineBench } from './engine-bench.ts'

let bench: EngineBench
let checker: Checker
let disk: JournalDisk
let task: Task

beforeEach(async () => {
  bench = await EngineBench.open()
  disk = new JournalDisk(new Chance(1))
  checker = new Checker(bench.clock, disk)
  bench.putInstance('host1')
  bench.obey()
  bench.drive(serviceScheduler({ view: bench.store, ids: bench.ids, fleet: bench.fleet }))
  bench.putService(bench.putTaskDefinition(1))
  await bench.run(100_000)
  const [first] = bench.wanted()
  if (!first) throw new Error('there is no task')
  task = first
})

const stop = (one: Task): Task =>
  requestStop(one, {
    stopCode: 'ServiceSchedulerInitiated',
    stoppedReason: 'Scaling activity',
    now: bench.clock.now(),
  })

const pending = (container: TaskContainer): TaskContainer => ({ ...container, lastStatus: 'PENDING' })

/** Makes the change as a transaction would, and shows it to the checker. */
function change(before: Task | undefined, after: Task): () => void {
  bench.store.update((tx) => tx.put('task', after))
  const made: Change<'task'> = { table: 'task', before, after }
  return () => checker.changed(bench.store, [made])
}

test.each<[string, () => Task]>([
  ['goes back', () => ({ ...task, lastStatus: 'PENDING' })],
  ['has a container that goes back', () => ({ ...task, containers: task.containers.map(pending) })],
  ['became RUNNING again', () => ({ ...task, startedAt: (task.startedAt ?? 0) + 1 })],
  ['has an older version', () => ({ ...task, version: 0 })],
  ['stops and keeps its version', () => ({ ...stop(task), version: task.version })],
  ['moves', () => ({ ...task, containerInstanceArn: 'elsewhere' })],
])('a task that %s breaks a law', (_, after) => {
  expect(change(task, after())).toThrow(Violation)
})

test('a task that was to stop and is to run again breaks a law', () => {
  expect(change({ ...task, desiredStatus: 'STOPPED' }, task)).toThrow('is to run again')
})

test('a scheduler that stops a healthy task below the minimum breaks a law', () => {
  expect(change(task, stop(task))).toThrow('healthy tasks where 2 must be')
})

test('a scheduler that starts above the maximum breaks a law', () => {
  const more = [1, 2, 3].map((number): Task => ({ ...task, taskArn: `${task.taskArn}${number}` }))
  const shown = more.map((one) => change(undefined, one))
  expect(shown.at(-1)).toThrow('5 tasks where 4 are allowed')
})

test('an instance that holds more than it has breaks a law', () => {
  const { serviceArn: _, ...alone } = task
  const big = { ...alone, taskArn: 'big', demand: { ...task.demand, cpu: 4096 } }
  expect(change(undefined, big)).toThrow('more than it has')
})

test('two tasks with one host port break a law', () => {
  const { serviceArn: _, ...alone } = task
  const demand = { ...task.demand, ports: [{ protocol: 'tcp', port: 80 }] } as const
  change(undefined, { ...alone, taskArn: 'one', demand })
  expect(change(undefined, { ...alone, taskArn: 'other', demand })).toThrow('two tasks hold tcp:80')
})

test('a container that starts twice, or of a task that is not on the disk, breaks a law', () => {
  expect(() => checker.containerStarted(task.taskArn, 'app')).toThrow('before it was on the disk')
  disk.known.add(`task ${task.taskArn}`)
  checker.containerStarted(task.taskArn, 'app')
  checker.containerStarted(task.taskArn, 'sidecar')
  expect(() => checker.containerStarted(task.taskArn, 'app')).toThrow('started twice')
})

test('a task that ends though no essential container did breaks a law', () => {
  const taskDefinition = bench.store.find('taskDefinition', task.taskDefinitionArn)
  const beside = [{ name: 'sidecar', running: false, started: true, exitCode: 1, wasHealthy: false }]
  const seen = (name: string) => beside.map((one) => ({ ...one, name, endedByItself: true }))
  const { serviceArn: _, ...before } = { ...task, taskArn: 'alone' }
  const version = before.version + 1
  const after: Task = { ...before, version, lastStatus: 'STOPPED', stopCode: 'EssentialContainerExited' }
  const watched = (name: string) => (): void => {
    const other = new Checker(bench.clock, new JournalDisk(new Chance(1)), () => seen(name))
    other.changed(bench.store, [
      { table: 'taskDefinition', before: undefined, after: taskDefinition },
      { table: 'task', before: undefined, after: before },
      { table: 'task', before, after },
    ] as Change[])
  }
  expect(watched('sidecar')).toThrow('none of its essential containers ended')
  expect(watched('app')).not.toThrow()
})

test('what was acknowledged and is gone, or was not on the disk, breaks a law', () => {
  const made: Change<'task'> = { table: 'task', before: undefined, after: task }
  expect(() => checker.acknowledged([made])).toThrow('before it was on the disk')
  const disk = new JournalDisk(new Chance(1))
  disk.rows.set(`task ${task.taskArn}`, { table: 'task', key: task.taskArn, version: 1, row: task })
  const other = new Checker(bench.clock, disk)
  other.acknowledged([made])
  other.checkKept(bench.store)
  bench.store.update((tx) => tx.put('task', { ...task, lastStatus: 'PENDING' }))
  expect(() => other.checkKept(bench.store)).toThrow('went back')
  bench.store.update((tx) => tx.delete('task', task.taskArn))
  expect(() => other.checkKept(bench.store)).toThrow('is lost')
})
