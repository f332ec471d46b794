import { heartbeatMs } from '@berth/agent-protocol/acs.ts'
import { encode } from '@berth/agent-protocol/message.ts'
import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import {
  decodeTcsAgentMessage,
  type PublishHealth,
  type PublishInstanceStatus,
  type TaskMetric,
  type TcsAgentMessage,
  type TcsServerMessage,
} from '@berth/agent-protocol/tcs.ts'
import type { Clock } from '@berth/std/clock.ts'
import { observeRuntimeHealth } from '#domain/container-instance.ts'
import { observeHealth } from '#domain/task-health.ts'
import type { Store } from '#state/store.ts'

/** Where the use of resources goes that agents tell of. */
export interface MetricsSink {
  record(containerInstanceArn: string, metrics: readonly TaskMetric[]): void
}

export interface TcsHost {
  readonly store: Store
  readonly clock: Clock
  readonly metrics: MetricsSink
  readonly report: (problem: unknown) => void
  /** Called once, when the session is over for whatever reason. */
  readonly ended: () => void
}

/** One agent's telemetry connection. It says nothing about whether the agent is connected: that is ACS's. */
export class TcsSession {
  readonly #containerInstanceArn: string
  readonly #socket: MessageSocket
  readonly #host: TcsHost
  #cancelBeat: () => void = () => undefined
  #open = true

  constructor(containerInstanceArn: string, socket: MessageSocket, host: TcsHost) {
    this.#containerInstanceArn = containerInstanceArn
    this.#socket = socket
    this.#host = host
    socket.onMessage = (text) => this.#hear(text)
    socket.onClose = () => this.#end()
    this.#armBeat()
  }

  /** As `AcsSession.close`. */
  close(code: number, reason: string): void {
    if (!this.#open) return
    this.#end()
    this.#socket.close(code, reason)
  }

  #end(): void {
    if (!this.#open) return
    this.#open = false
    this.#cancelBeat()
    this.#host.ended()
  }

  /** An agent that gets neither heartbeat nor acknowledgement for a minute changes its connection. */
  #armBeat(): void {
    const { clock } = this.#host
    this.#cancelBeat = clock.at(clock.now() + heartbeatMs, () => {
      this.#send({ type: 'HeartbeatMessage', message: { healthy: true } })
      this.#armBeat()
    })
  }

  #send(message: TcsServerMessage): void {
    if (this.#open) this.#socket.send(encode(message))
  }

  #hear(text: string): void {
    if (!this.#open) return
    const decoded = decodeTcsAgentMessage(text)
    if (decoded.kind === 'message') this.#handle(decoded.message).catch(this.#host.report)
    else if (decoded.kind === 'unknown') this.#host.report(`unknown TCS message ${decoded.type}`)
    else this.#host.report(`malformed TCS message ${decoded.type ?? ''}: ${decoded.reason}`)
  }

  async #handle(message: TcsAgentMessage): Promise<void> {
    switch (message.type) {
      case 'PublishMetricsRequest':
        this.#host.metrics.record(this.#containerInstanceArn, message.message.taskMetrics ?? [])
        this.#send({ type: 'AckPublishMetric', message: { message: 'ok' } })
        break
      case 'PublishHealthRequest':
        this.#observeHealth(message.message)
        await this.#host.store.durable()
        this.#send({ type: 'AckPublishHealth', message: { message: 'ok' } })
        break
      case 'PublishInstanceStatusRequest':
        this.#observeInstanceStatus(message.message)
        await this.#host.store.durable()
        this.#send({ type: 'AckPublishInstanceStatus', message: { message: 'ok' } })
        break
      case 'StartTelemetrySessionRequest':
        break
    }
  }

  #observeHealth({ tasks = [] }: PublishHealth): void {
    this.#host.store.update((tx) => {
      for (const { taskArn, containers = [] } of tasks) {
        const task = tx.find('task', taskArn)
        if (task?.containerInstanceArn !== this.#containerInstanceArn) continue
        const definitions = tx.find('taskDefinition', task.taskDefinitionArn)?.containerDefinitions ?? []
        const essentials = definitions.flatMap(({ name = '', essential = true }) => (essential ? [name] : []))
        const healths = containers.map(({ containerName, healthStatus }) => ({
          containerName,
          status: healthStatus,
        }))
        tx.put('task', observeHealth(task, healths, essentials))
      }
    })
  }

  #observeInstanceStatus({ statuses, timestamp }: PublishInstanceStatus): void {
    const runtime = statuses.find(({ type }) => type === 'ContainerRuntime')
    if (!runtime) return
    const now = timestamp === undefined ? this.#host.clock.now() : msOf(timestamp)
    const lastUpdated = runtime.lastUpdated === undefined ? now : msOf(runtime.lastUpdated)
    this.#host.store.update((tx) => {
      const instance = tx.find('containerInstance', this.#containerInstanceArn)
      if (!instance) return
      const lastStatusChange =
        runtime.lastStatusChange === undefined ? lastUpdated : msOf(runtime.lastStatusChange)
      const health = { status: runtime.status, lastUpdated, lastStatusChange }
      tx.put('containerInstance', observeRuntimeHealth(instance, health))
    })
  }
}

const msOf = (epochSeconds: number): number => Math.round(epochSeconds * 1000)

/** Agents tell every 20 s; a task not told of for so long is not running any more. */
const metricAgeMsMax = 120_000

/** What each task last used, for `/metrics`. Nothing older is kept. */
export class LatestTaskMetrics implements MetricsSink {
  readonly #clock: Clock
  /** The order is that of the last telling, oldest first. */
  readonly #latest = new Map<string, { readonly at: number; readonly metric: TaskMetric }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  record(_containerInstanceArn: string, metrics: readonly TaskMetric[]): void {
    const at = this.#clock.now()
    for (const metric of metrics) {
      this.#latest.delete(metric.taskArn)
      this.#latest.set(metric.taskArn, { at, metric })
    }
    this.#forgetOld()
  }

  /** The last of each task that was told of in the last two minutes. */
  all(): readonly TaskMetric[] {
    this.#forgetOld()
    return [...this.#latest.values()].map(({ metric }) => metric)
  }

  #forgetOld(): void {
    const oldest = this.#clock.now() - metricAgeMsMax
    for (const [taskArn, { at }] of this.#latest) {
      if (at >= oldest) break
      this.#latest.delete(taskArn)
    }
  }
}
