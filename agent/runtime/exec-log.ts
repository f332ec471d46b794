import type { Clock } from '@berth/std/clock.ts'

/** Lines are put together this long, or until there are so many. */
const gatherMs = 1000
const eventBytesMax = 64 * 1024
const waitingMax = 64

/**
 * Keeps what a session prints in a log: an event for what was printed within a second. A log that cannot be written
 * ends no session; that it could not is reported once.
 */
export class SessionLogWriter {
  readonly #clock: Clock
  readonly #put: (message: string, timeMs: number) => Promise<void>
  readonly #report: (problem: unknown) => void
  readonly #decoder = new TextDecoder()
  #text = ''
  #since = 0
  #cancel: (() => void) | undefined
  #waiting = 0
  #queue: Promise<void> = Promise.resolve()
  #failed = false

  constructor(
    clock: Clock,
    put: (message: string, timeMs: number) => Promise<void>,
    report: (problem: unknown) => void,
  ) {
    this.#clock = clock
    this.#put = put
    this.#report = report
  }

  write(bytes: Buffer): void {
    if (this.#failed) return
    const now = this.#clock.now()
    if (this.#text === '') this.#since = now
    this.#text += this.#decoder.decode(bytes, { stream: true })
    if (this.#text.length >= eventBytesMax) this.#flush()
    else this.#cancel ??= this.#clock.at(now + gatherMs, () => this.#flush())
  }

  end(): void {
    this.#flush()
  }

  #flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const [text, since] = [this.#text, this.#since]
    this.#text = ''
    if (text === '' || this.#failed) return
    if (this.#waiting >= waitingMax) return this.#fail(new Error('the log is written too slowly'))
    this.#waiting++
    this.#queue = this.#queue
      .then(() => (this.#failed ? undefined : this.#put(text, since)))
      .catch((error: unknown) => this.#fail(error))
      .finally(() => void this.#waiting--)
  }

  #fail(problem: unknown): void {
    this.#failed = true
    this.#report(problem)
  }
}
