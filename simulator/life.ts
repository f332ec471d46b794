import type { Clock } from '@berth/std/clock.ts'

/**
 * The life of one simulated process. When it ends, its timers do not ring any more and what it waits for never comes, so
 * that nothing of it goes on, as after kill -9.
 */
export class Life {
  readonly clock: Clock
  #alive = true

  constructor(clock: Clock) {
    this.clock = {
      now: () => clock.now(),
      steady: () => clock.steady?.() ?? clock.now(),
      at: (timeMs, callback) => clock.at(timeMs, () => this.#alive && callback()),
    }
  }

  get alive(): boolean {
    return this.#alive
  }

  end(): void {
    this.#alive = false
  }

  /** What `promise` gives, as long as this process is there to receive it. */
  receive<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => this.#alive && resolve(value),
        (error: unknown) => this.#alive && reject(error as Error),
      )
    })
  }
}
