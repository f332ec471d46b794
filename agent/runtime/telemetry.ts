import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import type { ContainerMetric, TaskHealth, TaskMetric, TcsAgentMessage } from '@berth/agent-protocol/tcs.ts'
import { encode } from '@berth/agent-protocol/message.ts'
import { containerMetric, type NetworkUse, shareOf } from '#engine/metrics.ts'
import { sandboxName } from '#engine/sandbox.ts'
import { containerPayload } from '#engine/task-plan.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import type { ContainerStats } from './container-runtime.ts'
import type { AgentConfig, AgentDependencies } from './ports.ts'
import type { Timers } from './timers.ts'

const publishMs = 20_000
const tasksPerMessageMax = 10

/** What telemetry is about. */
export interface TelemetrySource {
  records(): readonly TaskRecord[]
  runtimeStatus(): { readonly status: 'OK' | 'IMPAIRED' | 'INITIALIZING'; readonly since: number }
  readonly cluster: string
  readonly containerInstanceArn: string
}

/** Publishes health, use and the state of the container runtime over one TCS connection. */
export class Telemetry {
  readonly #dependencies: AgentDependencies
  readonly #config: AgentConfig
  readonly #timers: Timers
  readonly #source: TelemetrySource
  readonly #samples = new Map<string, ContainerStats[]>()
  #socket: MessageSocket | undefined
  #statusDue = false

  constructor(dependencies: AgentDependencies, config: AgentConfig, timers: Timers, source: TelemetrySource) {
    this.#dependencies = dependencies
    this.#config = config
    this.#timers = timers
    this.#source = source
  }

  /** Publishes over `socket` until the returned function is called. */
  attach(socket: MessageSocket): () => void {
    this.#socket = socket
    let cancel: () => void = () => undefined
    const { metricsPollMs } = this.#config
    // Whole polls, as near to the period of the official agent as they come.
    const pollsARound = Math.max(1, Math.round(publishMs / metricsPollMs))
    let polls = 0
    const poll = (): void => {
      cancel = this.#timers.after(publishMs / pollsARound, poll)
      const round = ++polls % pollsARound === 0
      void this.#sample().then(() => round && this.#socket === socket && this.#publish())
    }
    cancel = this.#timers.after(publishMs / pollsARound, poll)
    this.#publishMetrics([])
    this.publishHealth(this.#source.records())
    this.publishStatus()
    void this.#sample()
    return () => {
      cancel()
      if (this.#socket === socket) this.#socket = undefined
    }
  }

  /** ACS heard the control plane: the next round tells it how the runtime is. */
  heartbeat(): void {
    this.#statusDue = true
  }

  #publish(): void {
    this.#publishMetrics(this.#taskMetrics())
    this.publishHealth(this.#source.records())
    if (this.#statusDue) this.publishStatus()
  }

  #send(message: TcsAgentMessage): void {
    this.#socket?.send(encode(message))
  }

  #metadata(): { cluster: string; containerInstance: string; messageId: string } {
    return {
      cluster: this.#source.cluster,
      containerInstance: this.#source.containerInstanceArn,
      messageId: this.#dependencies.ids.uuid(),
    }
  }

  publishStatus(): void {
    if (!this.#socket) return
    this.#statusDue = false
    const { status, since } = this.#source.runtimeStatus()
    const now = this.#timers.now() / 1000
    const { messageId: requestId, ...metadata } = this.#metadata()
    this.#send({
      type: 'PublishInstanceStatusRequest',
      message: {
        metadata: { ...metadata, requestId },
        statuses: [{ type: 'ContainerRuntime', status, lastUpdated: now, lastStatusChange: since / 1000 }],
        timestamp: now,
      },
    })
  }

  /** Tells the health of those containers of `records` whose health is checked; says nothing when none is. */
  publishHealth(records: readonly TaskRecord[]): void {
    if (!this.#socket) return
    const tasks = records.flatMap(taskHealth)
    for (let start = 0; start < tasks.length; start += tasksPerMessageMax)
      this.#send({
        type: 'PublishHealthRequest',
        message: {
          metadata: { ...this.#metadata(), fin: start + tasksPerMessageMax >= tasks.length },
          tasks: tasks.slice(start, start + tasksPerMessageMax),
          timestamp: this.#timers.now() / 1000,
        },
      })
  }

  #publishMetrics(tasks: readonly TaskMetric[]): void {
    if (!this.#config.metricsEnabled) return
    const idle = tasks.length === 0
    for (let start = 0; start < Math.max(1, tasks.length); start += tasksPerMessageMax)
      this.#send({
        type: 'PublishMetricsRequest',
        message: {
          metadata: { ...this.#metadata(), idle, fin: start + tasksPerMessageMax >= tasks.length },
          timestamp: this.#timers.now() / 1000,
          ...(!idle && { taskMetrics: tasks.slice(start, start + tasksPerMessageMax) }),
        },
      })
  }

  async #sample(): Promise<void> {
    if (!this.#config.metricsEnabled || this.#source.runtimeStatus().status !== 'OK') return
    const running = this.#source
      .records()
      .map((record) => ({ record, ids: runningIds(record) }))
      .filter(({ ids }) => ids.length > 0)
    const known = new Set(running.flatMap(({ ids }) => ids))
    for (const id of this.#samples.keys()) if (!known.has(id)) this.#samples.delete(id)
    for (const { record, ids } of running) {
      const network = await this.#taskNetwork(record)
      for (const id of ids) {
        // A container that ends meanwhile has no figures any more, which is nobody's error.
        const stats = await this.#dependencies.runtime.stats(id).catch(() => undefined)
        if (this.#timers.ended) return
        if (!stats) continue
        const sample = network ? { ...stats, network } : stats
        this.#samples.set(id, [...(this.#samples.get(id) ?? []), sample].slice(-10))
      }
    }
  }

  /** Each container's part of what went over the network of their task; undefined where it has none of its own. */
  async #taskNetwork({ task, containers }: TaskRecord): Promise<NetworkUse | undefined> {
    if (task.networkMode !== 'awsvpc') return undefined
    const use = await this.#dependencies.runtime.networkUse(sandboxName(task)).catch(() => undefined)
    return use && shareOf(use, containers.length)
  }

  #taskMetrics(): readonly TaskMetric[] {
    return this.#source.records().flatMap((record): TaskMetric[] => {
      const containerMetrics = record.containers.flatMap(
        ({ name, runtimeId, restarts }): ContainerMetric[] => {
          const samples = runtimeId === undefined ? undefined : this.#samples.get(runtimeId)
          if (runtimeId === undefined || !samples) return []
          const { containerArn, restartPolicy } = containerPayload(record, name)
          const metric = containerMetric(
            {
              name,
              ...(containerArn !== undefined && { containerArn }),
              ...(restartPolicy?.enabled && { restartCount: restarts?.count ?? 0 }),
            },
            samples,
          )
          if (!metric) return []
          this.#samples.set(runtimeId, samples.slice(-1))
          return [metric]
        },
      )
      return containerMetrics.length ? [{ ...taskNames(record), containerMetrics }] : []
    })
  }
}

function runningIds({ containers }: TaskRecord): readonly string[] {
  return containers.flatMap(({ state, runtimeId }) => (state === 'RUNNING' && runtimeId ? [runtimeId] : []))
}

function taskNames({ task }: TaskRecord): Omit<TaskMetric, 'containerMetrics'> {
  return {
    taskArn: task.arn,
    ...(task.taskClusterArn !== undefined && { clusterArn: task.taskClusterArn }),
    ...(task.family !== undefined && { taskDefinitionFamily: task.family }),
    ...(task.version !== undefined && { taskDefinitionVersion: task.version }),
  }
}

function taskHealth(record: TaskRecord): readonly TaskHealth[] {
  if (record.stoppedAt !== undefined) return []
  const containers = record.containers.flatMap(({ name, health, startedAt }) => {
    if (containerPayload(record, name).healthCheckType !== 'docker') return []
    return [
      {
        containerName: name,
        healthStatus: health?.status ?? ('UNKNOWN' as const),
        statusSince: (health?.since ?? startedAt ?? record.acceptedAt) / 1000,
        ...(health?.output && { statusMessage: health.output }),
      },
    ]
  })
  return containers.length ? [{ ...taskNames(record), containers }] : []
}
