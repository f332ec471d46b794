import type { StartLiveTailRequest } from '@aws-sdk/client-cloudwatch-logs'
import type { FilterPattern } from '@berth/log-store/pattern/filter-pattern.ts'
import type { Context } from '#api/operation.ts'
import type { LogGroup } from '#domain/logs/log-group.ts'
import { patternOf } from './metric-filter.ts'
import { constrainStreamName, invalidParameter, logConstraints, resolveGroup } from './resolve.ts'

/** Which events, of which groups, somebody wants to be shown as they come in. */
export interface TailQuery {
  readonly groups: readonly LogGroup[]
  readonly wants: (streamName: string) => boolean
  readonly pattern: FilterPattern | undefined
}

/** Throws InvalidParameterException and ResourceNotFoundException. */
export function planTail(context: Context, input: StartLiveTailRequest): TailQuery {
  const { logGroupIdentifiers = [], logStreamNames, logStreamNamePrefixes, logEventFilterPattern } = input
  const check = logConstraints()
  check.items('logGroupIdentifiers', logGroupIdentifiers, 1, 10)
  check.items('logStreamNames', logStreamNames, 1, 10)
  check.items('logStreamNamePrefixes', logStreamNamePrefixes, 1, 10)
  for (const [index, name] of (logStreamNames ?? []).entries())
    constrainStreamName(check, name, `logStreamNames.${index + 1}.member`)
  check.check()
  const named = logStreamNames ?? logStreamNamePrefixes
  if (logStreamNames && logStreamNamePrefixes)
    invalidParameter('Only one of logStreamNames or logStreamNamePrefixes can be specified.')
  if (named && logGroupIdentifiers.length > 1)
    invalidParameter('Log streams can be specified only when there is exactly one log group.')
  if (logGroupIdentifiers.some((identifier) => !identifier.startsWith('arn:') || identifier.endsWith('*')))
    invalidParameter('Every log group must be given by its ARN, which cannot end with an asterisk.')
  const pattern = patternOf(logEventFilterPattern, 'logEventFilterPattern')
  return {
    groups: logGroupIdentifiers.map((logGroupIdentifier) =>
      resolveGroup(context.store, context, { logGroupIdentifier }),
    ),
    wants: (name) => {
      if (logStreamNames) return logStreamNames.includes(name)
      return logStreamNamePrefixes?.some((prefix) => name.startsWith(prefix)) ?? true
    },
    pattern,
  }
}
