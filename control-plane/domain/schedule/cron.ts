/** AWS's cron expressions: those of EventBridge rules and of EventBridge Scheduler. */
import { Cron } from 'croner'

/** An expression that is none. Each service says so in words of its own. */
export class ScheduleError extends Error {}

interface Field {
  readonly from: number
  readonly to: number
  /** Names for the numbers from `from` on. */
  readonly names?: readonly string[]
  /** Letters besides `, - * /` that the field knows. */
  readonly special?: RegExp
  /** A range cannot run over the end, as `20-2` of hours does; and what is no number between the two is one all the same. */
  readonly open?: boolean
}

const months = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']
const fields = {
  minute: { from: 0, to: 59 },
  hour: { from: 0, to: 23 },
  dayOfMonth: { from: 1, to: 31, special: /^(?:L|LW|(?:[1-9]|[12]\d|3[01])W)$/ },
  month: { from: 1, to: 12, names: months },
  dayOfWeek: { from: 1, to: 7, names: weekdays, special: /^(?:L|(?:[1-7]|[A-Z]{3})(?:L|#[1-5]))$/ },
  // What stands beyond these years is accepted, as AWS does.
  year: { from: 1970, to: 2199, open: true },
} as const satisfies Readonly<Record<string, Field>>

/** The moments of a cron expression on a wall clock, without a zone: as milliseconds of a UTC that is not one. */
export interface CronTimes {
  /** The first after the given one; undefined when there is none. */
  after(wallMs: number): number | undefined
}

/**
 * Reads `minute hour day-of-month month day-of-week [year]`; without a year it is every one. One of the two days must be
 * `?`, weekdays count from 1, Sunday. Throws ScheduleError.
 * https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
 */
export function parseCron(text: string): CronTimes {
  const parts = text.trim().toUpperCase().split(/\s+/)
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = '', year = '*'] = parts
  if (parts.length < 5 || parts.length > 6)
    throw new ScheduleError('a cron expression has five or six fields')
  if ((dayOfMonth === '?') === (dayOfWeek === '?'))
    throw new ScheduleError('one of day of month and day of week must be ?')
  const pattern = [
    '0',
    plain(fields.minute, minute),
    plain(fields.hour, hour),
    dayOfMonth === '?' ? '*' : plain(fields.dayOfMonth, dayOfMonth),
    plain(fields.month, month),
    dayOfWeek === '?' ? '*' : weekday(dayOfWeek),
    plain(fields.year, year),
  ].join(' ')
  const cron = cronOf(pattern)
  return { after: (wallMs) => cron.nextRun(new Date(wallMs))?.getTime() }
}

function cronOf(pattern: string): Cron {
  try {
    // With an offset instead of a zone the library need not ask the time zone database, which is slow.
    return new Cron(pattern, { utcOffset: 0, mode: '7-part' })
  } catch (error) {
    throw new ScheduleError(pattern, { cause: error })
  }
}

/** The field as a list of numbers, which every cron reads alike. */
function plain(field: Field, text: string): string {
  if (text === '*') return '*'
  if (field.special?.test(text)) return text
  return [...new Set(text.split(',').flatMap((part) => numbersOf(field, part)))].join(',')
}

/** The library counts weekdays from 0. `L` alone is the last day of the week. */
function weekday(text: string): string {
  const field: Field = fields.dayOfWeek
  if (!field.special?.test(text)) {
    const numbers = plain(field, text)
    return numbers === '*' ? numbers : numbers.replaceAll(/\d+/g, (day) => String(Number(day) - 1))
  }
  if (text === 'L') return '6'
  const [, day = '', which = ''] = /^(\w+?)(L|#\d)$/.exec(text) ?? []
  return `${numberOf(field, day) - 1}${which === 'L' ? '#L' : which}`
}

function numbersOf(field: Field, part: string): number[] {
  const [range = '', step = '1', ...more] = part.split('/')
  if (more.length > 0 || !/^[1-9]\d*$/.test(step) || Number(step) > field.to) throw new ScheduleError(part)
  const [first = '', last, ...rest] = range.split('-')
  if (rest.length > 0 || (first === '*' && last !== undefined)) throw new ScheduleError(part)
  const from = first === '*' ? field.from : numberOf(field, first)
  const isAlone = first !== '*' && !part.includes('/')
  const to = last === undefined ? (isAlone ? from : field.to) : numberOf(field, last)
  if (to < from && field.open) throw new ScheduleError(`${part} runs backwards`)
  const span = field.to - field.from + 1
  const numbers: number[] = []
  for (let number = from; number <= (to < from ? to + span : to); number += Number(step))
    numbers.push(number > field.to && !field.open ? number - span : number)
  return numbers
}

function numberOf({ from, to, names = [], open = false }: Field, text: string): number {
  const named = names.indexOf(text)
  if (named !== -1) return from + named
  const number = /^\d{1,4}$/.test(text) ? Number(text) : NaN
  if (open ? number > 0 : number >= from && number <= to) return number
  throw new ScheduleError(`${text} is not between ${from} and ${to}`)
}
