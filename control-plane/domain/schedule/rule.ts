import type { RuleState, Target } from '@aws-sdk/client-eventbridge'
import type { Scope } from '#domain/arn.ts'
import { parseScheduleExpression } from './schedule-expression.ts'
import type { Due, Timing } from './timing.ts'

/** A scheduled rule of EventBridge, on the default event bus. */
export interface Rule extends Scope {
  readonly ruleArn: string
  readonly name: string
  readonly scheduleExpression: string
  readonly state: RuleState
  readonly description?: string
  readonly roleArn?: string
  readonly createdBy: string
  /** Where its rate counts from, in milliseconds since the epoch. */
  readonly ratesFrom: number
  /** When it fires next; absent while it is disabled, and when it never does again. */
  readonly next?: Due
}

/** What a rule does when it fires: starts tasks, as AWS's shape says. */
export interface RuleTarget {
  readonly ruleArn: string
  readonly id: string
  /** The cluster. */
  readonly arn: string
  readonly target: Target
}

/** Throws ScheduleError. */
export function ruleTiming({
  scheduleExpression,
  ratesFrom,
}: Pick<Rule, 'scheduleExpression' | 'ratesFrom'>): Timing {
  return { expression: parseScheduleExpression(scheduleExpression, 'rule'), ratesFrom, windowMs: 0 }
}
