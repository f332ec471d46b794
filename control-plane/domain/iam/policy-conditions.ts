/**
 * The Condition block of a policy's statement.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
import ipaddr from 'ipaddr.js'

/** What is known of a request beside its action and resource, by the names of the keys in small letters. */
export type ConditionContext = Readonly<Record<string, string | readonly string[] | undefined>>

export interface Condition {
  /** What of the operator's name stands between `ForAllValues:` and `IfExists`, in small letters. */
  readonly operator: string
  readonly set: 'all' | 'any' | undefined
  readonly ifExists: boolean
  /** In small letters. */
  readonly key: string
  readonly values: readonly string[]
}

/** Compares a value of the request with one of the policy; both as texts. */
type Compare = (actual: string, expected: string) => boolean

interface Operator {
  readonly compare: Compare
  /** Holds where the comparison holds for none of the policy's values. */
  readonly negated?: boolean
  /** Policy variables stand in its values. */
  readonly variables?: boolean
}

const equals: Compare = (actual, expected) => actual === unescaped(expected)
const equalsIgnoringCase: Compare = (actual, expected) =>
  actual.toLowerCase() === unescaped(expected).toLowerCase()
const like: Compare = (actual, expected) => matches(expected, actual)
const number =
  (holds: (left: number, right: number) => boolean): Compare =>
  (actual, expected) => {
    const [left, right] = [actual, expected].map((text) => (text.trim() === '' ? Number.NaN : Number(text)))
    return left !== undefined && right !== undefined && holds(left, right)
  }
const date =
  (holds: (left: number, right: number) => boolean): Compare =>
  (actual, expected) =>
    holds(timeOf(actual), timeOf(expected))
/** A date is written in ISO 8601 or as seconds since the epoch. */
const timeOf = (text: string): number => (/^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text))

const same = (left: number, right: number): boolean => left === right
const less = (left: number, right: number): boolean => left < right
const most = (left: number, right: number): boolean => left <= right
const more = (left: number, right: number): boolean => left > right
const least = (left: number, right: number): boolean => left >= right

const operators: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['stringequals', { compare: equals, variables: true }],
  ['stringnotequals', { compare: equals, variables: true, negated: true }],
  ['stringequalsignorecase', { compare: equalsIgnoringCase, variables: true }],
  ['stringnotequalsignorecase', { compare: equalsIgnoringCase, variables: true, negated: true }],
  ['stringlike', { compare: like, variables: true }],
  ['stringnotlike', { compare: like, variables: true, negated: true }],
  ['numericequals', { compare: number(same) }],
  ['numericnotequals', { compare: number(same), negated: true }],
  ['numericlessthan', { compare: number(less) }],
  ['numericlessthanequals', { compare: number(most) }],
  ['numericgreaterthan', { compare: number(more) }],
  ['numericgreaterthanequals', { compare: number(least) }],
  ['dateequals', { compare: date(same) }],
  ['datenotequals', { compare: date(same), negated: true }],
  ['datelessthan', { compare: date(less) }],
  ['datelessthanequals', { compare: date(most) }],
  ['dategreaterthan', { compare: date(more) }],
  ['dategreaterthanequals', { compare: date(least) }],
  ['bool', { compare: (actual, expected) => actual.toLowerCase() === expected.toLowerCase() }],
  ['binaryequals', { compare: (actual, expected) => actual === expected }],
  ['ipaddress', { compare: inRange }],
  ['notipaddress', { compare: inRange, negated: true }],
  ['arnequals', { compare: likeArn, variables: true }],
  ['arnlike', { compare: likeArn, variables: true }],
  ['arnnotequals', { compare: likeArn, variables: true, negated: true }],
  ['arnnotlike', { compare: likeArn, variables: true, negated: true }],
])

/** A condition by its operator as written; undefined when there is no such operator. */
export function readCondition(
  written: string,
  key: string,
  values: readonly string[],
): Condition | undefined {
  const match = /^(?:For(AllValues|AnyValue):)?([a-z]+?)(IfExists)?$/i.exec(written)
  const operator = match?.[2]?.toLowerCase() ?? ''
  if (!operators.has(operator) && operator !== 'null') return undefined
  if (operator === 'null' && match?.[3] !== undefined) return undefined
  const set = match?.[1]?.toLowerCase()
  return {
    operator,
    set: set === 'allvalues' ? 'all' : set === 'anyvalue' ? 'any' : undefined,
    ifExists: match?.[3] !== undefined,
    key: key.toLowerCase(),
    values,
  }
}

/** Whether a statement's condition holds. `variables` says whether `${…}` stands for values of the request. */
export function conditionHolds(condition: Condition, context: ConditionContext, variables: boolean): boolean {
  const { operator: name, set, ifExists, key, values } = condition
  const found = context[key]
  const actual = found === undefined ? [] : typeof found === 'string' ? [found] : found
  if (name === 'null')
    return values.some((value) => (value.toLowerCase() === 'true') === (actual.length === 0))
  const operator = operators.get(name)
  if (!operator) return false
  const { compare, negated = false } = operator
  if (actual.length === 0) return ifExists || set === 'all' || (negated && set !== 'any')
  const expected =
    variables && operator.variables ? values.flatMap((value) => substitute(value, context) ?? []) : values
  // A negation of what is not known says nothing.
  if (negated && expected.length < values.length) return false
  const one = (value: string): boolean => expected.some((each) => compare(value, each)) !== negated
  if (set === 'any') return actual.some((value) => one(value))
  // Without a qualifier several values of a request are compared as one: a negation must hold for all of them.
  if (set === 'all' || negated) return actual.every((value) => one(value))
  return actual.some((value) => one(value))
}

/** A text with its `${…}` replaced; undefined where the request lacks one without a default, for then nothing matches. */
export function substitute(text: string, context: ConditionContext): string | undefined {
  if (!text.includes('${')) return text
  let complete = true
  const written = text.replaceAll(/\$\{([^}]*)\}/g, (whole, inside: string) => {
    if (/^[*?$]$/.test(inside)) return whole // stands for itself: read where wildcards are
    const match = /^\s*([^,\s]+)\s*(?:,\s*'(.*)'\s*)?$/.exec(inside)
    const value = context[match?.[1]?.toLowerCase() ?? '']
    const known = typeof value === 'string' ? value : (match?.[2] ?? undefined)
    if (known === undefined) complete = false
    return (known ?? '').replaceAll(/[*?]/g, (sign) => `\${${sign}}`)
  })
  return complete ? written : undefined
}

const unescaped = (text: string): string => text.replaceAll(/\$\{([*?$])\}/g, '$1')

/** What stands for `*` and `?` in a pattern where some of them mean themselves. */
const escaped: Readonly<Record<string, string>> = { '*': '\uE000', '?': '\uE001' }

/**
 * Whether the whole of a text is what a pattern with `*` and `?` says; `${*}` is a star itself. It takes no longer than one
 * text times the other, whatever the pattern: a regular expression with many stars could take for ever.
 */
export function matches(pattern: string, text: string): boolean {
  if (!pattern.includes('${')) return wild(pattern, text, '*', '?')
  const signs = pattern.replaceAll(/\$\{[*?$]\}|[*?]/g, (part) => escaped[part] ?? part)
  return wild(unescaped(signs), text, '\uE000', '\uE001')
}

function wild(pattern: string, text: string, many: string, single: string): boolean {
  let [at, star, after] = [0, -1, 0]
  for (let place = 0; place < text.length;) {
    const sign = pattern[at]
    if (sign === many) {
      star = at++
      after = place
    } else if (sign !== undefined && (sign === text[place] || sign === single)) {
      at++
      place++
    } else {
      if (star === -1) return false
      at = star + 1
      place = ++after
    }
  }
  while (pattern[at] === many) at++
  return at === pattern.length
}

/** Each of an ARN's six parts is matched by itself, so that no `*` reaches over a colon but in the last. */
function likeArn(actual: string, expected: string): boolean {
  const [left, right] = [partsOf(actual), partsOf(expected)]
  return left.length === 6 && right.length === 6 && left.every((part, at) => matches(right[at] ?? '', part))
}

function partsOf(arn: string): string[] {
  const parts = arn.split(/:(?![^${]*\})/)
  return [...parts.slice(0, 5), ...(parts.length > 5 ? [parts.slice(5).join(':')] : [])]
}

function inRange(actual: string, expected: string): boolean {
  try {
    const address = ipaddr.process(actual)
    const [range, bits] = expected.includes('/')
      ? ipaddr.parseCIDR(expected)
      : [ipaddr.parse(expected), expected.includes(':') ? 128 : 32]
    return address.kind() === range.kind() && address.match(range, bits)
  } catch {
    return false
  }
}
