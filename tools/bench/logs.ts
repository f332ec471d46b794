// How fast logs come in, are found, and come back: one JSON line a figure.
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs'
import { encodeBatch } from '@berth/log-store/block.ts'
import type { LogStore, ReadQuery } from '@berth/log-store/log-store.ts'
import { openLogStore } from '@berth/log-store/threaded-log-store.ts'
import { startControlPlane } from '@berth/tools/control-plane.ts'
import { figure } from './figure.ts'

const events = 10_000_000
const streams = 20
const batchEvents = 5000
const now = Date.now()
const group = 'bench'

const messageOf = (index: number): string =>
  `10.0.${index % 250}.${index % 7} GET /items/${index % 1009}?page=${index % 13} ${index % 97 === 0 ? 500 : 200} ${index % 4000} request=${(index * 2654435761) % 4294967296}`
const rare = 'needle in the haystack'

async function fill(store: LogStore): Promise<void> {
  for (let stream = 0; stream < streams; stream++) await store.createStream(group, `s/${stream}`, now)
  const started = performance.now()
  let under: Array<Promise<unknown>> = []
  for (let from = 0, batch = 0; from < events; from += batchEvents, batch++) {
    const made = Array.from({ length: batchEvents }, (_, at) => ({
      timestamp: now + Math.floor((from + at) / 20),
      message: from + at === events - 1 ? rare : messageOf(from + at),
    }))
    under.push(store.append(group, `s/${batch % streams}`, encodeBatch(made, now)))
    // As many containers as would send at a time.
    if (under.length === 4) {
      await Promise.all(under)
      under = []
    }
  }
  await Promise.all(under)
  figure('logs.ingest', events / ((performance.now() - started) / 1000), 'events/s', { events, streams })
}

const query: ReadQuery = {
  from: 0,
  until: Infinity,
  descending: false,
  limit: 10_000,
  bytesMax: 1_048_576,
  budgetMs: 500,
}

async function measure(store: LogStore): Promise<void> {
  const patterns = {
    'common-term': '500',
    'rare-term': `"${rare}"`,
    regex: '%request=1[0-9]+7$%',
    fields: '[ip, method, path, status = 5*, ...]',
  }
  for (const [name, pattern] of Object.entries(patterns)) {
    const started = performance.now()
    await store.read(group, { ...query, pattern })
    figure(`logs.first-page.${name}`, performance.now() - started, 'ms', { events })
  }
  const started = performance.now()
  let pages = 0
  let found = 0
  for (let after: ReadQuery['after'], more = true; more; pages++) {
    const answer = await store.read(group, { ...query, pattern: `"${rare}"`, ...(after && { after }) })
    found += answer.events.length
    after = answer.resume
    more = after !== undefined
  }
  if (found !== 1) throw new Error(`the rare event was found ${found} times`)
  figure('logs.all-pages.rare-term', performance.now() - started, 'ms', { events, pages })
}

const sizeOf = (directory: string): number =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

async function overHttp(): Promise<void> {
  const berth = await startControlPlane(['--dev'])
  const client = new CloudWatchLogs({
    endpoint: berth.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  })
  try {
    await client.createLogGroup({ logGroupName: group })
    const stream = { logGroupName: group, logStreamName: 's' }
    await client.createLogStream(stream)
    const batches = 100
    const logEvents = Array.from({ length: batchEvents }, (_, at) => ({
      timestamp: now,
      message: messageOf(at),
    }))
    await client.putLogEvents({ ...stream, logEvents })
    const started = performance.now()
    for (let batch = 0; batch < batches; batch++) await client.putLogEvents({ ...stream, logEvents })
    const seconds = (performance.now() - started) / 1000
    figure('logs.put-log-events', (batches * batchEvents) / seconds, 'events/s', { batch: batchEvents })
  } finally {
    client.destroy()
    await berth.stop()
  }
}

const directory = mkdtempSync(join(tmpdir(), 'berth-bench-'))
try {
  const store = await openLogStore(directory, { bytesMax: Infinity })
  await fill(store)
  await measure(store)
  const { bytes } = await store.size(group)
  figure('logs.compression', bytes / sizeOf(directory), 'x', { bytes })
  await store.close()
  const started = performance.now()
  const again = await openLogStore(directory, { bytesMax: Infinity })
  figure('logs.recovery', performance.now() - started, 'ms', { events })
  await again.close()
} finally {
  rmSync(directory, { recursive: true })
}
await overHttp()
