/**
 * Starts tasks at the times of EventBridge's rules and of EventBridge Scheduler's schedules.
 *
 * When a row is due, one transaction starts its tasks and writes when it fires next, so that a crash at any moment neither
 * loses nor repeats a run. What became due while the control plane was down is made up for once, for the last of the
 * missed times, unless that is longer ago than the target's MaximumEventAgeInSeconds (a day when it does not say).
 * What cannot be started, for lack of room or because the cluster is gone, is reported and not tried again: AWS does not
 * retry a RunTask that answers failures, and what is refused once is refused the next second too.
 */
import type { RunTaskRequest } from '@aws-sdk/client-ecs'
import type { Ids } from '@berth/std/id.ts'
import type { Scope } from '#domain/arn.ts'
import { OverridesError } from '#domain/schedule/overrides-input.ts'
import { type RunOutcome, troubleOf } from '#domain/schedule/run-outcome.ts'
import { eventAgeMs, runRequest, type RunTarget, startedByOf } from '#domain/schedule/run-request.ts'
import { type Rule, ruleTiming } from '#domain/schedule/rule.ts'
import { type Schedule, scheduleTiming } from '#domain/schedule/schedule.ts'
import { lastMissed, nextDue } from '#domain/schedule/timing.ts'
import type { Transaction, View } from '#state/store.ts'
import type { Look, Reconciler } from './reconciler.ts'

export interface TaskSchedulesOptions {
  readonly ids: Ids
  /** RunTask within a transaction, as the role. */
  readonly run: (tx: Transaction, scope: Scope, roleArn: string, request: RunTaskRequest) => RunOutcome
  /** Told why a rule or schedule did not start all its tasks. */
  readonly report: (arn: string, trouble: string) => void
}

interface Trouble {
  readonly arn: string
  readonly text: string
}

/** A machine that slept is noticed at the next full look; a minute is as exact as AWS is. */
const periodMs = 60_000

export function taskSchedules(options: TaskSchedulesOptions): Reconciler<Trouble> {
  return {
    name: 'task-schedules',
    watches: { rule: (row) => row.ruleArn, schedule: (row) => row.scheduleArn },
    periodMs,
    everywhere: waiting,
    reconcile(tx, now, places) {
      const effects: Trouble[] = []
      const again: Array<{ readonly place: string; readonly at: number }> = []
      for (const place of places ?? waiting(tx)) {
        const at = lookAt(tx, now, place, options, (arn, text) => effects.push({ arn, text }))
        if (at !== undefined) again.push({ place, at })
      }
      return { effects, again } satisfies Look<Trouble>
    },
    perform: ({ arn, text }) => {
      options.report(arn, text)
      return Promise.resolve()
    },
  }
}

function* waiting(view: View): Generator<string> {
  for (const { ruleArn } of view.by('rule', 'waiting', 'all')) yield ruleArn
  for (const { scheduleArn } of view.by('schedule', 'waiting', 'all')) yield scheduleArn
}

type Tell = (arn: string, text: string) => void

/** Fires what is due; the time of the next look. */
function lookAt(
  tx: Transaction,
  now: number,
  arn: string,
  options: TaskSchedulesOptions,
  tell: Tell,
): number | undefined {
  const row = tx.find('rule', arn) ?? tx.find('schedule', arn)
  if (!row?.next || row.next.at > now) return row?.next?.at
  return 'ruleArn' in row ? fireRule(tx, now, row, options, tell) : runSchedule(tx, now, row, options, tell)
}

function fireRule(
  tx: Transaction,
  now: number,
  rule: Rule,
  options: TaskSchedulesOptions,
  tell: Tell,
): number | undefined {
  const { next: due, ...rest } = rule
  if (!due) return undefined
  const timing = ruleTiming(rule)
  const time = lastMissed(timing, due, now)
  const startedBy = startedByOf('events-rule', rule.name)
  for (const { target } of tx.by('ruleTarget', 'rule', rule.ruleArn))
    if (now - time <= eventAgeMs(target)) {
      const trouble = start(tx, rule, target, options, () => runRequest(target, startedBy))
      if (trouble !== undefined) tell(rule.ruleArn, `target ${target.Id}: ${trouble}`)
    }
  const next = nextDue(timing, time, () => options.ids.fraction())
  tx.put('rule', { ...rest, ...(next && { next }) })
  return next?.at
}

function runSchedule(
  tx: Transaction,
  now: number,
  schedule: Schedule,
  options: TaskSchedulesOptions,
  tell: Tell,
): number | undefined {
  const { next: due, ...rest } = schedule
  if (!due) return undefined
  const { scheduleArn, target, name } = schedule
  const timing = scheduleTiming(schedule)
  const time = lastMissed(timing, due, now)
  if (now - (time + timing.windowMs) <= eventAgeMs(target)) {
    const fillIn = placeholders(scheduleArn, time, options.ids)
    const trouble = start(tx, schedule, target, options, () =>
      runRequest(target, startedByOf('chronos-schedule', name), fillIn),
    )
    if (trouble !== undefined) tell(scheduleArn, trouble)
  }
  const next = nextDue(timing, time, () => options.ids.fraction())
  if (!next && schedule.actionAfterCompletion === 'DELETE') tx.delete('schedule', scheduleArn)
  else tx.put('schedule', { ...rest, ...(next && { next }) })
  return next?.at
}

/** Why not all tasks were started. */
function start(
  tx: Transaction,
  { accountId, region }: Scope,
  { RoleArn = '' }: RunTarget & { readonly RoleArn?: string | undefined },
  { run }: TaskSchedulesOptions,
  requestOf: () => RunTaskRequest,
): string | undefined {
  try {
    return troubleOf(run(tx, { accountId, region }, RoleArn, requestOf()))
  } catch (error) {
    if (error instanceof OverridesError) return error.message
    throw error
  }
}

/** https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html */
function placeholders(scheduleArn: string, time: number, ids: Ids): (input: string) => string {
  return (input) =>
    input
      .replaceAll('<aws.scheduler.schedule-arn>', scheduleArn)
      .replaceAll('<aws.scheduler.scheduled-time>', isoSeconds(time))
      .replaceAll('<aws.scheduler.execution-id>', () => ids.uuid())
      .replaceAll('<aws.scheduler.attempt-number>', '1')
}

function isoSeconds(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+/, '')
}
