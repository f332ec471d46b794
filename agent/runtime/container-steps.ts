import { present } from '@berth/std/assert.ts'
import { createBody, publishesPorts } from '#engine/container-spec.ts'
import { allocateHostPorts } from '#engine/host-ports.ts'
import { observeContainer, replaceContainer, type Sighting, stopContainer } from '#engine/observe.ts'
import { containerPayload, containerRecord, type Step } from '#engine/task-plan.ts'
import { RuntimeError } from './container-runtime.ts'
import { StepTimeout } from './step-failure.ts'
import { messageOf } from './agent-error.ts'
import type { CurrentRecord, TaskHost } from './task-host.ts'
import type { TaskResources } from './task-resources.ts'
import { provideVolume } from './volumes.ts'

/** How long beyond its own stop timeout a container's stop may take before it is asked for again. */
const stopGraceMs = 120_000

/** The steps of one task's containers: each does one thing to the container runtime and notes what came of it. */
export class ContainerSteps {
  readonly #host: TaskHost
  readonly #task: CurrentRecord
  readonly #resources: TaskResources
  /** In steady time. */
  readonly #runningSince = new Map<string, number>()

  constructor(host: TaskHost, task: CurrentRecord, resources: TaskResources) {
    this.#host = host
    this.#task = task
    this.#resources = resources
  }

  /** @throws StepTimeout when it took longer than it may, and all that images, volumes, resources and the runtime throw */
  take(name: string, step: Step): Promise<void> {
    const { config, stops } = this.#host
    switch (step) {
      case 'pull':
        return this.#within(step, config.imagePullTimeoutMs, this.#pull(name))
      case 'create':
        return this.#within(step, config.containerCreateTimeoutMs, this.#create(name))
      case 'start':
        return this.#within(step, config.containerStartTimeoutMs, this.#start(name))
      case 'stop':
        return stops.through(() =>
          this.#within(step, this.#stopTimeoutMs(name) + stopGraceMs, this.#stop(name)),
        )
    }
  }

  #within(step: Step, limitMs: number, work: Promise<void>): Promise<void> {
    return this.#host.timers.within(limitMs, work, () => {
      throw new StepTimeout(step, limitMs)
    })
  }

  /** Sees what the runtime shows of a container; `exitCode` is what an event told of one that may be gone already. */
  async look(name: string, exitCode?: number): Promise<void> {
    const { runtimeId, dockerName, state } = containerRecord(this.#task.record, name)
    const detail = await this.#host.dependencies.runtime.inspect(runtimeId ?? dockerName)
    if (!detail && exitCode !== undefined && state === 'RUNNING')
      this.#task.record = stopContainer(this.#task.record, name, {
        exitCode,
        finishedAt: this.#host.timers.now(),
      })
    else this.#observe(name, detail)
  }

  #observe(name: string, sighting: Sighting | undefined): void {
    const { timers } = this.#host
    const since = this.#runningSince.get(name)
    const ranMs = since === undefined ? undefined : timers.steady() - since
    this.#task.record = observeContainer(this.#task.record, name, sighting, timers.now(), ranMs)
    if (containerRecord(this.#task.record, name).state !== 'RUNNING') this.#runningSince.delete(name)
    else if (since === undefined && sighting?.startedAt !== undefined)
      this.#runningSince.set(name, timers.steady() - Math.max(0, timers.now() - sighting.startedAt))
  }

  async #pull(name: string): Promise<void> {
    const container = containerPayload(this.#task.record, name)
    const secret = container.registryAuthentication?.asmAuthData
    const { registrySecrets } = this.#host.dependencies
    const pulled = await this.#host.images.get(
      container,
      this.#task.record.task.arn,
      secret && registrySecrets && (() => registrySecrets.credentials(this.#task.record, secret)),
    )
    const { record } = this.#task
    if (containerRecord(record, name).state !== 'NONE') return
    const { pullStartedAt, pullStoppedAt } = pulled
    this.#task.record = replaceContainer(
      {
        ...record,
        ...(pullStartedAt !== undefined && { pullStartedAt: record.pullStartedAt ?? pullStartedAt }),
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
    const contributions = await this.#resources.provide(this.#task.record)
    await this.#createVolumes(name)
    await this.#allocatePorts(name)
    const { dockerName, imageId, hostPorts } = containerRecord(this.#task.record, name)
    // A container made just before a crash is found by its name; which ports it holds only the record tells.
    if (hostPorts.length > 0) await this.#task.save()
    const body = createBody(this.#task.record, name, {
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
    const { mountPoints } = containerPayload(this.#task.record, name)
    for (const { sourceVolume } of mountPoints) {
      const volume = this.#task.record.volumes.find((candidate) => candidate.name === sourceVolume)
      if (!volume || volume.ready) continue
      await provideVolume(this.#host.dependencies.runtime, this.#task.record, volume, this.#host.config)
      this.#task.record = {
        ...this.#task.record,
        volumes: this.#task.record.volumes.map((candidate) =>
          candidate.name === sourceVolume ? { ...candidate, ready: true } : candidate,
        ),
      }
    }
  }

  async #allocatePorts(name: string): Promise<void> {
    const { portMappings } = containerPayload(this.#task.record, name)
    if (!portMappings.length || containerRecord(this.#task.record, name).hostPorts.length) return
    if (!publishesPorts(this.#task.record, name)) return
    const busyPorts = await this.#host.dependencies.host.busyPorts?.()
    const taken = new Set([...this.#host.portsInUse(), ...(busyPorts ?? [])])
    const ports = allocateHostPorts(portMappings, taken, this.#host.dynamicPorts())
    if ('failure' in ports) throw new RuntimeError('refused', ports.failure)
    this.#task.record = replaceContainer(this.#task.record, name, (container) => ({
      ...container,
      hostPorts: ports,
    }))
  }

  async #start(name: string): Promise<void> {
    const { dependencies, timers } = this.#host
    await this.#task.save()
    const { runtimeId, imageId } = containerRecord(this.#task.record, name)
    if (runtimeId === undefined || this.#task.record.desiredStatus === 'STOPPED' || timers.ended) return
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
    await this.#resources.started(this.#task.record, name).catch((error: unknown) => {
      dependencies.log('warn', 'resource not told of a start', { container: name, error: messageOf(error) })
    })
  }

  #stopTimeoutMs(name: string): number {
    const { stopTimeout } = containerPayload(this.#task.record, name)
    return stopTimeout === undefined ? this.#host.config.containerStopTimeoutMs : stopTimeout * 1000
  }

  async #stop(name: string): Promise<void> {
    const { runtime } = this.#host.dependencies
    const { runtimeId, dockerName } = containerRecord(this.#task.record, name)
    const id = runtimeId ?? dockerName
    await runtime.stop(id, Math.ceil(this.#stopTimeoutMs(name) / 1000))
    this.#observe(name, await runtime.inspect(id))
    if (containerRecord(this.#task.record, name).state !== 'STOPPED')
      throw new RuntimeError('unreachable', `container ${name} runs although it was stopped`)
  }
}
