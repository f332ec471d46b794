/** What the agent needs of the world. `adapters/` gives the real thing, the simulator its own. */
import type {
  CreateClusterRequest,
  CreateClusterResponse,
  DiscoverPollEndpointRequest,
  DiscoverPollEndpointResponse,
  RegisterContainerInstanceRequest,
  RegisterContainerInstanceResponse,
  SubmitTaskStateChangeRequest,
  SubmitTaskStateChangeResponse,
} from '@aws-sdk/client-ecs'
import type { RoleCredentials } from '@berth/agent-protocol/acs.ts'
import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import { type EfsServers, noEfsServers } from '#engine/efs.ts'
import type { Attribute } from '#engine/registration.ts'
import type { AgentIdentity } from './agent-state.ts'
import type { ContainerRuntime, RegistryCredentials } from './container-runtime.ts'
import type { ExecPorts } from './exec-ports.ts'
import type { TaskCredentials } from './credentials.ts'
import type { RegistrySecrets } from './secrets.ts'
import type { TaskNetwork } from './task-network.ts'
import type { TaskResource } from './task-resources.ts'

/** The published model leaves out the token by which the control plane knows a repeated registration. */
export type RegistrationRequest = RegisterContainerInstanceRequest & { readonly clientToken: string }

/**
 * The ECS API. AWS's errors are thrown with their name in `error.name` and their text in `error.message`; anything
 * else thrown is a failure of the way there and may be tried again.
 */
export interface EcsApi {
  registerContainerInstance(input: RegistrationRequest): Promise<RegisterContainerInstanceResponse>
  createCluster(input: CreateClusterRequest): Promise<CreateClusterResponse>
  discoverPollEndpoint(input: DiscoverPollEndpointRequest): Promise<DiscoverPollEndpointResponse>
  submitTaskStateChange(input: SubmitTaskStateChangeRequest): Promise<SubmitTaskStateChangeResponse>
}

export interface EcrAuthData {
  readonly registryId: string
  readonly region: string
  readonly endpointOverride?: string
  /** The login is asked for with the credentials of the task's execution role, not with the instance's. */
  readonly useExecutionRole?: boolean
}

/** Asks a registry's GetAuthorizationToken, as `role` or as the instance. `expiresAt` is in milliseconds since the epoch. */
export type RegistryLogin = (
  ecr: EcrAuthData,
  role?: RoleCredentials,
) => Promise<RegistryCredentials & { readonly expiresAt: number }>

/**
 * Opens a signed websocket to `url` with `query`. A refused upgrade throws an error whose message holds the body, so
 * that `InactiveInstanceException` can be found in it. Handlers are set on the socket in the same turn it resolves.
 */
export type Connect = (url: string, query: Readonly<Record<string, string>>) => Promise<MessageSocket>

/** Keeps JSON values by key, each written as a whole or not at all. Values are never changed after they are handed over. */
export interface AgentDisk {
  load(): Promise<ReadonlyMap<string, unknown>>
  /** Resolves when the value would survive the loss of power. */
  save(key: string, value: unknown): Promise<void>
  remove(key: string): Promise<void>
}

interface HostFacts {
  /** CPU units, 1024 a core. */
  readonly cpu: number
  readonly memoryMiB: number
  /** Instance identity document and signature of EC2; empty strings elsewhere. */
  readonly identityDocument: string
  readonly identitySignature: string
  /** `x86_64` or `arm64`. */
  readonly cpuArchitecture: string
  /** What this host can beyond what every one can, as attributes that are registered. */
  readonly capabilities?: readonly Attribute[]
  /** The ids of its GPUs, as the driver names them. */
  readonly gpus?: readonly string[]
  /** The kernel's range of ephemeral ports, both ends included. */
  readonly ephemeralPorts: readonly [number, number]
  /** Ports somebody listens on, as `tcp:80`; absent where the host need not be asked. */
  readonly busyPorts?: () => Promise<ReadonlySet<string>>
}

type LogLevel = 'debug' | 'info' | 'warn' | 'error'
export type Log = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void

export interface AgentDependencies {
  readonly clock: Clock
  readonly ids: Ids
  readonly runtime: ContainerRuntime
  readonly ecs: EcsApi
  readonly connect: Connect
  readonly login: RegistryLogin
  readonly disk: AgentDisk
  readonly host: HostFacts
  /** Who the official agent was on this host, if it left its data here: its place is taken, its tasks run on. */
  readonly predecessor?: AgentIdentity
  /** Shared with the resources that act as a task's roles; the agent keeps in it what it is sent. */
  readonly credentials?: TaskCredentials
  /** Tasks' network interfaces and shared namespaces; also among `resources`. */
  readonly network?: TaskNetwork
  /** How private registries are signed in to; absent where there is nobody to ask for secrets. */
  readonly registrySecrets?: RegistrySecrets
  /** What tasks may need beside containers and volumes, in the order in which it is provided. */
  readonly resources?: readonly TaskResource[]
  /** Absent where commands cannot be run in containers. */
  readonly exec?: ExecPorts
  readonly log: Log
}

/** What the environment configures; the names of the variables are those of the official agent. */
export interface AgentConfig {
  /** Name or ARN, used as it is; empty is `default`. */
  readonly cluster: string
  readonly region: string
  readonly external: boolean
  /** Custom attributes, sent at the first registration only. */
  readonly instanceAttributes: Readonly<Record<string, string>>
  readonly instanceTags: Readonly<Record<string, string>>
  readonly reservedMemoryMiB: number
  readonly reservedPorts: readonly number[]
  readonly reservedPortsUdp: readonly number[]
  readonly dynamicHostPortRange?: readonly [number, number]
  readonly loggingDrivers: readonly string[]
  readonly imagePullBehavior: 'default' | 'always' | 'once' | 'prefer-cached'
  /** A pull that takes longer fails the task; so does one in which nothing happens for the second time. */
  readonly imagePullTimeoutMs: number
  readonly imagePullInactivityMs: number
  readonly imagePullsAtOnceMax: number
  readonly containerStopsAtOnceMax: number
  readonly containerStopTimeoutMs: number
  readonly containerStartTimeoutMs: number
  readonly containerCreateTimeoutMs: number
  readonly taskCleanupWaitMs: number
  /** Whether a task's cpu and memory bind each of its containers: where tasks have no cgroup of their own. */
  readonly taskCpuMemoryLimit: boolean
  /** Processes that all containers of a task may have together; 0 is no limit. */
  readonly taskPidsMax: number
  /** Whether containers may be privileged. */
  readonly privileged: boolean
  /** Where EFS volumes are mounted from. */
  readonly efsServers: EfsServers
  readonly imageCleanup?: {
    readonly intervalMs: number
    readonly minimumAgeMs: number
    readonly imagesPerCycle: number
    /** How full the disk of the images may be, in percent, before they go early; 0 is no limit. */
    readonly diskUsedPercentMax: number
    /** Images that no task ever had go too, except the excluded ones. */
    readonly untracked?: { readonly minimumAgeMs: number; readonly excluded: readonly string[] }
  }
  readonly metricsEnabled: boolean
  /** How often containers are asked what they use. */
  readonly metricsPollMs: number
  readonly agentVersion: string
  readonly agentHash: string
}

export const agentDefaults: AgentConfig = {
  cluster: '',
  region: 'us-east-1',
  external: false,
  instanceAttributes: {},
  instanceTags: {},
  reservedMemoryMiB: 0,
  reservedPorts: [22, 2375, 2376, 51678, 51679],
  reservedPortsUdp: [],
  loggingDrivers: ['json-file', 'none'],
  imagePullBehavior: 'default',
  imagePullTimeoutMs: 2 * 3_600_000,
  imagePullInactivityMs: 60_000,
  imagePullsAtOnceMax: 4,
  containerStopsAtOnceMax: 50,
  containerStopTimeoutMs: 30_000,
  containerStartTimeoutMs: 180_000,
  containerCreateTimeoutMs: 240_000,
  taskCleanupWaitMs: 3 * 3_600_000,
  taskCpuMemoryLimit: true,
  taskPidsMax: 0,
  privileged: true,
  efsServers: noEfsServers,
  imageCleanup: {
    intervalMs: 30 * 60_000,
    minimumAgeMs: 3_600_000,
    imagesPerCycle: 5,
    diskUsedPercentMax: 85,
  },
  metricsEnabled: true,
  metricsPollMs: 10_000,
  agentVersion: '1.105.0',
  agentHash: 'be47be47',
}
