import type { TestMetricFilterRequest, TestMetricFilterResponse } from '@aws-sdk/client-cloudwatch-logs'
import { type FilterPattern, parseFilterPattern } from '@berth/log-store/pattern/filter-pattern.ts'
import { PatternError } from '@berth/log-store/pattern/pattern-text.ts'
import type { Operation } from '#api/operation.ts'
import { invalidParameter, logConstraints } from './resolve.ts'

/** Throws InvalidParameterException. */
export function patternOf(text: string | undefined, path = 'filterPattern'): FilterPattern | undefined {
  if (text === undefined) return undefined
  const check = logConstraints()
  check.text(path, text, { min: 0, max: 1024 })
  check.check()
  try {
    return parseFilterPattern(text)
  } catch (error) {
    if (error instanceof PatternError) return invalidParameter(error.message)
    throw error
  }
}

export const testMetricFilter: Operation<TestMetricFilterRequest, TestMetricFilterResponse> = {
  resources: () => ['*'],
  run: (_, { filterPattern, logEventMessages = [] }) => {
    const check = logConstraints()
    check.items('logEventMessages', logEventMessages, 1, 50)
    for (const [index, message] of logEventMessages.entries())
      check.text(`logEventMessages.${index + 1}.member`, message, {})
    check.check()
    const pattern = patternOf(filterPattern ?? '')
    return {
      matches: logEventMessages.flatMap((eventMessage, index) =>
        pattern?.matches(eventMessage)
          ? [{ eventNumber: index + 1, eventMessage, extractedValues: pattern.extract(eventMessage) }]
          : [],
      ),
    }
  },
}
