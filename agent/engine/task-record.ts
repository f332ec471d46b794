import type { PayloadContainer, PayloadTask } from '@berth/agent-protocol/acs.ts'
import type { Ids } from '@berth/std/id.ts'
import type { HostPort } from './host-ports.ts'

export type ContainerState = 'NONE' | 'PULLED' | 'CREATED' | 'RUNNING' | 'STOPPED'
export type HealthStatus = 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN'

export interface NetworkBinding {
  readonly bindIP: string
  readonly containerPort?: number
  readonly hostPort?: number
  readonly containerPortRange?: string
  readonly hostPortRange?: string
  readonly protocol: 'tcp' | 'udp'
}

/** One change of one container, as SubmitTaskStateChange carries it. */
export interface ContainerChange {
  readonly containerName: string
  /** PENDING tells nothing but the image's digest. */
  readonly status: 'PENDING' | 'RUNNING' | 'STOPPED'
  readonly runtimeId?: string
  readonly exitCode?: number
  readonly reason?: string
  readonly imageDigest?: string
  readonly networkBindings?: readonly NetworkBinding[]
}

export interface ContainerRecord {
  readonly name: string
  /** Chosen before anything is done, so a container made just before a crash is found again by it. */
  readonly dockerName: string
  /** The id in the container's metadata address. */
  readonly metadataId: string
  readonly state: ContainerState
  readonly runtimeId?: string
  readonly imageId?: string
  readonly imageDigest?: string
  readonly hostPorts: readonly HostPort[]
  readonly exitCode?: number
  /** `<ErrorName>: <text>`, when the container did not end by itself. */
  readonly reason?: string
  readonly createdAt?: number
  readonly startedAt?: number
  readonly finishedAt?: number
  readonly health?: { readonly status: HealthStatus; readonly since: number; readonly output: string }
  /** How often the restart policy started it again, and when last. */
  readonly restarts?: { readonly count: number; readonly at: number }
}

/** All the agent knows of a task, and all it keeps on disk. Never changed, only replaced. */
export interface TaskRecord {
  readonly schemaVersion: 1
  /** The payload without its credentials. */
  readonly task: PayloadTask
  readonly desiredStatus: 'RUNNING' | 'STOPPED'
  /** The control plane said stop; it is not told step by step then. */
  readonly stopRequested: boolean
  readonly containers: readonly ContainerRecord[]
  /** Docker's name of each volume of the task that Docker holds; `owned` ones go with the task. */
  readonly volumes: ReadonlyArray<{
    readonly name: string
    readonly dockerName: string
    readonly owned: boolean
    readonly ready: boolean
  }>
  /** Not sent yet, in the order they happened. */
  readonly changes: readonly ContainerChange[]
  readonly sentStatus?: 'RUNNING' | 'STOPPED'
  /** Containers whose image's digest was told ahead of everything else. */
  readonly digestsSent?: readonly string[]
  /** Only for a task that could not be run at all, or lacked one of its resources. */
  readonly reason?: string
  /** Under which id the credentials of the task's role are had, and those of its execution role. */
  readonly credentialsId?: string
  readonly executionCredentialsId?: string
  readonly pullStartedAt?: number
  readonly pullStoppedAt?: number
  readonly executionStoppedAt?: number
  readonly acceptedAt: number
  readonly stoppedAt?: number
}

/** A task the agent cannot run; the message is the reason reported. */
export class InvalidTaskError extends Error {
  constructor(message: string) {
    super(`UnrecogniedTaskError: Error loading task - ${message}`)
    this.name = 'InvalidTaskError'
  }
}

/** Lower-case letters, digits, `_`, `.` and `-`, which Docker allows in names. */
const dockerSafe = (text: string): string => text.replaceAll(/[^A-Za-z0-9_.-]/g, '')

/**
 * The record of a task just received.
 * @throws InvalidTaskError with the official agent's (misspelt) error name
 */
export function newTaskRecord(task: PayloadTask, ids: Ids, now: number): TaskRecord {
  const { roleCredentials, executionRoleCredentials, ...kept } = task
  const known = task.desiredStatus === 'RUNNING' || task.desiredStatus === 'STOPPED'
  if (!known) throw new InvalidTaskError(`unrecognized task status "${String(task.desiredStatus)}"`)
  const prefix = `ecs-${dockerSafe(task.family ?? '')}-${dockerSafe(task.version ?? '')}`
  const containers = (task.containers ?? []).map((container) => ({
    name: container.name,
    dockerName: `${prefix}-${dockerSafe(container.name)}-${ids.hex(20)}`,
    metadataId: ids.uuid(),
    state: 'NONE' as const,
    hostPorts: [],
  }))
  if (task.desiredStatus === 'RUNNING') refuseInvalid(task)
  return {
    schemaVersion: 1,
    task: kept,
    desiredStatus: task.desiredStatus,
    stopRequested: task.desiredStatus === 'STOPPED',
    containers,
    volumes: task.desiredStatus === 'RUNNING' ? dockerVolumes(task, prefix, ids) : [],
    changes: [],
    ...(task.desiredStatus === 'STOPPED' &&
      containers.length === 0 && {
        reason: "TaskStateError: Agent could not progress task's state to stopped",
      }),
    ...(roleCredentials && { credentialsId: roleCredentials.credentialsId }),
    ...(executionRoleCredentials && {
      executionCredentialsId: executionRoleCredentials.credentialsId,
    }),
    acceptedAt: now,
  }
}

/** The record of a task that cannot be run: nothing is left but to say so. */
export function invalidTaskRecord(task: PayloadTask, reason: string, now: number): TaskRecord {
  return {
    schemaVersion: 1,
    task: { arn: task.arn, desiredStatus: 'STOPPED' },
    desiredStatus: 'STOPPED',
    stopRequested: true,
    containers: [],
    volumes: [],
    changes: [],
    reason,
    acceptedAt: now,
  }
}

/**
 * The record of a task whose containers were found without it: nothing is left but to say that they ended. AWS's agent
 * has no such case and so no such text.
 */
export function lostTaskRecord(arn: string, containers: readonly string[], now: number): TaskRecord {
  const reason = "TaskStateError: The agent lost the task's state and removed its containers"
  return {
    ...invalidTaskRecord({ arn, desiredStatus: 'STOPPED' }, reason, now),
    changes: containers.map((containerName) => ({ containerName, status: 'STOPPED', exitCode: 137, reason })),
  }
}

function refuseInvalid(task: PayloadTask): void {
  const containers = task.containers ?? []
  if (!containers.length) throw new InvalidTaskError('the task has no containers')
  if (task.networkMode === 'awsvpc' && !task.elasticNetworkInterfaces?.length)
    throw new InvalidTaskError('a task of network mode awsvpc needs a network interface')
  for (const container of containers) {
    refuseOverrides(container)
    refuseUnknownReferences(task, container)
    parseDockerConfig(container)
    refuseUnsupported(container)
  }
  for (const volume of task.volumes ?? [])
    if (!['host', 'docker', 'efs'].includes(volume.type ?? 'host'))
      throw new InvalidTaskError(`invalid volume ${volume.name}: type ${volume.type ?? ''} is not supported`)
    else if (
      !(volume.type === 'efs'
        ? volume.efsVolumeConfiguration
        : volume.type === 'docker'
          ? volume.dockerVolumeConfiguration
          : volume.host)
    )
      throw new InvalidTaskError(`invalid volume: empty volume configuration`)
}

/** What this agent does not advertise and so should never be sent: better no task than half of one. */
function refuseUnsupported(container: PayloadContainer): void {
  const unsupported = [container.credentialSpecs?.length && 'credential specs'].find(Boolean)
  if (unsupported) throw new InvalidTaskError(`container ${container.name}: ${unsupported} is not supported`)
}

/** Only `command` may be overridden here; every other override was resolved by the control plane. */
function refuseOverrides({ name, overrides }: PayloadContainer): void {
  const parsed = parseJson(overrides || '{}', `overrides of container ${name}`)
  const stranger = Object.keys(parsed).find((key) => key !== 'command')
  if (stranger !== undefined) throw new InvalidTaskError(`json: unknown field "${stranger}"`)
}

function refuseUnknownReferences(task: PayloadTask, container: PayloadContainer): void {
  const names = new Set(task.containers?.map(({ name }) => name))
  const volumes = new Set(task.volumes?.map(({ name }) => name))
  const strange = [
    ...(container.dependsOn ?? []).map(({ containerName }) => containerName),
    ...container.volumesFrom.map(({ sourceContainer }) => sourceContainer),
    ...(container.links ?? []).map((link) => link.split(':')[0] ?? ''),
  ].find((name) => !names.has(name))
  if (strange !== undefined)
    throw new InvalidTaskError(`container ${container.name} refers to the unknown container ${strange}`)
  const mount = container.mountPoints.find(({ sourceVolume }) => !volumes.has(sourceVolume))
  if (mount)
    throw new InvalidTaskError(
      `container ${container.name} refers to the unknown volume ${mount.sourceVolume}`,
    )
}

/** The parts of Docker's `Config` and `HostConfig` that the control plane gives as strings. */
export function parseDockerConfig({ name, dockerConfig, healthCheckType }: PayloadContainer): {
  readonly config: Readonly<Record<string, unknown>>
  readonly hostConfig: Readonly<Record<string, unknown>>
} {
  const config = parseJson(dockerConfig?.config || '{}', `docker config of container ${name}`)
  const hostConfig = parseJson(dockerConfig?.hostConfig || '{}', `docker host config of container ${name}`)
  if (healthCheckType === 'docker' && !config['Healthcheck'])
    throw new InvalidTaskError(`DockerClientConfigError: container ${name} has no health check configuration`)
  return { config, hostConfig }
}

function parseJson(text: string, what: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>
  } catch {
    // Told below, together with JSON that is no object.
  }
  throw new InvalidTaskError(`${what} is not a JSON object`)
}

/** Volumes that Docker keeps: `docker` ones, and `host` ones without a path on the host. */
function dockerVolumes(task: PayloadTask, prefix: string, ids: Ids): TaskRecord['volumes'] {
  return (task.volumes ?? []).flatMap(({ name, host, dockerVolumeConfiguration: docker }) => {
    if (host?.sourcePath) return []
    const owned = docker?.scope !== 'shared'
    const dockerName = owned ? `${prefix}-${dockerSafe(name)}-${ids.hex(20)}` : name
    return [{ name, dockerName, owned, ready: false }]
  })
}
