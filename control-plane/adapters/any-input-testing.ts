/** Inputs that AWS's model allows, and now and then one that it does not: made from its shapes, for tests. */
import type { Shape } from '@berth/wire/shape.ts'

/** What inputs are made from. */
export interface Maker {
  /** A number in [0, 1). */
  readonly chance: () => number
  /** Texts that a member of this name might well have: names and ARNs of things that exist, values of an enum. */
  readonly likely: (member: string, struct: string) => readonly string[]
  /** How likely a member that need not be there is. */
  readonly density: number
  /** How likely a value is of a kind that its shape does not allow. */
  readonly misfits: number
}

/** In a sample: a text that its member might well have, most often the name or ARN of something that exists. */
export const existing = '<existing>'
/** The same, but for a check that tries each member by itself: its name without the rest of the ARN. */
export const existingName = '<existing name>'

const numbers = [-1, 0, 1, 2, 3, 10, 11, 50, 100, 101, 200, 256, 1024, 65_535, 65_536, 2_147_483_647]
const fractions = [0, 0.5, 1, 10, 50, 99.9, 100, 200, -1]
const texts = [
  '',
  'a',
  'web',
  'app',
  '1',
  '100',
  'ä ß',
  'x'.repeat(256),
  'a'.repeat(64),
  'arn:aws:ecs:us-east-1:000000000000:nothing/a',
  'arn:aws:iam::000000000000:role/some',
  'constructor',
  'arn:aws:ecs:us-east-1:000000000000:constructor/a',
  '__proto__',
  'aws:reserved',
]

function pick<T>(maker: Maker, options: readonly T[], otherwise: T): T {
  return options[Math.floor(maker.chance() * options.length)] ?? otherwise
}

/**
 * A value of the shape, as JSON. Where a `sample` is given, it is kept, mostly, and decorated with what it lacks, so that
 * values come about that pass the first checks of an operation.
 */
export function anyInput(maker: Maker, shape: Shape, sample?: unknown): Record<string, unknown> {
  return anyValue(maker, shape, '', '', 0, sample) as Record<string, unknown>
}

function anyValue(
  maker: Maker,
  shape: Shape,
  member: string,
  struct: string,
  depth: number,
  sample?: unknown,
): unknown {
  if (depth > 0 && maker.chance() < maker.misfits)
    return pick<unknown>(maker, [null, {}, [], 'x', 1, true], null)
  if (sample !== undefined && depth > 0 && maker.chance() < 0.02)
    return anyValue(maker, shape, member, struct, depth)
  switch (shape.kind) {
    case 'struct': {
      const given = (sample ?? {}) as Readonly<Record<string, unknown>>
      const value: Record<string, unknown> = {}
      for (const [name, { shape: inner }] of shape.members) {
        const wanted = shape.required.includes(name) ? 0.98 : depth > 6 ? 0 : maker.density
        if (given[name] !== undefined || maker.chance() < wanted)
          value[name] = anyValue(maker, inner, name, shape.name, depth + 1, given[name])
      }
      return value
    }
    case 'list': {
      const { item } = shape
      if (Array.isArray(sample))
        return sample.map((each: unknown) => anyValue(maker, item, member, struct, depth + 1, each))
      const length = pick(maker, [0, 1, 1, 1, 1, 2, 2, 3, 11], 1)
      return Array.from({ length }, () => anyValue(maker, item, member, struct, depth + 1))
    }
    case 'map':
      if (sample !== undefined) return sample
      return Object.fromEntries(
        Array.from({ length: pick(maker, [0, 1, 2], 1) }, () => [
          pick(maker, texts, 'a'),
          anyValue(maker, shape.value, member, struct, depth + 1),
        ]),
      )
    case 'document':
      return sample ?? { a: [1, 'b'] }
    case 'string':
    case 'integer':
    case 'number':
    case 'boolean':
    case 'timestamp':
    case 'blob':
      return sample === undefined || sample === existing || sample === existingName
        ? anyScalar(maker, shape.kind, member, struct)
        : sample
  }
}

function anyScalar(
  maker: Maker,
  kind: 'string' | 'integer' | 'number' | 'boolean' | 'timestamp' | 'blob',
  member: string,
  struct: string,
): unknown {
  switch (kind) {
    case 'string': {
      const likely = maker.likely(member, struct)
      return likely.length > 0 && maker.chance() < 0.85 ? pick(maker, likely, '') : pick(maker, texts, 'a')
    }
    case 'integer':
      return pick(maker, numbers, 1)
    case 'number':
      return pick(maker, fractions, 1)
    case 'boolean':
      return maker.chance() < 0.5
    case 'timestamp':
      return 1_767_225_600 + Math.floor(maker.chance() * 100_000)
    case 'blob':
      return 'YWJj'
  }
}

/** The values of the model's enums that a member of a structure may have, by the names that the SDK gives them. */
export function enumsOf(sdk: object): (member: string, struct: string) => readonly string[] {
  const enums = Object.entries(sdk).flatMap(([name, value]): Array<[string, readonly string[]]> => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
    const values: unknown[] = Object.values(value as object)
    return values.length > 0 && values.every((each) => typeof each === 'string')
      ? [[name.toLowerCase(), values]]
      : []
  })
  const known = new Map<string, readonly string[]>()
  return (member, struct) => {
    const key = `${struct}.${member}`
    let values = known.get(key)
    if (values === undefined) {
      const name = member.toLowerCase()
      const own = enums.filter(([each]) => each === `${struct.toLowerCase()}${name}` || each === name)
      const like = enums.filter(
        ([each]) =>
          each.startsWith(name) ||
          each.endsWith(name) ||
          name.endsWith(each) ||
          // What answers are to include is named after the answers: TaskField, ServiceField.
          (name === 'include' && each.endsWith('field')),
      )
      values = [...new Set((own.length > 0 ? own : like).flatMap(([, each]) => each))]
      known.set(key, values)
    }
    return values
  }
}
