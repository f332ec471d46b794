/** What the three kinds of patterns have in common: how errors, regular expressions and values are written. */

/** A pattern that is not one; the text is what CloudWatch Logs would answer, as far as it is known. */
export class PatternError extends Error {}

/** Not more in one pattern for JSON or for fields. */
const regexesMax = 2

/** Walks through a pattern from its beginning to its end. */
export class PatternReader {
  readonly text: string
  at = 0
  #regexes = 0

  constructor(text: string) {
    this.text = text
  }

  /** Throws PatternError unless all was read. */
  end(): void {
    this.skipBlanks()
    if (this.at < this.text.length) this.fail()
  }

  fail(): never {
    throw new PatternError('Invalid filter pattern')
  }

  skipBlanks(): void {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++
  }

  /** Whether this comes next, after blanks; then it has been read. */
  accept(token: string): boolean {
    this.skipBlanks()
    if (!this.text.startsWith(token, this.at)) return false
    this.at += token.length
    return true
  }

  /** What the expression, which must be sticky, matches here; it has been read then. */
  match(expression: RegExp): RegExpExecArray | undefined {
    expression.lastIndex = this.at
    const found = expression.exec(this.text) ?? undefined
    if (found) this.at = expression.lastIndex
    return found
  }

  /** `"…"` with `\"` for a quote, if it comes next. */
  quoted(): string | undefined {
    this.skipBlanks()
    const found = this.match(/"((?:[^"\\]|\\[\s\S])*)"/y)
    if (!found && this.text[this.at] === '"') this.fail()
    return found?.[1]?.replaceAll(/\\(["\\])/g, '$1')
  }

  /** `%…%`, if it comes next. */
  regex(): RegExp | undefined {
    this.skipBlanks()
    if (this.text[this.at] !== '%') return undefined
    const found = this.match(/%((?:[^%\\]|\\[\s\S])+)%/y)
    if (!found || ++this.#regexes > regexesMax) this.fail()
    return regexOf(found[1] ?? '')
  }
}

/**
 * A regular expression of the subset that CloudWatch Logs takes. It has no groups, so that repetitions cannot be nested
 * and the time a match takes stays bounded. Throws PatternError.
 */
export function regexOf(source: string): RegExp {
  const plain = source.replaceAll(/\\./g, '')
  if (/[^A-Za-z0-9_#=@/;,:\-^$?[\]{}|\\*+.\s]/.test(plain)) throw new PatternError('Invalid filter pattern')
  // Escapes stand for one character or class each: no back references, no lookaround.
  if (/\\[^dDwWsSbBtnr.^$?[\]{}|\\*+()/"'%!&<>~`:;,=@#_\-\s]/.test(source))
    throw new PatternError('Invalid filter pattern')
  try {
    return new RegExp(source)
  } catch {
    throw new PatternError('Invalid filter pattern')
  }
}

/** A text in which `*` stands for any characters. */
function wildcard(text: string): (value: string) => boolean {
  const parts = text.split('*')
  if (parts.length === 1) return (value) => value === text
  const [first = ''] = parts
  const last = parts.at(-1) ?? ''
  const middle = parts.slice(1, -1)
  return (value) => {
    if (value.length < first.length + last.length || !value.startsWith(first) || !value.endsWith(last))
      return false
    let at = first.length
    for (const part of middle) {
      const found = value.indexOf(part, at)
      if (found === -1) return false
      at = found + part.length
    }
    return at <= value.length - last.length
  }
}

export type Operator = '=' | '!=' | '<' | '>' | '<=' | '>='

/** `1e3`, `-5`, `404`; undefined for what is no number. */
export function numberOf(text: string): number | undefined {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined
}

export function compareNumbers(operator: Operator, left: number, right: number): boolean {
  switch (operator) {
    case '=':
      return left === right
    case '!=':
      return left !== right
    case '<':
      return left < right
    case '>':
      return left > right
    case '<=':
      return left <= right
    case '>=':
      return left >= right
  }
}

export function operatorAt(reader: PatternReader): Operator | undefined {
  reader.skipBlanks()
  return reader.match(/!=|<=|>=|=|<|>/y)?.[0] as Operator | undefined
}

/** What one value is compared with. */
export interface Operand {
  matches(value: string): boolean
  /** Where it is a number, or could be one. */
  readonly number: number | undefined
}

/** A quoted text, a regular expression, or a bare word, of which `bare` says what it is made of. Throws PatternError. */
export function operandAt(reader: PatternReader, bare: RegExp): Operand & { readonly quoted: boolean } {
  const regex = reader.regex()
  if (regex) return { matches: (value) => regex.test(value), number: undefined, quoted: true }
  const quoted = reader.quoted()
  if (quoted !== undefined) return { matches: wildcard(quoted), number: undefined, quoted: true }
  const word = reader.match(bare)?.[0].trim()
  if (!word) reader.fail()
  return { matches: wildcard(word), number: numberOf(word), quoted: false }
}

/** `a && (b || c)`: terms joined by `&&`, which binds closer, and `||`. */
export function condition<Test>(
  reader: PatternReader,
  term: () => Test,
  join: {
    readonly all: (tests: readonly Test[]) => Test
    readonly any: (tests: readonly Test[]) => Test
  },
): Test {
  const unit = (): Test => {
    if (!reader.accept('(')) return term()
    const inner = either()
    if (!reader.accept(')')) reader.fail()
    return inner
  }
  const both = (): Test => {
    const tests = [unit()]
    while (reader.accept('&&')) tests.push(unit())
    return tests.length === 1 ? (tests[0] as Test) : join.all(tests)
  }
  const either = (): Test => {
    const tests = [both()]
    while (reader.accept('||')) tests.push(both())
    return tests.length === 1 ? (tests[0] as Test) : join.any(tests)
  }
  return either()
}
