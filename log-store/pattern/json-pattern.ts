import type { FilterPattern } from './filter-pattern.ts'
import {
  compareNumbers,
  condition,
  operandAt,
  type Operator,
  operatorAt,
  PatternReader,
} from './pattern-text.ts'

type Json = null | string | number | boolean | readonly Json[] | { readonly [key: string]: Json }
type Test = (root: Json) => boolean

/** A step of `$.items[0].['some-key'].*`: a member, an element, or all of them. */
type Step = string | number | typeof every
const every = Symbol('every')

interface Selector {
  readonly text: string
  readonly steps: readonly Step[]
}

/** `{ $.status = 404 && ($.user.name = "a*" || $.user NOT EXISTS) }`: of messages that are JSON. */
export function jsonPattern(pattern: string): FilterPattern {
  const reader = new PatternReader(pattern)
  const selectors: Selector[] = []
  if (!reader.accept('{')) reader.fail()
  const test = condition(reader, () => comparison(reader, selectors), {
    all:
      (tests): Test =>
      (root) =>
        tests.every((each) => each(root)),
    any:
      (tests): Test =>
      (root) =>
        tests.some((each) => each(root)),
  })
  if (!reader.accept('}')) reader.fail()
  reader.end()
  return {
    matches: (message) => {
      const root = parse(message)
      return root !== undefined && test(root)
    },
    extract: (message) => {
      const root = parse(message)
      if (root === undefined) return {}
      return Object.fromEntries(
        selectors.flatMap(({ text, steps }) => {
          const [value] = select(root, steps)
          return value === undefined
            ? []
            : [[text, typeof value === 'string' ? value : JSON.stringify(value)]]
        }),
      )
    },
  }
}

/** Undefined where the message is no JSON object or array. */
function parse(message: string): Json | undefined {
  if (!/^\s*[{[]/.test(message)) return undefined
  try {
    return JSON.parse(message) as Json
  } catch {
    return undefined
  }
}

function comparison(reader: PatternReader, selectors: Selector[]): Test {
  const selector = selectorAt(reader)
  selectors.push(selector)
  const { steps } = selector
  reader.skipBlanks()
  const word = reader.match(/(IS\s+NULL|IS\s+TRUE|IS\s+FALSE|NOT\s+EXISTS|EXISTS)\b/iy)?.[1]
  if (word !== undefined) return standing(word.toUpperCase().replaceAll(/\s+/g, ' '), steps)
  const operator = operatorAt(reader)
  if (operator === undefined) reader.fail()
  const operand = operandAt(reader, /[^\s&|(){}"%=<>!]+/y)
  const { number } = operand
  if (operator !== '=' && operator !== '!=' && number === undefined) reader.fail()
  return (root) => select(root, steps).some((value) => compares(value, operator, operand))
}

function standing(word: string, steps: readonly Step[]): Test {
  switch (word) {
    case 'IS NULL':
      return (root) => select(root, steps).includes(null)
    case 'IS TRUE':
      return (root) => select(root, steps).includes(true)
    case 'IS FALSE':
      return (root) => select(root, steps).includes(false)
    case 'EXISTS':
      return (root) => select(root, steps).length > 0
    default:
      return (root) => select(root, steps).length === 0
  }
}

/** A bare number is compared as one with numbers, and as a text with texts. What is no scalar compares with nothing. */
function compares(
  value: Json,
  operator: Operator,
  operand: { readonly matches: (text: string) => boolean; readonly number: number | undefined },
): boolean {
  if (typeof value === 'number' && operand.number !== undefined)
    return compareNumbers(operator, value, operand.number)
  if (value === null || typeof value === 'object') return false
  if (operator === '=') return operand.matches(String(value))
  return operator === '!=' && !operand.matches(String(value))
}

function selectorAt(reader: PatternReader): Selector {
  reader.skipBlanks()
  const from = reader.at
  if (!reader.match(/\$/y)) reader.fail()
  const steps: Step[] = []
  for (;;) {
    const found =
      reader.match(/\.?\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(\d+)|(\*))\s*\]/y) ??
      reader.match(/\.(?:(\*)|([^\s.[\](){}=<>!&|"'%*]+))/y)
    if (!found) break
    steps.push(stepOf(found))
  }
  if (steps.length === 0) reader.fail()
  return { text: reader.text.slice(from, reader.at), steps }
}

function stepOf(found: RegExpExecArray): Step {
  if (found[0].includes('[')) {
    const [, single, double, index, star] = found
    if (star !== undefined) return every
    return index === undefined ? (single ?? double ?? '').replaceAll(/\\(.)/g, '$1') : Number(index)
  }
  return found[1] === undefined ? (found[2] ?? '') : every
}

function select(root: Json, steps: readonly Step[]): readonly Json[] {
  let found: readonly Json[] = [root]
  for (const step of steps)
    found = found.flatMap((value): readonly Json[] => {
      if (typeof value !== 'object' || value === null) return []
      if (step === every) return Object.values(value)
      if (Array.isArray(value)) return typeof step === 'number' && step in value ? [value[step] as Json] : []
      return Object.hasOwn(value, step) ? [(value as Record<string | number, Json>)[step] as Json] : []
    })
  return found
}
