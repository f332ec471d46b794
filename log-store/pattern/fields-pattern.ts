import type { FilterPattern } from './filter-pattern.ts'
import { compareNumbers, condition, numberOf, operandAt, operatorAt, PatternReader } from './pattern-text.ts'

type Fields = readonly string[]
/** Of all fields of a message; each test knows by its name which one it is about. */
type Test = (valueOf: (name: string) => string | undefined) => boolean

interface Field {
  readonly name: string
  readonly test: Test | undefined
}

const rest = '...'

/**
 * `[ip, user, ..., status = 4*, bytes > 1000]`: the fields of a message by their order. A field is what stands between blanks,
 * or in quotes or square brackets; `...` are any number of fields.
 */
export function fieldsPattern(pattern: string): FilterPattern {
  const reader = new PatternReader(pattern)
  const fields = fieldsOf(reader)
  reader.end()
  const gap = fields.findIndex(({ name }) => name === rest)
  const [before, behind] = gap === -1 ? [fields, []] : [fields.slice(0, gap), fields.slice(gap + 1)]

  /** The values by name, or undefined when the message has another number of fields. */
  const read = (message: string): ReadonlyMap<string, string> | undefined => {
    const values = split(message)
    const least = before.length + behind.length
    if (gap === -1 ? values.length !== least : values.length < least) return undefined
    const offset = values.length - behind.length
    return new Map([
      ...before.map(({ name }, index): [string, string] => [name, values[index] ?? '']),
      ...behind.map(({ name }, index): [string, string] => [name, values[offset + index] ?? '']),
    ])
  }
  return {
    matches: (message) => {
      const values = read(message)
      return values !== undefined && fields.every(({ test }) => !test || test((name) => values.get(name)))
    },
    extract: (message) => {
      const values = [...(read(message) ?? [])]
      return Object.fromEntries(values.map(([name, value]) => [`$${name}`, value]))
    },
  }
}

function fieldsOf(reader: PatternReader): readonly Field[] {
  const fields: Field[] = []
  if (!reader.accept('[')) reader.fail()
  do fields.push(fieldAt(reader, fields.length + 1))
  while (reader.accept(','))
  if (!reader.accept(']')) reader.fail()
  if (fields.filter(({ name }) => name === rest).length > 1) reader.fail()
  return fields
}

function fieldAt(reader: PatternReader, number: number): Field {
  if (reader.accept(rest)) return { name: rest, test: undefined }
  reader.skipBlanks()
  const from = reader.at
  const name = reader.match(/[A-Za-z0-9_\-.]+/y)?.[0]
  // A field without a name has that of its place.
  if (name === undefined) {
    if (!/[,\]]/.test(reader.text[reader.at] ?? '')) reader.fail()
    return { name: String(number), test: undefined }
  }
  reader.skipBlanks()
  if (/[,\]]/.test(reader.text[reader.at] ?? '')) return { name, test: undefined }
  reader.at = from
  const test = condition(reader, () => comparison(reader), {
    all:
      (tests): Test =>
      (valueOf) =>
        tests.every((each) => each(valueOf)),
    any:
      (tests): Test =>
      (valueOf) =>
        tests.some((each) => each(valueOf)),
  })
  return { name, test }
}

function comparison(reader: PatternReader): Test {
  reader.skipBlanks()
  const name = reader.match(/[A-Za-z0-9_\-.]+/y)?.[0]
  const operator = operatorAt(reader)
  if (name === undefined || operator === undefined) reader.fail()
  const operand = operandAt(reader, /[^\s,\]&|()"%=<>!]+/y)
  const { number } = operand
  if (operator !== '=' && operator !== '!=' && number === undefined) reader.fail()
  return (valueOf) => {
    const value = valueOf(name)
    if (value === undefined) return false
    const counted = numberOf(value)
    if (number !== undefined && counted !== undefined) return compareNumbers(operator, counted, number)
    if (operator === '=') return operand.matches(value)
    return operator === '!=' && !operand.matches(value)
  }
}

/** `a [b c] "d e"` has the fields `a`, `b c` and `d e`. */
function split(message: string): Fields {
  const fields: string[] = []
  for (const [, bracketed, quoted, bare] of message.matchAll(/\[([^\]]*)\]|"([^"]*)"|(\S+)/g))
    fields.push(bracketed ?? quoted ?? bare ?? '')
  return fields
}
