import type { NormalizedSchema } from '@smithy/core/schema'
import { present } from '@berth/std/assert.ts'
import { fractions } from './fractions.ts'

/** What a value of the model looks like; compiled once from AWS's runtime schema, so that a request costs one walk. */
export type Shape = StructShape | ListShape | MapShape | ScalarShape

/** The schemas do not tell integers from fractions; a `number` may be either: see fractions.ts. */
export type ScalarKind = 'string' | 'integer' | 'number' | 'boolean' | 'timestamp' | 'blob' | 'document'

interface ScalarShape {
  readonly kind: ScalarKind
  /** Of a timestamp, where the model says how it is written. */
  readonly format?: TimestampFormat
}

export type TimestampFormat = 'date-time' | 'http-date' | 'epoch-seconds'

/** Where in an HTTP message a member of a REST operation stands, if not in its JSON. */
type HttpPlace =
  | { readonly in: 'query' | 'header' | 'prefixHeaders'; readonly name: string }
  | { readonly in: 'label' | 'queryParams' | 'payload' | 'status' }

export interface Member {
  readonly name: string
  readonly shape: Shape
  /** Its name in JSON, where that is another. */
  readonly jsonName?: string
  readonly http?: HttpPlace
  /** Its name in an AWS Query form, and in an EC2 one. */
  readonly queryName: string
  readonly ec2Name: string
}

export interface StructShape {
  readonly kind: 'struct'
  readonly name: string
  readonly members: ReadonlyMap<string, Member>
  readonly required: readonly string[]
  /** The names of members that have another in JSON, by that one. */
  readonly jsonNames?: ReadonlyMap<string, string>
}

interface ListShape {
  readonly kind: 'list'
  readonly item: Shape
  /** The element between the list's name and an item's number in an AWS Query form; undefined when flattened. */
  readonly queryName: string | undefined
}

interface MapShape {
  readonly kind: 'map'
  readonly value: Shape
}

const compiled = new WeakMap<object, Shape>()
const scalars: ReadonlyArray<[(schema: NormalizedSchema) => boolean, ScalarKind]> = [
  [(schema) => schema.isStringSchema(), 'string'],
  [(schema) => schema.isBooleanSchema(), 'boolean'],
  [(schema) => schema.isTimestampSchema(), 'timestamp'],
  [(schema) => schema.isBlobSchema(), 'blob'],
  [(schema) => schema.isDocumentSchema(), 'document'],
]

/** The shape of a schema. Recursive structures refer to themselves. */
function shapeOf(schema: NormalizedSchema): Shape {
  if (schema.isStructSchema()) return structOf(schema)
  if (schema.isListSchema()) {
    const item = schema.getValueSchema()
    return {
      kind: 'list',
      item: shapeOf(item),
      queryName: schema.getMergedTraits().xmlFlattened
        ? undefined
        : (item.getMergedTraits().xmlName ?? 'member'),
    }
  }
  if (schema.isMapSchema()) return { kind: 'map', value: shapeOf(schema.getValueSchema()) }
  const kind = scalars.find(([is]) => is(schema))?.[1] ?? 'integer'
  const format = kind === 'timestamp' ? timestampFormats.get(schema.getSchema()) : undefined
  return { kind, ...(format !== undefined && { format }) }
}

/** By the number that stands for it in the SDK's schemas; 4 is a timestamp in its protocol's own format. */
const timestampFormats: ReadonlyMap<unknown, TimestampFormat> = new Map<unknown, TimestampFormat>([
  [5, 'date-time'],
  [6, 'http-date'],
  [7, 'epoch-seconds'],
])

/** The shape of a structure, or of the empty one where the model says that there is nothing (`unit`). */
export function structOf(schema: NormalizedSchema): StructShape {
  if (!schema.isStructSchema())
    return { kind: 'struct', name: schema.getName() ?? 'Unit', members: new Map(), required: [] }
  const source = schema.getSchema() as unknown as readonly unknown[]
  const known = compiled.get(source)
  if (known?.kind === 'struct') return known
  const members = new Map<string, Member>()
  const jsonNames = new Map<string, string>()
  const names = source[4] as readonly string[]
  // The model lists required members first, and says how many they are.
  const required = names.slice(0, typeof source[6] === 'number' ? source[6] : 0)
  const struct: StructShape = {
    kind: 'struct',
    name: present(schema.getName(), 'a structure has a name'),
    members,
    required,
    jsonNames,
  }
  compiled.set(source, struct)
  for (const [name, member] of schema.structIterator()) {
    const traits = member.getMergedTraits() as Traits
    const { xmlName = name, ec2QueryName, jsonName } = traits
    const http = placeOf(traits)
    const made: Member = {
      name,
      shape: fractions.has(`${struct.name}.${name}`) ? { kind: 'number' } : shapeOf(member),
      ...(jsonName !== undefined && { jsonName }),
      ...(http && { http }),
      queryName: xmlName,
      ec2Name: ec2QueryName ?? xmlName.charAt(0).toUpperCase() + xmlName.slice(1),
    }
    members.set(name, made)
    if (jsonName !== undefined) jsonNames.set(jsonName, name)
  }
  return struct
}

/** The member that a name in JSON means; undefined for those that stand elsewhere in the message. */
export function jsonMember({ members, jsonNames }: StructShape, name: string): Member | undefined {
  const member = members.get(jsonNames?.get(name) ?? name)
  return member && !member.http && (member.jsonName ?? name) === name ? member : undefined
}

interface Traits {
  readonly xmlName?: string
  readonly ec2QueryName?: string
  readonly jsonName?: string
  readonly httpLabel?: 1
  readonly httpQuery?: string
  readonly httpHeader?: string
  readonly httpPrefixHeaders?: string
  readonly httpQueryParams?: 1
  readonly httpPayload?: 1
  readonly httpResponseCode?: 1
}

function placeOf(traits: Traits): HttpPlace | undefined {
  const { httpQuery, httpHeader, httpPrefixHeaders } = traits
  if (traits.httpLabel) return { in: 'label' }
  if (httpQuery !== undefined) return { in: 'query', name: httpQuery }
  if (httpHeader !== undefined) return { in: 'header', name: httpHeader.toLowerCase() }
  if (httpPrefixHeaders !== undefined) return { in: 'prefixHeaders', name: httpPrefixHeaders.toLowerCase() }
  if (traits.httpQueryParams) return { in: 'queryParams' }
  if (traits.httpPayload) return { in: 'payload' }
  return traits.httpResponseCode ? { in: 'status' } : undefined
}

/** The paths of required members that a value lacks, as AWS writes them: `containerDefinitions.1.member.name`. */
export function missingMembers(shape: Shape, value: unknown, path = ''): string[] {
  if (value === undefined) return []
  const prefix = path === '' ? '' : `${path}.`
  switch (shape.kind) {
    case 'struct': {
      const struct = value as Readonly<Record<string, unknown>>
      const missing = shape.required
        .filter((name) => struct[name] === undefined)
        .map((name) => `${prefix}${name}`)
      for (const name in struct) {
        const member = shape.members.get(name)
        if (member && typeof struct[name] === 'object')
          missing.push(...missingMembers(member.shape, struct[name], `${prefix}${name}`))
      }
      return missing
    }
    case 'list':
      return (value as readonly unknown[]).flatMap((item, index) =>
        missingMembers(shape.item, item, `${prefix}${index + 1}.member`),
      )
    case 'map':
      return Object.entries(value as object).flatMap(([key, item]) =>
        missingMembers(shape.value, item, `${prefix}${key}.member`),
      )
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'timestamp':
    case 'blob':
    case 'document':
      return []
  }
}

/** The structure with further members, all of them texts. */
export function withTexts(shape: StructShape, names: readonly string[]): StructShape {
  if (names.length === 0) return shape
  const texts = names.map((name): [string, Member] => [
    name,
    { name, shape: { kind: 'string' }, queryName: name, ec2Name: name },
  ])
  return { ...shape, members: new Map([...shape.members, ...texts]) }
}
