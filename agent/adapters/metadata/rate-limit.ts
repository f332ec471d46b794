import type { Clock } from '@berth/std/clock.ts'

/** How many requests a second from one address to one path are answered, and how many at once. */
export interface RateLimit {
  readonly steady: number
  readonly burst: number
}

/** The official agent's, unless ECS_TASK_METADATA_RPS_LIMIT says `steady,burst`. */
export const defaultRateLimit: RateLimit = { steady: 40, burst: 60 }

/** @returns undefined when `text` is no two whole numbers above zero, or the burst is below the steady rate */
export function parseRateLimit(text: string): RateLimit | undefined {
  const [steady, burst] = (/^\s*(\d+)\s*,\s*(\d+)\s*$/.exec(text) ?? []).slice(1).map(Number)
  return steady && burst && burst >= steady ? { steady, burst } : undefined
}

interface Bucket {
  readonly tokens: number
  readonly at: number
}

/** Buckets that are full again are forgotten once there are so many. */
const bucketsMax = 1000

/** A token bucket for each key. */
export class RateLimiter {
  readonly #limit: RateLimit
  readonly #clock: Clock
  readonly #buckets = new Map<string, Bucket>()

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit
    this.#clock = clock
  }

  admits(key: string): boolean {
    const at = this.#clock.now()
    const tokens = this.#tokens(this.#buckets.get(key), at)
    if (this.#buckets.size >= bucketsMax) this.#forgetFull(at)
    const admitted = tokens >= 1
    this.#buckets.set(key, { tokens: admitted ? tokens - 1 : tokens, at })
    return admitted
  }

  #tokens(bucket: Bucket | undefined, at: number): number {
    const { steady, burst } = this.#limit
    if (!bucket) return burst
    return Math.min(burst, bucket.tokens + (Math.max(0, at - bucket.at) / 1000) * steady)
  }

  #forgetFull(at: number): void {
    for (const [key, bucket] of this.#buckets)
      if (this.#tokens(bucket, at) >= this.#limit.burst) this.#buckets.delete(key)
  }
}
