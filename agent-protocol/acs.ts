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
import { type PayloadTask, payloadTask, type RoleCredentials, roleCredentials } from './payload.ts'

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

interface PrivateAddress {
  readonly primary?: boolean
  readonly privateAddress: string
}
interface Ipv6Address {
  readonly primary?: boolean
  readonly address: string
}
interface VlanProperties {
  readonly vlanId?: string
  readonly trunkInterfaceMacAddress?: string
}
interface ElasticNetworkInterface {
  readonly ec2Id: string
  readonly attachmentArn?: string
  readonly macAddress: string
  readonly ipv4Addresses?: readonly PrivateAddress[]
  readonly ipv6Addresses?: readonly Ipv6Address[]
  /** With the prefix length: `10.0.0.1/24`. */
  readonly subnetGatewayIpv4Address?: string
  readonly subnetGatewayIpv6Address?: string
  readonly domainName?: readonly string[]
  readonly domainNameServers?: readonly string[]
  readonly privateDnsName?: string
  readonly interfaceAssociationProtocol?: string
  readonly interfaceVlanProperties?: VlanProperties
  readonly index?: number
  readonly name?: string
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
  | Envelope<'StageUpdateMessage', AgentUpdate>
  | Envelope<'PerformUpdateMessage', AgentUpdate>

interface CredentialsAck {
  readonly messageId: string
  readonly credentialsId: string
  readonly expiration?: string
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

/** Anything but `RUNNING` is no wish for the task to run: agents call a stop candidate STOPPED. */
const desiredStatus = (value: unknown, at: string): 'RUNNING' | 'STOPPED' =>
  text(value, at) === 'RUNNING' ? 'RUNNING' : 'STOPPED'

const manifestTask = record<ManifestTask>({ taskArn: name, taskClusterArn: text, desiredStatus })

const networkInterface = record<ElasticNetworkInterface>({
  ec2Id: text,
  attachmentArn: optional(text),
  macAddress: text,
  ipv4Addresses: optional(list(record<PrivateAddress>({ primary: optional(bool), privateAddress: text }))),
  ipv6Addresses: optional(list(record<Ipv6Address>({ primary: optional(bool), address: text }))),
  subnetGatewayIpv4Address: optional(text),
  subnetGatewayIpv6Address: optional(text),
  domainName: optional(list(text)),
  domainNameServers: optional(list(text)),
  privateDnsName: optional(text),
  interfaceAssociationProtocol: optional(text),
  interfaceVlanProperties: optional(
    record<VlanProperties>({ vlanId: optional(text), trunkInterfaceMacAddress: optional(text) }),
  ),
  index: optional(number),
  name: optional(text),
})

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
    elasticNetworkInterfaces: list(networkInterface),
  }),
  AttachInstanceNetworkInterfacesMessage: record<AttachInstanceNetworkInterfaces>({
    ...attaching,
    elasticNetworkInterfaces: list(networkInterface),
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
  StageUpdateMessage: agentUpdate,
  PerformUpdateMessage: agentUpdate,
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
}

/** Reads a frame that came from the control plane. Never throws. */
export function decodeAcsServerMessage(frame: string): Decoded<AcsServerMessage> {
  return decode(serverMessages, frame)
}

/** Reads a frame that came from an agent. Never throws. */
export function decodeAcsAgentMessage(frame: string): Decoded<AcsAgentMessage> {
  return decode(agentMessages, frame)
}
