/** Schedule expressions, `rate(…)`, `cron(…)` and `at(…)`, and when they fire. */
import { parseCron, ScheduleError, type CronTimes } from './cron.ts'

/** Rules and schedules write nearly the same; where they differ, this says whose words are read. */
export type Dialect = 'rule' | 'scheduler'

export type ScheduleExpression =
  | { readonly kind: 'rate'; readonly periodMs: number }
  | { readonly kind: 'cron'; readonly times: CronTimes; readonly timeZone: string }
  /** Milliseconds since the epoch. */
  | { readonly kind: 'at'; readonly at: number }

const unitsMs = { minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const

/**
 * Reads an expression; `timeZone` (IANA) is where its wall clock hangs. Throws ScheduleError.
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
 */
export function parseScheduleExpression(
  text: string,
  dialect: Dialect,
  timeZone = 'UTC',
): ScheduleExpression {
  const [, kind = '', body = ''] = /^(rate|cron|at)\((.*)\)$/i.exec(text) ?? []
  const written = dialect === 'scheduler' ? kind.toLowerCase() : kind
  if (written === 'rate') return { kind: 'rate', periodMs: periodOf(body, dialect) }
  if (written === 'cron') {
    if (dialect === 'rule' && body.trim().split(/\s+/).length !== 6)
      throw new ScheduleError('a cron expression of a rule has six fields')
    return { kind: 'cron', times: parseCron(body), timeZone }
  }
  if (written === 'at' && dialect === 'scheduler') return { kind: 'at', at: momentOf(body, timeZone) }
  throw new ScheduleError(text)
}

/**
 * The first time after `after` at which it fires; undefined when it never does again. `from` is where rates count from:
 * it is the first of their times. All in milliseconds since the epoch.
 */
export function nextFire(
  expression: ScheduleExpression,
  { after, from }: { readonly after: number; readonly from: number },
): number | undefined {
  switch (expression.kind) {
    case 'rate': {
      if (after < from) return from
      const next = from + (Math.floor((after - from) / expression.periodMs) + 1) * expression.periodMs
      return next > timeMax ? undefined : next
    }
    case 'at':
      return expression.at > after ? expression.at : undefined
    case 'cron':
      return nextCron(expression.times, expression.timeZone, after)
  }
}

/** The last time after `after` and not after `until` at which it fires; undefined when there is none. */
export function lastFire(
  expression: ScheduleExpression,
  { after, until, from }: { readonly after: number; readonly until: number; readonly from: number },
): number | undefined {
  let last = nextFire(expression, { after, from })
  if (last === undefined || last > until) return undefined
  if (expression.kind === 'rate')
    return from + Math.floor((until - from) / expression.periodMs) * expression.periodMs
  // Halved, not walked: of a schedule of each minute there may have been thousands.
  for (let ruledOut = Math.floor(until); ruledOut > last;) {
    const middle = Math.floor((last + ruledOut) / 2)
    const next = nextFire(expression, { after: middle, from })
    if (next === undefined || next > until) ruledOut = middle
    else last = next
  }
  return last
}

/** Whether it is a name of the time zone database, such as `Europe/Berlin`. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name)
    return true
  } catch {
    return false
  }
}

/** The last that a Date can say. */
const timeMax = 8.64e15

/** A rule wants `1 hour` and `2 hours`; the scheduler takes either word. */
function periodOf(body: string, dialect: Dialect): number {
  const pattern = dialect === 'rule' ? /^(\d+) (minute|hour|day)(s?)$/ : /^(\d+) (minute|hour|day)(s?)$/i
  const [, value = '', unit = '', plural] = pattern.exec(body) ?? []
  const count = Number(value)
  if (count === 0 || (dialect === 'rule' && (plural === 's') === (count === 1)))
    throw new ScheduleError(`rate(${body})`)
  const periodMs = count * unitsMs[unit.toLowerCase() as keyof typeof unitsMs]
  if (periodMs > timeMax) throw new ScheduleError(`rate(${body})`)
  return periodMs
}

function momentOf(body: string, timeZone: string): number {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?$/.test(body)) throw new ScheduleError(`at(${body})`)
  try {
    // Of a time that the clock shows twice, the first; one that it leaves out is as much later as it is put forward.
    return Temporal.PlainDateTime.from(body).toZonedDateTime(timeZone).epochMilliseconds
  } catch (error) {
    throw new ScheduleError(`at(${body})`, { cause: error })
  }
}

/**
 * What the wall clock never shows in spring is left out; what it shows twice in autumn fires the first time.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
 */
function nextCron(times: CronTimes, timeZone: string, after: number): number | undefined {
  const wall = Temporal.Instant.fromEpochMilliseconds(Math.floor(after))
    .toZonedDateTimeISO(timeZone)
    .toPlainDateTime()
  // In the second pass of a repeated hour the times found first have been: they are passed over.
  let wallMs: number | undefined = wall.toZonedDateTime('UTC').epochMilliseconds
  while ((wallMs = times.after(wallMs)) !== undefined) {
    const moment = firstMomentOf(wallMs, timeZone)
    if (moment !== undefined && moment > after) return moment
  }
  return undefined
}

/** When the clock first shows this; undefined when it leaves it out. */
function firstMomentOf(wallMs: number, timeZone: string): number | undefined {
  const shown = Temporal.Instant.fromEpochMilliseconds(wallMs).toZonedDateTimeISO('UTC').toPlainDateTime()
  const zoned = shown.toZonedDateTime(timeZone, { disambiguation: 'earlier' })
  return zoned.toPlainDateTime().equals(shown) ? zoned.epochMilliseconds : undefined
}
