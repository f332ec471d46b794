import type { Clock } from '@berth/std/clock.ts'

/** The timers and waits of one agent, all of which end when it does. */
export class Timers {
  readonly clock: Clock
  readonly #ended = new AbortController()
  readonly #cancels = new Set<() => void>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  get ended(): boolean {
    return this.#ended.signal.aborted
  }

  now(): number {
    return this.clock.now()
  }

  /** Milliseconds that only go forward, to measure durations by; they mean nothing after a restart. */
  steady(): number {
    return this.clock.steady?.() ?? this.clock.now()
  }

  /** Calls `callback` after `delayMs`, unless cancelled by the returned function or the agent ended before. */
  after(delayMs: number, callback: () => void): () => void {
    if (this.ended) return () => undefined
    const cancel = this.clock.at(this.clock.now() + delayMs, () => {
      this.#cancels.delete(forget)
      callback()
    })
    const forget = (): void => {
      this.#cancels.delete(forget)
      cancel()
    }
    this.#cancels.add(forget)
    return forget
  }

  /** Resolves after `delayMs`, or at once when the agent ends: look at `ended` afterwards. */
  sleep(delayMs: number): Promise<void> {
    if (this.ended) return Promise.resolve()
    return new Promise((resolve) => {
      const onEnd = (): void => resolve()
      this.#ended.signal.addEventListener('abort', onEnd, { once: true })
      this.after(delayMs, () => {
        this.#ended.signal.removeEventListener('abort', onEnd)
        resolve()
      })
    })
  }

  /** What `promise` gives, or `onTimeout`'s value when that takes longer than `limitMs`. */
  within<T>(limitMs: number, promise: Promise<T>, onTimeout: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.after(limitMs, () => {
        try {
          resolve(onTimeout())
        } catch (error) {
          reject(error as Error)
        }
      })
      promise.then(resolve, reject).finally(cancel)
    })
  }

  end(): void {
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
    this.#ended.abort()
  }
}

/** Lets at most `count` through at a time, in the order they came. */
export class Turnstile {
  #free: number
  readonly #waiting: Array<() => void> = []

  constructor(count: number) {
    this.#free = count
  }

  async through<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
