/** CloudWatch Logs with a real client, over any log store. For tests. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs'
import type { LogStore } from '@berth/log-store/log-store.ts'
import { MemoryLogStore } from '@berth/log-store/memory-log-store.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { services } from '#api/services.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import { createAwsEndpoint } from './aws-endpoint.ts'
import { createHttpServer } from './http-server.ts'
import { LiveTail } from './logs-live-tail.ts'
import { logsPlane } from './logs-plane.ts'
import { lazyLogStore } from './logs-store.ts'
import { createMetrics } from './metrics.ts'

export const logGroupName = '/ecs/web'
export const stream = { logGroupName, logStreamName: 'web/app/0123' }

export interface LogsWorld {
  readonly client: CloudWatchLogs
  readonly context: TestContext
  readonly store: LogStore
  readonly now: number
  /** A group and a stream in it. */
  make(): Promise<void>
  /** Events of the stream, a millisecond apart from now on. */
  put(...messages: readonly string[]): Promise<void>
  /** Throws when something failed that is no error for the caller. */
  end(): Promise<void>
}

/** The kinds of log stores, by what they are. */
export const kinds = ['in memory', 'on the disk'] as const

export async function logsWorld(kind: (typeof kinds)[number]): Promise<LogsWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'berth-logs-'))
  const store =
    kind === 'in memory'
      ? new MemoryLogStore()
      : lazyLogStore(join(directory, 'logs'), 1e9, (problem) => faults.push(problem))
  const faults: unknown[] = []
  const base = await testContext()
  const tail = new LiveTail(systemClock, base.ids)
  const context = { ...base, dataPlanes: { ...base.dataPlanes, logs: logsPlane(store, tail) } }
  const now = context.clock.now()
  const server = createHttpServer({
    aws: createAwsEndpoint({
      ...context,
      services,
      mode: { dev: true, defaultAccountId: '000000000000' },
      onError: (error) => faults.push(error),
    }),
    health: () => ({}),
    metrics: createMetrics(),
  })
  const listening = await server.listen({ host: '127.0.0.1', port: 0 })
  if ('error' in listening) throw new Error(listening.error)
  const client = new CloudWatchLogs({
    endpoint: `http://127.0.0.1:${listening.port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    disableHostPrefix: true,
    maxAttempts: 1,
  })
  return {
    client,
    context,
    store,
    now,
    make: async () => {
      await client.createLogGroup({ logGroupName })
      await client.createLogStream(stream)
    },
    put: async (...messages) => {
      const logEvents = messages.map((message, index) => ({ timestamp: now + index, message }))
      await client.putLogEvents({ ...stream, logEvents })
    },
    end: async () => {
      tail.close()
      client.destroy()
      await server.close(0)
      await store.close()
      rmSync(directory, { recursive: true })
      if (faults.length > 0) throw new AggregateError(faults, 'something failed unseen')
    },
  }
}

export function texts(events: ReadonlyArray<{ readonly message?: string | undefined }> = []): unknown {
  return events.map(({ message }) => message)
}
