/** Streams and events of CloudWatch Logs as the SDK's client sees them, over both kinds of log store. */
import { type CloudWatchLogs, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { kinds, logGroupName, type LogsWorld, logsWorld, stream, texts } from './logs-testing.ts'

describe.each(kinds)('with events %s', (kind) => {
  let world: LogsWorld
  let client: CloudWatchLogs
  let now: number
  const make = (): Promise<void> => world.make()
  const put = (...messages: readonly string[]): Promise<void> => world.put(...messages)
  beforeEach(async () => {
    world = await logsWorld(kind)
    client = world.client
    now = world.now
  })
  afterEach(() => world.end())

  test('a group made anew after its deletion is empty', async () => {
    await make()
    await put('of old')
    await client.deleteLogGroup({ logGroupName })
    await make()
    expect(texts((await client.filterLogEvents({ logGroupName })).events)).toEqual([])
  })

  test('streams by name and by their last event', async () => {
    await client.createLogGroup({ logGroupName })
    for (const name of ['b', 'a', 'ab']) await client.createLogStream({ logGroupName, logStreamName: name })
    await expect(client.createLogStream({ logGroupName, logStreamName: 'a' })).rejects.toMatchObject({
      name: 'ResourceAlreadyExistsException',
      message: 'The specified log stream already exists',
    })
    await client.putLogEvents({
      logGroupName,
      logStreamName: 'ab',
      logEvents: [
        { timestamp: now - 5, message: 'x' },
        { timestamp: now + 5, message: 'y' },
      ],
    })
    const names = async (input: object): Promise<unknown> =>
      (await client.describeLogStreams({ logGroupName, ...input })).logStreams?.map(
        (each) => each.logStreamName,
      )
    expect(await names({})).toEqual(['a', 'ab', 'b'])
    expect(await names({ logStreamNamePrefix: 'a', descending: true })).toEqual(['ab', 'a'])
    expect(await names({ orderBy: 'LastEventTime', descending: true, limit: 1 })).toEqual(['ab'])
    const { nextToken } = await client.describeLogStreams({ logGroupName, limit: 2 })
    expect(await names({ limit: 2, nextToken })).toEqual(['b'])
    const { logStreams } = await client.describeLogStreams({ logGroupName, logStreamNamePrefix: 'ab' })
    expect(logStreams?.[0]).toMatchObject({
      logStreamName: 'ab',
      creationTime: now,
      firstEventTimestamp: now - 5,
      lastEventTimestamp: now + 5,
      lastIngestionTime: now,
      arn: `arn:aws:logs:us-east-1:000000000000:log-group:${logGroupName}:log-stream:ab`,
      storedBytes: 0,
    })
    await client.deleteLogStream({ logGroupName, logStreamName: 'ab' })
    expect(await names({})).toEqual(['a', 'b'])
    await expect(client.deleteLogStream({ logGroupName, logStreamName: 'ab' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The specified log stream does not exist.',
    })
  })

  test('events are got forwards and backwards, and tokens at an end lead to themselves', async () => {
    await make()
    await put('1', '2', '3', '4', '5')
    const last = await client.getLogEvents({ ...stream, limit: 2 })
    expect(texts(last.events)).toEqual(['4', '5'])
    const before = await client.getLogEvents({ ...stream, limit: 2, nextToken: last.nextBackwardToken })
    expect(texts(before.events)).toEqual(['2', '3'])
    const again = await client.getLogEvents({ ...stream, nextToken: before.nextForwardToken })
    expect(texts(again.events)).toEqual(['4', '5'])
    const end = await client.getLogEvents({ ...stream, nextToken: again.nextForwardToken })
    expect(end.events).toEqual([])
    expect(end.nextForwardToken).toBe(again.nextForwardToken)
    const back = await client.getLogEvents({ ...stream, nextToken: end.nextBackwardToken, limit: 1 })
    expect(texts(back.events)).toEqual(['5'])
    await put('6')
    const grown = await client.getLogEvents({ ...stream, nextToken: last.nextForwardToken })
    // Sorted by time: it came in later with the time of the first.
    expect(grown.events).toEqual([])
    const ranged = await client.getLogEvents({
      ...stream,
      startFromHead: true,
      startTime: now + 1,
      endTime: now + 3,
    })
    expect(texts(ranged.events)).toEqual(['2', '3'])
    await expect(client.getLogEvents({ ...stream, nextToken: 'x' })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    })
    await expect(client.getLogEvents({ logGroupName, logStreamName: 'none' })).rejects.toThrow(
      'The specified log stream does not exist.',
    )
  })

  test('an empty stream has tokens that lead to what comes', async () => {
    await make()
    const empty = await client.getLogEvents({ ...stream, startFromHead: true })
    await put('first')
    const next = await client.getLogEvents({ ...stream, nextToken: empty.nextForwardToken })
    expect(texts(next.events)).toEqual(['first'])
  })

  test('filters over streams, interleaved, page by page', async () => {
    await make()
    await client.createLogStream({ logGroupName, logStreamName: 'other' })
    await put('error a', 'fine', 'error b', 'error c')
    await client.putLogEvents({
      logGroupName,
      logStreamName: 'other',
      logEvents: [{ timestamp: now + 1, message: 'error between' }],
    })
    const found: unknown[] = []
    const pages = paginateFilterLogEvents(
      { client, pageSize: 2 },
      { logGroupName, filterPattern: 'error', startTime: now, endTime: now + 2 },
    )
    for await (const page of pages) found.push(texts(page.events))
    expect(found).toEqual([['error a', 'error between'], ['error b']])
    const one = await client.filterLogEvents({ logGroupName, logStreamNamePrefix: 'oth' })
    expect(one).toMatchObject({
      events: [{ logStreamName: 'other', message: 'error between', timestamp: now + 1, ingestionTime: now }],
      searchedLogStreams: [],
    })
    expect(one.events?.[0]?.eventId).toMatch(/^\d{56}$/)
    const newest = await client.filterLogEvents({
      logGroupName,
      startFromHead: false,
      startTime: now,
      limit: 2,
    })
    expect(texts(newest.events)).toEqual(['error c', 'error b'])
    await expect(client.filterLogEvents({ logGroupName, logStreamNames: ['other', 'none'] })).rejects.toThrow(
      'The specified log stream does not exist.',
    )
    await expect(client.filterLogEvents({ logGroupName, filterPattern: '/x' })).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: "Invalid character(s) in term '/x'",
    })
  })

  test('says which events of a batch it does not take', async () => {
    await make()
    await client.putRetentionPolicy({ logGroupName, retentionInDays: 1 })
    const dayMs = 86_400_000
    const old = await client.putLogEvents({
      ...stream,
      logEvents: [
        { timestamp: now - 14 * dayMs - 2, message: 'too old' },
        { timestamp: now - 14 * dayMs + 1, message: 'expired' },
      ],
    })
    expect(old.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 1, expiredLogEventEndIndex: 2 })
    const mixed = await client.putLogEvents({
      ...stream,
      sequenceToken: 'anything',
      logEvents: [
        { timestamp: now, message: 'taken' },
        { timestamp: now + 2 * 3_600_000 + 1, message: 'too new' },
      ],
    })
    expect(mixed.rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 1 })
    expect(mixed.nextSequenceToken).toMatch(/^\d{56}$/)
    expect(texts((await client.filterLogEvents({ logGroupName })).events)).toEqual(['taken'])
  })

  test.each([
    [[], /Member must have length greater than or equal to 1/],
    [
      [
        { timestamp: 2, message: 'a' },
        { timestamp: 1, message: 'b' },
      ],
      'Log events in a single PutLogEvents request must be in chronological order.',
    ],
    [
      [
        { timestamp: 0, message: 'a' },
        { timestamp: 86_400_001, message: 'b' },
      ],
      'The batch of log events in a single PutLogEvents request cannot span more than 24 hours.',
    ],
    [[{ timestamp: 0, message: '' }], /'logEvents\.1\.member\.message'/],
    [
      [
        { timestamp: 0, message: 'x'.repeat(600_000) },
        { timestamp: 0, message: 'x'.repeat(500_000) },
      ],
      'Upload too large: 1100052 bytes exceeds limit of 1048576',
    ],
    [
      [{ timestamp: 0, message: 'x'.repeat(1_048_576) }],
      'Log event too large: 1048602 bytes exceeds limit of 1048576',
    ],
    [
      Array.from({ length: 10_001 }, () => ({ timestamp: 0, message: 'x' })),
      /Member must have length less than or equal to 10000/,
    ],
  ])('refuses a batch that is not one (%#)', async (logEvents, message) => {
    await make()
    await expect(client.putLogEvents({ ...stream, logEvents })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    })
    await expect(client.putLogEvents({ ...stream, logEvents })).rejects.toThrow(message)
  })

  test('shows events live, of the streams and with the terms asked for', async () => {
    await make()
    await client.createLogStream({ logGroupName, logStreamName: 'other' })
    const { responseStream } = await client.startLiveTail({
      logGroupIdentifiers: [`arn:aws:logs:us-east-1:000000000000:log-group:${logGroupName}`],
      logStreamNamePrefixes: ['web/'],
      logEventFilterPattern: 'shown',
    })
    const seen: unknown[] = []
    let asked: unknown
    for await (const event of responseStream ?? []) {
      if (event.sessionStart) {
        asked = event.sessionStart.logEventFilterPattern
        await put('shown 1', 'hidden', 'shown 2')
        await client.putLogEvents({
          logGroupName,
          logStreamName: 'other',
          logEvents: [{ timestamp: now, message: 'shown elsewhere' }],
        })
      }
      seen.push(...(event.sessionUpdate?.sessionResults ?? []).map(({ message }) => message))
      if (seen.length >= 2) break
    }
    expect(seen).toEqual(['shown 1', 'shown 2'])
    expect(asked).toBe('shown')
  })
})
