/** How many requests may come at once, and how many more each second after that. Both are whole numbers. */
export interface RateLimit {
  readonly burst: number
  readonly perSecond: number
}

/** What is left of a limit. A bucket that nobody has taken from yet need not exist: it is full. */
export interface TokenBucket {
  /** Thousandths of a token, so that a refill by the millisecond stays a whole number. */
  readonly level: number
  readonly at: number
}

const token = 1000

/** The bucket as it is at `now`, in ms: refilled for the time that passed, never beyond its burst. */
function refilled(
  { burst, perSecond }: RateLimit,
  bucket: TokenBucket | undefined,
  now: number,
): TokenBucket {
  if (!bucket) return { level: burst * token, at: now }
  // A clock that was set back refills nothing.
  const elapsedMs = Math.max(0, now - bucket.at)
  return { level: Math.min(burst * token, bucket.level + elapsedMs * perSecond), at: now }
}

/** The bucket with one token less; undefined when it has none to give. */
export function take(
  limit: RateLimit,
  bucket: TokenBucket | undefined,
  now: number,
): TokenBucket | undefined {
  const { level } = refilled(limit, bucket, now)
  return level < token ? undefined : { level: level - token, at: now }
}

/** Whether nothing is missing from it at `now`, so that it need not be remembered. */
export function isFull(limit: RateLimit, bucket: TokenBucket, now: number): boolean {
  return refilled(limit, bucket, now).level === limit.burst * token
}
