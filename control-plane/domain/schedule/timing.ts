import { lastFire, nextFire, type ScheduleExpression } from './schedule-expression.ts'

/** When something fires. All times are in milliseconds since the epoch. */
export interface Timing {
  readonly expression: ScheduleExpression
  /** Where a rate counts from. */
  readonly ratesFrom: number
  /** Neither holds for what fires once. */
  readonly startDate?: number
  readonly endDate?: number
  /** How much later than its time each run may be. */
  readonly windowMs: number
}

/** A time of a schedule that is still to come. */
export interface Due {
  /** The time that its expression says. */
  readonly time: number
  /** When its tasks are started: `time`, or a moment in its flexible window that was drawn once. */
  readonly at: number
}

/** The first time after a moment; `fraction` draws from 0 up to 1. */
export function nextDue(timing: Timing, after: number, fraction: () => number): Due | undefined {
  const { expression, ratesFrom, windowMs } = timing
  const { startDate = -Infinity, endDate = Infinity } = boundsOf(timing)
  const time = nextFire(expression, { after: Math.max(after, startDate - 1), from: ratesFrom })
  if (time === undefined || time > endDate) return undefined
  return { time, at: windowMs === 0 ? time : time + Math.floor(fraction() * windowMs) }
}

/**
 * Of the times from a due one on whose windows are over, the last: what was missed is run once, not once for each time.
 * The due one itself when it is not late.
 */
export function lastMissed(timing: Timing, { time }: Due, now: number): number {
  const { expression, ratesFrom, windowMs } = timing
  const { endDate = Infinity } = boundsOf(timing)
  const until = Math.min(now - windowMs, endDate)
  return lastFire(expression, { after: time, until, from: ratesFrom }) ?? time
}

function boundsOf(timing: Timing): Pick<Timing, 'startDate' | 'endDate'> {
  return timing.expression.kind === 'at' ? {} : timing
}
