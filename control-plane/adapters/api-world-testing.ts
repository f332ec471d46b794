/** A whole API in one process without a socket: what a request is answered, and what it changed. For tests. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { MemoryLogStore } from '@berth/log-store/memory-log-store.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { encodeJson } from '@berth/wire/json.ts'
import { loadModel, serviceDescriptions, type ServiceName } from '@berth/wire/model.ts'
import type { DataPlanes } from '#api/data-planes.ts'
import { type AnyRow, services, type Services } from '#api/services.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import { Fleet } from '#state/fleet.ts'
import { type JournalRow, memoryJournal } from '#state/journal.ts'
import { type Change, Store } from '#state/store.ts'
import { tableNames, tables } from '#state/tables.ts'
import { type ApiRequest, apiRequest } from './api-request-testing.ts'
import { createAwsEndpoint } from './aws-endpoint.ts'
import { LiveTail } from './logs-live-tail.ts'
import { logsPlane } from './logs-plane.ts'

export interface Answered {
  readonly status: number
  /** `__type` of an error. */
  readonly code: string | undefined
  /** '' where there is none. */
  readonly message: string
  /** As JSON, also of an answer that was XML. */
  readonly body: Readonly<Record<string, unknown>>
  readonly changes: readonly Change[]
  /** What was thrown that is not an error for the caller. */
  readonly faults: readonly unknown[]
}

export interface ApiWorld {
  readonly context: TestContext
  call(service: ServiceName, operation: string, input: unknown): Promise<Answered>
}

/**
 * Everything is from one seed: the same calls get the same answers. With `rows` the world begins with those of another,
 * and with ids that were not given there; streams of logs are not among rows.
 */
export async function apiWorld(rows?: readonly JournalRow[]): Promise<ApiWorld> {
  const context = await contextWith(rows)
  const faults: unknown[] = []
  const changes: Change[] = []
  context.store.watch((made) => changes.push(...made))
  const serve = createAwsEndpoint({
    ...context,
    services: watched,
    mode: { dev: true, defaultAccountId: context.scope.accountId },
    onError: (error) => faults.push(error),
  })
  return {
    context,
    call: async (service, operation, input) => {
      const [from, faultsFrom] = [changes.length, faults.length]
      const request = signed(service, await apiRequest(service, operation, input))
      const answer = await exchange(serve, request)
      const { status } = answer
      const failed = status >= 300
      const { protocol } = serviceDescriptions[service]
      const isXml = protocol === 'ec2' || protocol === 'query'
      const shape = (await loadModel(service)).get(operation)?.output
      const text =
        isXml && !failed && shape ? encodeJson(shape, outputs.get(context.store) ?? {}) : answer.text
      const body = failed && isXml ? xmlFields(text) : (JSON.parse(text || '{}') as Answered['body'])
      const { __type, message = '' } = body as { readonly __type?: string; readonly message?: string }
      return {
        status,
        code: failed ? (answer.headers['x-amzn-errortype'] ?? String(__type)) : undefined,
        message: message || String((body as { readonly Message?: string }).Message ?? ''),
        body,
        changes: changes.slice(from),
        faults: faults.slice(faultsFrom),
      }
    },
  }
}

async function contextWith(rows: readonly JournalRow[] | undefined): Promise<TestContext> {
  const made = await testContext()
  const { clock } = made
  const logs = logsPlane(new MemoryLogStore(), new LiveTail(clock, idsFrom(prng(4))))
  const context = { ...made, dataPlanes: { ...made.dataPlanes, logs, commands: commandsInMemory() } }
  if (!rows) return context
  const store = await Store.open({ ...memoryJournal, load: () => Promise.resolve(rows) })
  return { ...context, store, fleet: Fleet.of(store), ids: idsFrom(prng(2)) }
}

/** Sessions that open at once, as if the agent had been told. */
function commandsInMemory(): DataPlanes['commands'] {
  const open = new Set<string>()
  return {
    openSession: ({ taskArn }) => {
      const sessionId = `ecs-execute-command-${open.size}`
      open.add(sessionId)
      return { sessionId, streamUrl: 'ws://127.0.0.1:4566/v1/data-channel', tokenValue: taskArn }
    },
    resumeSession: (_, sessionId) => (open.has(sessionId) ? 'token' : undefined),
    terminateSession: (_, sessionId) => void open.delete(sessionId),
  }
}

/** What the latest operation upon a store answered. */
const outputs = new WeakMap<Store, object>()
function noted(store: Store, output: object): object {
  outputs.set(store, output)
  return output
}

/** The services, with a note of what their operations answer. */
const watched = Object.fromEntries(
  Object.entries(services).map(([service, rows]) => [
    service,
    Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, watchedRow(row)])),
  ]),
) as Services

function watchedRow(row: AnyRow): AnyRow {
  if ('run' in row) return { ...row, run: (context, input) => noted(context.store, row.run(context, input)) }
  if ('serve' in row)
    return { ...row, serve: async (context, input) => noted(context.store, await row.serve(context, input)) }
  return row
}

/** All that a world holds, to begin others with. */
export function rowsOf({ context: { store } }: ApiWorld): JournalRow[] {
  return tableNames.flatMap((table) =>
    store.list(table).map((row) => ({
      table,
      key: tables[table].key(row as never),
      version: tables[table].migrations.length + 1,
      row,
    })),
  )
}

/** Of an error in XML what tells it. */
function xmlFields(text: string): Answered['body'] {
  const field = (name: string): string | undefined => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  return { __type: field('Code'), message: field('Message') }
}

function signed(service: ServiceName, request: ApiRequest): ApiRequest {
  return {
    ...request,
    headers: {
      ...request.headers,
      'x-amz-date': '20260102T030405Z',
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260102/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=00`,
    },
  }
}

interface Exchanged {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
}

function exchange(
  serve: ReturnType<typeof createAwsEndpoint>,
  { method, url, headers, body }: ApiRequest,
): Promise<Exchanged> {
  const request = Object.assign(Readable.from([Buffer.from(body)]), { method, url, complete: true, headers })
  return new Promise((resolve, reject) => {
    let status = 0
    let given: Exchanged['headers'] = {}
    const response = {
      writeHead: (code: number, sent: Exchanged['headers']) => {
        status = code
        given = sent
      },
      end: (text: string) => resolve({ status, headers: given, text }),
      destroy: () => reject(new Error('the answer could not be made')),
    }
    serve(request as unknown as IncomingMessage, response as unknown as ServerResponse)
  })
}
