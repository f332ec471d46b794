import type { InstanceFacts } from './instance-load.ts'

export type Predicate = (facts: InstanceFacts) => boolean
type Comparison = '==' | '>' | '>=' | '<' | '<=' | '=~'

/** What an expression may speak of: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-query-language.html */
export interface Subject {
  readonly name: string
  /** It speaks of the instance's tasks; other subjects of its row. */
  readonly ofTasks?: true
  /** Negated operators compare as the plain ones and turn the answer round: an absent value is unequal to everything. */
  readonly operators: readonly string[]
  /** The values an instance has; a comparison holds when it holds for one of them. */
  readonly values: (facts: InstanceFacts) => Iterable<string | number>
  /** How a literal is ordered against a value: below 0 when the value is less. Undefined for a literal not of the kind. */
  readonly order: (literal: string) => ((value: string | number) => number) | undefined
}

const equality = ['==', '!=', 'in', '!in', '=~', '!~']
const ordering = ['==', '!=', '>', '>=', '<', '<=']
const absent: readonly string[] = []
const one = (value: string | undefined): readonly string[] => (value === undefined ? absent : [value])

const orderText: Subject['order'] = (literal) => (value) => (value === literal ? 0 : value < literal ? -1 : 1)
const orderNumber: Subject['order'] = (literal) =>
  /^-?\d+$/.test(literal) ? (value) => Number(value) - Number(literal) : undefined

const subjects: readonly Subject[] = [
  {
    name: 'agentConnected',
    operators: equality,
    values: ({ instance }) => [String(instance.agentConnected)],
    order: orderText,
  },
  {
    name: 'agentVersion',
    operators: ordering,
    values: ({ instance }) => one(instance.versionInfo.agentVersion),
    order: orderVersion,
  },
  {
    name: 'ec2InstanceId',
    operators: equality,
    values: ({ instance }) => one(instance.ec2InstanceId),
    order: orderText,
  },
  {
    name: 'registeredAt',
    operators: ordering,
    values: ({ instance }) => [instance.registeredAt],
    order: orderTime,
  },
  {
    name: 'runningTasksCount',
    operators: ordering,
    values: ({ runningTasksCount }) => [runningTasksCount],
    order: orderNumber,
    ofTasks: true,
  },
  {
    name: 'task:group',
    operators: equality,
    values: ({ groups }) => groups.keys(),
    order: orderText,
    ofTasks: true,
  },
]

/** The subject of that name; undefined when there is none. */
export function subjectOf(name: string): Subject | undefined {
  const attribute = /^attribute:(.+)$/.exec(name)?.[1]
  if (attribute === undefined) return subjects.find((subject) => subject.name === name)
  return {
    name,
    operators: [...equality, ...ordering, 'exists', '!exists'],
    values: ({ attributes }) => one(attributes.get(attribute)),
    order: orderAttribute,
  }
}

/** Whether there is a value. */
export function existenceOf(subject: Subject): Predicate {
  return (facts) => [...subject.values(facts)].length > 0
}

/** Whether a value compares so with the literal; a text that says what is wrong with the literal otherwise. */
export function comparisonOf(subject: Subject, operator: Comparison, literal: string): Predicate | string {
  if (operator === '=~') {
    const pattern = patternOf(literal)
    return pattern
      ? some(subject, (value) => pattern.test(String(value)))
      : `unsupported pattern '${literal}'`
  }
  const order = subject.order(literal)
  if (!order) return `'${literal}' is no value of ${subject.name}`
  switch (operator) {
    case '==':
      return some(subject, (value) => order(value) === 0)
    case '>':
      return some(subject, (value) => order(value) > 0)
    case '>=':
      return some(subject, (value) => order(value) >= 0)
    case '<':
      return some(subject, (value) => order(value) < 0)
    case '<=':
      return some(subject, (value) => order(value) <= 0)
  }
}

function some(subject: Subject, holds: (value: string | number) => boolean): Predicate {
  return (facts) => {
    for (const value of subject.values(facts)) if (holds(value)) return true
    return false
  }
}

/** Attributes compare as numbers when both are, else as texts; equality is that of the texts. */
function orderAttribute(literal: string): (value: string | number) => number {
  const isNumber = /^-?\d+(?:\.\d+)?$/
  const asText = orderText(literal)
  return (value) => {
    if (value === literal) return 0
    if (isNumber.test(literal) && isNumber.test(String(value)))
      return Number(value) - Number(literal) || Number.NaN
    return asText?.(value) ?? Number.NaN
  }
}

function orderVersion(literal: string): ((value: string | number) => number) | undefined {
  if (!/^v?\d+(?:\.\d+)*$/.test(literal)) return undefined
  const wanted = segments(literal)
  return (value) => {
    const found = segments(String(value))
    for (let at = 0; at < Math.max(wanted.length, found.length); at++) {
      const difference = (found[at] ?? 0) - (wanted[at] ?? 0)
      if (difference !== 0) return difference
    }
    return 0
  }
}

/** The numbers of a version; what is behind them, such as `-rc1`, does not count. */
function segments(version: string): number[] {
  return (/\d+(?:\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number)
}

/** A date, or a date and time; without a zone it is UTC. */
function orderTime(literal: string): ((value: string | number) => number) | undefined {
  const parts = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)?)?$/.exec(literal)
  const [, date = '', time = '00:00:00', zone = 'Z'] = parts ?? []
  const wanted = Date.parse(`${date}T${time}${zone}`)
  return Number.isNaN(wanted) ? undefined : (value) => Number(value) - wanted
}

/** A pattern that must match the whole value, as in Java. Undefined for what is no pattern, or means something else here. */
function patternOf(literal: string): RegExp | undefined {
  // Java's classes by name, quoting, its own anchors and class intersections: refused rather than misread.
  if (/\\[pPQEAzZGhHRX]|\[[^\]]*&&/.test(literal)) return undefined
  try {
    return new RegExp(`^(?:${literal})$`)
  } catch {
    return undefined
  }
}
