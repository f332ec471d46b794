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
import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import type { ContainerRuntime, RegistryCredentials } from './container-runtime.ts'
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
}

/** Asks a registry's GetAuthorizationToken. `expiresAt` is in milliseconds since the epoch. */
export type RegistryLogin = (
  ecr: EcrAuthData,
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
  /** What tasks may need beside containers and volumes, in the order in which it is provided. */
  readonly resources?: readonly TaskResource[]
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
  readonly containerStopTimeoutMs: number
  readonly containerStartTimeoutMs: number
  readonly containerCreateTimeoutMs: number
  readonly taskCleanupWaitMs: number
  readonly taskCpuMemoryLimit: boolean
  readonly imageCleanup?: {
    readonly intervalMs: number
    readonly minimumAgeMs: number
    readonly imagesPerCycle: number
  }
  readonly metricsEnabled: boolean
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
  containerStopTimeoutMs: 30_000,
  containerStartTimeoutMs: 180_000,
  containerCreateTimeoutMs: 240_000,
  taskCleanupWaitMs: 3 * 3_600_000,
  taskCpuMemoryLimit: true,
  imageCleanup: { intervalMs: 30 * 60_000, minimumAgeMs: 3_600_000, imagesPerCycle: 5 },
  metricsEnabled: true,
  agentVersion: '1.105.0',
  agentHash: 'be47be47',
}
