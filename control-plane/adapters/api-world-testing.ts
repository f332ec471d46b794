/** A whole API in one process without a socket: what a request is answered, and what it changed. For tests. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { loadModel, serviceDescriptions } from '@berth/wire/model.ts'
import type { Shape } from '@berth/wire/shape.ts'
import { services } from '#api/services.ts'
import { testContext, type TestContext } from '#api/testing.ts'
import { Fleet } from '#state/fleet.ts'
import { type JournalRow, memoryJournal } from '#state/journal.ts'
import { type Change, Store } from '#state/store.ts'
import { tableNames, tables } from '#state/tables.ts'
import { createAwsEndpoint } from './aws-endpoint.ts'

/** STS has one operation, which takes nothing. */
export type CalledService = 'ecs' | 'ecr' | 'ec2'

export interface Answered {
  readonly status: number
  /** `__type` of an error. */
  readonly code: string | undefined
  /** '' where there is none. */
  readonly message: string
  readonly body: Readonly<Record<string, unknown>>
  readonly changes: readonly Change[]
  /** What was thrown that is not an error for the caller. */
  readonly faults: readonly unknown[]
}

export interface ApiWorld {
  readonly context: TestContext
  call(service: CalledService, operation: string, input: unknown): Promise<Answered>
}

/**
 * Everything is from one seed: the same calls get the same answers. With `rows` the world begins with those of another,
 * and with ids that were not given there.
 */
export async function apiWorld(rows?: readonly JournalRow[]): Promise<ApiWorld> {
  const context = await contextWith(rows)
  const faults: unknown[] = []
  const changes: Change[] = []
  context.store.watch((made) => changes.push(...made))
  const serve = createAwsEndpoint({
    ...context,
    services,
    mode: { dev: true, defaultAccountId: context.scope.accountId },
    onError: (error) => faults.push(error),
  })
  return {
    context,
    call: async (service, operation, input) => {
      const [from, faultsFrom] = [changes.length, faults.length]
      const { status, text } = await exchange(
        serve,
        service,
        operation,
        await bodyOf(service, operation, input),
      )
      const body = service === 'ec2' ? xmlFields(text) : (JSON.parse(text) as Answered['body'])
      const code = status === 200 ? undefined : String(body['__type'])
      const { message = '' } = body as { readonly message?: string }
      return { status, code, message, body, changes: changes.slice(from), faults: faults.slice(faultsFrom) }
    },
  }
}

async function contextWith(rows: readonly JournalRow[] | undefined): Promise<TestContext> {
  const context = await testContext()
  if (!rows) return context
  const store = await Store.open({ ...memoryJournal, load: () => Promise.resolve(rows) })
  return { ...context, store, fleet: Fleet.of(store), ids: idsFrom(prng(2)) }
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

async function bodyOf(service: CalledService, operation: string, input: unknown): Promise<string> {
  if (service !== 'ec2') return JSON.stringify(input)
  const form = new URLSearchParams({ Action: operation, Version: serviceDescriptions.ec2.version })
  const shape = (await loadModel('ec2')).get(operation)?.input
  if (shape) writeForm(form, shape, input, '')
  return form.toString()
}

/** `Filter.1.Value.2=x`; what is of another kind than its shape is written as a text. */
function writeForm(form: URLSearchParams, shape: Shape, value: unknown, path: string): void {
  if (shape.kind === 'list' && Array.isArray(value))
    for (const [index, item] of value.entries()) writeForm(form, shape.item, item, `${path}.${index + 1}`)
  else if (shape.kind === 'struct' && typeof value === 'object' && value !== null)
    for (const [name, each] of Object.entries(value)) {
      const member = shape.members.get(name)
      if (member)
        writeForm(form, member.shape, each, path === '' ? member.ec2Name : `${path}.${member.ec2Name}`)
    }
  else form.append(path, String(value))
}

/** Of an answer in XML only what tells an error. */
function xmlFields(text: string): Answered['body'] {
  const field = (name: string): string | undefined => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  return { __type: field('Code'), message: field('Message') }
}

function exchange(
  serve: ReturnType<typeof createAwsEndpoint>,
  service: CalledService,
  operation: string,
  body: string,
): Promise<{ status: number; text: string }> {
  const request = Object.assign(Readable.from([Buffer.from(body)]), {
    method: 'POST',
    url: '/',
    complete: true,
    headers: {
      ...(service === 'ec2'
        ? { 'content-type': 'application/x-www-form-urlencoded' }
        : {
            'content-type': 'application/x-amz-json-1.1',
            'x-amz-target': `${serviceDescriptions[service].target}.${operation}`,
          }),
      'x-amz-date': '20260102T030405Z',
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260102/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=00`,
    },
  })
  return new Promise((resolve, reject) => {
    let status = 0
    const response = {
      writeHead: (code: number) => (status = code),
      end: (text: string) => resolve({ status, text }),
      destroy: () => reject(new Error('the answer could not be made')),
    }
    serve(request as unknown as IncomingMessage, response as unknown as ServerResponse)
  })
}
