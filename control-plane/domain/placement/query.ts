import { type Predicate, type Subject, comparisonOf, existenceOf, subjectOf } from './query-subject.ts'
import type { InstanceFacts } from './instance-load.ts'

/** An expression of the cluster query language, parsed. */
export interface Query {
  readonly text: string
  readonly predicate: Predicate
  /** It asks for the tasks of an instance, not for its row alone. */
  readonly asksTasks: boolean
  /** What `and` joins at its top; one when it joins nothing. */
  readonly terms: readonly Term[]
}

interface Term {
  readonly text: string
  readonly predicate: Predicate
}

/** An expression that is not one; its message does not repeat the text. `position` counts characters of it from 0. */
export class QueryError extends Error {
  readonly text: string
  readonly position: number
  constructor(text: string, position: number, problem: string) {
    super(`${problem} at position ${position}.`)
    this.name = 'QueryError'
    this.text = text
    this.position = position
  }
}

/** Parses an expression; an empty one matches everything. Throws QueryError. */
export function parseQuery(text: string): Query {
  if (text.trim() === '') return { text, predicate: () => true, asksTasks: false, terms: [] }
  return new Parser(text).parse()
}

export function matches(query: Pick<Query, 'predicate'>, facts: InstanceFacts): boolean {
  return query.predicate(facts)
}

/** Operators by all their spellings; those that begin like another stand first. */
const operators: ReadonlyArray<readonly [spelling: string, operator: Operator]> = [
  ['==', '=='],
  ['!=', '!='],
  ['>=', '>='],
  ['<=', '<='],
  ['=~', '=~'],
  ['!~', '!~'],
  ['>', '>'],
  ['<', '<'],
  ['equals', '=='],
  ['not_equals', '!='],
  ['greater_than_equal', '>='],
  ['greater_than', '>'],
  ['less_than_equal', '<='],
  ['less_than', '<'],
  ['matches', '=~'],
  ['not_matches', '!~'],
  ['exists', 'exists'],
  ['!exists', '!exists'],
  ['not_exists', '!exists'],
  ['in', 'in'],
  ['!in', '!in'],
  ['not_in', '!in'],
]
type Operator = '==' | '!=' | '>' | '>=' | '<' | '<=' | '=~' | '!~' | 'in' | '!in' | 'exists' | '!exists'

/** Comparisons, parentheses and negations together; each may be inside the one before, and the stack has an end. */
const partsMax = 500

/** What ends a bare literal. A single `|` or `&` does not: it belongs to a pattern. */
const literalEnd = /[\s,()[\]'"]|&&|\|\|/g
const subjectEnd = /[\s,()[\]'"=!<>~]|$/g

/** Reads an expression by recursive descent, a method a rule; `or` binds loosest, then `and`, then `not`. */
class Parser {
  readonly #text: string
  #position = 0
  #asksTasks = false
  #parts = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): Query {
    const all: Term[] = []
    const predicate = this.#or(all)
    this.#skipSpace()
    if (this.#position < this.#text.length) this.#fail('expected an operator or the end')
    const terms = all.length > 0 ? all : [{ text: this.#text.trim(), predicate }]
    return { text: this.#text, predicate, asksTasks: this.#asksTasks, terms }
  }

  /** `terms` gets what `and` joins, unless `or` binds that together. */
  #or(terms: Term[] = []): Predicate {
    let left = this.#and(terms)
    while (this.#take('||') || this.#takeWord('or')) {
      left = either(left, this.#and([]))
      terms.length = 0
    }
    return left
  }

  #and(terms: Term[]): Predicate {
    let left = this.#term(terms)
    while (this.#take('&&') || this.#takeWord('and')) left = both(left, this.#term(terms))
    return left
  }

  #term(terms: Term[]): Predicate {
    this.#skipSpace()
    const start = this.#position
    const predicate = this.#unary()
    terms.push({ text: this.#text.slice(start, this.#position).trim(), predicate })
    return predicate
  }

  #unary(): Predicate {
    if (++this.#parts > partsMax) this.#fail(`more than ${partsMax} parts`)
    if (this.#take('!') || this.#takeWord('not')) {
      const inner = this.#unary()
      return (facts) => !inner(facts)
    }
    if (!this.#take('(')) return this.#comparison()
    const inner = this.#or()
    if (!this.#take(')')) this.#fail("expected ')'")
    return inner
  }

  #comparison(): Predicate {
    const subject = this.#subject()
    this.#asksTasks ||= subject.ofTasks === true
    this.#skipSpace()
    const start = this.#position
    const operator = this.#operator()
    const negated = operator === '!=' || operator === '!~' || operator === '!in' || operator === '!exists'
    if (!subject.operators.includes(operator)) {
      this.#position = start
      this.#fail(`'${operator}' cannot be used with ${subject.name}`)
    }
    const literalsAt = this.#position
    const predicate = this.#meaning(subject, operator)
    if (typeof predicate === 'string') {
      this.#position = literalsAt
      this.#skipSpace()
      return this.#fail(predicate)
    }
    return negated ? (facts) => !predicate(facts) : predicate
  }

  /** What the operator without its negation says of the subject; a text when the literal is not of the subject's kind. */
  #meaning(subject: Subject, operator: Operator): Predicate | string {
    switch (operator) {
      case 'exists':
      case '!exists':
        return existenceOf(subject)
      case 'in':
      case '!in': {
        const members = this.#list().map((literal) => comparisonOf(subject, '==', literal))
        const wrong = members.find((member) => typeof member === 'string')
        if (wrong !== undefined) return wrong
        return (facts) => members.some((member) => typeof member !== 'string' && member(facts))
      }
      case '!=':
        return comparisonOf(subject, '==', this.#literal())
      case '!~':
        return comparisonOf(subject, '=~', this.#literal())
      case '==':
      case '>':
      case '>=':
      case '<':
      case '<=':
      case '=~':
        return comparisonOf(subject, operator, this.#literal())
    }
  }

  #subject(): Subject {
    this.#skipSpace()
    const name = this.#until(subjectEnd)
    const subject = subjectOf(name)
    if (subject) return subject
    this.#position -= name.length
    return this.#fail(name === '' ? 'expected a subject' : `unknown subject '${name}'`)
  }

  #operator(): Operator {
    for (const [spelling, operator] of operators)
      if (/[a-z]$/.test(spelling) ? this.#takeWord(spelling) : this.#take(spelling)) return operator
    return this.#fail('expected an operator')
  }

  #list(): string[] {
    if (!this.#take('[')) this.#fail("expected '['")
    const literals = [this.#literal()]
    while (this.#take(',')) literals.push(this.#literal())
    if (!this.#take(']')) this.#fail("expected ',' or ']'")
    return literals
  }

  #literal(): string {
    this.#skipSpace()
    const quote = this.#text[this.#position]
    if (quote === "'" || quote === '"') {
      const end = this.#text.indexOf(quote, this.#position + 1)
      if (end === -1) this.#fail('a quote that does not end')
      const literal = this.#text.slice(this.#position + 1, end)
      this.#position = end + 1
      return literal
    }
    const literal = this.#until(literalEnd)
    return literal === '' ? this.#fail('expected a value') : literal
  }

  #until(end: RegExp): string {
    end.lastIndex = this.#position
    const stop = end.exec(this.#text)?.index ?? this.#text.length
    const read = this.#text.slice(this.#position, stop)
    this.#position = stop
    return read
  }

  #take(symbol: string): boolean {
    this.#skipSpace()
    if (!this.#text.startsWith(symbol, this.#position)) return false
    this.#position += symbol.length
    return true
  }

  #takeWord(word: string): boolean {
    this.#skipSpace()
    const next = this.#text[this.#position + word.length]
    if (next !== undefined && /[^\s()[\]'"]/.test(next)) return false
    return this.#take(word)
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#position] ?? '')) this.#position++
  }

  #fail(problem: string): never {
    throw new QueryError(this.#text, this.#position, problem)
  }
}

function either(left: Predicate, right: Predicate): Predicate {
  return (facts) => left(facts) || right(facts)
}

function both(left: Predicate, right: Predicate): Predicate {
  return (facts) => left(facts) && right(facts)
}
