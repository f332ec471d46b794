import { runInNewContext } from 'node:vm'
import { AwsError } from '@berth/wire/error.ts'

/** Some patterns take ages on some texts. They are the caller's, and nobody else is to wait for them. */
const matchMsMax = 100

/**
 * Holds a value to a parameter's AllowedPattern. AWS's patterns are Java's; what both languages know is the same. Throws
 * InvalidAllowedPatternException and ParameterPatternMismatchException.
 */
export function checkAllowedPattern(pattern: string | undefined, value: string): void {
  if (pattern === undefined || pattern === '') return
  let matches: boolean
  try {
    matches = runInNewContext(
      'new RegExp(pattern).test(value)',
      { pattern, value },
      { timeout: matchMsMax },
    ) as boolean
  } catch {
    throw new AwsError(
      'InvalidAllowedPatternException',
      'The request does not meet the regular expression requirement.',
    )
  }
  if (!matches)
    throw new AwsError(
      'ParameterPatternMismatchException',
      `Parameter value, cannot be validated against allowedPattern: ${pattern}`,
    )
}
