import { present } from '@berth/std/assert.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TaskDefinition } from './task-definition.ts'
import { newTask, observeTask, requestStop, type Task, type TaskReport, taskStatuses } from './task.ts'

const names = ['app', 'side', 'unknown']
const statuses = ['PENDING', 'RUNNING', 'STOPPED'] as const
const scope = { accountId: '000000000000', region: 'us-east-1' }
const taskDefinition: TaskDefinition = {
  ...scope,
  taskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web:1',
  family: 'web',
  revision: 1,
  status: 'ACTIVE',
  containerDefinitions: [
    { name: 'app', image: 'nginx', portMappings: [{ containerPort: 80 }] },
    { name: 'side', image: 'busybox' },
  ],
  volumes: [],
  placementConstraints: [],
  requiresAttributes: [],
  compatibilities: ['EC2'],
  networkMode: 'host',
  enableFaultInjection: false,
  registeredAt: 0,
  registeredBy: 'root',
}
const task = newTask({
  scope,
  cluster: { clusterArn: 'cluster', clusterName: 'c' },
  taskDefinition,
  ids: idsFrom(prng(1)),
  now: 0,
  placement: { containerInstanceArn: 'instance' },
  group: 'g',
  launchType: 'EC2',
  enableExecuteCommand: false,
})

const maybe = { requiredKeys: ['name'] as ['name'] }
const container = fc.record(
  {
    name: fc.constantFrom(...names),
    status: fc.constantFrom(...statuses),
    runtimeId: fc.constantFrom('one', 'two'),
    imageDigest: fc.constantFrom('sha256:1', 'sha256:2'),
    exitCode: fc.constantFrom(0, 1, 137),
    reason: fc.constantFrom('', 'CannotPullContainerError: x', 'OutOfMemoryError: x'),
    networkBindings: fc.constantFrom([], [{ containerPort: 80, hostPort: 32768 }]),
  },
  maybe,
)
const report: fc.Arbitrary<TaskReport> = fc.record(
  {
    now: fc.integer({ min: 1, max: 1000 }),
    status: fc.constantFrom(...statuses),
    reason: fc.constantFrom('', 'TaskStateError: x'),
    containers: fc.array(container, { maxLength: 4 }),
    pullStartedAt: fc.integer({ min: 1, max: 9 }),
    executionStoppedAt: fc.integer({ min: 1, max: 9 }),
  },
  { requiredKeys: ['now', 'containers'] },
)
/** What happens to a task: reports, some of them repeated later, and somebody's wish that it stop. */
const history = fc
  .array(fc.oneof({ weight: 6, arbitrary: report }, { weight: 1, arbitrary: fc.constant('stop' as const) }), {
    maxLength: 12,
  })
  .chain((events) => fc.tuple(fc.constant(events), fc.shuffledSubarray(events)))
  .map(([events, again]) => [...events, ...again])

type Happening = TaskReport | 'stop'
const happen = (current: Task, happening: Happening): Task =>
  happening === 'stop'
    ? requestStop(current, { stopCode: 'UserInitiated', stoppedReason: 'asked', now: 5 })
    : observeTask(current, happening, taskDefinition)

/** The members that have a value. */
function definedOf<Row, Name extends keyof Row>(row: Row, members: readonly Name[]): object {
  const defined = members.filter((member) => row[member] !== undefined)
  return Object.fromEntries(defined.map((member) => [member, row[member]]))
}

/** What of a task stays once it is there. */
function keptOf(row: Task): object {
  const times = ['startedAt', 'stoppingAt', 'stoppedAt', 'pullStartedAt', 'executionStoppedAt'] as const
  const asked =
    row.desiredStatus === 'STOPPED' ? (['desiredStatus', 'stopCode', 'stoppedReason'] as const) : []
  return definedOf(row, [...times, ...asked])
}

const rank = ({ lastStatus }: Task): number => taskStatuses.indexOf(lastStatus)

test('whatever is reported in whatever order, a task and its containers never go back', () => {
  fc.assert(
    fc.property(history, (happenings) => {
      let before = task
      for (const happening of happenings) {
        const after = happen(before, happening)
        expect(rank(after)).toBeGreaterThanOrEqual(rank(before))
        expect(after).toMatchObject(keptOf(before))
        for (const [index, container] of after.containers.entries()) {
          const was = present(before.containers[index], 'the same container')
          expect(statuses.indexOf(container.lastStatus)).toBeGreaterThanOrEqual(
            statuses.indexOf(was.lastStatus),
          )
          expect(container).toMatchObject(definedOf(was, ['runtimeId', 'imageDigest', 'exitCode', 'reason']))
        }
        before = after
      }
    }),
  )
})

test('a report seen before gives the very same task, and every change a higher version', () => {
  fc.assert(
    fc.property(history, (happenings) => {
      let before = task
      for (const happening of happenings) {
        const after = happen(before, happening)
        expect(happen(after, happening)).toBe(after)
        expect(after.version).toBe(after === before ? before.version : before.version + 1)
        before = after
      }
    }),
  )
})

test('a STOPPED task is whole: it was to stop, knows why and when, and none of its containers runs', () => {
  fc.assert(
    fc.property(history, (happenings) => {
      const end = [...happenings, { now: 2000, status: 'STOPPED', containers: [] } as const].reduce(
        happen,
        task,
      )
      expect(end.lastStatus).toBe('STOPPED')
      expect(end.desiredStatus).toBe('STOPPED')
      expect(end.stopCode).toBeDefined()
      expect(end.stoppedReason).toBeTruthy()
      expect(end.stoppedAt).toBeDefined()
      expect(end.containers.every(({ lastStatus }) => lastStatus === 'STOPPED')).toBe(true)
      expect(JSON.parse(JSON.stringify(end))).toEqual(end)
    }),
  )
})
