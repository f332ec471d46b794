import type {
  CreateScheduleInput,
  CreateScheduleOutput,
  DeleteScheduleInput,
  DeleteScheduleOutput,
  GetScheduleInput,
  GetScheduleOutput,
  ListSchedulesInput,
  ListSchedulesOutput,
  UpdateScheduleInput,
  UpdateScheduleOutput,
} from '@aws-sdk/client-scheduler'
import { AwsError } from '@berth/wire/error.ts'
import { constraints } from '#api/constraints.ts'
import type { Context, Operation } from '#api/operation.ts'
import { schedulePage } from '#api/schedule-page.ts'
import { formatArn, scopeKey } from '#domain/arn.ts'
import { defaultGroup, type Schedule, scheduleTiming } from '#domain/schedule/schedule.ts'
import { nextDue } from '#domain/schedule/timing.ts'
import type { View } from '#state/store.ts'
import {
  constrainName,
  constrainToken,
  requestOf,
  resolveGroup,
  resolveSchedule,
  scheduleArnOf,
} from './resolve.ts'
import { checkSchedule } from './schedule-checks.ts'

const resources = (
  context: Context,
  { GroupName, Name }: Pick<GetScheduleInput, 'GroupName' | 'Name'>,
): string[] => [scheduleArnOf(context, GroupName, Name)]

/** A repeated request, by its token, gets the same answer. */
export const createSchedule: Operation<CreateScheduleInput, CreateScheduleOutput> = {
  resources,
  run: (context, input) => {
    checkSchedule(context, input)
    return context.store.update((tx) => {
      resolveGroup(tx, context, input.GroupName)
      const [scheduleArn = ''] = resources(context, input)
      const standing = tx.find('schedule', scheduleArn)
      const request = requestOf(input)
      if (request !== undefined && standing?.request === request) return { ScheduleArn: scheduleArn }
      if (standing) throw new AwsError('ConflictException', `Schedule ${input.Name} already exists.`, 409)
      tx.put('schedule', scheduleOf(context, input))
      return { ScheduleArn: scheduleArn }
    })
  },
}

/** What an update leaves out becomes its default again. */
export const updateSchedule: Operation<UpdateScheduleInput, UpdateScheduleOutput> = {
  resources,
  run: (context, input) => {
    checkSchedule(context, input)
    return context.store.update((tx) => {
      resolveGroup(tx, context, input.GroupName)
      const before = resolveSchedule(tx, context, input.GroupName, input.Name)
      tx.put('schedule', scheduleOf(context, input, before))
      return { ScheduleArn: before.scheduleArn }
    })
  },
}

/**
 * A rate counts from its start, and without one from now: then it runs at once. One that is updated goes on with its count
 * as long as its rate and start are the same.
 */
function scheduleOf(context: Context, input: CreateScheduleInput, before?: Schedule): Schedule {
  const { scope, clock, ids } = context
  const now = clock.now()
  const { Target: { ...target } = { Arn: undefined, RoleArn: undefined }, State: state = 'ENABLED' } = input
  const [startDate, endDate] = [input.StartDate?.getTime(), input.EndDate?.getTime()]
  const scheduleExpression = input.ScheduleExpression ?? ''
  const request = before ? before.request : requestOf(input)
  const counts =
    before?.scheduleExpression === scheduleExpression && before.startDate === startDate ? before : undefined
  const row: Schedule = {
    ...scope,
    scheduleArn: scheduleArnOf(context, input.GroupName, input.Name),
    groupName: input.GroupName ?? defaultGroup,
    name: input.Name ?? '',
    scheduleExpression,
    timeZone: input.ScheduleExpressionTimezone ?? 'UTC',
    ...(startDate !== undefined && { startDate }),
    ...(endDate !== undefined && { endDate }),
    ...(input.Description !== undefined && { description: input.Description }),
    state,
    ...(input.KmsKeyArn !== undefined && { kmsKeyArn: input.KmsKeyArn }),
    target: { ...target, RetryPolicy: { ...retryDefaults, ...target.RetryPolicy } },
    flexibleTimeWindow: input.FlexibleTimeWindow ?? { Mode: 'OFF' },
    actionAfterCompletion: input.ActionAfterCompletion ?? 'NONE',
    createdAt: before?.createdAt ?? now,
    modifiedAt: now,
    ...(request !== undefined && { request }),
    ratesFrom: counts?.ratesFrom ?? startDate ?? now,
  }
  if (state === 'DISABLED') return row
  // What is due, or has drawn its moment, stays so when nothing of its times is changed.
  if (before?.next && timesOf(before) === timesOf(row)) return { ...row, next: before.next }
  // What comes now comes too, except for a schedule that goes on: that has been.
  const next = nextDue(scheduleTiming(row), counts ? now : now - 1, () => ids.fraction())
  return next ? { ...row, next } : row
}

const timesOf = ({
  scheduleExpression,
  timeZone,
  startDate,
  endDate,
  flexibleTimeWindow,
}: Schedule): string => JSON.stringify([scheduleExpression, timeZone, startDate, endDate, flexibleTimeWindow])

const retryDefaults = { MaximumEventAgeInSeconds: 86_400, MaximumRetryAttempts: 185 }

export const deleteSchedule: Operation<DeleteScheduleInput, DeleteScheduleOutput> = {
  resources,
  run: (context, { Name, GroupName, ClientToken }) => {
    checkNames(Name, GroupName, ClientToken)
    return context.store.update((tx) => {
      resolveGroup(tx, context, GroupName)
      tx.delete('schedule', resolveSchedule(tx, context, GroupName, Name).scheduleArn)
      return {}
    })
  },
}

export const getSchedule: Operation<GetScheduleInput, GetScheduleOutput> = {
  resources,
  run: (context, { Name, GroupName }) => {
    checkNames(Name, GroupName)
    resolveGroup(context.store, context, GroupName)
    return showSchedule(resolveSchedule(context.store, context, GroupName, Name))
  },
}

function checkNames(name: string | undefined, group: string | undefined, token?: string): void {
  const check = constraints()
  constrainName(check, 'name', name)
  constrainName(check, 'groupName', group)
  constrainToken(check, token)
  check.check()
}

export const listSchedules: Operation<ListSchedulesInput, ListSchedulesOutput> = {
  resources: ({ scope }) => [formatArn(scope, 'scheduler', 'schedule/*')],
  run: (context, input) => {
    const { GroupName, NamePrefix, State, NextToken, MaxResults } = input
    const check = constraints()
    constrainName(check, 'groupName', GroupName)
    constrainName(check, 'namePrefix', NamePrefix)
    check.oneOf('state', State, ['ENABLED', 'DISABLED'])
    check.number('maxResults', MaxResults, 1, 100)
    check.check()
    if (GroupName !== undefined) resolveGroup(context.store, context, GroupName)
    const { rows, nextToken } = schedulePage(
      (after) => schedulesAfter(context.store, context, input, after),
      {
        context,
        maxResults: MaxResults,
        nextToken: NextToken,
        parameters: { list: 'ListSchedules', GroupName, NamePrefix, State },
      },
      ({ scheduleArn }) => scheduleArn,
    )
    return { Schedules: rows.map(summaryOf), ...(nextToken !== undefined && { NextToken: nextToken }) }
  },
}

function* schedulesAfter(
  view: View,
  { scope }: Context,
  { GroupName, NamePrefix = '', State }: ListSchedulesInput,
  after: string | undefined,
): Generator<Schedule> {
  const key = scopeKey(scope)
  const rows =
    GroupName === undefined
      ? view.after('schedule', 'scope', key, after)
      : view.after('schedule', 'group', `${key}/${GroupName}`, after)
  for (const row of rows)
    if (row.name.startsWith(NamePrefix) && (State === undefined || row.state === State)) yield row
}

function headOf(row: Schedule) {
  return {
    Arn: row.scheduleArn,
    Name: row.name,
    GroupName: row.groupName,
    State: row.state,
    CreationDate: new Date(row.createdAt),
    LastModificationDate: new Date(row.modifiedAt),
  }
}

function summaryOf(row: Schedule) {
  return { ...headOf(row), Target: { Arn: row.target.Arn } }
}

function showSchedule(row: Schedule): GetScheduleOutput {
  const { startDate, endDate, description, kmsKeyArn } = row
  return {
    ...headOf(row),
    ScheduleExpression: row.scheduleExpression,
    ScheduleExpressionTimezone: row.timeZone,
    ...(startDate !== undefined && { StartDate: new Date(startDate) }),
    ...(endDate !== undefined && { EndDate: new Date(endDate) }),
    ...(description !== undefined && { Description: description }),
    ...(kmsKeyArn !== undefined && { KmsKeyArn: kmsKeyArn }),
    Target: row.target,
    FlexibleTimeWindow: row.flexibleTimeWindow,
    ActionAfterCompletion: row.actionAfterCompletion,
  }
}
