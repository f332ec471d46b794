import type { Clock } from '@berth/std/clock.ts'
import { AwsError } from '@berth/wire/error.ts'
import type { ServiceName } from '@berth/wire/model.ts'
import { type Scope, scopeKey } from '#domain/arn.ts'
import { isFull, type RateLimit, take, type TokenBucket } from '#domain/token-bucket.ts'
import { familyOf, rateLimits } from './ecs/rate-limits.ts'

/** Counts a request against the limits of its account in its region. Throws ThrottlingException when there are too many. */
export type Throttle = (scope: Scope, service: ServiceName, operation: string) => void

interface Held {
  readonly limit: RateLimit
  readonly bucket: TokenBucket
}

/** How often buckets that have filled up again are forgotten: regions, and under `--dev` accounts, are whatever callers say. */
const sweepEveryMs = 60_000

/**
 * AWS's limits on requests, counted in memory: a control plane that starts again starts with full buckets. Amazon ECS
 * only; for the other services AWS publishes limits of another kind, or none.
 */
export function awsThrottle(clock: Clock): Throttle {
  const held = new Map<string, Held>()
  let sweepAt = clock.now() + sweepEveryMs
  const limits: Readonly<Record<string, RateLimit>> = rateLimits
  const families: Readonly<Record<string, string>> = familyOf
  return (scope, service, operation) => {
    const family = service === 'ecs' ? families[operation] : undefined
    const limit = family === undefined ? undefined : limits[family]
    if (!limit) return
    const now = clock.now()
    const key = `${scopeKey(scope)} ${family}`
    const bucket = take(limit, held.get(key)?.bucket, now)
    if (!bucket) throw new AwsError('ThrottlingException', 'Rate exceeded')
    held.set(key, { limit, bucket })
    if (now < sweepAt) return
    sweepAt = now + sweepEveryMs
    for (const [known, { limit: own, bucket: left }] of held) if (isFull(own, left, now)) held.delete(known)
  }
}
