/** The messages of the agent communication service (ACS): a websocket with one JSON envelope a text frame. */
export interface Envelope<Type extends string = string, Message = unknown> {
  readonly type: Type
  readonly message: Message
}

export interface RoleCredentials {
  readonly credentialsId: string
  readonly roleArn?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
  /** ISO 8601. */
  readonly expiration?: string
}

export interface PayloadPortMapping {
  readonly containerPort?: number
  readonly hostPort?: number
  /** `9000-9002`; instead of `containerPort`. */
  readonly containerPortRange?: string
  readonly protocol?: 'tcp' | 'udp'
}

export interface PayloadContainer {
  readonly name: string
  readonly image: string
  readonly containerArn?: string
  readonly essential: boolean
  readonly command?: readonly string[]
  readonly entryPoint?: readonly string[]
  /** CPU units. */
  readonly cpu: number
  /** MiB, hard; 0 is none. */
  readonly memory: number
  readonly environment: Readonly<Record<string, string>>
  readonly environmentFiles?: ReadonlyArray<{ readonly value: string; readonly type: string }>
  readonly portMappings: readonly PayloadPortMapping[]
  readonly links?: readonly string[]
  readonly volumesFrom: ReadonlyArray<{ readonly sourceContainer: string; readonly readOnly?: boolean }>
  readonly mountPoints: ReadonlyArray<{
    readonly sourceVolume: string
    readonly containerPath: string
    readonly readOnly?: boolean
  }>
  readonly dependsOn?: ReadonlyArray<{
    readonly containerName: string
    readonly condition: 'START' | 'COMPLETE' | 'SUCCESS' | 'HEALTHY'
  }>
  /** Seconds. */
  readonly startTimeout?: number
  readonly stopTimeout?: number
  /** A JSON string; only `command` may stand in it. */
  readonly overrides: string
  /** `config` and `hostConfig` are JSON strings of the Docker Engine API's shapes, laid over the agent's own. */
  readonly dockerConfig: { readonly config: string; readonly hostConfig: string; readonly version: string }
  /** `docker` together with a `Healthcheck` in `dockerConfig.config`. */
  readonly healthCheckType?: 'docker'
  readonly registryAuthentication?: {
    readonly type: 'ecr' | 'asm'
    readonly ecrAuthData?: {
      readonly registryId: string
      readonly region: string
      readonly endpointOverride?: string
      readonly useExecutionRole: boolean
    }
  }
  readonly restartPolicy?: {
    readonly enabled: boolean
    readonly ignoredExitCodes?: readonly number[]
    /** Seconds. */
    readonly restartAttemptPeriod?: number
  }
}

export interface PayloadVolume {
  readonly name: string
  readonly type?: 'host' | 'docker' | 'efs'
  readonly host?: { readonly sourcePath?: string }
  readonly dockerVolumeConfiguration?: {
    readonly scope?: 'task' | 'shared'
    readonly autoprovision?: boolean
    readonly driver?: string
    readonly driverOpts?: Readonly<Record<string, string>>
    readonly labels?: Readonly<Record<string, string>>
  }
}

/** A task as its agent gets it. To stop a known one, `arn` and `desiredStatus` are enough. */
export interface PayloadTask {
  readonly arn: string
  readonly desiredStatus: 'RUNNING' | 'STOPPED'
  readonly taskClusterArn?: string
  readonly family?: string
  /** The revision, as a string. */
  readonly version?: string
  readonly taskDefinitionAccountId?: string
  /** vCPUs (0.25 is 256 units). */
  readonly cpu?: number
  /** MiB. */
  readonly memory?: number
  readonly networkMode?: string
  readonly pidMode?: string
  readonly ipcMode?: string
  readonly overrides?: string
  readonly containers?: readonly PayloadContainer[]
  readonly volumes?: readonly PayloadVolume[]
  readonly roleCredentials?: RoleCredentials
  readonly executionRoleCredentials?: RoleCredentials
  readonly launchType?: string
  readonly serviceName?: string
  readonly group?: string
}

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

/** What the control plane says. */
export type AcsServerMessage =
  | Envelope<'HeartbeatMessage', { readonly messageId: string; readonly healthy: boolean }>
  | Envelope<'PayloadMessage', PayloadMessage>
  | Envelope<'TaskManifestMessage', TaskManifestMessage>
  | Envelope<
      'TaskStopVerificationAck',
      {
        readonly messageId: string
        readonly generatedAt: number
        readonly stopTasks: readonly ManifestTask[]
      }
    >
  | Envelope<
      'IAMRoleCredentialsMessage',
      {
        readonly messageId: string
        readonly taskArn: string
        readonly taskClusterArn: string
        readonly roleType: 'TaskApplication' | 'TaskExecution'
        readonly roleCredentials: RoleCredentials
      }
    >

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
  | Envelope<
      'IAMRoleCredentialsAckRequest',
      { readonly messageId: string; readonly credentialsId: string; readonly expiration?: string }
    >
  | Envelope<
      'TaskStopVerificationMessage',
      { readonly messageId: string; readonly stopCandidates: readonly ManifestTask[] }
    >
