import { messageOf } from './agent-error.ts'
import type { Log } from './ports.ts'
import type { TaskRunner } from './task-runner.ts'
import type { Timers } from './timers.ts'

const retryMs = 60_000

/** Cleans up after finished tasks, each some time after it stopped, with one timer for all of them. */
export class Reaper {
  readonly #timers: Timers
  readonly #waitMs: number
  readonly #log: Log
  readonly #cleanUp: (runner: TaskRunner) => Promise<void>
  /** When each is due, in steady time. */
  readonly #waiting = new Map<TaskRunner, number>()
  #cancel: (() => void) | undefined

  constructor(timers: Timers, waitMs: number, log: Log, cleanUp: (runner: TaskRunner) => Promise<void>) {
    this.#timers = timers
    this.#waitMs = waitMs
    this.#log = log
    this.#cleanUp = cleanUp
  }

  add(runner: TaskRunner): void {
    const { stoppedAt } = runner.record
    const agoMs = stoppedAt === undefined ? 0 : Math.max(0, this.#timers.now() - stoppedAt)
    this.#waiting.set(runner, this.#timers.steady() + Math.max(0, this.#waitMs - agoMs))
    this.#arm()
  }

  #arm(): void {
    if (this.#cancel || !this.#waiting.size) return
    const due = Math.min(...this.#waiting.values())
    this.#cancel = this.#timers.after(Math.max(0, due - this.#timers.steady()), () => {
      this.#cancel = undefined
      void this.#reap()
    })
  }

  async #reap(): Promise<void> {
    const now = this.#timers.steady()
    const due = [...this.#waiting].filter(([, at]) => at <= now)
    for (const [runner] of due) this.#waiting.delete(runner)
    for (const [runner] of due)
      try {
        await this.#cleanUp(runner)
      } catch (error) {
        this.#log('warn', 'task not cleaned up', { task: runner.record.task.arn, error: messageOf(error) })
        this.#waiting.set(runner, now + retryMs)
      }
    this.#arm()
  }
}
