import {
  type AcsAgentMessage,
  type AcsServerMessage,
  agentSilenceMs,
  decodeAcsAgentMessage,
  type ExecuteCommandMessage,
  heartbeatMs,
  type ManifestTask,
} from '@berth/agent-protocol/acs.ts'
import { encode } from '@berth/agent-protocol/message.ts'
import type { NetworkRules } from '@berth/agent-protocol/network-rules.ts'
import type { PayloadTask } from '@berth/agent-protocol/payload.ts'
import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import type { DesiredStatus } from '#domain/task.ts'
import type { SentCredentials } from './agent-gateway-credentials.ts'

/** A payload that nobody acknowledged for so long is sent again by the next look of task-dispatch. */
export const payloadAckMs = 30_000

/** What an agent says of itself in the query of its ACS upgrade. */
export interface AcsQuery {
  readonly containerInstanceArn: string
  /** The cluster as the agent was configured: a name, or an ARN. */
  readonly cluster: string
  readonly agentVersion: string
  readonly agentHash: string
  readonly dockerVersion: string
  /** From 2 on the agent acknowledges heartbeats. */
  readonly protocolVersion: number
  /** The agent's process has just started and has no credentials of any task. */
  readonly sendCredentials?: boolean
  /** Only Berth's own agent says so: it opens the data channels of ECS Exec itself. */
  readonly executesCommands?: boolean
}

/** What a session needs of the gateway it belongs to. */
export interface AcsHost {
  readonly clock: Clock
  readonly ids: Ids
  /** The next number of the instance's one sequence of payloads and manifests. */
  readonly nextSeqNum: () => number
  /** Which of the tasks an agent asks about really have to stop; resolves once that is durable. */
  readonly confirmStops: (candidates: readonly ManifestTask[]) => Promise<readonly ManifestTask[]>
  /** Tells the agent of tasks that it asks about, whatever it was told before. */
  readonly tellAgain: (taskArns: readonly string[]) => Promise<void>
  readonly report: (problem: unknown) => void
  /** Called once, when the session is over for whatever reason. */
  readonly ended: () => void
}

interface Unacknowledged {
  readonly taskArn: string
  readonly desiredStatus: DesiredStatus
  readonly deadline: number
}

/** One agent's command connection: what it was told, what it has acknowledged, and whether it is still there. */
export class AcsSession {
  /** What the agent knows each task should be. */
  readonly told: Map<string, DesiredStatus>
  /** Which network rules it knows; none at first. */
  toldRules = ''
  readonly #query: AcsQuery
  readonly #clusterArn: string
  readonly #socket: MessageSocket
  readonly #host: AcsHost
  /** By message id, in the order sent, which is also that of the deadlines. */
  readonly #unacknowledged = new Map<string, Unacknowledged>()
  #cancelBeat: () => void
  #cancelSweep: (() => void) | undefined
  #heardAt: number
  #open = true

  /** `known` are tasks the agent has reported on: it need not be told of them again. */
  constructor(
    query: AcsQuery,
    clusterArn: string,
    known: ReadonlyMap<string, DesiredStatus>,
    socket: MessageSocket,
    host: AcsHost,
  ) {
    this.told = new Map(known)
    this.#query = query
    this.#clusterArn = clusterArn
    this.#socket = socket
    this.#host = host
    this.#heardAt = host.clock.now()
    // A random first pause, so that agents that all came back at once do not beat together for ever.
    const firstBeat = host.clock.now() + host.ids.fraction() * heartbeatMs
    this.#cancelBeat = host.clock.at(firstBeat, () => this.#beat())
    socket.onMessage = (text) => this.#hear(text)
    socket.onClose = () => this.#end()
  }

  get executesCommands(): boolean {
    return this.#open && this.#query.executesCommands === true
  }

  get open(): boolean {
    return this.#open
  }

  /** Tells the agent all that should run on it, so that it can ask about what it has too much. */
  sendManifest(tasks: readonly ManifestTask[]): void {
    const { ids, clock, nextSeqNum } = this.#host
    const generatedAt = clock.now()
    const message = { ...this.#address(), messageId: ids.uuid(), generatedAt, timeline: nextSeqNum(), tasks }
    this.#send({ type: 'TaskManifestMessage', message })
  }

  /** Sends one task, in a message of its own: agents do not acknowledge a message with a bad task in it. */
  sendTask(task: PayloadTask): void {
    if (!this.#open) return
    const messageId = this.#sendPayload(task)
    this.told.set(task.arn, task.desiredStatus)
    this.#unacknowledged.set(messageId, {
      taskArn: task.arn,
      desiredStatus: task.desiredStatus,
      deadline: this.#host.clock.now() + payloadAckMs,
    })
    this.#armSweep()
  }

  /** Whether the agent was told to open the data channel of a session; an agent that cannot is not. */
  sendCommand(
    command: Omit<ExecuteCommandMessage, 'messageId' | 'clusterArn' | 'containerInstanceArn'>,
  ): boolean {
    if (!this.executesCommands) return false
    const message = { ...this.#address(), messageId: this.#host.ids.uuid(), ...command }
    this.#send({ type: 'ExecuteCommandMessage', message })
    return true
  }

  /** Gives the agent new credentials of a task it has. */
  sendCredentials(message: SentCredentials): void {
    this.#send({
      type: 'IAMRoleCredentialsMessage',
      message: { messageId: this.#host.ids.uuid(), ...message },
    })
  }

  /** Tells the agent what its tasks' network interfaces let through; `fingerprint` says which rules these are. */
  sendRules(rules: NetworkRules, fingerprint: string): void {
    this.toldRules = fingerprint
    const message = { ...this.#address(), messageId: this.#host.ids.uuid(), ...rules }
    this.#send({ type: 'BerthNetworkRulesMessage', message })
  }

  /** Ends the session: with 1000 and 1001 the agent comes back at once, with any other code after a pause. */
  close(code: number, reason: string): void {
    if (!this.#open) return
    this.#end()
    this.#socket.close(code, reason)
  }

  #sendPayload(task: PayloadTask): string {
    const { ids, clock, nextSeqNum } = this.#host
    const messageId = ids.uuid()
    this.#send({
      type: 'PayloadMessage',
      message: {
        ...this.#address(),
        messageId,
        seqNum: nextSeqNum(),
        generatedAt: clock.now(),
        tasks: [task],
      },
    })
    return messageId
  }

  #address(): { readonly clusterArn: string; readonly containerInstanceArn: string } {
    return { clusterArn: this.#clusterArn, containerInstanceArn: this.#query.containerInstanceArn }
  }

  #send(message: AcsServerMessage): void {
    if (this.#open) this.#socket.send(encode(message))
  }

  #end(): void {
    if (!this.#open) return
    this.#open = false
    this.#cancelBeat()
    this.#cancelSweep?.()
    this.#host.ended()
  }

  #beat(): void {
    const { clock, ids } = this.#host
    const now = clock.now()
    if (this.#query.protocolVersion >= 2 && now - this.#heardAt >= agentSilenceMs)
      return this.close(1001, 'heartbeats were not answered')
    this.#send({ type: 'HeartbeatMessage', message: { messageId: ids.uuid(), healthy: true } })
    this.#cancelBeat = clock.at(now + heartbeatMs, () => this.#beat())
  }

  #hear(text: string): void {
    if (!this.#open) return
    this.#heardAt = this.#host.clock.now()
    const decoded = decodeAcsAgentMessage(text)
    if (decoded.kind === 'message') this.#handle(decoded.message)
    else if (decoded.kind === 'unknown') this.#host.report(`unknown ACS message ${decoded.type}`)
    else this.#host.report(`malformed ACS message ${decoded.type ?? ''}: ${decoded.reason}`)
  }

  #handle(message: AcsAgentMessage): void {
    switch (message.type) {
      case 'AckRequest':
        this.#unacknowledged.delete(message.message.messageId)
        break
      case 'NackRequest':
        this.#host.report(`the agent refuses a message: ${message.message.reason}`)
        break
      case 'TaskStopVerificationMessage':
        this.#verifyStops(message.message).catch(this.#host.report)
        break
      case 'BerthTasksRequest':
        this.#host.tellAgain(message.message.taskArns).catch(this.#host.report)
        break
      case 'HeartbeatAckRequest':
      case 'IAMRoleCredentialsAckRequest':
        break
    }
  }

  async #verifyStops({
    messageId,
    stopCandidates,
  }: {
    readonly messageId: string
    readonly stopCandidates: readonly ManifestTask[]
  }): Promise<void> {
    const stopTasks = await this.#host.confirmStops(stopCandidates)
    if (stopTasks.length === 0) return
    if (!leavesContainersAfterVerification(this.#query.agentVersion)) {
      const generatedAt = this.#host.clock.now()
      return this.#send({
        type: 'TaskStopVerificationAck',
        message: { messageId, generatedAt, stopTasks },
      })
    }
    for (const { taskArn, taskClusterArn } of stopTasks)
      this.#sendPayload({ arn: taskArn, taskClusterArn, desiredStatus: 'STOPPED' })
  }

  /** Forgets what was told too long ago without an acknowledgement, so that it is told again. */
  #sweep(): void {
    this.#cancelSweep = undefined
    const now = this.#host.clock.now()
    for (const [messageId, { taskArn, desiredStatus, deadline }] of this.#unacknowledged) {
      if (deadline > now) break
      this.#unacknowledged.delete(messageId)
      if (this.told.get(taskArn) === desiredStatus) this.told.delete(taskArn)
    }
    this.#armSweep()
  }

  #armSweep(): void {
    const [oldest] = this.#unacknowledged.values()
    if (!oldest || this.#cancelSweep) return
    this.#cancelSweep = this.#host.clock.at(oldest.deadline, () => this.#sweep())
  }
}

/** Official agents before 1.86.3 report such a task STOPPED but let its containers run; a payload stops them. */
function leavesContainersAfterVerification(agentVersion: string): boolean {
  const [major = 0, minor = 0, patch = 0] = agentVersion.split('.').map((part) => Number.parseInt(part, 10))
  return major === 1 && (minor < 86 || (minor === 86 && patch < 3))
}
