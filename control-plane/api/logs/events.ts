import type {
  FilterLogEventsRequest,
  FilterLogEventsResponse,
  GetLogEventsRequest,
  GetLogEventsResponse,
  InputLogEvent,
  PutLogEventsRequest,
  PutLogEventsResponse,
} from '@aws-sdk/client-cloudwatch-logs'
import type { LogEvent, Position, ReadAnswer, ReadQuery } from '@berth/log-store/log-store.ts'
import type { Context } from '#api/operation.ts'
import { admit, type Admission, type LogGroup, retainedFrom } from '#domain/logs/log-group.ts'
import { patternOf } from './metric-filter.ts'
import { constrainStreamName, invalidParameter, logConstraints, resolveGroup } from './resolve.ts'
import { groupOfStream, sequenceToken } from './stream.ts'

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html */
const batchEventsMax = 10_000
const batchBytesMax = 1_048_576
const eventOverheadBytes = 26
const batchSpanMs = 24 * 3_600_000

/** What of a batch goes to which group's store, and how the rest is answered. */
interface Put {
  readonly group: LogGroup
  readonly events: readonly LogEvent[]
  readonly answer: PutLogEventsResponse
}

/** Throws InvalidParameterException and ResourceNotFoundException. */
export function planPut(context: Context, input: PutLogEventsRequest): Put {
  const { logEvents = [] } = input
  const check = logConstraints()
  // Not shown as AWS does: it would show all of them.
  if (logEvents.length === 0) check.items('logEvents', logEvents, 1, batchEventsMax)
  for (const [index, { timestamp, message }] of logEvents.entries()) {
    if (message === '') check.text(`logEvents.${index + 1}.member.message`, message, {})
    if (timestamp !== undefined && timestamp < 0)
      check.number(`logEvents.${index + 1}.member.timestamp`, timestamp, 0, Infinity)
  }
  check.check()
  checkBatch(logEvents)
  const group = groupOfStream(context, input)
  const now = context.clock.now()
  const admission = admit(logEvents, group, now)
  const taken = logEvents.slice(admission.from, Math.max(admission.from, admission.until))
  return {
    group,
    events: taken.map(({ timestamp = 0, message = '' }) => ({ timestamp, message })),
    answer: { nextSequenceToken: sequenceToken(now), ...rejections(admission) },
  }
}

function checkBatch(events: readonly InputLogEvent[]): void {
  if (events.length > batchEventsMax)
    invalidParameter(
      `1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length less than or equal to ${batchEventsMax}`,
    )
  let bytes = 0
  for (const { message = '' } of events) {
    const size = Buffer.byteLength(message) + eventOverheadBytes
    if (size > batchBytesMax)
      invalidParameter(`Log event too large: ${size} bytes exceeds limit of ${batchBytesMax}`)
    bytes += size
  }
  if (bytes > batchBytesMax)
    invalidParameter(`Upload too large: ${bytes} bytes exceeds limit of ${batchBytesMax}`)
  if (events.some(({ timestamp = 0 }, index) => timestamp < (events[index - 1]?.timestamp ?? 0)))
    invalidParameter('Log events in a single PutLogEvents request must be in chronological order.')
  if ((events.at(-1)?.timestamp ?? 0) - (events[0]?.timestamp ?? 0) > batchSpanMs)
    invalidParameter(
      'The batch of log events in a single PutLogEvents request cannot span more than 24 hours.',
    )
}

function rejections({ tooOldEnd, expiredEnd, tooNewStart }: Admission): PutLogEventsResponse {
  if (tooOldEnd === undefined && expiredEnd === undefined && tooNewStart === undefined) return {}
  return {
    rejectedLogEventsInfo: {
      ...(tooOldEnd !== undefined && { tooOldLogEventEndIndex: tooOldEnd }),
      ...(expiredEnd !== undefined && { expiredLogEventEndIndex: expiredEnd }),
      ...(tooNewStart !== undefined && { tooNewLogEventStartIndex: tooNewStart }),
    },
  }
}

/** An answer holds as many events as are asked for, as 1 MiB holds. */
const answerBytesMax = 1_048_576
const answerEventsMax = 10_000
/** Then what was found so far is answered, and a token to go on with. */
const budgetMs = 500

function checkRange(startTime: number | undefined, endTime: number | undefined, limit: number): void {
  const check = logConstraints()
  check.number('startTime', startTime, 0, Infinity)
  check.number('endTime', endTime, 0, Infinity)
  check.number('limit', limit, 1, answerEventsMax)
  check.check()
}

interface Get {
  readonly group: LogGroup
  readonly query: ReadQuery
  /** Whether what is found last stands first in the answer. */
  readonly turned: boolean
  readonly token: Token | undefined
}

/** Throws InvalidParameterException and ResourceNotFoundException. */
export function planGet(context: Context, input: GetLogEventsRequest): Get {
  const { startTime = 0, endTime = Infinity, limit = answerEventsMax, startFromHead = false } = input
  const check = logConstraints()
  constrainStreamName(check, input.logStreamName)
  check.check()
  checkRange(input.startTime, input.endTime, limit)
  const token = input.nextToken === undefined ? undefined : tokenOf(input.nextToken)
  const group = resolveGroup(context.store, context, input)
  const descending = token ? token.direction === 'b' : !startFromHead
  return {
    group,
    turned: descending,
    token,
    query: {
      streams: { names: [input.logStreamName ?? ''] },
      from: Math.max(startTime, retainedFrom(group, context.clock.now())),
      until: endTime,
      ...(token && { after: token.at }),
      descending,
      limit,
      bytesMax: answerBytesMax,
      budgetMs: Infinity,
    },
  }
}

export function showGet({ turned, token, query }: Get, { events }: ReadAnswer): GetLogEventsResponse {
  const ordered = turned ? events.toReversed() : events
  const [first, last] = [ordered[0], ordered.at(-1)]
  const start = { timestamp: query.from, sequence: 0 }
  const [forward, backward] = last && first ? [last, first] : around(token, start)
  return {
    events: ordered.map(({ timestamp, message, ingestedAt }) => ({
      timestamp,
      message,
      ingestionTime: ingestedAt,
    })),
    nextForwardToken: `f/${digits(forward)}/s`,
    nextBackwardToken: `b/${digits(backward)}/s`,
  }
}

/**
 * The places behind and before nothing. A token that led to nothing is answered again; the one for the way back gives
 * what was shown last once more, though it is behind the token's place.
 */
function around(token: Token | undefined, start: Position): readonly [Position, Position] {
  if (!token) return [start, start]
  const { at, direction } = token
  const { timestamp, sequence } = at
  return direction === 'f'
    ? [at, { timestamp, sequence: sequence + 1 }]
    : [{ timestamp, sequence: Math.max(0, sequence - 1) }, at]
}

interface Token {
  readonly direction: 'f' | 'b'
  readonly at: Position
}

const timeDigits = 20
const sequenceDigits = 36

/** The 56 digits that AWS calls events and places by. */
function digits({ timestamp, sequence }: Position): string {
  return String(timestamp).padStart(timeDigits, '0') + String(sequence).padStart(sequenceDigits, '0')
}

function tokenOf(text: string): Token {
  const [, direction, time, sequence] = /^([fb])\/(\d{20})(\d{36})(?:\/s)?$/.exec(text) ?? []
  if (direction !== 'f' && direction !== 'b') invalidParameter('The specified nextToken is invalid.')
  return { direction, at: { timestamp: Number(time), sequence: Number(sequence) } }
}

/** Only from here on are events found from their end: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html */
const backwardFrom = Date.UTC(2024, 0, 1)

/** Throws InvalidParameterException and ResourceNotFoundException. */
export function planFilter(
  context: Context,
  input: FilterLogEventsRequest,
): { readonly group: LogGroup; readonly query: ReadQuery } {
  const { logStreamNames, logStreamNamePrefix, filterPattern, limit = answerEventsMax } = input
  const { startTime = 0, endTime, startFromHead = true } = input
  const check = logConstraints()
  check.items('logStreamNames', logStreamNames, 1, 100)
  for (const [index, name] of (logStreamNames ?? []).entries())
    constrainStreamName(check, name, `logStreamNames.${index + 1}.member`)
  constrainStreamName(check, logStreamNamePrefix, 'logStreamNamePrefix')
  check.check()
  checkRange(input.startTime, endTime, limit)
  if (logStreamNames && logStreamNamePrefix !== undefined)
    invalidParameter('Only one of logStreamNames or logStreamNamePrefix can be specified.')
  if (endTime !== undefined && endTime < startTime) invalidParameter('Start time must not be after end time.')
  if (!startFromHead && startTime < backwardFrom)
    invalidParameter('startFromHead can be false only when startTime is on or after January 1, 2024.')
  const isFiltered = patternOf(filterPattern) !== undefined
  const place = input.nextToken === undefined ? undefined : placeOf(input.nextToken)
  const group = resolveGroup(context.store, context, input)
  return {
    group,
    query: {
      ...(logStreamNames && { streams: { names: logStreamNames } }),
      ...(logStreamNamePrefix !== undefined && { streams: { prefix: logStreamNamePrefix } }),
      from: Math.max(startTime, retainedFrom(group, context.clock.now())),
      // Here the end is included, unlike in GetLogEvents.
      until: endTime === undefined ? Infinity : endTime + 1,
      ...(place && { after: place.after }),
      descending: place ? place.descending : !startFromHead,
      limit,
      bytesMax: answerBytesMax,
      ...(isFiltered && filterPattern !== undefined && { pattern: filterPattern }),
      budgetMs,
    },
  }
}

export function showFilter(
  { descending }: ReadQuery,
  { events, resume }: ReadAnswer,
): FilterLogEventsResponse {
  return {
    events: events.map((event) => ({
      logStreamName: event.streamName,
      timestamp: event.timestamp,
      message: event.message,
      ingestionTime: event.ingestedAt,
      eventId: digits(event),
    })),
    searchedLogStreams: [],
    ...(resume && {
      nextToken: Buffer.from(JSON.stringify([resume.timestamp, resume.sequence, descending])).toString(
        'base64url',
      ),
    }),
  }
}

function placeOf(token: string): { readonly after: Position; readonly descending: boolean } {
  try {
    const said = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[]
    const [timestamp, sequence, descending] = said
    if (typeof timestamp === 'number' && typeof sequence === 'number' && typeof descending === 'boolean')
      return { after: { timestamp, sequence }, descending }
  } catch {
    // Not one of ours, which is said below.
  }
  return invalidParameter('The specified nextToken is invalid.')
}
