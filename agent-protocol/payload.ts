import {
  bool,
  list,
  map,
  name,
  number,
  oneOf,
  optional,
  orElse,
  type Reader,
  record,
  text,
} from './message.ts'
import { type ElasticNetworkInterface, elasticNetworkInterface } from './network-interface.ts'

export interface RoleCredentials {
  /** Stays the same for the life of a task: its containers have it in their environment. */
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

export interface PayloadRegistryAuthentication {
  readonly type: 'ecr' | 'asm'
  readonly ecrAuthData?: {
    readonly registryId: string
    readonly region: string
    /** The whole URL of the ECR API to ask, instead of AWS's own. */
    readonly endpointOverride?: string
    readonly useExecutionRole: boolean
  }
  readonly asmAuthData?: { readonly credentialsParameter: string; readonly region: string }
}

export interface PayloadSecret {
  readonly name: string
  readonly valueFrom: string
  readonly region: string
  readonly provider: 'ssm' | 'asm'
  readonly type: 'ENVIRONMENT_VARIABLE' | 'BOOTSTRAP' | 'MOUNT_POINT'
  readonly target?: 'CONTAINER' | 'LOG_DRIVER'
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
  readonly secrets?: readonly PayloadSecret[]
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
  readonly registryAuthentication?: PayloadRegistryAuthentication
  readonly firelensConfiguration?: {
    readonly type: string
    readonly options?: Readonly<Record<string, string>>
  }
  readonly credentialSpecs?: readonly string[]
  /** `ExecutionRole`: that role signs what the awslogs driver sends, else the instance. */
  readonly logsAuthStrategy?: string
  /** `ExecuteCommandAgent` here switches ECS Exec on. */
  readonly managedAgents?: ReadonlyArray<{
    readonly name: string
    readonly properties?: Readonly<Record<string, string>>
  }>
  readonly restartPolicy?: {
    readonly enabled: boolean
    readonly ignoredExitCodes?: readonly number[]
    /** Seconds. */
    readonly restartAttemptPeriod?: number
  }
}

export interface PayloadVolume {
  readonly name: string
  /** `host` when absent. */
  readonly type?: 'host' | 'docker' | 'efs'
  readonly host?: { readonly sourcePath?: string }
  readonly dockerVolumeConfiguration?: {
    readonly scope?: 'task' | 'shared'
    readonly autoprovision?: boolean
    readonly driver?: string
    readonly driverOpts?: Readonly<Record<string, string>>
    readonly labels?: Readonly<Record<string, string>>
  }
  readonly efsVolumeConfiguration?: {
    readonly fileSystemId: string
    readonly rootDirectory?: string
    readonly transitEncryption?: 'ENABLED' | 'DISABLED'
    readonly transitEncryptionPort?: number
    readonly authorizationConfig?: { readonly accessPointId?: string; readonly iam?: 'ENABLED' | 'DISABLED' }
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
  /** Devices of the host for containers of the task: `gpu` with the id of one, for one container. */
  readonly associations?: ReadonlyArray<{
    readonly type: string
    readonly name: string
    readonly containers: readonly string[]
  }>
  readonly roleCredentials?: RoleCredentials
  readonly executionRoleCredentials?: RoleCredentials
  readonly launchType?: string
  readonly serviceName?: string
  readonly group?: string
  readonly enableFaultInjection?: boolean
  /** Of network mode awsvpc: one. */
  readonly elasticNetworkInterfaces?: readonly ElasticNetworkInterface[]
  /** Of a Fargate task, whose host's zone is another; only Berth says so. */
  readonly availabilityZone?: string
  readonly ephemeralStorageGiB?: number
}

export const roleCredentials: Reader<RoleCredentials> = record<RoleCredentials>({
  credentialsId: name,
  roleArn: optional(text),
  accessKeyId: optional(text),
  secretAccessKey: optional(text),
  sessionToken: optional(text),
  expiration: optional(text),
})

const switches = ['ENABLED', 'DISABLED'] as const

const volume = record<PayloadVolume>({
  name,
  type: optional(oneOf('host', 'docker', 'efs')),
  host: optional(record<NonNullable<PayloadVolume['host']>>({ sourcePath: optional(text) })),
  dockerVolumeConfiguration: optional(
    record<NonNullable<PayloadVolume['dockerVolumeConfiguration']>>({
      scope: optional(oneOf('task', 'shared')),
      autoprovision: optional(bool),
      driver: optional(text),
      driverOpts: optional(map(text)),
      labels: optional(map(text)),
    }),
  ),
  efsVolumeConfiguration: optional(
    record<NonNullable<PayloadVolume['efsVolumeConfiguration']>>({
      fileSystemId: text,
      rootDirectory: optional(text),
      transitEncryption: optional(oneOf(...switches)),
      transitEncryptionPort: optional(number),
      authorizationConfig: optional(
        record<{ accessPointId?: string; iam?: 'ENABLED' | 'DISABLED' }>({
          accessPointId: optional(text),
          iam: optional(oneOf(...switches)),
        }),
      ),
    }),
  ),
})

const portMapping = record<PayloadPortMapping>({
  containerPort: optional(number),
  hostPort: optional(number),
  containerPortRange: optional(text),
  protocol: optional(oneOf('tcp', 'udp')),
})

const registryAuthentication = record<PayloadRegistryAuthentication>({
  type: oneOf('ecr', 'asm'),
  ecrAuthData: optional(
    record<NonNullable<PayloadRegistryAuthentication['ecrAuthData']>>({
      registryId: text,
      region: text,
      endpointOverride: optional(text),
      useExecutionRole: bool,
    }),
  ),
  asmAuthData: optional(record({ credentialsParameter: text, region: text })),
})

const secret = record<PayloadSecret>({
  name: text,
  valueFrom: text,
  region: text,
  provider: oneOf('ssm', 'asm'),
  type: oneOf('ENVIRONMENT_VARIABLE', 'BOOTSTRAP', 'MOUNT_POINT'),
  target: optional(oneOf('CONTAINER', 'LOG_DRIVER')),
})

const volumeFrom = record<PayloadContainer['volumesFrom'][number]>({
  sourceContainer: text,
  readOnly: optional(bool),
})

const mountPoint = record<PayloadContainer['mountPoints'][number]>({
  sourceVolume: text,
  containerPath: text,
  readOnly: optional(bool),
})

/** Of what a container lacks, agents suppose the same: no ports, no mounts, not essential. */
const container = record<PayloadContainer>({
  name,
  image: name,
  containerArn: optional(text),
  essential: orElse(bool, false),
  command: optional(list(text)),
  entryPoint: optional(list(text)),
  cpu: orElse(number, 0),
  memory: orElse(number, 0),
  environment: orElse(map(text), {}),
  environmentFiles: optional(list(record({ value: text, type: text }))),
  secrets: optional(list(secret)),
  portMappings: orElse(list(portMapping), []),
  links: optional(list(text)),
  volumesFrom: orElse(list(volumeFrom), []),
  mountPoints: orElse(list(mountPoint), []),
  dependsOn: optional(
    list(
      record<NonNullable<PayloadContainer['dependsOn']>[number]>({
        containerName: name,
        condition: oneOf('START', 'COMPLETE', 'SUCCESS', 'HEALTHY'),
      }),
    ),
  ),
  startTimeout: optional(number),
  stopTimeout: optional(number),
  overrides: orElse(text, '{}'),
  dockerConfig: record({ config: text, hostConfig: text, version: text }),
  healthCheckType: optional(oneOf('docker')),
  registryAuthentication: optional(registryAuthentication),
  firelensConfiguration: optional(
    record<NonNullable<PayloadContainer['firelensConfiguration']>>({
      type: text,
      options: optional(map(text)),
    }),
  ),
  credentialSpecs: optional(list(text)),
  logsAuthStrategy: optional(text),
  managedAgents: optional(
    list(
      record<NonNullable<PayloadContainer['managedAgents']>[number]>({
        name: text,
        properties: optional(map(text)),
      }),
    ),
  ),
  restartPolicy: optional(
    record<NonNullable<PayloadContainer['restartPolicy']>>({
      enabled: bool,
      ignoredExitCodes: optional(list(number)),
      restartAttemptPeriod: optional(number),
    }),
  ),
})

export const payloadTask: Reader<PayloadTask> = record<PayloadTask>({
  arn: name,
  desiredStatus: oneOf('RUNNING', 'STOPPED'),
  taskClusterArn: optional(text),
  family: optional(text),
  version: optional(text),
  taskDefinitionAccountId: optional(text),
  cpu: optional(number),
  memory: optional(number),
  networkMode: optional(text),
  pidMode: optional(text),
  ipcMode: optional(text),
  overrides: optional(text),
  containers: optional(list(container)),
  volumes: optional(list(volume)),
  associations: optional(list(record({ type: text, name: text, containers: orElse(list(text), []) }))),
  roleCredentials: optional(roleCredentials),
  executionRoleCredentials: optional(roleCredentials),
  launchType: optional(text),
  serviceName: optional(text),
  group: optional(text),
  enableFaultInjection: optional(bool),
  elasticNetworkInterfaces: optional(list(elasticNetworkInterface)),
  availabilityZone: optional(text),
  ephemeralStorageGiB: optional(number),
})
