import { Backoff } from '#engine/backoff.ts'
import { managedAgentChanges } from '#engine/managed-agents.ts'
import { hasDigestsToTell, nextReport, reported, type TaskReport } from '#engine/report.ts'
import { messageOf } from './agent-error.ts'
import type { CurrentRecord, TaskHost } from './task-host.ts'

const digestsAfterMs = 1000

/** Tells the control plane what became of one task: one report at a time, in order, each until it was taken. */
export class TaskReporter {
  readonly #host: TaskHost
  readonly #task: CurrentRecord
  #reporting = false
  #cancelDigests: (() => void) | undefined
  #digestsDue = false

  constructor(host: TaskHost, task: CurrentRecord) {
    this.#host = host
    this.#task = task
  }

  /** Whether there is something to tell and nobody does so yet. */
  isDue(): boolean {
    return !this.#reporting && this.#next() !== undefined
  }

  /**
   * Sees to it that digests are told, by calling `onDue`, of a task that stays on its way up: one that is RUNNING within
   * a second tells them then, and spares everybody a report.
   */
  awaitDigests(onDue: () => void): void {
    const waiting = hasDigestsToTell(this.#task.record)
    if (waiting && !this.#digestsDue)
      this.#cancelDigests ??= this.#host.timers.after(digestsAfterMs, () => {
        this.#digestsDue = true
        onDue()
      })
    if (waiting) return
    this.#cancelDigests?.()
    this.#cancelDigests = undefined
  }

  #next(): TaskReport | undefined {
    return nextReport(this.#task.record, this.#digestsDue)
  }

  /** Resolves when the control plane knows all it should, or the agent ends. */
  async report(): Promise<void> {
    const { timers, submissions, dependencies } = this.#host
    this.#reporting = true
    const backoff = new Backoff({ firstMs: 100, factor: 2, maxMs: 30_000, jitter: 0.2 }, () =>
      dependencies.ids.fraction(),
    )
    while (!timers.ended) {
      const report = this.#next()
      if (!report) break
      try {
        await this.#saveIfPossible()
        await submissions.through(() => this.#submit(report))
      } catch (error) {
        const fields = { task: this.#task.record.task.arn, error: messageOf(error) }
        dependencies.log('warn', 'state change not submitted', fields)
        if (!(error instanceof Error && error.name === 'InvalidParameterException')) {
          await timers.sleep(backoff.next())
          continue
        }
      }
      backoff.reset()
      this.#task.record = reported(this.#task.record, report)
    }
    this.#reporting = false
  }

  /**
   * A full disk is no reason to hide what happened: should the agent end before there is room, it looks at its
   * containers anew and says the same again, which changes nothing.
   */
  async #saveIfPossible(): Promise<void> {
    await this.#task.save().catch((error: unknown) =>
      this.#host.dependencies.log('error', 'task not saved', {
        task: this.#task.record.task.arn,
        error: messageOf(error),
      }),
    )
  }

  async #submit(report: TaskReport): Promise<void> {
    const { dependencies, config } = this.#host
    const at = (name: string, timeMs: number | undefined): object =>
      timeMs === undefined ? {} : { [name]: new Date(timeMs) }
    const managedAgents = managedAgentChanges(this.#task.record, report.changes)
    await dependencies.ecs.submitTaskStateChange({
      cluster: config.cluster || 'default',
      task: this.#task.record.task.arn,
      status: report.status,
      reason: report.reason,
      ...(report.changes.length > 0 && {
        containers: report.changes.map(({ networkBindings, ...change }) => ({
          ...change,
          ...(networkBindings && { networkBindings: [...networkBindings] }),
        })),
      }),
      ...(managedAgents.length > 0 && { managedAgents }),
      ...at('pullStartedAt', report.pullStartedAt),
      ...at('pullStoppedAt', report.pullStoppedAt),
      ...at('executionStoppedAt', report.executionStoppedAt),
    })
  }
}
