import type { Clock } from './clock.ts'

/** Lets one waiter sleep until it is woken or a time comes. A wake before the wait is not lost. */
export class Wakeup {
  #pending = true
  #resume: () => void = () => undefined

  wake(): void {
    this.#pending = true
    this.#resume()
  }

  /** Resolves when woken, or at `untilMs` of `clock`. */
  async wait(clock: Clock, untilMs: number): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        const cancel = clock.at(untilMs, resolve)
        this.#resume = () => {
          cancel()
          resolve()
        }
      })
      this.#resume = () => undefined
    }
    this.#pending = false
  }
}
