import type { LiveTailSessionLogEvent, StartLiveTailResponseStream } from '@aws-sdk/client-cloudwatch-logs'
import { type Clock, sleep } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import type { LogEvent } from '@berth/log-store/log-store.ts'
import { AwsError } from '@berth/wire/error.ts'
import type { TailQuery } from '#api/logs/live-tail.ts'
import type { LogGroup } from '#domain/logs/log-group.ts'

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartLiveTail.html */
const updateMs = 1000
const updateEventsMax = 500
const sessionMs = 3 * 3_600_000

interface Session {
  readonly query: TailQuery
  /** What came in since the last update; of more than are shown, a sample. */
  events: LiveTailSessionLogEvent[]
  /** How many matched since then. */
  matched: number
}

/** What the answer's `sessionStart` says of the request. */
type Asked = Extract<StartLiveTailResponseStream, { sessionStart: object }>['sessionStart']

/** Shows events to everybody who asked for them, as they come in. */
export class LiveTail {
  readonly #sessions = new Set<Session>()
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #closing = new AbortController()

  constructor(clock: Clock, ids: Ids) {
    this.#clock = clock
    this.#ids = ids
  }

  publish(group: LogGroup, logStreamName: string, events: readonly LogEvent[], ingestedAt: number): void {
    for (const session of this.#sessions) {
      const { groups, wants, pattern } = session.query
      if (!groups.some(({ storeId }) => storeId === group.storeId) || !wants(logStreamName)) continue
      for (const { timestamp, message } of events) {
        if (pattern && !pattern.matches(message)) continue
        session.matched++
        // Those that came first, and then ever fewer, so that each has about the same chance.
        const place =
          session.events.length < updateEventsMax
            ? session.events.length
            : Math.floor(this.#ids.fraction() * session.matched)
        if (place < updateEventsMax)
          session.events[place] = {
            logStreamName,
            logGroupIdentifier: `${group.accountId}:${group.logGroupName}`,
            message,
            timestamp,
            ingestionTime: ingestedAt,
          }
      }
    }
  }

  /** A session that lasts until its client goes, three hours are over, or the control plane ends. */
  async *open(query: TailQuery, asked: Asked): AsyncGenerator<StartLiveTailResponseStream> {
    const session: Session = { query, events: [], matched: 0 }
    this.#sessions.add(session)
    const endsAt = this.#clock.now() + sessionMs
    try {
      yield { sessionStart: { ...asked, sessionId: this.#ids.uuid() } }
      while (this.#clock.now() < endsAt) {
        const { events, matched } = session
        session.events = []
        session.matched = 0
        yield {
          sessionUpdate: {
            sessionMetadata: { sampled: matched > updateEventsMax },
            sessionResults: events.toSorted((left, right) => (left.timestamp ?? 0) - (right.timestamp ?? 0)),
          },
        }
        await sleep(this.#clock, updateMs, this.#closing.signal)
      }
      throw new AwsError('SessionTimeoutException', 'The live tail session timed out.')
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error
    } finally {
      this.#sessions.delete(session)
    }
  }

  close(): void {
    this.#closing.abort()
  }
}
