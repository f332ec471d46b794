import { present } from '@berth/std/assert.ts'
import { Backoff } from '#engine/backoff.ts'
import { allocateHostPorts } from '#engine/host-ports.ts'
import { observeContainer, replaceContainer, type Sighting, stopContainer } from '#engine/observe.ts'
import { createBody, publishesPorts } from '#engine/container-spec.ts'
import { nextReport, reported, type TaskReport } from '#engine/report.ts'
import {
  containerPayload,
  containerRecord,
  nextDeadline,
  nextSteps,
  settleTask,
  type Step,
} from '#engine/task-plan.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import { Saver, taskKey } from './agent-state.ts'
import { RuntimeError } from './container-runtime.ts'
import { ImageError, type Images, messageOf } from './images.ts'
import type { AgentConfig, AgentDependencies } from './ports.ts'
import { failureReason, StepTimeout } from './step-failure.ts'
import type { Timers, Turnstile } from './timers.ts'
import { ResourceError, TaskResources } from './task-resources.ts'
import { provideVolume, VolumeError } from './volumes.ts'

/** What the runner of one task needs of its agent. */
export interface TaskHost {
  readonly dependencies: AgentDependencies
  readonly config: AgentConfig
  readonly timers: Timers
  readonly images: Images
  readonly submissions: Turnstile
  /** Whether the container runtime answers; nothing is begun while it does not. */
  isRuntimeUp(): boolean
  /** Host ports of all tasks' containers that are not STOPPED, as `tcp:80`. */
  portsInUse(): ReadonlySet<string>
  dynamicPorts(): readonly [number, number]
  healthChanged(): void
  /** The task is STOPPED and the control plane knows. */
  finished(runner: TaskRunner): void
}

const lookAgainMs = 1000
/** How long beyond its own stop timeout a container's stop may take before it is asked for again. */
const stopGraceMs = 120_000

/**
 * Takes one task's containers, each one step at a time, to where they should be, and reports what became of them. It
 * waits for nothing of its own accord: without work there is no timer and no promise.
 */
export class TaskRunner {
  readonly #host: TaskHost
  readonly #saver: Saver<TaskRecord>
  readonly #busy = new Map<string, Step | 'look'>()
  /** Not looked at since the agent started or the runtime was lost; no step is taken before. */
  readonly #unseen = new Set<string>()
  readonly #lookAgain = new Map<string, number | undefined>()
  readonly #resources: TaskResources
  #record: TaskRecord
  #reporting = false
  #cancelDeadline: (() => void) | undefined

  constructor(host: TaskHost, record: TaskRecord) {
    this.#host = host
    this.#record = record
    this.#resources = new TaskResources(host.dependencies.resources ?? [])
    this.#saver = new Saver(
      () => this.#record,
      (value) => host.dependencies.disk.save(taskKey(value.task.arn), value),
    )
  }

  get record(): TaskRecord {
    return this.#record
  }

  /** Resolves when the task as it is now would survive a crash. */
  save(): Promise<void> {
    return this.#saver.save()
  }

  /** Takes up work on the task: on what was just accepted, or, `found` after a restart, once everything was looked at. */
  begin(origin: 'accepted' | 'found'): void {
    if (origin === 'found') this.lookAtAll()
    else this.#advance()
  }

  /** The control plane wants the task stopped. It is told when the task is, however it came to it. */
  requestStop(): void {
    if (this.#record.stopRequested) return
    this.#record = { ...this.#record, desiredStatus: 'STOPPED', stopRequested: true }
    this.#advance()
  }

  /** Looks at a container: something happened to it, with this exit code if it is known. */
  look(name: string, exitCode?: number): void {
    if (containerRecord(this.#record, name).state === 'STOPPED') return
    if (this.#busy.has(name) || !this.#host.isRuntimeUp()) this.#lookAgain.set(name, exitCode)
    else void this.#work(name, 'look', exitCode)
  }

  /** Looks at every container that is not STOPPED before anything else is done to it. */
  lookAtAll(): void {
    for (const { name, state } of this.#record.containers) if (state !== 'STOPPED') this.#unseen.add(name)
    if (this.#host.isRuntimeUp()) for (const name of this.#unseen) this.look(name)
    this.#advance()
  }

  /** Removes what is left of a finished task: containers, its own volumes, its record. */
  async cleanUp(): Promise<void> {
    const { runtime, disk } = this.#host.dependencies
    await this.#resources.release(this.#record)
    for (const { runtimeId, dockerName } of this.#record.containers)
      await runtime.remove(runtimeId ?? dockerName)
    for (const { dockerName, owned } of this.#record.volumes)
      if (owned) await runtime.removeVolume(dockerName)
    for (const { image } of this.#record.task.containers ?? []) this.#host.images.release(image)
    await disk.remove(taskKey(this.#record.task.arn))
  }

  #advance(): void {
    const { timers } = this.#host
    if (timers.ended) return
    const held = new Set(this.#unseen)
    for (const [name, step] of this.#busy) if (step !== 'pull') held.add(name)
    this.#record = settleTask(this.#record, held, timers.now())
    this.#armDeadline()
    if (this.#host.isRuntimeUp()) {
      const engaged = new Set([...this.#unseen, ...this.#busy.keys()])
      for (const { container, step } of nextSteps(this.#record, engaged, timers.now()))
        void this.#work(container, step)
    }
    if (!this.#reporting && nextReport(this.#record)) void this.#report()
  }

  #armDeadline(): void {
    this.#cancelDeadline?.()
    this.#cancelDeadline = undefined
    const { timers } = this.#host
    const deadline = nextDeadline(this.#record)
    if (deadline !== undefined && deadline > timers.now())
      this.#cancelDeadline = timers.after(deadline - timers.now(), () => this.#advance())
  }

  async #work(name: string, step: Step | 'look', exitCode?: number): Promise<void> {
    this.#busy.set(name, step)
    const health = containerRecord(this.#record, name).health?.status
    try {
      if (step === 'look') await this.#lookAt(name, exitCode)
      else await this.#take(name, step)
    } catch (error) {
      this.#fail(name, step, error)
    }
    this.#busy.delete(name)
    if (this.#host.timers.ended) return
    if (containerRecord(this.#record, name).health?.status !== health) this.#host.healthChanged()
    if (this.#lookAgain.has(name) && this.#host.isRuntimeUp()) {
      const code = this.#lookAgain.get(name)
      this.#lookAgain.delete(name)
      this.look(name, code)
    }
    this.#advance()
  }

  #take(name: string, step: Step): Promise<void> {
    const { config, timers } = this.#host
    const late = (): never => {
      throw new StepTimeout(step)
    }
    switch (step) {
      case 'pull':
        return this.#pull(name)
      case 'create':
        return timers.within(config.containerCreateTimeoutMs, this.#create(name), late)
      case 'start':
        return timers.within(config.containerStartTimeoutMs, this.#start(name), late)
      case 'stop':
        return timers.within(this.#stopTimeoutMs(name) + stopGraceMs, this.#stop(name), late)
    }
  }

  async #lookAt(name: string, exitCode?: number): Promise<void> {
    const { runtimeId, dockerName, state } = containerRecord(this.#record, name)
    const detail = await this.#host.dependencies.runtime.inspect(runtimeId ?? dockerName)
    this.#unseen.delete(name)
    if (!detail && exitCode !== undefined && state === 'RUNNING')
      this.#record = stopContainer(this.#record, name, { exitCode, finishedAt: this.#host.timers.now() })
    else this.#observe(name, detail)
  }

  #observe(name: string, sighting: Sighting | undefined): void {
    this.#record = observeContainer(this.#record, name, sighting, this.#host.timers.now())
  }

  async #pull(name: string): Promise<void> {
    const pulled = await this.#host.images.get(containerPayload(this.#record, name))
    if (containerRecord(this.#record, name).state !== 'NONE') return
    const { pullStartedAt, pullStoppedAt } = pulled
    this.#record = replaceContainer(
      {
        ...this.#record,
        ...(pullStartedAt !== undefined && { pullStartedAt: this.#record.pullStartedAt ?? pullStartedAt }),
        ...(pullStoppedAt !== undefined && { pullStoppedAt }),
      },
      name,
      (container) => ({
        ...container,
        state: 'PULLED',
        ...(pulled.id !== undefined && { imageId: pulled.id }),
        ...(pulled.digest !== undefined && { imageDigest: pulled.digest }),
      }),
    )
  }

  async #create(name: string): Promise<void> {
    const { dependencies, config, timers } = this.#host
    const { runtime } = dependencies
    const contributions = await this.#resources.provide(this.#record)
    await this.#createVolumes(name)
    await this.#allocatePorts(name)
    const { dockerName, imageId, hostPorts } = containerRecord(this.#record, name)
    // A container made just before a crash is found by its name; which ports it holds only the record tells.
    if (hostPorts.length > 0) await this.save()
    const body = createBody(this.#record, name, {
      cluster: config.cluster || 'default',
      region: config.region,
      taskCpuMemoryLimit: config.taskCpuMemoryLimit,
      contributions,
    })
    try {
      const id = await runtime.create(dockerName, body)
      this.#observe(name, {
        id,
        imageId: imageId ?? '',
        status: 'created',
        exitCode: 0,
        oomKilled: false,
        error: '',
        createdAt: timers.now(),
      })
    } catch (error) {
      // The name is ours alone: whoever holds it was created by an attempt whose answer was lost.
      if (!(error instanceof RuntimeError && error.failure === 'conflict')) throw error
      this.#observe(name, present(await runtime.inspect(dockerName), error.message))
    }
  }

  async #createVolumes(name: string): Promise<void> {
    const { mountPoints } = containerPayload(this.#record, name)
    for (const { sourceVolume } of mountPoints) {
      const volume = this.#record.volumes.find((candidate) => candidate.name === sourceVolume)
      if (!volume || volume.ready) continue
      await provideVolume(this.#host.dependencies.runtime, this.#record, volume)
      this.#record = {
        ...this.#record,
        volumes: this.#record.volumes.map((candidate) =>
          candidate.name === sourceVolume ? { ...candidate, ready: true } : candidate,
        ),
      }
    }
  }

  async #allocatePorts(name: string): Promise<void> {
    const { portMappings } = containerPayload(this.#record, name)
    if (!portMappings.length || containerRecord(this.#record, name).hostPorts.length) return
    if (!publishesPorts(this.#record, name)) return
    const busyPorts = await this.#host.dependencies.host.busyPorts?.()
    const taken = new Set([...this.#host.portsInUse(), ...(busyPorts ?? [])])
    const ports = allocateHostPorts(portMappings, taken, this.#host.dynamicPorts())
    if ('failure' in ports) throw new RuntimeError('refused', ports.failure)
    this.#record = replaceContainer(this.#record, name, (container) => ({ ...container, hostPorts: ports }))
  }

  async #start(name: string): Promise<void> {
    const { dependencies, timers } = this.#host
    await this.save()
    const { runtimeId, imageId } = containerRecord(this.#record, name)
    if (runtimeId === undefined || this.#record.desiredStatus === 'STOPPED' || timers.ended) return
    await dependencies.runtime.start(runtimeId)
    this.#observe(name, {
      id: runtimeId,
      imageId: imageId ?? '',
      status: 'running',
      exitCode: 0,
      oomKilled: false,
      error: '',
      startedAt: timers.now(),
    })
  }

  #stopTimeoutMs(name: string): number {
    const { stopTimeout } = containerPayload(this.#record, name)
    return stopTimeout === undefined ? this.#host.config.containerStopTimeoutMs : stopTimeout * 1000
  }

  async #stop(name: string): Promise<void> {
    const { runtime } = this.#host.dependencies
    const { runtimeId, dockerName } = containerRecord(this.#record, name)
    const id = runtimeId ?? dockerName
    await runtime.stop(id, Math.ceil(this.#stopTimeoutMs(name) / 1000))
    this.#observe(name, await runtime.inspect(id))
    if (containerRecord(this.#record, name).state !== 'STOPPED')
      throw new RuntimeError('unreachable', `container ${name} runs although it was stopped`)
  }

  /** What is not known is looked at again; what is known to have failed is the container's end. */
  #fail(name: string, step: Step | 'look', error: unknown): void {
    const { dependencies, timers } = this.#host
    if (timers.ended) return
    const fields = { task: this.#record.task.arn, container: name, step, error: messageOf(error) }
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
    const { startedAt, state, runtimeId } = containerRecord(this.#record, name)
    if (state === 'STOPPED' || state === 'RUNNING') return
    if (error instanceof StepTimeout && runtimeId !== undefined)
      // It may start yet, and nobody would know of it.
      dependencies.runtime.remove(runtimeId).catch((cause: unknown) => {
        dependencies.log('warn', 'container not removed', { ...fields, error: messageOf(cause) })
      })
    this.#record = stopContainer(this.#record, name, {
      reason: failureReason(step, error),
      ...(startedAt !== undefined && { finishedAt: timers.now() }),
    })
    if (step === 'pull' || error instanceof VolumeError || error instanceof ResourceError)
      this.#record = { ...this.#record, desiredStatus: 'STOPPED' }
  }

  async #report(): Promise<void> {
    const { timers, submissions, dependencies } = this.#host
    this.#reporting = true
    const backoff = new Backoff({ firstMs: 100, factor: 2, maxMs: 30_000, jitter: 0.2 }, () =>
      dependencies.ids.fraction(),
    )
    while (!timers.ended) {
      const report = nextReport(this.#record)
      if (!report) break
      try {
        await this.save()
        await submissions.through(() => this.#submit(report))
      } catch (error) {
        const fields = { task: this.#record.task.arn, error: messageOf(error) }
        dependencies.log('warn', 'state change not submitted', fields)
        if (!(error instanceof Error && error.name === 'InvalidParameterException')) {
          await timers.sleep(backoff.next())
          continue
        }
      }
      backoff.reset()
      this.#record = reported(this.#record, report)
    }
    this.#reporting = false
    if (timers.ended) return
    if (this.#record.stoppedAt !== undefined) await this.#releaseResources()
    await this.save().catch((error: unknown) =>
      dependencies.log('error', 'task not saved', { task: this.#record.task.arn, error: messageOf(error) }),
    )
    if (this.#record.sentStatus === 'STOPPED') this.#host.finished(this)
    else if (nextReport(this.#record)) this.#advance()
  }

  /** A failure here is no reason to hold the task: it is tried again when what is left of the task is removed. */
  async #releaseResources(): Promise<void> {
    await this.#resources.release(this.#record).catch((error: unknown) =>
      this.#host.dependencies.log('warn', 'resources of a stopped task not released', {
        task: this.#record.task.arn,
        error: messageOf(error),
      }),
    )
  }

  async #submit(report: TaskReport): Promise<void> {
    const { dependencies, config } = this.#host
    const at = (name: string, timeMs: number | undefined): object =>
      timeMs === undefined ? {} : { [name]: new Date(timeMs) }
    await dependencies.ecs.submitTaskStateChange({
      cluster: config.cluster || 'default',
      task: this.#record.task.arn,
      status: report.status,
      reason: report.reason,
      ...(report.changes.length > 0 && {
        containers: report.changes.map(({ networkBindings, ...change }) => ({
          ...change,
          ...(networkBindings && { networkBindings: [...networkBindings] }),
        })),
      }),
      ...at('pullStartedAt', report.pullStartedAt),
      ...at('pullStoppedAt', report.pullStoppedAt),
      ...at('executionStoppedAt', report.executionStoppedAt),
    })
  }
}
