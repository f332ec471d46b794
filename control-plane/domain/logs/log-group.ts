import { formatArn, type Scope } from '#domain/arn.ts'

/** Its streams and their events are not rows: they are kept by a log store, under `storeId`. */
export interface LogGroup extends Scope {
  /** Without the `:*` that CloudWatch Logs puts behind it in places. */
  readonly logGroupArn: string
  readonly logGroupName: string
  /** Never used again, so that what is left of a deleted group is not found in one of its name. */
  readonly storeId: string
  readonly createdAt: number
  readonly logGroupClass: LogGroupClass
  /** Events are kept for ever when absent. */
  readonly retentionInDays?: number
  readonly deletionProtected?: boolean
}

type LogGroupClass = 'STANDARD' | 'INFREQUENT_ACCESS'

/** A policy of the account for services that write logs. */
export interface LogResourcePolicy extends Scope {
  readonly policyName: string
  readonly policyDocument: string
  readonly updatedAt: number
}

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html */
export const retentionDays: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
]

const dayMs = 24 * 3_600_000

export const logGroupArnOf = (scope: Scope, name: string): string =>
  formatArn(scope, 'logs', `log-group:${name}`)

/** Events older than this are forgotten, in milliseconds since the epoch. */
export function retainedFrom({ retentionInDays }: LogGroup, now: number): number {
  return retentionInDays === undefined ? 0 : now - retentionInDays * dayMs
}

/** What of a batch, whose events are in the order of their times, is taken; the rest is said to be rejected. */
export interface Admission {
  readonly from: number
  /** Exclusive. */
  readonly until: number
  readonly tooOldEnd?: number
  readonly expiredEnd?: number
  readonly tooNewStart?: number
}

/** Events may be two hours ahead, and no older than two weeks or the group's retention. */
export function admit(
  events: ReadonlyArray<{ readonly timestamp?: number | undefined }>,
  group: LogGroup,
  now: number,
): Admission {
  const before = (time: number): number => {
    const index = events.findIndex(({ timestamp = 0 }) => timestamp >= time)
    return index === -1 ? events.length : index
  }
  const tooOldEnd = before(now - 14 * dayMs)
  const expiredEnd = before(retainedFrom(group, now))
  const until = before(now + 2 * 3_600_000 + 1)
  return {
    from: Math.max(tooOldEnd, expiredEnd),
    until,
    ...(tooOldEnd > 0 && { tooOldEnd }),
    ...(expiredEnd > 0 && { expiredEnd }),
    ...(until < events.length && { tooNewStart: until }),
  }
}
