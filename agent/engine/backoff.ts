export interface BackoffPolicy {
  readonly firstMs: number
  readonly factor: number
  readonly maxMs: number
  /** The share of the delay that chance may add. */
  readonly jitter: number
}

/** Waits between attempts, each longer than the one before, until it is reset. */
export class Backoff {
  readonly #policy: BackoffPolicy
  readonly #fraction: () => number
  #nextMs: number

  constructor(policy: BackoffPolicy, fraction: () => number) {
    this.#policy = policy
    this.#fraction = fraction
    this.#nextMs = policy.firstMs
  }

  next(): number {
    const delayMs = this.#nextMs
    this.#nextMs = Math.min(delayMs * this.#policy.factor, this.#policy.maxMs)
    return delayMs * (1 + this.#policy.jitter * this.#fraction())
  }

  reset(): void {
    this.#nextMs = this.#policy.firstMs
  }
}
