import { AwsError } from './error.ts'
import { jsonMember, type ScalarKind, type Shape, type TimestampFormat } from './shape.ts'

type Json = null | string | number | boolean | readonly Json[] | { readonly [key: string]: Json }

function refuse(message: string): never {
  throw new AwsError('SerializationException', message)
}

/** The value of a JSON body by its shape: unknown members dropped, null the same as absent. An empty body is `{}`. */
export function decodeJson(shape: Shape, body: Buffer): object {
  if (body.length === 0) return {}
  let json: Json
  try {
    json = JSON.parse(body.toString()) as Json
  } catch {
    return refuse('The request body is not valid JSON.')
  }
  return json === null ? {} : (decode(shape, json) as object)
}

function decode(shape: Shape, json: Json): unknown {
  switch (shape.kind) {
    case 'struct': {
      if (Array.isArray(json)) return refuse(`Unrecognized collection type class ${shape.name}`)
      const source = objectOf(json)
      const value: Record<string, unknown> = {}
      for (const name in source) {
        const member = jsonMember(shape, name)
        const inner = source[name]
        if (member && inner !== null && inner !== undefined) value[member.name] = decode(member.shape, inner)
      }
      return value
    }
    case 'list':
      if (!Array.isArray(json))
        return refuse(
          typeof json === 'object'
            ? 'Start of structure or map found where not expected.'
            : 'Unexpected field type',
        )
      return (json as readonly Json[]).filter((item) => item !== null).map((item) => decode(shape.item, item))
    case 'map': {
      const value: Record<string, unknown> = Object.create(null) as Record<string, unknown>
      for (const [key, inner] of Object.entries(objectOf(json)))
        if (inner !== null) value[key] = decode(shape.value, inner)
      return value
    }
    case 'document':
      return json
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'timestamp':
    case 'blob':
      return decodeScalar(shape.kind, json)
  }
}

function objectOf(json: Json): { readonly [key: string]: Json } {
  if (Array.isArray(json)) return refuse('Start of list found where not expected')
  if (typeof json !== 'object' || json === null) return refuse('Unexpected field type')
  return json as { readonly [key: string]: Json }
}

const typeNames = {
  string: 'String',
  integer: 'Integer',
  number: 'Double',
  boolean: 'Boolean',
  timestamp: 'Timestamp',
  blob: 'ByteBuffer',
} as const

function decodeScalar(kind: Exclude<ScalarKind, 'document'>, json: Json): unknown {
  if (Array.isArray(json)) return refuse('Start of list found where not expected')
  if (typeof json === 'object') return refuse('Start of structure or map found where not expected.')
  if (kind === 'timestamp') {
    const date = new Date(
      typeof json === 'number' ? Math.round(json * 1000) : typeof json === 'string' ? json : Number.NaN,
    )
    if (!Number.isNaN(date.getTime())) return date
  } else if (kind === 'blob') {
    if (typeof json === 'string') return new Uint8Array(Buffer.from(json, 'base64'))
  } else if (kind === 'integer') {
    if (Number.isSafeInteger(json)) return json
  } else if (typeof json === kind) {
    return json
  }
  const token =
    typeof json === 'boolean' ? `${String(json).toUpperCase()}_VALUE` : `${(typeof json).toUpperCase()}_VALUE`
  return refuse(`${token} cannot be converted to ${typeNames[kind]}`)
}

/** The JSON of an output: only what its shape names, timestamps as epoch seconds with a fraction. */
export function encodeJson(shape: Shape, value: object): string {
  return JSON.stringify(encode(shape, value))
}

function encode(shape: Shape, value: unknown): unknown {
  switch (shape.kind) {
    case 'struct': {
      const source = value as Readonly<Record<string, unknown>>
      const json: Record<string, unknown> = {}
      for (const name in source) {
        const member = shape.members.get(name)
        const inner = source[name]
        if (member && !member.http && inner !== undefined && inner !== null)
          json[member.jsonName ?? name] = encode(member.shape, inner)
      }
      return json
    }
    case 'list':
      return isPlain(shape.item)
        ? value
        : (value as readonly unknown[]).map((item) => encode(shape.item, item))
    case 'map':
      return isPlain(shape.value)
        ? value
        : Object.fromEntries(
            Object.entries(value as object).map(([key, inner]) => [key, encode(shape.value, inner)]),
          )
    case 'timestamp':
      return encodeTimestamp(value as Date, shape.format)
    case 'blob':
      return Buffer.from(value as Uint8Array).toString('base64')
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'document':
      return value
  }
}

function encodeTimestamp(value: Date, format: TimestampFormat | undefined): string | number {
  if (format === 'http-date') return value.toUTCString()
  return format === 'date-time' ? value.toISOString() : value.getTime() / 1000
}

const isPlain = ({ kind }: Shape): boolean => ['string', 'integer', 'number', 'boolean'].includes(kind)
