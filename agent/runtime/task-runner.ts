import { stopContainer } from '#engine/observe.ts'
import { awaited, containerRecord, nextSteps, settleTask, type Step } from '#engine/task-plan.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import { taskKey } from './agent-state.ts'
import { RuntimeError } from './container-runtime.ts'
import { ContainerSteps } from './container-steps.ts'
import { messageOf } from './agent-error.ts'
import { ImageError } from './images.ts'
import { failureReason, StepTimeout } from './step-failure.ts'
import { CurrentRecord, type TaskHost } from './task-host.ts'
import { TaskReporter } from './task-reporter.ts'
import { ResourceError, TaskResources } from './task-resources.ts'
import { VolumeError } from './volumes.ts'

const lookAgainMs = 1000
const discardAgainMs = 10_000
/** Docker and the kernel need a moment to let go of what a container had. Doubled with each try. */
const releaseAgainMs = 1000

/**
 * Takes one task's containers, each one step at a time, to where they should be, and has reported what became of them.
 * It waits for nothing of its own accord: without work there is no timer and no promise.
 */
export class TaskRunner {
  readonly #host: TaskHost
  readonly #task: CurrentRecord
  readonly #busy = new Map<string, Step | 'look'>()
  /** Not looked at since the agent started or the runtime was lost; no step is taken before. */
  readonly #unseen = new Set<string>()
  readonly #lookAgain = new Map<string, number | undefined>()
  readonly #resources: TaskResources
  readonly #steps: ContainerSteps
  readonly #reporter: TaskReporter
  /** Containers whose start others wait for, with what ends the wait; and those that were waited for long enough. */
  readonly #waits = new Map<string, () => void>()
  readonly #overdue = new Set<string>()
  #cancelRelease: (() => void) | undefined

  constructor(host: TaskHost, record: TaskRecord) {
    this.#host = host
    this.#task = new CurrentRecord(record, host.dependencies.disk)
    this.#resources = new TaskResources(host.dependencies.resources ?? [])
    this.#steps = new ContainerSteps(host, this.#task, this.#resources)
    this.#reporter = new TaskReporter(host, this.#task)
  }

  get record(): TaskRecord {
    return this.#task.record
  }

  /** Resolves when the task as it is now would survive a crash. */
  save(): Promise<void> {
    return this.#task.save()
  }

  /** Takes up work on the task: on what was just accepted, or, `found` after a restart, once everything was looked at. */
  begin(origin: 'accepted' | 'found'): void {
    if (origin === 'found') this.lookAtAll()
    else this.#advance()
  }

  /** The control plane wants the task stopped. It is told when the task is, however it came to it. */
  requestStop(): void {
    if (this.record.stopRequested) return
    this.#task.record = { ...this.record, desiredStatus: 'STOPPED', stopRequested: true }
    this.#advance()
  }

  /** Looks at a container: something happened to it, with this exit code if it is known. */
  look(name: string, exitCode?: number): void {
    if (containerRecord(this.record, name).state === 'STOPPED') return
    if (this.#busy.has(name) || !this.#host.isRuntimeUp()) this.#lookAgain.set(name, exitCode)
    else void this.#work(name, 'look', exitCode)
  }

  /** Ends the task if something it rests on is gone, as ECS does for the container that holds its network. */
  checkResources(): void {
    if (this.record.desiredStatus === 'STOPPED' || !this.#host.isRuntimeUp()) return
    this.#resources.areIntact(this.record).then(
      (intact) => {
        if (intact || this.#host.timers.ended || this.record.desiredStatus === 'STOPPED') return
        this.#task.record = { ...this.record, desiredStatus: 'STOPPED' }
        this.#advance()
      },
      (error: unknown) =>
        this.#host.dependencies.log('warn', 'resources of a task not looked at', {
          task: this.record.task.arn,
          error: messageOf(error),
        }),
    )
  }

  /** Looks at every container that is not STOPPED before anything else is done to it. */
  lookAtAll(): void {
    for (const { name, state } of this.record.containers) if (state !== 'STOPPED') this.#unseen.add(name)
    if (this.#host.isRuntimeUp()) for (const name of this.#unseen) this.look(name)
    this.checkResources()
    this.#advance()
  }

  /** Removes what is left of a finished task: containers, its own volumes, its record. */
  async cleanUp(): Promise<void> {
    const { runtime, disk } = this.#host.dependencies
    this.#cancelRelease?.()
    await this.#resources.release(this.record)
    for (const { runtimeId, dockerName } of this.record.containers)
      await runtime.remove(runtimeId ?? dockerName)
    for (const { dockerName, owned } of this.record.volumes) if (owned) await runtime.removeVolume(dockerName)
    for (const { image } of this.record.task.containers ?? []) this.#host.images.release(image)
    await disk.remove(taskKey(this.record.task.arn))
  }

  #advance(): void {
    const { timers } = this.#host
    if (timers.ended) return
    const held = new Set(this.#unseen)
    for (const [name, step] of this.#busy) if (step !== 'pull') held.add(name)
    this.#task.record = settleTask(this.record, held, this.#overdue, timers.now())
    this.#armWaits()
    if (this.#host.isRuntimeUp()) {
      const engaged = new Set([...this.#unseen, ...this.#busy.keys()])
      for (const { container, step } of nextSteps(this.record, engaged, this.#overdue))
        void this.#work(container, step)
    }
    this.#reporter.awaitDigests(() => this.#advance())
    if (this.#reporter.isDue()) void this.#report()
  }

  /** Each wait is timed once and by how long it lasts, so that it is as long whatever is done to the clock. */
  #armWaits(): void {
    const { timers } = this.#host
    const waited = awaited(this.record)
    for (const [name, cancel] of this.#waits)
      if (!waited.some(({ container }) => container === name)) {
        cancel()
        this.#waits.delete(name)
      }
    for (const { container, startedAt, limitMs } of waited) {
      if (this.#waits.has(container)) continue
      const leftMs = Math.min(limitMs, Math.max(0, startedAt + limitMs - timers.now()))
      const cancel = timers.after(leftMs, () => {
        this.#overdue.add(container)
        this.#advance()
      })
      this.#waits.set(container, cancel)
    }
  }

  async #work(name: string, step: Step | 'look', exitCode?: number): Promise<void> {
    this.#busy.set(name, step)
    const health = containerRecord(this.record, name).health?.status
    try {
      if (step === 'look') {
        await this.#steps.look(name, exitCode)
        this.#unseen.delete(name)
      } else await this.#steps.take(name, step)
    } catch (error) {
      this.#fail(name, step, error)
      // What follows from a failure must not outlive the knowledge of it.
      await this.#keep()
    }
    this.#busy.delete(name)
    if (this.#host.timers.ended) return
    if (containerRecord(this.record, name).health?.status !== health) this.#host.healthChanged()
    if (this.#lookAgain.has(name) && this.#host.isRuntimeUp()) {
      const code = this.#lookAgain.get(name)
      this.#lookAgain.delete(name)
      this.look(name, code)
    }
    this.#advance()
  }

  /** What is not known is looked at again; what is known to have failed is the container's end. */
  #fail(name: string, step: Step | 'look', error: unknown): void {
    const { dependencies, timers } = this.#host
    if (timers.ended) return
    const fields = { task: this.record.task.arn, container: name, step, error: messageOf(error) }
    dependencies.log('warn', 'container step failed', fields)
    const known = [ImageError, VolumeError, ResourceError, StepTimeout, RuntimeError].some(
      (kind) => error instanceof kind,
    )
    const retry = step === 'look' || step === 'stop' || !known
    if (retry || (error instanceof RuntimeError && error.failure === 'unreachable')) {
      this.#unseen.add(name)
      timers.after(lookAgainMs, () => this.look(name))
      return
    }
    const { startedAt, state, runtimeId } = containerRecord(this.record, name)
    if (state === 'STOPPED' || state === 'RUNNING') return
    // It may start yet, and nobody would know of it.
    if (error instanceof StepTimeout && runtimeId !== undefined) void this.#discard(runtimeId)
    this.#task.record = stopContainer(this.record, name, {
      ...(!(error instanceof ResourceError) && { reason: failureReason(step, error) }),
      ...(startedAt !== undefined && { finishedAt: timers.now() }),
    })
    // What a task lacks is the task's reason to stop, not that of the container which came to need it first.
    if (error instanceof ResourceError)
      this.#task.record = { ...this.record, reason: this.record.reason ?? error.reason }
    if (step === 'pull' || error instanceof VolumeError || error instanceof ResourceError)
      this.#task.record = { ...this.record, desiredStatus: 'STOPPED' }
  }

  async #discard(runtimeId: string): Promise<void> {
    const { dependencies, timers } = this.#host
    while (!timers.ended)
      try {
        return await dependencies.runtime.remove(runtimeId)
      } catch (error) {
        const fields = { task: this.record.task.arn, runtimeId, error: messageOf(error) }
        dependencies.log('warn', 'container not removed', fields)
        await timers.sleep(discardAgainMs)
      }
  }

  /** Saves the task; a disk that fails is said and holds nobody up. */
  async #keep(): Promise<void> {
    const { log } = this.#host.dependencies
    await this.save().catch((error: unknown) =>
      log('error', 'task not saved', { task: this.record.task.arn, error: messageOf(error) }),
    )
  }

  async #report(): Promise<void> {
    const { timers } = this.#host
    await this.#reporter.report()
    if (timers.ended) return
    if (this.record.stoppedAt !== undefined) await this.#releaseResources()
    await this.#keep()
    if (this.record.sentStatus === 'STOPPED') this.#host.finished()
    else if (this.#reporter.isDue()) this.#advance()
  }

  /** A failure here is no reason to hold the task: it is tried again by and by. */
  async #releaseResources(waitMs = releaseAgainMs): Promise<void> {
    const { timers, dependencies } = this.#host
    try {
      await this.#resources.release(this.record)
    } catch (error) {
      const fields = { task: this.record.task.arn, error: messageOf(error) }
      dependencies.log('warn', 'resources of a stopped task not released', fields)
      if (!timers.ended)
        this.#cancelRelease = timers.after(waitMs, () => void this.#releaseResources(2 * waitMs))
    }
  }
}
