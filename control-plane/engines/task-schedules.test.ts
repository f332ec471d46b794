import type { CreateScheduleInput } from '@aws-sdk/client-scheduler'
import type { Target } from '@aws-sdk/client-eventbridge'
import { beforeEach, expect, test } from 'vitest'
import { putCluster, putContainerInstance, putTaskDefinition } from '#api/ecs/testing-rows.ts'
import { scheduledRuns } from '#api/ecs/tasks/scheduled-run.ts'
import { disableRule, enableRule, putRule } from '#api/events/rule.ts'
import { putTargets } from '#api/events/target.ts'
import { ruleTarget, schedule, scheduleTarget } from '#api/schedule-testing.ts'
import { createSchedule, updateSchedule } from '#api/scheduler/schedule.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import type { Task } from '#domain/task.ts'
import type { Reconciler } from './reconciler.ts'
import { taskSchedules } from './task-schedules.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const scheduleArn = 'arn:aws:scheduler:us-east-1:000000000000:schedule/default/s'

let context: TestContext
let engine: Reconciler<unknown>
let troubles: string[]
beforeEach(async () => {
  context = await testContext()
  troubles = []
  const cluster = putCluster(context, 'demo')
  putTaskDefinition(context, 'web:1', { memory: 10 })
  putContainerInstance(context, cluster, 'one')
  engine = taskSchedules({
    ids: context.ids,
    run: scheduledRuns(context),
    report: (arn, trouble) => troubles.push(`${arn}: ${trouble}`),
  }) as Reconciler<unknown>
})

/** Looks once, as the control plane does when it wakes; the tasks it started. */
function look(): Task[] {
  const before = new Set(context.store.list('task').map(({ taskArn }) => taskArn))
  const { effects = [] } = context.store.update((tx) =>
    engine.reconcile(tx, context.clock.now(), new Set(engine.everywhere?.(tx))),
  )
  for (const effect of effects) void engine.perform?.(effect)
  return context.store.list('task').filter(({ taskArn }) => !before.has(taskArn))
}

/** Looks at each minute from the next on; how many tasks were started at each. */
function minutes(count: number): number[] {
  return Array.from({ length: count }, () => {
    context.clock.advance(minuteMs)
    return look().length
  })
}

const create = (more: Partial<CreateScheduleInput>) => createSchedule.run(context, schedule(more))
function rule(expression: string, targets: readonly Target[] = [ruleTarget()]): void {
  putRule.run(context, { Name: 'hourly', ScheduleExpression: expression })
  putTargets.run(context, { Rule: 'hourly', Targets: [...targets] })
}

test('a rule starts the tasks of its targets when its rate has passed', () => {
  rule('rate(2 minutes)', [
    ruleTarget(),
    ruleTarget({
      Id: 't2',
      Input: '{"containerOverrides":[{"name":"app","command":["echo","hi"]}],"unknown":1}',
      EcsParameters: {
        TaskDefinitionArn: 'arn:aws:ecs:us-east-1:000000000000:task-definition/web',
        TaskCount: 2,
        Group: 'night',
        Tags: [{ Key: 'k', Value: 'v' }],
        EnableECSManagedTags: true,
        LaunchType: 'EC2',
      },
    }),
  ])
  expect(minutes(5)).toEqual([0, 3, 0, 3, 0])
  const tasks = context.store.list('task')
  expect(new Set(tasks.map(({ startedBy }) => startedBy))).toEqual(new Set(['events-rule/hourly']))
  const [own] = tasks.filter(({ group }) => group === 'night')
  expect(own?.overrides?.containerOverrides).toEqual([{ name: 'app', command: ['echo', 'hi'] }])
  expect(context.store.find('resourceTags', own?.taskArn ?? '')?.tags).toEqual(
    expect.arrayContaining([{ key: 'k', value: 'v' }]),
  )
})

test('a cron rule starts tasks at its times', () => {
  rule('cron(0/10 0-1 ? * THU *)')
  expect(
    minutes(20)
      .map((count, index) => (count > 0 ? index + 1 : 0))
      .filter(Boolean),
  ).toEqual([10, 20])
})

test('a schedule of a rate runs at once and then at its rate', () => {
  create({ ScheduleExpression: 'rate(2 minutes)' })
  expect(look()).toHaveLength(1)
  expect(look()).toHaveLength(0)
  expect(minutes(4)).toEqual([0, 1, 0, 1])
  expect(context.store.list('task')[0]?.startedBy).toBe('chronos-schedule/s')
})

test('startedBy is cut to 36 characters and holds what RunTask takes', () => {
  create({ Name: 'gold.coast-data-lake-ghl-refresh' })
  expect(look()[0]?.startedBy).toBe('chronos-schedule/gold-coast-data-lak')
})

test('the input names what ran and when', () => {
  const value = '<aws.scheduler.scheduled-time> <aws.scheduler.schedule-arn> <aws.scheduler.attempt-number>'
  const Input = JSON.stringify({ containerOverrides: [{ name: 'app', environment: [{ name: 'X', value }] }] })
  create({ ScheduleExpression: 'cron(5 0 * * ? *)', Target: scheduleTarget({ Input }) })
  context.clock.advance(5 * minuteMs + 700)
  expect(look()[0]?.overrides?.containerOverrides?.[0]?.environment).toEqual([
    { name: 'X', value: `2026-01-01T00:05:00Z ${scheduleArn} 1` },
  ])
})

test('tags of a schedule come as its clients write them', () => {
  const Tags = [{ key: 'a', value: '1' }, { Key: 'b', Value: '2' }, { c: '3' }]
  const EcsParameters = { ...scheduleTarget().EcsParameters, Tags } as never
  create({ Target: scheduleTarget({ EcsParameters }) })
  const [task] = look()
  expect(context.store.find('resourceTags', task?.taskArn ?? '')?.tags).toEqual([
    { key: 'a', value: '1' },
    { key: 'b', value: '2' },
    { key: 'c', value: '3' },
  ])
})

test('at() runs once; the schedule stays, or goes when it says so', () => {
  create({ ScheduleExpression: 'at(2026-01-01T00:02:00)' })
  create({ Name: 'gone', ScheduleExpression: 'at(2026-01-01T00:03)', ActionAfterCompletion: 'DELETE' })
  expect(minutes(5)).toEqual([0, 1, 1, 0, 0])
  expect(context.store.list('schedule').map(({ name, next }) => [name, next])).toEqual([['s', undefined]])
})

test('a recurring schedule ends at its end, and goes then when it says so', () => {
  const EndDate = new Date(context.clock.now() + 3 * minuteMs)
  create({ ScheduleExpression: 'rate(1 minute)', EndDate, ActionAfterCompletion: 'DELETE' })
  expect([look().length, ...minutes(5)]).toEqual([1, 1, 1, 1, 0, 0])
  expect(context.store.list('schedule')).toEqual([])
})

test('a schedule begins at its start', () => {
  const StartDate = new Date(context.clock.now() + 90_000)
  create({ ScheduleExpression: 'rate(2 minutes)', StartDate })
  expect([look().length, ...minutes(5)]).toEqual([0, 0, 1, 0, 1, 0])
})

test('a flexible schedule runs within its window, once for each time', () => {
  const FlexibleTimeWindow = { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 } as const
  create({ ScheduleExpression: 'cron(0 * * * ? *)', FlexibleTimeWindow })
  const ran = minutes(10 * 60).flatMap((count, index) => Array.from({ length: count }, () => index + 1))
  expect(ran.map((minute) => Math.floor(minute / 60))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(ran.every((minute) => minute % 60 <= 15)).toBe(true)
  expect(new Set(ran.map((minute) => minute % 60)).size).toBeGreaterThan(3)
})

test('summer time is left out in spring and passed once in autumn', () => {
  create({
    ScheduleExpression: 'cron(30 2 * * ? *)',
    ScheduleExpressionTimezone: 'Europe/Berlin',
    StartDate: new Date('2026-03-28T12:00Z'),
  })
  const ran: string[] = []
  for (const [from, to] of [
    ['2026-03-28T12:00Z', '2026-03-31T00:00Z'],
    ['2026-10-24T12:00Z', '2026-10-27T00:00Z'],
  ] as const) {
    context.clock.advance(Date.parse(from) - context.clock.now())
    look()
    for (; context.clock.now() < Date.parse(to); context.clock.advance(10 * minuteMs))
      if (look().length > 0) ran.push(new Date(context.clock.now()).toISOString().slice(0, 16))
  }
  expect(ran).toEqual(['2026-03-30T00:30', '2026-10-25T00:30', '2026-10-26T01:30'])
})

test('what was missed is made up for once, for the last time missed, and the count goes on', () => {
  const value = '<aws.scheduler.scheduled-time>'
  const Input = JSON.stringify({ containerOverrides: [{ name: 'app', environment: [{ name: 'X', value }] }] })
  create({ ScheduleExpression: 'rate(10 minutes)', Target: scheduleTarget({ Input }) })
  rule('rate(10 minutes)')
  look()
  context.clock.advance(5 * hourMs + 3 * minuteMs)
  const made = look()
  expect(made).toHaveLength(2)
  expect(new Set(made.map(({ startedBy }) => startedBy))).toEqual(
    new Set(['chronos-schedule/s', 'events-rule/hourly']),
  )
  const environments = made.map(
    ({ overrides }) => overrides?.containerOverrides?.[0]?.environment?.[0]?.value,
  )
  expect(environments).toContain('2026-01-01T05:00:00Z')
  expect(minutes(8)).toEqual([0, 0, 0, 0, 0, 0, 2, 0])
})

test.each([
  [undefined, 24 * hourMs, 1],
  [undefined, 24 * hourMs + 1, 0],
  [3600, hourMs, 1],
  [3600, hourMs + 1, 0],
])('with an event age of %s s, what is %i ms late runs %i times', (age, late, expected) => {
  const RetryPolicy = age === undefined ? {} : { RetryPolicy: { MaximumEventAgeInSeconds: age } }
  create({ ScheduleExpression: 'at(2026-01-01T01:00:00)', Target: scheduleTarget(RetryPolicy) })
  rule('cron(0 1 1 1 ? 2026)', [ruleTarget(RetryPolicy)])
  context.clock.advance(hourMs + late)
  expect(look()).toHaveLength(2 * expected)
  expect(look()).toHaveLength(0)
})

test('what was missed while it was disabled is not made up for', () => {
  rule('rate(10 minutes)')
  create({ ScheduleExpression: 'cron(0/10 * * * ? *)' })
  disableRule.run(context, { Name: 'hourly' })
  updateSchedule.run(context, schedule({ ScheduleExpression: 'cron(0/10 * * * ? *)', State: 'DISABLED' }))
  context.clock.advance(65 * minuteMs)
  expect(look()).toHaveLength(0)
  enableRule.run(context, { Name: 'hourly' })
  updateSchedule.run(context, schedule({ ScheduleExpression: 'cron(0/10 * * * ? *)' }))
  expect(look()).toHaveLength(0)
  expect(minutes(5)).toEqual([0, 0, 0, 0, 2])
})

test('what cannot be started is reported and not tried again until the next time', () => {
  rule('rate(10 minutes)', [
    ruleTarget({ Arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/gone' }),
    ruleTarget({ Id: 't2', Input: '"hello"' }),
  ])
  create({
    ScheduleExpression: 'rate(10 minutes)',
    Target: scheduleTarget({
      EcsParameters: {
        ...scheduleTarget().EcsParameters,
        PlacementConstraints: [{ type: 'memberOf', expression: 'attribute:a==b' }],
      } as never,
    }),
  })
  look()
  const ruleArn = 'arn:aws:events:us-east-1:000000000000:rule/hourly'
  expect(minutes(10)).toEqual(Array.from({ length: 10 }, () => 0))
  const placement = expect.stringMatching(/^arn:.*: tasks could not be started: MemberOf/) as string
  expect(troubles).toEqual([
    placement,
    `${ruleArn}: target t1: ClusterNotFoundException: Cluster not found.`,
    `${ruleArn}: target t2: the input is not an object`,
    placement,
  ])
})

test('one target that is refused does not keep the others from starting', () => {
  rule('rate(1 minute)', [
    ruleTarget({ Arn: 'arn:aws:ecs:us-east-1:000000000000:cluster/gone' }),
    ruleTarget({ Id: 't2' }),
  ])
  expect(minutes(2)).toEqual([1, 1])
  expect(troubles).toHaveLength(2)
})

test('a look says when to look again', () => {
  create({ ScheduleExpression: 'cron(30 0 * * ? *)' })
  const { again } = context.store.update((tx) =>
    engine.reconcile(tx, context.clock.now(), new Set([scheduleArn])),
  )
  expect(again).toEqual([{ place: scheduleArn, at: Date.UTC(2026, 0, 1, 0, 30) }])
})
