/** REST-JSON: an operation is a method and a path; members stand in the path, the query, headers, and JSON. */
import { AwsError } from './error.ts'
import { decodeJson, encodeJson } from './json.ts'
import type { Member, Shape, StructShape, TimestampFormat } from './shape.ts'

/** Method and path of an operation, as its `http` trait says. */
export interface HttpRoute {
  readonly method: string
  readonly segments: readonly string[]
  /** What the query must hold for the operation to be meant. */
  readonly query: URLSearchParams
  /** The status of its answer. */
  readonly status: number
}

/** What of a request says which operation is meant and with what input. */
export interface RestRequest {
  readonly method: string
  /** Still percent-encoded, without the query. */
  readonly path: string
  /** The query. */
  readonly form: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** The trait as the SDK's schemas have it: `['POST', '/schedules/{Name}', 200]`. */
export function httpRoute([method, uri, status]: readonly [string, string, number]): HttpRoute {
  const [path = '', query = ''] = uri.split('?')
  return { method, segments: segmentsOf(path), query: new URLSearchParams(query), status }
}

const segmentsOf = (path: string): string[] => path.split('/').slice(1)
const isLabel = (segment: string): boolean => segment.startsWith('{')

/** The labels in the path of a request that means this operation; undefined when it means another. */
function labelsOf(
  route: HttpRoute,
  { method, path, form }: Pick<RestRequest, 'method' | 'path' | 'form'>,
): ReadonlyMap<string, string> | undefined {
  if (method !== route.method) return undefined
  for (const [name, value] of route.query) if (form.get(name) !== value) return undefined
  const labels = new Map<string, string>()
  const given = segmentsOf(path)
  const { segments } = route
  const greedy = segments.findIndex((segment) => segment.endsWith('+}'))
  const extra = given.length - segments.length
  if (greedy === -1 ? extra !== 0 : extra < 0) return undefined
  for (const [index, segment] of segments.entries()) {
    const from = index + (greedy !== -1 && index > greedy ? extra : 0)
    const text = given.slice(from, from + 1 + (index === greedy ? extra : 0)).join('/')
    if (!isLabel(segment)) {
      if (text !== segment) return undefined
    } else if (text === '') return undefined
    else labels.set(segment.slice(1, index === greedy ? -2 : -1), decodePath(text))
  }
  return labels
}

function decodePath(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The operation that a request means: of several, the one whose path says the most. */
export function findRestOperation<Operation extends { readonly http?: HttpRoute | undefined }>(
  operations: Iterable<Operation>,
  request: Pick<RestRequest, 'method' | 'path' | 'form'>,
): Operation | undefined {
  let best: Operation | undefined
  const said = ({ http }: Operation): number =>
    (http?.segments.filter((segment) => !isLabel(segment)).length ?? 0) * 100 + (http?.query.size ?? 0)
  for (const operation of operations)
    if (operation.http && labelsOf(operation.http, request) && (!best || said(operation) > said(best)))
      best = operation
  return best
}

/** The input of a request. Throws SerializationException. */
export function decodeRest(shape: StructShape, route: HttpRoute, request: RestRequest): object {
  const labels = labelsOf(route, request)
  const members = [...shape.members.values()]
  const payload = members.find(({ http }) => http?.in === 'payload')
  const value: Record<string, unknown> = payload ? {} : { ...decodeJson(shape, request.body) }
  const bound = new Set([...route.query.keys(), ...members.flatMap(queryName)])
  for (const member of members) {
    const found = readMember(member, labels, request, bound)
    if (found !== undefined) value[member.name] = found
  }
  return value
}

const queryName = ({ http }: Member): string[] => (http?.in === 'query' ? [http.name] : [])

function readMember(
  { name, shape, http }: Member,
  labels: ReadonlyMap<string, string> | undefined,
  { form, headers, body }: RestRequest,
  bound: ReadonlySet<string>,
): unknown {
  switch (http?.in) {
    case 'label':
      return readTexts(shape, name, labels?.has(name) ? [labels.get(name) ?? ''] : [])
    case 'query':
      return readTexts(shape, http.name, form.getAll(http.name))
    case 'header': {
      const header = headers[http.name]
      if (header === undefined) return undefined
      const texts = [header].flat()
      return readTexts(shape, http.name, shape.kind === 'list' ? texts.flatMap(splitHeader) : texts)
    }
    case 'prefixHeaders': {
      const named = Object.keys(headers).filter((header) => header.startsWith(http.name))
      const entries = named.map((header) => [
        header.slice(http.name.length),
        [headers[header]].flat().join(', '),
      ])
      return entries.length > 0 ? Object.fromEntries(entries) : undefined
    }
    case 'queryParams': {
      const names = [...new Set(form.keys())].filter((key) => !bound.has(key))
      if (names.length === 0 || shape.kind !== 'map') return undefined
      return Object.fromEntries(names.map((key) => [key, readTexts(shape.value, key, form.getAll(key))]))
    }
    case 'payload':
      return body.length === 0 ? undefined : readPayload(shape, body)
    case 'status':
    case undefined:
      return undefined
  }
}

function readPayload(shape: Shape, body: Buffer): unknown {
  if (shape.kind === 'blob') return new Uint8Array(body)
  return shape.kind === 'string' ? body.toString() : decodeJson(shape, body)
}

/** `a, "b, c"`: an item in quotes may hold commas. */
function splitHeader(text: string): string[] {
  // The commas of a date stand after its weekday.
  const items = text.match(/(?:"(?:[^"\\]|\\.)*"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), [^,]*|[^,"])+/g) ?? []
  return items
    .map((item) => item.trim())
    .map((item) => (item.startsWith('"') ? item.slice(1, -1).replaceAll(/\\(.)/g, '$1') : item))
}

function readTexts(shape: Shape, name: string, texts: readonly string[]): unknown {
  if (texts.length === 0) return undefined
  if (shape.kind === 'list') return texts.map((text) => readText(shape.item, name, text))
  return readText(shape, name, texts[0] ?? '')
}

function readText({ kind }: Shape, name: string, text: string): unknown {
  switch (kind) {
    case 'string':
    case 'document':
      return text
    case 'blob':
      return new Uint8Array(Buffer.from(text, 'base64'))
    case 'boolean':
      if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === 'true'
      break
    case 'integer':
      if (/^[+-]?\d{1,15}$/.test(text)) return Number(text)
      break
    case 'number':
      if (text !== '' && !Number.isNaN(Number(text))) return Number(text)
      break
    case 'timestamp': {
      const date = new Date(/^-?\d+(?:\.\d+)?$/.test(text) ? Math.round(Number(text) * 1000) : text)
      if (!Number.isNaN(date.getTime())) return date
      break
    }
    case 'struct':
    case 'list':
    case 'map':
      break
  }
  throw new AwsError('SerializationException', `Value (${text}) of ${name} is not a valid ${kind}.`)
}

/** Status, headers and body of an output. */
export function encodeRest(
  shape: StructShape,
  route: HttpRoute,
  output: object,
): { readonly status: number; readonly headers: Record<string, string>; readonly body: string | Uint8Array } {
  const value = output as Readonly<Record<string, unknown>>
  const headers: Record<string, string> = {}
  let { status } = route
  let body: string | Uint8Array | undefined
  let hasPayload = false
  for (const { name, shape: inner, http } of shape.members.values()) {
    if (http?.in === 'payload') hasPayload = true
    const given = value[name]
    if (given === undefined || given === null) continue
    if (http?.in === 'header') headers[http.name] = headerText(inner, given)
    else if (http?.in === 'status') status = Number(given)
    else if (http?.in === 'payload') body = writePayload(inner, given)
    else if (http?.in === 'prefixHeaders')
      for (const [key, text] of Object.entries(given)) headers[http.name + key.toLowerCase()] = String(text)
  }
  return { status, headers, body: body ?? (hasPayload ? '' : encodeJson(shape, output)) }
}

function writePayload(shape: Shape, value: unknown): string | Uint8Array {
  if (shape.kind === 'blob') return value as Uint8Array
  return shape.kind === 'string' ? String(value) : encodeJson(shape, value as object)
}

function headerText(shape: Shape, value: unknown): string {
  if (shape.kind === 'list') {
    const texts = (value as readonly unknown[]).map((item) => headerText(shape.item, item))
    if (shape.item.kind !== 'string') return texts.join(', ')
    const quoted = texts.map((text) => (/[",]/.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : text))
    return quoted.join(', ')
  }
  if (shape.kind === 'timestamp') return timestampText(value as Date, shape.format)
  if (shape.kind === 'blob') return Buffer.from(value as Uint8Array).toString('base64')
  return String(value)
}

function timestampText(value: Date, format: TimestampFormat = 'http-date'): string {
  if (format === 'epoch-seconds') return String(value.getTime() / 1000)
  return format === 'date-time' ? value.toISOString() : value.toUTCString()
}
