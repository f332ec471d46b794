import {
  type AcsAgentMessage,
  decodeAcsServerMessage,
  type ExecuteCommandMessage,
  type ManifestTask,
  type NetworkRules,
  type PayloadMessage,
  type PayloadTask,
  type RoleCredentials,
  type TaskManifestMessage,
} from '@berth/agent-protocol/acs.ts'
import { encode } from '@berth/agent-protocol/message.ts'
import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import type { RoleKind } from './credentials.ts'
import { messageOf } from './agent-error.ts'
import type { Log } from './ports.ts'

/** What the control plane's commands act on. */
export interface CommandTarget {
  readonly cluster: string
  readonly containerInstanceArn: string
  readonly log: Log
  /** Resolves when the task is on disk, with false for a task that cannot be run. */
  accept(task: PayloadTask): Promise<boolean>
  /** A task whose payload could not even be read. */
  refuse(arn: string, reason: string): Promise<void>
  requestStop(taskArn: string): void
  /** Tasks that are to run, as far as this agent knows. */
  wanted(): readonly ManifestTask[]
  /** Whether a manifest is newer than all seen before; remembers it if so. */
  raiseTimeline(timeline: number): boolean
  /** Sequence numbers of payloads outdate older manifests. */
  sawSequence(seqNum: number): void
  keepCredentials(taskArn: string, kind: RoleKind, credentials: RoleCredentials): void
  /** Opens a session of ECS Exec. */
  executeCommand(command: ExecuteCommandMessage): void
  /** Takes over what tasks' network interfaces let through. */
  takeNetworkRules(rules: NetworkRules): void
  heartbeat(): void
}

/** Does what the control plane says over ACS, and answers. */
export class Commands {
  readonly #target: CommandTarget
  /** The manifest whose stop candidates were sent last, and those. */
  #verification: { readonly messageId: string; readonly candidates: ReadonlySet<string> } | undefined

  constructor(target: CommandTarget) {
    this.#target = target
  }

  handle(socket: MessageSocket, frame: string): void {
    const decoded = decodeAcsServerMessage(frame)
    const reply = (message: AcsAgentMessage): void => socket.send(encode(message))
    if (decoded.kind !== 'message') {
      this.#target.log('warn', 'ACS message not understood', { ...decoded })
      if (decoded.kind === 'malformed' && decoded.type === 'PayloadMessage') this.#refuseUnreadable(frame)
      return
    }
    const { type, message } = decoded.message
    switch (type) {
      case 'HeartbeatMessage':
        reply({ type: 'HeartbeatAckRequest', message: { messageId: message.messageId } })
        return this.#target.heartbeat()
      case 'PayloadMessage':
        return void this.#payload(message, reply)
      case 'TaskManifestMessage':
        return this.#manifest(message, reply)
      case 'TaskStopVerificationAck':
        return this.#stopVerified(message.messageId, message.stopTasks)
      case 'IAMRoleCredentialsMessage':
        this.#target.keepCredentials(
          message.taskArn,
          message.roleType === 'TaskExecution' ? 'execution' : 'task',
          message.roleCredentials,
        )
        return this.#acknowledgeCredentials(message.messageId, message.roleCredentials, reply)
      case 'ExecuteCommandMessage':
        this.#target.executeCommand(message)
        return this.#acknowledge(message, reply)
      case 'BerthNetworkRulesMessage':
        return this.#target.takeNetworkRules(message)
      case 'AttachTaskNetworkInterfacesMessage':
      case 'AttachInstanceNetworkInterfacesMessage':
      case 'ConfirmAttachmentMessage':
        return this.#acknowledge(message, reply)
      case 'StageUpdateMessage':
      case 'PerformUpdateMessage':
        return reply({
          type: 'NackRequest',
          message: {
            cluster: message.clusterArn,
            containerInstance: message.containerInstanceArn,
            messageId: message.messageId,
            reason: 'Updates are disabled',
          },
        })
    }
  }

  /** Acknowledged once all tasks are on disk; not at all when one of them cannot be run, as the official agent does. */
  async #payload(payload: PayloadMessage, reply: (message: AcsAgentMessage) => void): Promise<void> {
    this.#target.sawSequence(payload.seqNum)
    const order = (task: PayloadTask): number => (task.desiredStatus === 'STOPPED' ? 0 : 1)
    const tasks = payload.tasks.toSorted((one, other) => order(one) - order(other))
    try {
      const accepted = await Promise.all(tasks.map((task) => this.#accept(task, payload.messageId, reply)))
      if (accepted.every(Boolean)) this.#acknowledge(payload, reply)
    } catch (error) {
      this.#target.log('error', 'payload not accepted', { error: messageOf(error) })
    }
  }

  async #accept(
    task: PayloadTask,
    messageId: string,
    reply: (message: AcsAgentMessage) => void,
  ): Promise<boolean> {
    // They are there before the first step of the task asks for them.
    for (const [kind, credentials] of [
      ['task', task.roleCredentials],
      ['execution', task.executionRoleCredentials],
    ] as const)
      if (credentials) {
        this.#target.keepCredentials(task.arn, kind, credentials)
        this.#acknowledgeCredentials(messageId, credentials, reply)
      }
    return this.#target.accept(task)
  }

  #acknowledge(
    message: {
      readonly clusterArn: string
      readonly containerInstanceArn: string
      readonly messageId: string
    },
    reply: (message: AcsAgentMessage) => void,
  ): void {
    const { clusterArn: cluster, containerInstanceArn: containerInstance, messageId } = message
    reply({ type: 'AckRequest', message: { cluster, containerInstance, messageId } })
  }

  #acknowledgeCredentials(
    messageId: string,
    { credentialsId, expiration }: RoleCredentials,
    reply: (message: AcsAgentMessage) => void,
  ): void {
    reply({
      type: 'IAMRoleCredentialsAckRequest',
      message: { messageId, credentialsId, ...(expiration !== undefined && { expiration }) },
    })
  }

  /** Names the tasks that run here although the manifest does not want them, and waits for that to be confirmed. */
  #manifest(manifest: TaskManifestMessage, reply: (message: AcsAgentMessage) => void): void {
    if (!this.#target.raiseTimeline(manifest.timeline)) return
    this.#acknowledge(manifest, reply)
    const running = new Set(
      manifest.tasks.flatMap(({ taskArn, desiredStatus }) => (desiredStatus === 'RUNNING' ? [taskArn] : [])),
    )
    const stopCandidates = this.#target
      .wanted()
      .filter(({ taskArn }) => !running.has(taskArn))
      .map((task) => ({ ...task, desiredStatus: 'STOPPED' as const }))
    this.#verification = {
      messageId: manifest.messageId,
      candidates: new Set(stopCandidates.map(({ taskArn }) => taskArn)),
    }
    if (stopCandidates.length)
      reply({
        type: 'TaskStopVerificationMessage',
        message: { messageId: manifest.messageId, stopCandidates },
      })
  }

  #stopVerified(messageId: string, stopTasks: readonly ManifestTask[]): void {
    if (this.#verification?.messageId !== messageId) return
    const { candidates } = this.#verification
    this.#verification = undefined
    for (const { taskArn, desiredStatus } of stopTasks)
      if (desiredStatus === 'STOPPED' && candidates.has(taskArn)) this.#target.requestStop(taskArn)
  }

  #refuseUnreadable(frame: string): void {
    const { message } = JSON.parse(frame) as { message?: { tasks?: unknown } }
    if (!Array.isArray(message?.tasks)) return
    for (const task of message.tasks as ReadonlyArray<{ readonly arn?: unknown } | null>)
      if (typeof task?.arn === 'string')
        this.#target
          .refuse(task.arn, 'UnrecogniedTaskError: Error loading task - the task could not be read')
          .catch((error: unknown) =>
            this.#target.log('error', 'refusal not saved', { error: messageOf(error) }),
          )
  }
}
