import type { CreateScheduleInput, Target } from '@aws-sdk/client-scheduler'
import { expect, test } from 'vitest'
import { clusterArn, definitionArn, refusal, schedule, scheduleTarget } from '#api/schedule-testing.ts'
import { testContext } from '#api/testing.ts'
import {
  createScheduleGroup,
  deleteScheduleGroup,
  getScheduleGroup,
  listScheduleGroups,
  listTagsForResource,
  tagResource,
  untagResource,
} from './group.ts'
import { createSchedule, deleteSchedule, getSchedule, listSchedules, updateSchedule } from './schedule.ts'

const scheduleArn = 'arn:aws:scheduler:us-east-1:000000000000:schedule/default/s'
const groupArn = 'arn:aws:scheduler:us-east-1:000000000000:schedule-group/g'
const minuteMs = 60_000

test('a schedule is shown with its defaults', async () => {
  const context = await testContext()
  expect(createSchedule.run(context, schedule())).toEqual({ ScheduleArn: scheduleArn })
  const created = new Date(context.clock.now())
  expect(getSchedule.run(context, { Name: 's' })).toEqual({
    Arn: scheduleArn,
    Name: 's',
    GroupName: 'default',
    State: 'ENABLED',
    ScheduleExpression: 'rate(5 minutes)',
    ScheduleExpressionTimezone: 'UTC',
    CreationDate: created,
    LastModificationDate: created,
    Target: {
      ...scheduleTarget(),
      RetryPolicy: { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 },
    },
    FlexibleTimeWindow: { Mode: 'OFF' },
    ActionAfterCompletion: 'NONE',
  })
})

test('an update replaces all: what it leaves out is its default again', async () => {
  const context = await testContext()
  createSchedule.run(
    context,
    schedule({
      Description: 'd',
      State: 'DISABLED',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      EndDate: new Date('2030-01-01'),
      ActionAfterCompletion: 'DELETE',
    }),
  )
  context.clock.advance(minuteMs)
  expect(updateSchedule.run(context, schedule({ ScheduleExpression: 'cron(0 9 * * ? *)' }))).toEqual({
    ScheduleArn: scheduleArn,
  })
  const shown = getSchedule.run(context, { Name: 's' })
  expect(shown).toMatchObject({
    State: 'ENABLED',
    ScheduleExpressionTimezone: 'UTC',
    ActionAfterCompletion: 'NONE',
    ScheduleExpression: 'cron(0 9 * * ? *)',
  })
  expect(shown.Description).toBeUndefined()
  expect(shown.EndDate).toBeUndefined()
  expect(Number(shown.LastModificationDate) - Number(shown.CreationDate)).toBe(minuteMs)
})

test('a repeated request makes one schedule; another of that name is a conflict', async () => {
  const context = await testContext()
  const input = schedule({ ClientToken: 'token' })
  const conflict = 'ConflictException: Schedule s already exists.'
  expect(createSchedule.run(context, input)).toEqual(createSchedule.run(context, input))
  expect(refusal(() => createSchedule.run(context, { ...input, Description: 'x' }))).toBe(conflict)
  expect(refusal(() => createSchedule.run(context, { ...input, ClientToken: 'other' }))).toBe(conflict)
  expect(refusal(() => createSchedule.run(context, schedule()))).toBe(conflict)
})

test('a rate runs at once, and from its start when it has one; other times when they come', async () => {
  const context = await testContext()
  const now = context.clock.now()
  const next = (more: Partial<CreateScheduleInput>) => {
    createSchedule.run(context, schedule(more))
    const time = context.store.find('schedule', scheduleArn)?.next?.time
    deleteSchedule.run(context, { Name: 's' })
    return time === undefined ? undefined : (time - now) / minuteMs
  }
  expect(next({})).toBe(0)
  expect(next({ StartDate: new Date(now + 7 * minuteMs) })).toBe(7)
  expect(next({ ScheduleExpression: 'cron(30 0 * * ? *)' })).toBe(30)
  expect(next({ ScheduleExpression: 'cron(0 * * * ? *)', StartDate: new Date(now + 90 * minuteMs) })).toBe(
    120,
  )
  expect(
    next({ ScheduleExpression: 'cron(30 0 * * ? *)', EndDate: new Date(now + 29 * minuteMs) }),
  ).toBeUndefined()
  expect(next({ ScheduleExpression: 'at(2026-01-01T00:10:00)' })).toBe(10)
  expect(next({ ScheduleExpression: 'at(2026-01-01T00:10:00)', EndDate: new Date(now + minuteMs) })).toBe(10)
  expect(next({ ScheduleExpression: 'at(2022-12-12T00:00:00)' })).toBeUndefined()
  expect(next({ State: 'DISABLED' })).toBeUndefined()
})

test('a flexible window puts a run somewhere into it, once', async () => {
  const context = await testContext()
  const FlexibleTimeWindow = { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 } as const
  for (let count = 0; count < 20; count++) {
    const Name = `s${count}`
    createSchedule.run(
      context,
      schedule({ Name, ScheduleExpression: 'cron(0 9 * * ? *)', FlexibleTimeWindow }),
    )
  }
  const delays = context.store.list('schedule').map(({ next }) => (next ? next.at - next.time : NaN))
  expect(delays.every((delay) => delay >= 0 && delay <= 15 * minuteMs)).toBe(true)
  expect(new Set(delays).size).toBeGreaterThan(10)
})

test('an update that changes no times keeps the moment that was drawn', async () => {
  const context = await testContext()
  const flexible = schedule({
    ScheduleExpression: 'cron(1 0 * * ? *)',
    FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 1440 },
  })
  createSchedule.run(context, flexible)
  const drawn = context.store.find('schedule', scheduleArn)?.next
  context.clock.advance(2 * minuteMs)
  updateSchedule.run(context, { ...flexible, Description: 'new' })
  expect(context.store.find('schedule', scheduleArn)?.next).toEqual(drawn)
  updateSchedule.run(context, { ...flexible, ScheduleExpressionTimezone: 'Asia/Tokyo' })
  expect(context.store.find('schedule', scheduleArn)?.next).not.toEqual(drawn)
})

const target = (more: Partial<Target>): Partial<CreateScheduleInput> => ({ Target: scheduleTarget(more) })
const broken = (path: string, value: string, constraint: string): string =>
  `ValidationException: 1 validation error detected: Value '${value}' at '${path}' failed to satisfy constraint: Member must ${constraint}`
const start = Date.UTC(2026, 0, 1)

test.each<readonly [Partial<CreateScheduleInput>, string]>([
  [
    { ScheduleExpression: 'rate(5 weeks)' },
    'ValidationException: Invalid Schedule Expression rate(5 weeks).',
  ],
  [
    { ScheduleExpression: 'at(2027-01-01T00:00:00Z)' },
    'ValidationException: Invalid Schedule Expression at(2027-01-01T00:00:00Z).',
  ],
  [
    { ScheduleExpression: ' rate(5 minutes)' },
    'ValidationException: Invalid Schedule Expression  rate(5 minutes).',
  ],
  [
    { ScheduleExpressionTimezone: 'Mars/Base' },
    'ValidationException: Invalid ScheduleExpressionTimezone Mars/Base.',
  ],
  [
    { FlexibleTimeWindow: { Mode: 'OFF', MaximumWindowInMinutes: 5 } },
    'ValidationException: MaximumWindowInMinutes must not be provided when FlexibleTimeWindowMode is set to OFF.',
  ],
  [
    { FlexibleTimeWindow: { Mode: 'FLEXIBLE' } },
    'ValidationException: MaximumWindowInMinutes must be provided when FlexibleTimeWindowMode is set to FLEXIBLE.',
  ],
  [
    { FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 1441 } },
    broken('flexibleTimeWindow.maximumWindowInMinutes', '1441', 'have value less than or equal to 1440'),
  ],
  [
    { StartDate: new Date(start + 60_000), EndDate: new Date(start + 60_000) },
    'ValidationException: The StartDate you specify must come before the EndDate.',
  ],
  [
    { StartDate: new Date(start - 6 * minuteMs) },
    'ValidationException: The StartDate you specify cannot be earlier than 5 minutes ago.',
  ],
  [
    { ActionAfterCompletion: 'DELETE' },
    'ValidationException: EndDate must be provided when ActionAfterCompletion of a recurring schedule is set to DELETE.',
  ],
  [{ GroupName: 'nope' }, 'ResourceNotFoundException: Schedule group nope does not exist.'],
  [{ Name: 'a b' }, broken('name', 'a b', 'satisfy regular expression pattern: ^[0-9a-zA-Z-_.]+$')],
  [
    target({ RoleArn: 'admin' }),
    broken(
      'target.roleArn',
      'admin',
      'satisfy regular expression pattern: ^arn:aws(-[a-z]+)?:iam::\\d{12}:role\\/[\\w+=,.@\\/-]+$',
    ),
  ],
  [
    target({ EcsParameters: { TaskDefinitionArn: definitionArn, TaskCount: 11 } }),
    broken('target.ecsParameters.taskCount', '11', 'have value less than or equal to 10'),
  ],
  [
    target({ EcsParameters: { TaskDefinitionArn: definitionArn, LaunchType: 'FARGATE' } }),
    'ValidationException: Parameter NetworkConfiguration must be specified for the target when launch type is FARGATE',
  ],
  [
    target({ KinesisParameters: { PartitionKey: 'p' } }),
    'ValidationException: Parameters KinesisParameters not supported for the target.',
  ],
  [target({ Input: 'hello' }), 'ValidationException: JSON syntax error in input for the target'],
  [
    target({ Arn: clusterArn.replace('us-east-1', 'eu-west-1') }),
    'ValidationException: The target ARN provided does not match the current region us-east-1.',
  ],
  [
    target({ Arn: 'arn:aws:scheduler:::aws-sdk:ecs:runTask' }),
    'UnsupportedFeatureException: Berth does not support universal targets yet. Name the ARN of an Amazon ECS cluster, with EcsParameters.',
  ],
  [
    target({ Arn: 'arn:aws:sqs:us-east-1:000000000000:q', EcsParameters: undefined }),
    'UnsupportedFeatureException: Berth does not support sqs as the target of a rule or schedule yet. Name the ARN of an Amazon ECS cluster.',
  ],
])('CreateSchedule and UpdateSchedule refuse %j and change nothing', async (more, expected) => {
  const context = await testContext()
  expect(refusal(() => createSchedule.run(context, schedule(more)))).toBe(expected)
  expect(refusal(() => updateSchedule.run(context, schedule(more)))).toBe(expected)
  expect(context.store.list('schedule')).toEqual([])
})

test('what is not there is said not to be', async () => {
  const context = await testContext()
  const gone = 'ResourceNotFoundException: Schedule s does not exist.'
  expect(refusal(() => getSchedule.run(context, { Name: 's' }))).toBe(gone)
  expect(refusal(() => updateSchedule.run(context, schedule()))).toBe(gone)
  expect(refusal(() => deleteSchedule.run(context, { Name: 's' }))).toBe(gone)
  const noGroup = 'ResourceNotFoundException: Schedule group g does not exist.'
  expect(refusal(() => getSchedule.run(context, { Name: 's', GroupName: 'g' }))).toBe(noGroup)
  expect(refusal(() => getScheduleGroup.run(context, { Name: 'g' }))).toBe(noGroup)
  expect(refusal(() => listTagsForResource.run(context, { ResourceArn: groupArn }))).toBe(noGroup)
})

test('groups hold schedules, which go with them', async () => {
  const context = await testContext()
  expect(createScheduleGroup.run(context, { Name: 'g', ClientToken: 't' })).toEqual({
    ScheduleGroupArn: groupArn,
  })
  expect(createScheduleGroup.run(context, { Name: 'g', ClientToken: 't' })).toEqual({
    ScheduleGroupArn: groupArn,
  })
  for (const Name of ['g', 'default'])
    expect(refusal(() => createScheduleGroup.run(context, { Name }))).toBe(
      `ConflictException: Schedule group ${Name} already exists.`,
    )
  createSchedule.run(context, schedule({ GroupName: 'g' }))
  createSchedule.run(context, schedule({ State: 'DISABLED' }))
  const names = (input: Parameters<typeof listSchedules.run>[1]) =>
    listSchedules.run(context, input).Schedules?.map(({ GroupName, Name }) => `${GroupName}/${Name}`)
  expect(names({})).toEqual(['default/s', 'g/s'])
  expect(names({ GroupName: 'g' })).toEqual(['g/s'])
  expect(names({ State: 'DISABLED' })).toEqual(['default/s'])
  expect(names({ NamePrefix: 'x' })).toEqual([])
  expect(listSchedules.run(context, { GroupName: 'g' }).Schedules?.[0]?.Target).toEqual({ Arn: clusterArn })
  const groups = () => listScheduleGroups.run(context, {}).ScheduleGroups?.map(({ Name }) => Name)
  expect(groups()).toEqual(['default', 'g'])
  expect(deleteScheduleGroup.run(context, { Name: 'g' })).toEqual({})
  expect(groups()).toEqual(['default'])
  expect(names({})).toEqual(['default/s'])
  expect(refusal(() => deleteScheduleGroup.run(context, { Name: 'default' }))).toBe(
    'ValidationException: The default schedule group cannot be deleted.',
  )
})

test('lists of groups come in pages, with the default one at its place', async () => {
  const context = await testContext()
  for (const Name of ['z', 'a', 'e']) createScheduleGroup.run(context, { Name })
  const seen: string[] = []
  let NextToken: string | undefined
  do {
    const page = listScheduleGroups.run(context, { MaxResults: 1, NextToken })
    seen.push(...(page.ScheduleGroups ?? []).map(({ Name = '' }) => Name))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  expect(seen).toEqual(['a', 'default', 'e', 'z'])
})

test('groups have tags, schedules have none', async () => {
  const context = await testContext()
  createScheduleGroup.run(context, { Name: 'g', Tags: [{ Key: 'a', Value: '1' }] })
  tagResource.run(context, { ResourceArn: groupArn, Tags: [{ Key: 'b', Value: '2' }] })
  untagResource.run(context, { ResourceArn: groupArn, TagKeys: ['a'] })
  expect(listTagsForResource.run(context, { ResourceArn: groupArn })).toEqual({
    Tags: [{ Key: 'b', Value: '2' }],
  })
  createSchedule.run(context, schedule())
  expect(refusal(() => listTagsForResource.run(context, { ResourceArn: scheduleArn }))).toMatch(
    /^ValidationException: 1 validation error detected: Value 'arn:aws:scheduler.* at 'resourceArn'/,
  )
})
