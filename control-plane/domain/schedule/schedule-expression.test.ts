import { expect, test } from 'vitest'
import { ScheduleError } from './cron.ts'
import {
  type Dialect,
  isTimeZone,
  lastFire,
  nextFire,
  parseScheduleExpression,
  type ScheduleExpression,
} from './schedule-expression.ts'

const utc = (text: string): number => Date.parse(`${text.length === 16 ? `${text}:00` : text}Z`)
const shown = (time: number | undefined): string => new Date(time ?? Number.NaN).toISOString()

/** The first times after one, as long as there are that many. */
function times(
  expression: ScheduleExpression,
  start: number,
  count: number,
  from = start,
): readonly number[] {
  const found: number[] = []
  for (let after = start; found.length < count;) {
    const next = nextFire(expression, { after, from })
    if (next === undefined) break
    found.push(next)
    after = next
  }
  return found
}

/** Expression, zone, after when (UTC) and the times then (UTC). These times were found by trying each minute of calendars. */
const crons: ReadonlyArray<readonly [cron: string, zone: string, after: string, expected: string]> = [
  ['0 12 * * ? *', 'UTC', '2026-01-15T10:07', '2026-01-15T12:00 2026-01-16T12:00'],
  ['15 10 * * ? *', 'UTC', '2026-01-15T10:07', '2026-01-15T10:15 2026-01-16T10:15'],
  ['0 10 * * ? *', 'UTC', '2026-01-15T10:07', '2026-01-16T10:00 2026-01-17T10:00'],
  ['15 12 * * ? *', 'UTC', '2026-01-15T10:07', '2026-01-15T12:15 2026-01-16T12:15'],
  ['0 18 ? * MON-FRI *', 'UTC', '2026-01-15T10:07', '2026-01-15T18:00 2026-01-16T18:00'],
  ['0 8 1 * ? *', 'UTC', '2026-01-15T10:07', '2026-02-01T08:00 2026-03-01T08:00'],
  ['0/15 * * * ? *', 'UTC', '2026-01-15T10:07', '2026-01-15T10:15 2026-01-15T10:30'],
  ['0/10 * ? * MON-FRI *', 'UTC', '2026-01-15T10:07', '2026-01-15T10:10 2026-01-15T10:20'],
  ['0/5 8-17 ? * MON-FRI *', 'UTC', '2026-01-15T10:07', '2026-01-15T10:10 2026-01-15T10:15'],
  ['0/30 20-2 ? * MON-FRI *', 'UTC', '2026-01-15T10:07', '2026-01-15T20:00 2026-01-15T20:30'],
  ['*/5 * * * ? *', 'UTC', '2026-01-15T10:07', '2026-01-15T10:10 2026-01-15T10:15'],
  ['* * * * ? *', 'UTC', '2026-01-15T10:07', '2026-01-15T10:08 2026-01-15T10:09'],
  ['7-10 10 * * ? *', 'UTC', '2026-01-15T10:07', '2026-01-15T10:08 2026-01-15T10:09'],
  ['5,35 9,17 * * ? *', 'UTC', '2026-01-15T10:07', '2026-01-15T17:05 2026-01-15T17:35'],
  ['0-15/5 8-10/2 * * ? *', 'UTC', '2026-01-15T10:07', '2026-01-15T10:10 2026-01-15T10:15'],
  ['59 23 31 12 ? *', 'UTC', '2026-01-15T10:07', '2026-12-31T23:59 2027-12-31T23:59'],
  ['0 0 1 JAN ? *', 'UTC', '2026-01-15T10:07', '2027-01-01T00:00 2028-01-01T00:00'],
  ['0 0 1 jan,jul ? *', 'UTC', '2026-01-15T10:07', '2026-07-01T00:00 2027-01-01T00:00'],
  ['0 0 1 1/3 ? *', 'UTC', '2026-01-15T10:07', '2026-04-01T00:00 2026-07-01T00:00'],
  ['0 0 */10 * ? *', 'UTC', '2026-01-15T10:07', '2026-01-21T00:00 2026-01-31T00:00'],
  ['0 0 1-7 * ? *', 'UTC', '2026-01-15T10:07', '2026-02-01T00:00 2026-02-02T00:00'],
  ['0 0 25-5 * ? *', 'UTC', '2026-01-15T10:07', '2026-01-25T00:00 2026-01-26T00:00'],
  ['50-10/5 * * * ? *', 'UTC', '2026-01-15T10:07', '2026-01-15T10:10 2026-01-15T10:50'],
  ['0 22-3/2 * * ? *', 'UTC', '2026-01-15T10:07', '2026-01-15T22:00 2026-01-16T00:00'],
  ['0 0 1 NOV-FEB ? *', 'UTC', '2026-01-15T10:07', '2026-02-01T00:00 2026-11-01T00:00'],
  ['0 9 ? * SAT-SUN *', 'UTC', '2026-01-15T10:07', '2026-01-17T09:00 2026-01-18T09:00'],
  ['0 9 ? * FRI-MON *', 'UTC', '2026-01-15T10:07', '2026-01-16T09:00 2026-01-17T09:00'],
  ['0 9 ? * 7-1 *', 'UTC', '2026-01-15T10:07', '2026-01-17T09:00 2026-01-18T09:00'],
  ['0 9 ? * 1 *', 'UTC', '2026-01-15T10:07', '2026-01-18T09:00 2026-01-25T09:00'],
  ['0 9 ? * 7 *', 'UTC', '2026-01-15T10:07', '2026-01-17T09:00 2026-01-24T09:00'],
  ['0 9 ? * SUN *', 'UTC', '2026-01-15T10:07', '2026-01-18T09:00 2026-01-25T09:00'],
  ['0 9 ? * MON,WED,FRI *', 'UTC', '2026-01-15T10:07', '2026-01-16T09:00 2026-01-19T09:00'],
  ['0 9 ? * 2/2 *', 'UTC', '2026-01-15T10:07', '2026-01-16T09:00 2026-01-19T09:00'],
  ['0 9 ? * */3 *', 'UTC', '2026-01-15T10:07', '2026-01-17T09:00 2026-01-18T09:00'],
  ['0 0 L * ? *', 'UTC', '2026-01-15T10:07', '2026-01-31T00:00 2026-02-28T00:00'],
  ['0 0 LW * ? *', 'UTC', '2026-01-15T10:07', '2026-01-30T00:00 2026-02-27T00:00'],
  ['0 0 1W * ? *', 'UTC', '2026-01-15T10:07', '2026-02-02T00:00 2026-03-02T00:00'],
  ['0 0 15W * ? *', 'UTC', '2026-01-15T10:07', '2026-02-16T00:00 2026-03-16T00:00'],
  ['0 0 31W * ? *', 'UTC', '2026-01-15T10:07', '2026-01-30T00:00 2026-03-31T00:00'],
  ['0 0 30W * ? *', 'UTC', '2026-01-15T10:07', '2026-01-30T00:00 2026-03-30T00:00'],
  ['0 0 3W 5 ? *', 'UTC', '2026-01-15T10:07', '2026-05-04T00:00 2027-05-03T00:00'],
  ['15 10 ? * 6L *', 'UTC', '2026-01-15T10:07', '2026-01-30T10:15 2026-02-27T10:15'],
  ['15 10 ? * FRIL *', 'UTC', '2026-01-15T10:07', '2026-01-30T10:15 2026-02-27T10:15'],
  ['0 0 ? * L *', 'UTC', '2026-01-15T10:07', '2026-01-17T00:00 2026-01-24T00:00'],
  ['0 0 ? * 1L *', 'UTC', '2026-01-15T10:07', '2026-01-25T00:00 2026-02-22T00:00'],
  ['0 0 ? * 7L *', 'UTC', '2026-01-15T10:07', '2026-01-31T00:00 2026-02-28T00:00'],
  ['0 0 ? * 3#2 *', 'UTC', '2026-01-15T10:07', '2026-02-10T00:00 2026-03-10T00:00'],
  ['0 0 ? * TUE#1 *', 'UTC', '2026-01-15T10:07', '2026-02-03T00:00 2026-03-03T00:00'],
  ['0 0 ? * 6#5 *', 'UTC', '2026-01-15T10:07', '2026-01-30T00:00 2026-05-29T00:00'],
  ['0 0 29 2 ? *', 'UTC', '2026-01-15T10:07', '2028-02-29T00:00 2032-02-29T00:00'],
  ['0 0 30 * ? *', 'UTC', '2026-01-15T10:07', '2026-01-30T00:00 2026-03-30T00:00'],
  ['0 0 31 * ? *', 'UTC', '2026-01-15T10:07', '2026-01-31T00:00 2026-03-31T00:00'],
  ['0 0 31 4,5 ? *', 'UTC', '2026-01-15T10:07', '2026-05-31T00:00 2027-05-31T00:00'],
  ['0 0 1 1 ? 2030', 'UTC', '2026-01-15T10:07', '2030-01-01T00:00'],
  ['0 0 1 1 ? 2028-2030', 'UTC', '2026-01-15T10:07', '2028-01-01T00:00 2029-01-01T00:00'],
  ['0 0 1 1 ? 2027/3', 'UTC', '2026-01-15T10:07', '2027-01-01T00:00 2030-01-01T00:00'],
  ['0 0 1 1 ? */4', 'UTC', '2026-01-15T10:07', '2030-01-01T00:00 2034-01-01T00:00'],
  ['0 0 29 2 ? 2028', 'UTC', '2026-01-15T10:07', '2028-02-29T00:00'],
  ['0 12 ? * * *', 'UTC', '2026-01-15T10:07', '2026-01-15T12:00 2026-01-16T12:00'],
  ['0 0 ? JUN MON#1 *', 'UTC', '2026-01-15T10:07', '2026-06-01T00:00 2027-06-07T00:00'],
  ['30 8 ? * TUE-SAT *', 'UTC', '2026-01-15T10:07', '2026-01-16T08:30 2026-01-17T08:30'],
  ['8-8 10-10 ? * 2,3,4,5,6,7 *', 'UTC', '2026-01-15T10:07', '2026-01-15T10:08 2026-01-16T10:08'],
  ['0-15/1 8-8 ? * 2,3,4,5,6,7 *', 'UTC', '2026-01-15T10:07', '2026-01-16T08:00 2026-01-16T08:01'],
  ['1-31/30 1-1 ? * 1,7 *', 'UTC', '2026-01-15T10:07', '2026-01-17T01:01 2026-01-17T01:31'],
  ['0 0 L 2 ? *', 'UTC', '2026-01-15T10:07', '2026-02-28T00:00 2027-02-28T00:00'],
  ['0 0 LW 2 ? *', 'UTC', '2026-01-15T10:07', '2026-02-27T00:00 2027-02-26T00:00'],
  ['15 10 ? * 6L 2027-2028', 'UTC', '2026-01-15T10:07', '2027-01-29T10:15 2027-02-26T10:15'],
  ['45 */4 ? * SAT-SUN *', 'UTC', '2026-01-15T10:07', '2026-01-17T00:45 2026-01-17T04:45'],
  ['0/10 8-15 ? * SAT-SUN *', 'UTC', '2026-01-15T10:07', '2026-01-17T08:00 2026-01-17T08:10'],
  ['15 10 ? * 6L 2030', 'UTC', '2026-01-15T10:07', '2030-01-25T10:15 2030-02-22T10:15 2030-03-29T10:15'],
  ['0 10 1 1 ? 2026', 'UTC', '2025-12-31T23:59', '2026-01-01T10:00'],
  ['0 0 29 2 ? *', 'UTC', '2096-03-01T00:00', '2104-02-29T00:00 2108-02-29T00:00'],
  ['0 10 * * ? *', 'UTC', '2026-01-15T10:00', '2026-01-16T10:00 2026-01-17T10:00'],
  ['0 10 * * ? *', 'UTC', '2026-01-15T09:59', '2026-01-15T10:00 2026-01-16T10:00'],
  ['0 0 28 2 ? *', 'UTC', '2026-02-27T23:59', '2026-02-28T00:00 2027-02-28T00:00'],
  ['0 12 * * ?', 'UTC', '2026-01-15T10:07', '2026-01-15T12:00 2026-01-16T12:00'],
  ['0/20 9-10 ? * MON-FRI', 'UTC', '2026-01-15T10:07', '2026-01-15T10:20 2026-01-15T10:40'],
  ['30 6 L * ?', 'UTC', '2026-01-15T10:07', '2026-01-31T06:30 2026-02-28T06:30'],
  ['0 0 ? 12 2#1', 'UTC', '2026-01-15T10:07', '2026-12-07T00:00 2027-12-06T00:00'],
  [
    '30 2 * * ? *',
    'America/Los_Angeles',
    '2026-03-07T00:00',
    '2026-03-07T10:30 2026-03-09T09:30 2026-03-10T09:30',
  ],
  ['30 2 * * ? *', 'America/Los_Angeles', '2026-03-08T09:00', '2026-03-09T09:30 2026-03-10T09:30'],
  [
    '30 1 * * ? *',
    'America/Los_Angeles',
    '2026-10-31T12:00',
    '2026-11-01T08:30 2026-11-02T09:30 2026-11-03T09:30',
  ],
  ['30 1 * * ? *', 'America/Los_Angeles', '2026-11-01T08:31', '2026-11-02T09:30 2026-11-03T09:30'],
  [
    '0/30 * * * ? *',
    'America/Los_Angeles',
    '2026-11-01T07:45',
    '2026-11-01T08:00 2026-11-01T08:30 2026-11-01T10:00 2026-11-01T10:30 2026-11-01T11:00 2026-11-01T11:30',
  ],
  [
    '0/30 * * * ? *',
    'America/Los_Angeles',
    '2026-03-08T09:15',
    '2026-03-08T09:30 2026-03-08T10:00 2026-03-08T10:30 2026-03-08T11:00',
  ],
  ['0 3 * * ? *', 'America/Los_Angeles', '2026-03-08T08:00', '2026-03-08T10:00 2026-03-09T10:00'],
  ['0 2 * * ? *', 'Europe/Berlin', '2026-03-28T00:00', '2026-03-28T01:00 2026-03-30T00:00 2026-03-31T00:00'],
  ['30 2 * * ? *', 'Europe/Berlin', '2026-10-24T12:00', '2026-10-25T00:30 2026-10-26T01:30'],
  ['59 2 * * ? *', 'Europe/Berlin', '2026-10-25T00:58', '2026-10-25T00:59 2026-10-26T01:59'],
  [
    '0 * * * ? *',
    'Europe/Berlin',
    '2026-10-24T23:30',
    '2026-10-25T00:00 2026-10-25T02:00 2026-10-25T03:00 2026-10-25T04:00',
  ],
  ['0 9 ? * MON-FRI *', 'Europe/London', '2026-03-27T12:00', '2026-03-30T08:00 2026-03-31T08:00'],
  ['0 1 * * ? *', 'Europe/London', '2026-03-28T12:00', '2026-03-30T00:00 2026-03-31T00:00'],
  ['0 9 * * ? *', 'Asia/Tokyo', '2026-01-15T10:07', '2026-01-16T00:00 2026-01-17T00:00'],
  ['30 9 * * ? *', 'Asia/Kolkata', '2026-01-15T10:07', '2026-01-16T04:00 2026-01-17T04:00'],
  ['0 0 * * ? *', 'Asia/Kathmandu', '2026-01-15T10:07', '2026-01-15T18:15 2026-01-16T18:15'],
  [
    '15 2 * * ? *',
    'Australia/Lord_Howe',
    '2026-10-03T00:00',
    '2026-10-04T15:15 2026-10-05T15:15 2026-10-06T15:15',
  ],
  [
    '45 1 * * ? *',
    'Australia/Lord_Howe',
    '2026-04-04T00:00',
    '2026-04-04T14:45 2026-04-05T15:15 2026-04-06T15:15',
  ],
  ['0 12 * * ? *', 'Pacific/Apia', '2011-12-28T00:00', '2011-12-28T22:00 2011-12-29T22:00 2011-12-30T22:00'],
  ['0 0 L * ? *', 'America/New_York', '2026-01-15T10:07', '2026-01-31T05:00 2026-02-28T05:00'],
  ['0 0 1 * ? *', 'Pacific/Kiritimati', '2026-01-15T10:07', '2026-01-31T10:00 2026-02-28T10:00'],
  ['0 0 * * ? *', 'America/Sao_Paulo', '2018-11-03T12:00', '2018-11-05T02:00 2018-11-06T02:00'],
  ['30 2 ? * 1 *', 'America/New_York', '2026-03-01T12:00', '2026-03-15T06:30 2026-03-22T06:30'],
  ['0 0 29 2 ? *', 'Australia/Sydney', '2026-01-15T10:07', '2028-02-28T13:00 2032-02-28T13:00'],
  ['0 23 31 12 ? *', 'Asia/Shanghai', '2026-01-15T10:07', '2026-12-31T15:00 2027-12-31T15:00'],
  [
    '* * * * ? *',
    'Europe/Berlin',
    '2026-10-25T00:58:30',
    '2026-10-25T00:59 2026-10-25T02:00 2026-10-25T02:01',
  ],
]

test.each(crons)('cron(%s) in %s after %s fires at %s', (cron, zone, after, expected) => {
  const wanted = expected.split(' ')
  const expression = parseScheduleExpression(`cron(${cron})`, 'scheduler', zone)
  expect(times(expression, utc(after), wanted.length).map(shown)).toEqual(
    wanted.map((time) => shown(utc(time))),
  )
})

test.each(crons.filter(([cron, zone]) => zone === 'UTC' && cron.split(' ').length === 6))(
  'cron(%s) of a rule means the same',
  (cron, _, after, expected) => {
    const expression = parseScheduleExpression(`cron(${cron})`, 'rule')
    const wanted = expected.split(' ')
    expect(times(expression, utc(after), wanted.length).map(shown)).toEqual(
      wanted.map((time) => shown(utc(time))),
    )
  },
)

test('a year that is over, or a day that never is, never fires', () => {
  for (const cron of ['0 0 1 1 ? 2025', '0 0 30 2 ? *', '0 0 31 2,4,6,9,11 ? *', '0 0 29 2 ? 2027'])
    expect(times(parseScheduleExpression(`cron(${cron})`, 'rule'), utc('2026-01-15T10:07'), 1)).toEqual([])
})

test.each<readonly [string, Dialect, number]>([
  ['rate(1 minute)', 'rule', 60_000],
  ['rate(5 minutes)', 'rule', 300_000],
  ['rate(1 hour)', 'rule', 3_600_000],
  ['rate(12 hours)', 'rule', 43_200_000],
  ['rate(1 day)', 'rule', 86_400_000],
  ['rate(30 days)', 'rule', 2_592_000_000],
  ['rate(1 minutes)', 'scheduler', 60_000],
  ['rate(5 minute)', 'scheduler', 300_000],
  ['RATE(2 Hours)', 'scheduler', 7_200_000],
  ['Rate(7 days)', 'scheduler', 604_800_000],
])('%s of a %s fires every %i ms from its first time on', (text, dialect, periodMs) => {
  const expression = parseScheduleExpression(text, dialect)
  const from = utc('2026-01-15T10:07:13.250')
  expect(times(expression, from - 1, 3, from)).toEqual([from, from + periodMs, from + 2 * periodMs])
  expect(nextFire(expression, { after: from + periodMs - 1, from })).toBe(from + periodMs)
})

test.each([
  ['at(2026-11-20T13:00:00)', 'UTC', '2026-11-20T13:00'],
  ['at(2026-11-20T13:00)', 'UTC', '2026-11-20T13:00'],
  ['AT(2026-11-20T13:00:30)', 'UTC', '2026-11-20T13:00:30'],
  ['at(2026-11-20T13:00:00)', 'America/New_York', '2026-11-20T18:00'],
  ['at(2026-06-20T13:00:00)', 'Europe/Berlin', '2026-06-20T11:00'],
  ['at(2026-10-25T02:30:00)', 'Europe/Berlin', '2026-10-25T00:30'],
])('%s in %s fires once, at %s', (text, zone, expected) => {
  const expression = parseScheduleExpression(text, 'scheduler', zone)
  expect(times(expression, utc('2026-01-01T00:00'), 2).map(shown)).toEqual([shown(utc(expected))])
  expect(nextFire(expression, { after: utc(expected), from: 0 })).toBeUndefined()
})

const invalid = [
  'rate()',
  'rate(10)',
  'rate(0 minutes)',
  'rate(-10 minutes)',
  'rate(1.5 hours)',
  'rate(10 seconds)',
  'rate(5 weeks)',
  'rate(10 years)',
  'rate(10 minutess)',
  'rate(foo minutes)',
  'rate( 10 minutes )',
  ' rate(10 minutes)',
  'rate(10 minutes) ',
  'rate(10  minutes)',
  'rate 10 minutes',
  'rate(99999999999999 days)',
  'cron()',
  'cron(INVALID)',
  'cron(0 12 * *)',
  'cron(0 12 * * * * *)',
  'cron(0 1 * * * *)',
  'cron(7 20 * * 1-7 *)',
  'cron(7 20 * * NOT *)',
  'cron(0 12 ? * ? *)',
  'cron(0 dummy ? * MON-FRI *)',
  'cron(60 8 1 * ? *)',
  'cron(71 8 1 * ? *)',
  'cron(0 24 1 * ? *)',
  'cron(0 8 0 * ? *)',
  'cron(0 8 32 * ? *)',
  'cron(0 8 1 0 ? *)',
  'cron(0 8 1 13 ? *)',
  'cron(0 8 1 FOO ? *)',
  'cron(0 8 ? * 0 *)',
  'cron(0 8 ? * 8 *)',
  'cron(15 12 ? * -1 *)',
  'cron(0 8 ? * MON-FOO *)',
  'cron(0 8 ? * 3#6 *)',
  'cron(0 8 ? * 3#0 *)',
  'cron(0 8 ? * 3#1,5#2 *)',
  'cron(0 8 ? * 8L *)',
  'cron(0 8 0W * ? *)',
  'cron(0 8 32W * ? *)',
  'cron(0 8 L,15 * ? *)',
  'cron(0 8 1,15W * ? *)',
  'cron(L 8 * * ? *)',
  'cron(? 8 * * ? *)',
  'cron(*/60 * * * ? *)',
  'cron(0 */24 * * ? *)',
  'cron(0/0 * * * ? *)',
  'cron(0/5/5 * * * ? *)',
  'cron(1-2-3 * * * ? *)',
  'cron(*-5 * * * ? *)',
  'cron(5- * * * ? *)',
  'cron(1,,2 * * * ? *)',
  'cron(0 0 1 1 ? 2030-2028)',
  'cron(0 0 1 1 ? year)',
  'at(2026-12-31)',
  'at(2026-12-31T23:59:59Z)',
  'at(2026-12-31T23:59:59.5)',
  'at(2026-02-30T10:00:00)',
  'at(2026-12-31 23:59:59)',
  'at()',
  'every(5 minutes)',
  '',
]
test.each(invalid.flatMap((text) => [['rule', text] as const, ['scheduler', text] as const]))(
  'a %s has no expression %j',
  (dialect, text) => {
    expect(() => parseScheduleExpression(text, dialect)).toThrow(ScheduleError)
  },
)

test.each([
  'rate(1 minutes)',
  'rate(1 hours)',
  'rate(5 minute)',
  'RATE(5 minutes)',
  'rate(5 Minutes)',
  'CRON(0 12 * * ? *)',
  'cron(0 12 * * ?)',
  'at(2026-11-20T13:00:00)',
])('what a schedule may say and a rule may not: %s', (text) => {
  expect(() => parseScheduleExpression(text, 'rule')).toThrow(ScheduleError)
  expect(() => parseScheduleExpression(text, 'scheduler')).not.toThrow()
})

test.each([
  ['rate(1 minute)', '2026-01-15T10:00', '2026-01-16T10:00:30', '2026-01-16T10:00'],
  ['cron(0 9 * * ? *)', '2026-01-15T10:00', '2026-03-01T08:59', '2026-02-28T09:00'],
  ['cron(0 9 * * ? *)', '2026-01-15T10:00', '2026-01-16T09:00', '2026-01-16T09:00'],
  ['cron(* 9-16 * * ? *)', '2026-01-15T10:00', '2026-01-15T23:00', '2026-01-15T16:59'],
])('the last time of %s after %s, until %s, is %s', (text, after, until, expected) => {
  const expression = parseScheduleExpression(text, 'rule')
  const bounds = { after: utc(after), until: utc(until), from: utc(after) }
  expect(shown(lastFire(expression, bounds))).toBe(shown(utc(expected)))
})

test('there is no last time where there was none', () => {
  const expression = parseScheduleExpression('cron(0 9 * * ? *)', 'rule')
  const bounds = { after: utc('2026-01-15T10:00'), until: utc('2026-01-16T08:59'), from: 0 }
  expect(lastFire(expression, bounds)).toBeUndefined()
})

test.each([
  ['UTC', true],
  ['Europe/Berlin', true],
  ['America/Argentina/Buenos_Aires', true],
  ['+01:00', false],
  ['Mars/Base', false],
  ['', false],
])('%s is a time zone: %s', (name, expected) => {
  expect(isTimeZone(name)).toBe(expected)
})
