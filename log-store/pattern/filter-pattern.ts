import { fieldsPattern } from './fields-pattern.ts'
import { jsonPattern } from './json-pattern.ts'
import { textPattern } from './text-pattern.ts'

/** A filter pattern of CloudWatch Logs: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html */
export interface FilterPattern {
  readonly matches: (message: string) => boolean
  /** What the pattern names of a message that matches: `$ip` of fields, `$.user.id` of JSON. */
  readonly extract: (message: string) => Readonly<Record<string, string>>
  /** What every message that matches contains, in UTF-8; so that many messages can be looked through at once. */
  readonly needle?: Buffer
}

/** Throws PatternError. A pattern of nothing but blanks matches everything. */
export function parseFilterPattern(pattern: string): FilterPattern {
  const text = pattern.trim()
  if (text === '' || text === '""' || /^"\s*"$/.test(text))
    return { matches: () => true, extract: () => ({}) }
  if (text.startsWith('{')) return jsonPattern(text)
  if (text.startsWith('[')) return fieldsPattern(text)
  return textPattern(text)
}
