import type {
  DescribeLogStreamsRequest,
  DescribeLogStreamsResponse,
  LogStream,
} from '@aws-sdk/client-cloudwatch-logs'
import type { StreamInfo, StreamsQuery } from '@berth/log-store/log-store.ts'
import type { Context } from '#api/operation.ts'
import type { LogGroup } from '#domain/logs/log-group.ts'
import {
  constrainGroupName,
  constrainStreamName,
  invalidParameter,
  logConstraints,
  resolveGroup,
} from './resolve.ts'

/** The group of a stream that a request names. Throws InvalidParameterException and ResourceNotFoundException. */
export function groupOfStream(
  context: Context,
  {
    logGroupName,
    logStreamName,
  }: { readonly logGroupName?: string | undefined; readonly logStreamName?: string | undefined },
): LogGroup {
  const check = logConstraints()
  constrainGroupName(check, logGroupName)
  constrainStreamName(check, logStreamName)
  check.check()
  return resolveGroup(context.store, context, { logGroupName })
}

/** What DescribeLogStreams asks of which group. Throws InvalidParameterException and ResourceNotFoundException. */
export function planDescribe(
  context: Context,
  input: DescribeLogStreamsRequest,
): { readonly group: LogGroup; readonly query: StreamsQuery } {
  const { logStreamNamePrefix: prefix, orderBy = 'LogStreamName', descending = false, limit = 50 } = input
  const check = logConstraints()
  constrainStreamName(check, prefix, 'logStreamNamePrefix')
  check.number('limit', limit, 1, 50)
  check.oneOf('orderBy', orderBy, ['LogStreamName', 'LastEventTime'])
  check.check()
  if (orderBy === 'LastEventTime' && prefix !== undefined)
    invalidParameter('Cannot order by LastEventTime with a logStreamNamePrefix.')
  const group = resolveGroup(context.store, context, input)
  const after = input.nextToken === undefined ? undefined : placeOf(input.nextToken)
  return {
    group,
    query: {
      ...(prefix !== undefined && { prefix }),
      orderBy: orderBy === 'LastEventTime' ? 'lastEventAt' : 'name',
      descending,
      ...(after && { after }),
      // One more, to know whether there is another page.
      limit: limit + 1,
    },
  }
}

export function showStreams(
  { logGroupArn }: LogGroup,
  { limit }: StreamsQuery,
  found: readonly StreamInfo[],
): DescribeLogStreamsResponse {
  const shown = found.slice(0, limit - 1)
  const last = shown.at(-1)
  return {
    logStreams: shown.map((stream) => showStream(logGroupArn, stream)),
    ...(last && found.length === limit && { nextToken: tokenOf(last) }),
  }
}

function showStream(logGroupArn: string, stream: StreamInfo): LogStream {
  const { name, createdAt, firstEventAt, lastEventAt, lastIngestedAt } = stream
  return {
    logStreamName: name,
    creationTime: createdAt,
    ...(firstEventAt !== undefined && { firstEventTimestamp: firstEventAt }),
    ...(lastEventAt !== undefined && { lastEventTimestamp: lastEventAt }),
    ...(lastIngestedAt !== undefined && { lastIngestionTime: lastIngestedAt }),
    uploadSequenceToken: sequenceToken(lastIngestedAt ?? createdAt),
    arn: `${logGroupArn}:log-stream:${name}`,
    storedBytes: 0,
  }
}

/** Clients of old send it back; nothing is made of it. */
export const sequenceToken = (time: number): string => `49${String(time).padStart(54, '0')}`

const tokenOf = ({ name, lastEventAt = 0 }: StreamInfo): string =>
  Buffer.from(JSON.stringify([name, lastEventAt])).toString('base64url')

function placeOf(token: string): NonNullable<StreamsQuery['after']> {
  try {
    const [name, lastEventAt] = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[]
    if (typeof name === 'string' && typeof lastEventAt === 'number') return { name, lastEventAt }
  } catch {
    // Not one of ours, which is said below.
  }
  return invalidParameter('The specified nextToken is invalid.')
}
