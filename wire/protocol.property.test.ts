import { JsonCodec, QueryShapeSerializer, XmlShapeDeserializer } from '@aws-sdk/core/protocols'
import * as EC2 from '@aws-sdk/client-ec2'
import * as ECS from '@aws-sdk/client-ecs'
import * as Scheduler from '@aws-sdk/client-scheduler'
import * as STS from '@aws-sdk/client-sts'
import { NormalizedSchema } from '@smithy/core/schema'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeJson, encodeJson } from './json.ts'
import { type QueryDialect, decodeQuery } from './query.ts'
import { decodeRest, encodeRest, httpRoute } from './rest.ts'
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

/** An operation with a member at every place of an HTTP message, in the form of the SDK's schemas. */
const everywhere = (() => {
  const names = ['Label', 'Greedy', 'Query', 'Queries', 'At', 'Flag', 'Header', 'Headers', 'Since', 'Meta']
  const bound = [
    [0, 1],
    [0, 1],
    [1, { httpQuery: 'n' }],
    [64 | 0, { httpQuery: 'q' }],
    [4, { httpQuery: 'at' }],
    [2, { httpQuery: 'flag' }],
    [0, { httpHeader: 'X-One' }],
    [64 | 0, { httpHeader: 'X-Many' }],
    [4, { httpHeader: 'X-Since' }],
    [128 | 0, { httpPrefixHeaders: 'X-Meta-' }],
  ]
  const members = ['Renamed', 'Day', 'Bytes', 'Inner']
  const inner = [3, 'n', 'Inner', 0, ['A', 'At'], [0, 4]]
  const schemas = [[0, { jsonName: 'short' }], 5, 21, () => inner]
  const input = [3, 'n', 'EverywhereInput', 0, [...names, ...members], [...bound, ...schemas], 2]
  const headers = names.slice(6)
  const output = [
    3,
    'n',
    'EverywhereOutput',
    0,
    [...headers, ...members, 'Status'],
    [...bound.slice(6), ...schemas, [1, 32]],
  ]
  const http = ['PUT', '/things/{Label}/of/{Greedy+}?static=yes', 201]
  return [9, 'n', 'Everywhere', { http }, () => input, () => output] as const
})()

const restOperations = [
  ['everywhere', everywhere],
  ...[
    Scheduler.CreateSchedule$,
    Scheduler.DeleteSchedule$,
    Scheduler.ListSchedules$,
    Scheduler.GetSchedule$,
    Scheduler.TagResource$,
    Scheduler.UntagResource$,
  ].map((schema) => [schema[2], schema]),
] as unknown as ReadonlyArray<readonly [string, typeof everywhere]>
const client = new Scheduler.SchedulerClient({
  region: 'us-east-1',
  credentials: { accessKeyId: 'a', secretAccessKey: 's' },
})
const operationOf = ([, namespace, name, traits, input, output]: typeof everywhere) =>
  ({ namespace, name, traits, input: input(), output: output() }) as never

/** The client's protocol, whose type is one of many. */
const { protocol } = client.config as unknown as {
  readonly protocol: {
    serializeRequest(operation: never, input: object, context: object): Promise<Sent>
    deserializeResponse(operation: never, context: object, response: object): Promise<object>
  }
}

interface Sent {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string | readonly string[]>>
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
}

const bytesOf = (body: Sent['body'] = ''): Buffer =>
  typeof body === 'string' ? Buffer.from(body) : Buffer.concat([body])

/** Values as HTTP can carry them: names of headers are not case-sensitive, and their times have whole seconds. */
function bindable(shape: StructShape): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const plain = fc.stringMatching(/^[a-z0-9 ,"\\/.:-]{0,8}$/).map((value) => `a${value}z`)
  const special: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    Header: plain,
    Headers: fc.array(plain, { minLength: 1, maxLength: 3 }),
    Since: scalars.timestamp.map((time) => new Date(Math.floor(time.getTime() / 1000) * 1000)),
    Meta: fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), plain, {
      minKeys: 1,
      maxKeys: 3,
      noNullPrototype: true,
    }),
    Status: fc.integer({ min: 200, max: 299 }),
  }
  const isLabel = (name: string): boolean => shape.members.get(name)?.http?.in === 'label'
  return valueOf(shape, 3).chain((value) =>
    fc.record(
      Object.fromEntries(
        [...shape.members.keys()]
          .filter((name) => isLabel(name) || name in (value as object))
          .map((name) => [
            name,
            isLabel(name) ? text : (special[name] ?? fc.constant((value as Record<string, unknown>)[name])),
          ]),
      ),
    ),
  )
}

test.each(restOperations)('reads the REST request of %s that the SDK writes', async (_, schema) => {
  const shape = structOf(NormalizedSchema.of(schema[4]() as never))
  const route = httpRoute(schema[3].http as unknown as readonly [string, string, number])
  const endpoint = () => Promise.resolve({ protocol: 'https:', hostname: 'h', path: '/' })
  await fc.assert(
    fc.asyncProperty(bindable(shape), async (value) => {
      const context = { ...client.config, endpoint }
      const sent = await protocol.serializeRequest(operationOf(schema), value, context)
      const form = new URLSearchParams()
      for (const [name, texts] of Object.entries(sent.query))
        for (const each of [texts].flat()) form.append(name, each)
      const request = { ...sent, form, body: bytesOf(sent.body) }
      expect(withoutFilled(decodeRest(shape, route, request), value)).toEqual(value)
    }),
    settings,
  )
})

test.each(restOperations)('writes the REST answer of %s that the SDK reads', async (_, schema) => {
  const shape = structOf(NormalizedSchema.of(schema[5]() as never))
  const route = httpRoute(schema[3].http as unknown as readonly [string, string, number])
  await fc.assert(
    fc.asyncProperty(bindable(shape), async (value) => {
      const { status, headers, body } = encodeRest(shape, route, value)
      const response = { statusCode: status, headers, body: Buffer.from(body) }
      const read = await protocol.deserializeResponse(operationOf(schema), client.config, response)
      const output = Object.fromEntries(Object.entries(read).filter(([name]) => name !== '$metadata'))
      expect(output).toEqual({
        ...(shape.members.has('Status') && { Meta: {}, Status: 201 }),
        ...value,
      })
    }),
    settings,
  )
})
