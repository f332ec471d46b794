import type { FilterPattern } from './filter-pattern.ts'
import { PatternError, PatternReader, regexOf } from './pattern-text.ts'

interface Term {
  readonly kind: 'required' | 'optional' | 'excluded'
  readonly matches: (message: string) => boolean
  /** Absent of a regular expression. */
  readonly text?: string
}

/**
 * `ERROR -debug "exact phrase"`: every term must be in the message, none of those with `-`. With `?` before all of
 * them, one is enough; beside other terms, those with `?` count for nothing. `%…%` is a regular expression.
 */
export function textPattern(pattern: string): FilterPattern {
  const terms = termsOf(pattern)
  const required = terms.filter(({ kind }) => kind === 'required')
  const excluded = terms.filter(({ kind }) => kind === 'excluded')
  const optional = terms.filter(({ kind }) => kind === 'optional')
  const anyIsEnough = optional.length === terms.length
  const longest = required
    .map(({ text }) => text ?? '')
    .toSorted((left, right) => right.length - left.length)[0]
  return {
    matches: (message) =>
      anyIsEnough
        ? optional.some(({ matches }) => matches(message))
        : required.every(({ matches }) => matches(message)) &&
          !excluded.some(({ matches }) => matches(message)),
    extract: () => ({}),
    ...(longest && { needle: Buffer.from(longest) }),
  }
}

function termsOf(pattern: string): readonly Term[] {
  const reader = new PatternReader(pattern)
  const terms: Term[] = []
  for (reader.skipBlanks(); reader.at < pattern.length; reader.skipBlanks()) {
    const sign = reader.match(/[?-]/y)?.[0]
    const kind = sign === '?' ? 'optional' : sign === '-' ? 'excluded' : 'required'
    terms.push({ kind, ...termAt(reader) })
  }
  return terms
}

function termAt(reader: PatternReader): Pick<Term, 'matches' | 'text'> {
  // Of these a pattern of terms may have any number.
  const regex = reader.match(/%((?:[^%\\]|\\[\s\S])+)%/y)
  if (regex) {
    const expression = regexOf(regex[1] ?? '')
    return { matches: (message) => expression.test(message) }
  }
  const text = reader.quoted() ?? reader.match(/[^\s"]+/y)?.[0]
  if (text === undefined) reader.fail()
  const bare = reader.text[reader.at - 1] !== '"'
  if (bare && !/^[\p{L}\p{N}_]+$/u.test(text))
    throw new PatternError(`Invalid character(s) in term '${text}'`)
  return { matches: (message) => message.includes(text), text }
}
