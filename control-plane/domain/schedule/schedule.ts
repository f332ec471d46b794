import type {
  ActionAfterCompletion,
  FlexibleTimeWindow,
  ScheduleState,
  Target,
} from '@aws-sdk/client-scheduler'
import type { Scope } from '#domain/arn.ts'
import { parseScheduleExpression } from './schedule-expression.ts'
import type { Due, Timing } from './timing.ts'

/** The group of schedules that name none; every account has it, so that it has no row. */
export const defaultGroup = 'default'

/** A group of EventBridge Scheduler. Times are in milliseconds since the epoch, here and below. */
export interface ScheduleGroup extends Scope {
  readonly scheduleGroupArn: string
  readonly name: string
  readonly createdAt: number
  readonly modifiedAt: number
  /** A digest of the request that made it, if it had a token: the same again makes no other. */
  readonly request?: string
}

/** A schedule of EventBridge Scheduler. */
export interface Schedule extends Scope {
  readonly scheduleArn: string
  readonly groupName: string
  readonly name: string
  readonly scheduleExpression: string
  readonly timeZone: string
  readonly startDate?: number
  readonly endDate?: number
  readonly description?: string
  readonly state: ScheduleState
  readonly kmsKeyArn?: string
  readonly target: Target
  readonly flexibleTimeWindow: FlexibleTimeWindow
  readonly actionAfterCompletion: ActionAfterCompletion
  readonly createdAt: number
  readonly modifiedAt: number
  /** As of a group. */
  readonly request?: string
  /** Where its rate counts from. */
  readonly ratesFrom: number
  /** When it runs next; absent while it is disabled, and when it never does again. */
  readonly next?: Due
}

/** Throws ScheduleError. */
export function scheduleTiming(
  schedule: Pick<
    Schedule,
    'scheduleExpression' | 'timeZone' | 'ratesFrom' | 'startDate' | 'endDate' | 'flexibleTimeWindow'
  >,
): Timing {
  const { scheduleExpression, timeZone, ratesFrom, startDate, endDate, flexibleTimeWindow } = schedule
  return {
    expression: parseScheduleExpression(scheduleExpression, 'scheduler', timeZone),
    ratesFrom,
    ...(startDate !== undefined && { startDate }),
    ...(endDate !== undefined && { endDate }),
    windowMs:
      flexibleTimeWindow.Mode === 'FLEXIBLE' ? (flexibleTimeWindow.MaximumWindowInMinutes ?? 0) * 60_000 : 0,
  }
}
