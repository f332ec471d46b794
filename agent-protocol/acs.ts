import {
  bool,
  type Decoded,
  decode,
  type Envelope,
  list,
  type Messages,
  name,
  number,
  oneOf,
  optional,
  record,
  text,
} from './message.ts'
import { type ElasticNetworkInterface, elasticNetworkInterface } from './network-interface.ts'
import { type NetworkRulesMessage, networkRulesMessage } from './network-rules.ts'
import { type PayloadTask, payloadTask, type RoleCredentials, roleCredentials } from './payload.ts'

export type { NetworkRules } from './network-rules.ts'
export type { PayloadContainer, PayloadPortMapping, PayloadTask, RoleCredentials } from './payload.ts'

/** The messages of the agent communication service (ACS): a websocket with one JSON envelope a text frame. */

/** How often the control plane says it is there, in milliseconds. An agent gives a silent one up after 60 to 120 s. */
export const heartbeatMs = 30_000
/** An agent that acknowledges heartbeats (protocolVersion 2) and said nothing for three of them is gone. */
export const agentSilenceMs = 3 * heartbeatMs

export interface PayloadMessage {
  readonly messageId: string
  readonly clusterArn: string
  readonly containerInstanceArn: string
  /** Strictly increasing within a container instance. */
  readonly seqNum: number
  /** Milliseconds since the epoch. */
  readonly generatedAt: number
  readonly tasks: readonly PayloadTask[]
}

export interface ManifestTask {
  readonly taskArn: string
  readonly taskClusterArn: string
  readonly desiredStatus: 'RUNNING' | 'STOPPED'
}

export interface TaskManifestMessage {
  readonly messageId: string
  readonly clusterArn: string
  readonly containerInstanceArn: string
  readonly generatedAt: number
  /** Higher than every `seqNum` and timeline before. */
  readonly timeline: number
  readonly tasks: readonly ManifestTask[]
}

interface Attaching {
  readonly messageId: string
  readonly clusterArn: string
  readonly containerInstanceArn: string
  readonly waitTimeoutMs: number
  readonly generatedAt?: number
}
interface AttachTaskNetworkInterfaces extends Attaching {
  readonly taskArn: string
  readonly taskClusterArn?: string
  readonly elasticNetworkInterfaces: readonly ElasticNetworkInterface[]
}
interface AttachInstanceNetworkInterfaces extends Attaching {
  readonly elasticNetworkInterfaces: readonly ElasticNetworkInterface[]
}
interface ConfirmAttachment extends Attaching {
  readonly taskArn?: string
  readonly taskClusterArn?: string
  readonly attachment: {
    readonly attachmentArn: string
    readonly attachmentType?: string
    readonly attachmentProperties?: ReadonlyArray<{ readonly name: string; readonly value: string }>
  }
}
interface UpdateInfo {
  readonly location?: string
  readonly signature?: string
}
interface AgentUpdate {
  readonly messageId: string
  readonly clusterArn: string
  readonly containerInstanceArn: string
  /** `signature` is the SHA-256 of what is at `location`, in hexadecimal. */
  readonly updateInfo?: UpdateInfo
}
interface RoleCredentialsMessage {
  readonly messageId: string
  readonly taskArn: string
  readonly taskClusterArn?: string
  readonly roleType: 'TaskApplication' | 'TaskExecution'
  readonly roleCredentials: RoleCredentials
}
/** Berth's own, and sent to Berth's agents only: open the data channel of a session and run its command. */
export interface ExecuteCommandMessage {
  readonly messageId: string
  readonly clusterArn: string
  readonly containerInstanceArn: string
  readonly taskArn: string
  readonly containerName: string
  /** As the user gave it; split into words as a shell would. */
  readonly command: string
  readonly sessionId: string
  /** Shows to the control plane that the agent was asked to. */
  readonly tokenValue: string
  /** Where what the session prints is kept besides. */
  readonly log?: SessionLog
}
export interface SessionLog {
  readonly logGroupName: string
  readonly region: string
  /** The API of CloudWatch Logs as the agent reaches it. */
  readonly endpoint: string
}
interface StopVerificationAck {
  /** The one of the manifest. */
  readonly messageId: string
  readonly generatedAt: number
  readonly stopTasks: readonly ManifestTask[]
}

/** What the control plane says. */
export type AcsServerMessage =
  | Envelope<'HeartbeatMessage', { readonly messageId: string; readonly healthy: boolean }>
  | Envelope<'PayloadMessage', PayloadMessage>
  | Envelope<'TaskManifestMessage', TaskManifestMessage>
  | Envelope<'TaskStopVerificationAck', StopVerificationAck>
  | Envelope<'IAMRoleCredentialsMessage', RoleCredentialsMessage>
  | Envelope<'AttachTaskNetworkInterfacesMessage', AttachTaskNetworkInterfaces>
  | Envelope<'AttachInstanceNetworkInterfacesMessage', AttachInstanceNetworkInterfaces>
  | Envelope<'ConfirmAttachmentMessage', ConfirmAttachment>
  | Envelope<'BerthNetworkRulesMessage', NetworkRulesMessage>
  | Envelope<'StageUpdateMessage', AgentUpdate>
  | Envelope<'PerformUpdateMessage', AgentUpdate>
  | Envelope<'ExecuteCommandMessage', ExecuteCommandMessage>

interface CredentialsAck {
  readonly messageId: string
  readonly credentialsId: string
  readonly expiration?: string
}

/**
 * Berth's own: what are these tasks? Each is answered with a payload; the agent found their containers and not what was
 * said of them.
 */
interface TasksRequest {
  readonly messageId: string
  readonly containerInstance: string
  readonly taskArns: readonly string[]
}

/** What an agent answers. */
export type AcsAgentMessage =
  | Envelope<
      'AckRequest',
      { readonly cluster: string; readonly containerInstance: string; readonly messageId: string }
    >
  | Envelope<
      'NackRequest',
      {
        readonly cluster: string
        readonly containerInstance: string
        readonly messageId: string
        readonly reason: string
      }
    >
  | Envelope<'HeartbeatAckRequest', { readonly messageId: string }>
  | Envelope<'IAMRoleCredentialsAckRequest', CredentialsAck>
  | Envelope<
      'TaskStopVerificationMessage',
      { readonly messageId: string; readonly stopCandidates: readonly ManifestTask[] }
    >
  | Envelope<'BerthTasksRequest', TasksRequest>

/** Anything but `RUNNING` is no wish for the task to run: agents call a stop candidate STOPPED. */
const desiredStatus = (value: unknown, at: string): 'RUNNING' | 'STOPPED' =>
  text(value, at) === 'RUNNING' ? 'RUNNING' : 'STOPPED'

const manifestTask = record<ManifestTask>({ taskArn: name, taskClusterArn: text, desiredStatus })

const addressed = { messageId: name, clusterArn: name, containerInstanceArn: name }
const attaching = { ...addressed, waitTimeoutMs: number, generatedAt: optional(number) }
const agentUpdate = record<AgentUpdate>({
  ...addressed,
  updateInfo: optional(record<UpdateInfo>({ location: optional(text), signature: optional(text) })),
})

const roleTypes = ['TaskApplication', 'TaskExecution'] as const

const serverMessages: Messages<AcsServerMessage> = {
  HeartbeatMessage: record({ messageId: text, healthy: bool }),
  PayloadMessage: record<PayloadMessage>({
    ...addressed,
    seqNum: number,
    generatedAt: number,
    tasks: list(payloadTask),
  }),
  TaskManifestMessage: record<TaskManifestMessage>({
    ...addressed,
    generatedAt: number,
    timeline: number,
    tasks: list(manifestTask),
  }),
  TaskStopVerificationAck: record<StopVerificationAck>({
    messageId: name,
    generatedAt: number,
    stopTasks: list(manifestTask),
  }),
  IAMRoleCredentialsMessage: record<RoleCredentialsMessage>({
    messageId: name,
    taskArn: name,
    taskClusterArn: optional(text),
    roleType: oneOf(...roleTypes),
    roleCredentials,
  }),
  AttachTaskNetworkInterfacesMessage: record<AttachTaskNetworkInterfaces>({
    ...attaching,
    taskArn: name,
    taskClusterArn: optional(text),
    elasticNetworkInterfaces: list(elasticNetworkInterface),
  }),
  AttachInstanceNetworkInterfacesMessage: record<AttachInstanceNetworkInterfaces>({
    ...attaching,
    elasticNetworkInterfaces: list(elasticNetworkInterface),
  }),
  ConfirmAttachmentMessage: record<ConfirmAttachment>({
    ...attaching,
    taskArn: optional(text),
    taskClusterArn: optional(text),
    attachment: record<ConfirmAttachment['attachment']>({
      attachmentArn: name,
      attachmentType: optional(text),
      attachmentProperties: optional(list(record({ name, value: text }))),
    }),
  }),
  BerthNetworkRulesMessage: networkRulesMessage,
  StageUpdateMessage: agentUpdate,
  PerformUpdateMessage: agentUpdate,
  ExecuteCommandMessage: record<ExecuteCommandMessage>({
    ...addressed,
    taskArn: name,
    containerName: name,
    command: name,
    sessionId: name,
    tokenValue: name,
    log: optional(record<SessionLog>({ logGroupName: name, region: text, endpoint: text })),
  }),
}

const agentMessages: Messages<AcsAgentMessage> = {
  AckRequest: record({ cluster: text, containerInstance: text, messageId: name }),
  NackRequest: record({ cluster: text, containerInstance: text, messageId: name, reason: text }),
  HeartbeatAckRequest: record({ messageId: text }),
  IAMRoleCredentialsAckRequest: record<CredentialsAck>({
    messageId: text,
    credentialsId: text,
    expiration: optional(text),
  }),
  TaskStopVerificationMessage: record({ messageId: name, stopCandidates: list(manifestTask) }),
  BerthTasksRequest: record<TasksRequest>({ messageId: name, containerInstance: text, taskArns: list(name) }),
}

/** Reads a frame that came from the control plane. Never throws. */
export function decodeAcsServerMessage(frame: string): Decoded<AcsServerMessage> {
  return decode(serverMessages, frame)
}

/** Reads a frame that came from an agent. Never throws. */
export function decodeAcsAgentMessage(frame: string): Decoded<AcsAgentMessage> {
  return decode(agentMessages, frame)
}
