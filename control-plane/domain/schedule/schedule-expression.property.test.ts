import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lastFire, nextFire, parseScheduleExpression } from './schedule-expression.ts'

interface Field {
  readonly text: string
  /** Whether a moment of the wall clock suits it. */
  readonly admits: (wall: Temporal.ZonedDateTime) => boolean
}

/** A field of numbers: any, one, a list, a range that may run over the end, or steps. */
function numbers(
  from: number,
  to: number,
  of: (wall: Temporal.ZonedDateTime) => number,
): fc.Arbitrary<Field> {
  const number = fc.integer({ min: from, max: to })
  return fc.oneof(
    fc.constant<Field>({ text: '*', admits: () => true }),
    fc.uniqueArray(number, { minLength: 1, maxLength: 4 }).map((list): Field => ({
      text: list.join(','),
      admits: (wall) => list.includes(of(wall)),
    })),
    fc.tuple(number, number).map(([first, last]): Field => ({
      text: `${first}-${last}`,
      admits: (wall) =>
        first <= last ? of(wall) >= first && of(wall) <= last : of(wall) >= first || of(wall) <= last,
    })),
    fc.tuple(number, fc.integer({ min: 1, max: to })).map(([first, step]): Field => ({
      text: `${first}/${step}`,
      admits: (wall) => of(wall) >= first && (of(wall) - first) % step === 0,
    })),
  )
}

const weekday = (wall: Temporal.ZonedDateTime): number => (wall.dayOfWeek % 7) + 1
const isLast = (wall: Temporal.ZonedDateTime): boolean => wall.day === wall.daysInMonth
const anyDay: Field = { text: '?', admits: () => true }
const daysOfMonth = fc.oneof(
  { weight: 3, arbitrary: numbers(1, 31, (wall) => wall.day) },
  { weight: 1, arbitrary: fc.constant<Field>({ text: 'L', admits: isLast }) },
  {
    weight: 1,
    arbitrary: fc.constant<Field>({
      text: 'LW',
      admits: (wall) =>
        wall.dayOfWeek <= 5 && (isLast(wall) || (wall.dayOfWeek === 5 && wall.day >= wall.daysInMonth - 2)),
    }),
  },
)
const daysOfWeek = fc.oneof(
  { weight: 3, arbitrary: numbers(1, 7, weekday) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 7 }).map((day): Field => ({
      text: `${day}L`,
      admits: (wall) => weekday(wall) === day && wall.day > wall.daysInMonth - 7,
    })),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 4 }))
      .map(([day, which]): Field => ({
        text: `${day}#${which}`,
        admits: (wall) => weekday(wall) === day && Math.ceil(wall.day / 7) === which,
      })),
  },
)
const anyCron = fc
  .tuple(
    numbers(0, 59, (wall) => wall.minute),
    numbers(0, 23, (wall) => wall.hour),
    fc.oneof(fc.tuple(daysOfMonth, fc.constant(anyDay)), fc.tuple(fc.constant(anyDay), daysOfWeek)),
    numbers(1, 12, (wall) => wall.month),
  )
  .map(([minute, hour, [dayOfMonth, dayOfWeek], month]) => [minute, hour, dayOfMonth, month, dayOfWeek])

const start = Date.UTC(2026, 0, 1)
const anyMoment = fc.integer({ min: start, max: Date.UTC(2028, 0, 1) })
const anyZone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe')

test('times ascend, suit their fields, and none is left out', () => {
  fc.assert(
    fc.property(anyCron, anyZone, anyMoment, (fields, zone, after) => {
      const text = `cron(${fields.map((field) => field.text).join(' ')} *)`
      const expression = parseScheduleExpression(text, 'scheduler', zone)
      const wallAt = (time: number) => Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(zone)
      const suits = (time: number): boolean => fields.every(({ admits }) => admits(wallAt(time)))
      /** Whether the clock shows it for the second time. */
      const repeated = (time: number): boolean =>
        wallAt(time).toPlainDateTime().toZonedDateTime(zone, { disambiguation: 'earlier' })
          .epochMilliseconds < time

      const next = nextFire(expression, { after, from: 0 })
      if (next === undefined) return
      expect(next).toBeGreaterThan(after)
      expect(next % 60_000).toBe(0)
      expect(suits(next) && !repeated(next)).toBe(true)
      const further = nextFire(expression, { after: next, from: 0 })
      expect(further ?? Infinity).toBeGreaterThan(next)
      // Of the minutes before it, those of the last hours at least were none.
      const firstMinute = Math.max(Math.floor(after / 60_000) + 1, next / 60_000 - 300)
      for (let minute = firstMinute; minute < next / 60_000; minute++)
        expect(suits(minute * 60_000) && !repeated(minute * 60_000)).toBe(false)
    }),
    { numRuns: 150 },
  )
})

test('the last time until a moment is one that has no other after it', () => {
  fc.assert(
    fc.property(anyCron, anyMoment, fc.integer({ min: 0, max: 40 * 86_400_000 }), (fields, after, length) => {
      const expression = parseScheduleExpression(
        `cron(${fields.map((field) => field.text).join(' ')} *)`,
        'rule',
      )
      const until = after + length
      const last = lastFire(expression, { after, until, from: 0 })
      const first = nextFire(expression, { after, from: 0 })
      expect(last === undefined).toBe(first === undefined || first > until)
      if (last === undefined) return
      expect(last <= until && last > after).toBe(true)
      expect(nextFire(expression, { after: last, from: 0 }) ?? Infinity).toBeGreaterThan(until)
      expect(nextFire(expression, { after: last - 1, from: 0 })).toBe(last)
    }),
    { numRuns: 100 },
  )
})
