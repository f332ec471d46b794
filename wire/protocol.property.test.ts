import { JsonCodec, QueryShapeSerializer, XmlShapeDeserializer } from '@aws-sdk/core/protocols'
import * as EC2 from '@aws-sdk/client-ec2'
import * as ECS from '@aws-sdk/client-ecs'
import * as STS from '@aws-sdk/client-sts'
import { NormalizedSchema } from '@smithy/core/schema'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeJson, encodeJson } from './json.ts'
import { type QueryDialect, decodeQuery } from './query.ts'
import { type Shape, type StructShape, missingMembers, structOf } from './shape.ts'
import { encodeXmlMembers } from './xml.ts'

const epochSeconds = 7
const dateTime = 5
const timestamps = (format: 5 | 7) => ({ timestampFormat: { useTrait: true, default: format } }) as const

/** XML cannot carry control characters, and trims what is only space. */
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).map((value) => `a${value}z`)
const scalars = {
  string: text,
  integer: fc.integer(),
  number: fc.integer({ min: -1_000_000, max: 1_000_000 }).map((value) => value / 8),
  boolean: fc.boolean(),
  timestamp: fc.date({ noInvalidDate: true, min: new Date('1980-01-01'), max: new Date('2100-01-01') }),
  blob: fc.uint8Array({ minLength: 1, maxLength: 9 }),
  document: text,
}

/** Any value of a shape, without empty lists and structures, which forms cannot say. */
function valueOf(shape: Shape, depth: number): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'struct': {
      const members = [...shape.members.values()].filter(
        (member) => depth > 0 || !['struct', 'list', 'map'].includes(member.shape.kind),
      )
      const usable = members.length > 0 ? members : [...shape.members.values()]
      if (usable.length === 0) return fc.constant({})
      return fc
        .subarray(usable, { minLength: 1, maxLength: Math.min(4, usable.length) })
        .chain((chosen) =>
          fc.record(
            Object.fromEntries(chosen.map(({ name, shape: inner }) => [name, valueOf(inner, depth - 1)])),
          ),
        )
    }
    case 'list':
      return fc.array(valueOf(shape.item, depth - 1), { minLength: 1, maxLength: 12, size: 'small' })
    case 'map':
      return fc.dictionary(text, valueOf(shape.value, depth - 1), {
        minKeys: 1,
        maxKeys: 3,
        noNullPrototype: true,
      })
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'timestamp':
    case 'blob':
    case 'document':
      return scalars[shape.kind]
  }
}

type Subject = readonly [name: string, schema: NormalizedSchema, shape: StructShape]
const subject = (schema: readonly unknown[], side: 4 | 5): Subject => {
  const normalized = NormalizedSchema.of(schema[side] as never)
  return [String(schema[2]), normalized, structOf(normalized)]
}
/** The SDK fills in idempotency tokens that it was not given. */
const withoutFilled = (decoded: object, given: unknown) =>
  Object.fromEntries(
    Object.entries(decoded).filter(([name]) => !/^clientToken$/i.test(name) || name in (given as object)),
  )
const settings = { numRuns: 60 }

test.each([
  subject(ECS.RunTask$, 4),
  subject(ECS.RegisterTaskDefinition$, 4),
  subject(ECS.SubmitTaskStateChange$, 4),
])('reads the JSON input of %s that the SDK writes', (_, schema, shape) => {
  const serializer = new JsonCodec({ jsonName: false, ...timestamps(epochSeconds) }).createSerializer()
  fc.assert(
    fc.property(valueOf(shape, 4), (value) => {
      serializer.write(schema, value)
      expect(withoutFilled(decodeJson(shape, Buffer.from(serializer.flush() as string)), value)).toEqual(
        value,
      )
    }),
    settings,
  )
})

test.each([
  subject(ECS.DescribeTasks$, 5),
  subject(ECS.DescribeServices$, 5),
  subject(ECS.DescribeTaskDefinition$, 5),
])('writes the JSON output of %s that the SDK reads', async (_, schema, shape) => {
  const deserializer = new JsonCodec({ jsonName: false, ...timestamps(epochSeconds) }).createDeserializer()
  await fc.assert(
    fc.asyncProperty(valueOf(shape, 4), async (value) => {
      expect(await deserializer.read(schema, Buffer.from(encodeJson(shape, value as object)))).toEqual(value)
    }),
    settings,
  )
})

test.each<[...Subject, QueryDialect]>([
  [...subject(EC2.RunInstances$, 4), 'ec2'],
  [...subject(EC2.DescribeInstances$, 4), 'ec2'],
  [...subject(EC2.AuthorizeSecurityGroupIngress$, 4), 'ec2'],
  [...subject(STS.AssumeRole$, 4), 'query'],
])('reads the form of %s that the SDK writes', (_, schema, shape, dialect) => {
  const serializer = new QueryShapeSerializer({
    ...timestamps(dateTime),
    ...(dialect === 'ec2' && {
      capitalizeKeys: true,
      flattenLists: true,
      serializeEmptyLists: false,
      ec2: true,
    }),
  })
  fc.assert(
    fc.property(valueOf(shape, 4), (value) => {
      serializer.write(schema, value)
      const form = new URLSearchParams(`Action=X${serializer.flush() as string}`)
      expect(withoutFilled(decodeQuery(shape, form, dialect), value)).toEqual(value)
    }),
    settings,
  )
})

test.each([
  subject(EC2.DescribeInstances$, 5),
  subject(EC2.DescribeSecurityGroups$, 5),
  subject(STS.AssumeRole$, 5),
])('writes the XML of %s that the SDK reads', async (_, schema, shape) => {
  const deserializer = new XmlShapeDeserializer({
    ...timestamps(dateTime),
    xmlNamespace: '',
    serviceNamespace: '',
  })
  await fc.assert(
    fc.asyncProperty(valueOf(shape, 4), async (value) => {
      const xml = `<Response>${encodeXmlMembers(schema, value as object)}</Response>`
      expect(await deserializer.read(schema, Buffer.from(xml))).toEqual(value)
    }),
    settings,
  )
})

test('finds every missing member and no other', () => {
  const [, , shape] = subject(ECS.RunTask$, 4)
  fc.assert(
    fc.property(valueOf(shape, 4), (value) => {
      const { taskDefinition } = value as { taskDefinition?: string }
      expect(missingMembers(shape, value).includes('taskDefinition')).toBe(taskDefinition === undefined)
    }),
  )
})
