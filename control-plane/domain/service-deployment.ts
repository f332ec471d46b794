/**
 * Service revisions, what a service was told to run, and service deployments, each the story of taking a service there.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
 */
import type { DeploymentConfiguration, ServiceDeploymentStatus } from '@aws-sdk/client-ecs'
import { assert } from '@berth/std/assert.ts'
import type { Ids } from '@berth/std/id.ts'
import { arnName, formatArn, parseArn, type Scope } from './arn.ts'
import { isBuiltInProvider } from './capacity-provider.ts'
import type { Lifecycle } from './rollout-lifecycle.ts'
import { deployedMembers, type Service } from './service.ts'
import type { TaskDefinition } from './task-definition.ts'
import type { Task } from './task.ts'

/** What of a service a revision records and a rollback brings back. Only a forced deployment changes the capacity. */
const recorded = [...deployedMembers, 'launchType', 'capacityProviderStrategy'] as const
type Recorded = Pick<Service, (typeof recorded)[number]>

/** A record of what was to be deployed. Nothing of it changes but the digests of images, which its first tasks tell. */
export interface ServiceRevision extends Scope, Recorded {
  readonly serviceRevisionArn: string
  readonly serviceArn: string
  readonly clusterArn: string
  /** `Linux` or a kind of Windows; for AWS Fargate only. */
  readonly platformFamily?: string
  readonly containerImages: readonly RevisionImage[]
  readonly createdAt: number
}

interface RevisionImage {
  readonly containerName: string
  readonly image: string
  readonly imageDigest?: string
}

export interface ServiceDeployment extends Scope {
  readonly serviceDeploymentArn: string
  readonly serviceArn: string
  readonly clusterArn: string
  /** The deployment of the target revision. */
  readonly deploymentId: string
  readonly targetServiceRevisionArn: string
  /** What the service ran before. */
  readonly sourceServiceRevisionArns: readonly string[]
  readonly status: ServiceDeploymentStatus
  readonly statusReason?: string
  /** Why, since when and to what it is or was rolled back. */
  readonly rollback?: {
    readonly reason: string
    readonly startedAt: number
    readonly serviceRevisionArn?: string
  }
  /** Set when the circuit breaker has ended it. */
  readonly circuitBroken?: true
  /** How far it has come in shifting traffic; absent for rolling deployments. */
  readonly lifecycle?: Lifecycle
  /** When the bake time of a rolling deployment ends whose tasks are all there. */
  readonly bakesUntil?: number
  /** The alarms that were in alarm when it started, which do not count, and those that have ended it. */
  readonly alarms?: { readonly ignored: readonly string[]; readonly triggered: readonly string[] }
  readonly createdAt: number
  readonly startedAt?: number
  readonly finishedAt?: number
  readonly stoppedAt?: number
  readonly updatedAt: number
  /** How things stood when it finished; before that it is derived. */
  readonly outcome?: DeploymentProgress
}

/** How far a service deployment has come. */
export interface DeploymentProgress {
  readonly target: RevisionCounts
  readonly sources: readonly RevisionCounts[]
  readonly failureCount: number
  readonly threshold: number
  readonly deploymentConfiguration: DeploymentConfiguration
}

export interface RevisionCounts {
  readonly arn: string
  readonly requestedTaskCount: number
  readonly runningTaskCount: number
  readonly pendingTaskCount: number
  /** In percent; where traffic is shifted. */
  readonly requestedTestTrafficWeight?: number
  readonly requestedProductionTrafficWeight?: number
}

export const serviceDeploymentStatuses: readonly ServiceDeploymentStatus[] = [
  'PENDING',
  'SUCCESSFUL',
  'STOPPED',
  'STOP_REQUESTED',
  'IN_PROGRESS',
  'ROLLBACK_REQUESTED',
  'ROLLBACK_IN_PROGRESS',
  'ROLLBACK_SUCCESSFUL',
  'ROLLBACK_FAILED',
]

/**
 * Where each status may lead; those that lead nowhere are final.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html#service-deployments-states
 */
const ways: Readonly<Record<ServiceDeploymentStatus, readonly ServiceDeploymentStatus[]>> = {
  PENDING: ['IN_PROGRESS', 'ROLLBACK_REQUESTED', 'STOP_REQUESTED', 'STOPPED'],
  IN_PROGRESS: ['SUCCESSFUL', 'STOP_REQUESTED', 'ROLLBACK_REQUESTED', 'ROLLBACK_IN_PROGRESS', 'STOPPED'],
  STOP_REQUESTED: ['STOPPED'],
  ROLLBACK_REQUESTED: ['SUCCESSFUL', 'ROLLBACK_IN_PROGRESS', 'STOPPED'],
  ROLLBACK_IN_PROGRESS: ['ROLLBACK_SUCCESSFUL', 'ROLLBACK_FAILED'],
  SUCCESSFUL: [],
  STOPPED: [],
  ROLLBACK_SUCCESSFUL: [],
  ROLLBACK_FAILED: [],
}

export function isFinished({ status }: Pick<ServiceDeployment, 'status'>): boolean {
  return ways[status].length === 0
}

/** Whether it is still free to be stopped: neither finished, nor stopping, nor rolling back. */
export function isUnderWay({ status }: Pick<ServiceDeployment, 'status'>): boolean {
  return status === 'PENDING' || status === 'IN_PROGRESS'
}

/** Why service deployments end, in AWS's words as people have seen them. */
export const circuitBrokenText =
  'Service deployment rolled back because the circuit breaker threshold was exceeded.'
export const rolledBackByUserText = 'Service deployment rolled back by user.'
export const noCandidateText = 'No rollback candidate was found to run the rollback.'

/** Other ends, of which no source gives AWS's words. */
export const circuitBrokenStopText =
  'Service deployment stopped because the circuit breaker threshold was exceeded.'
export const stoppedByUserText = 'Service deployment stopped by user.'
export const supersededText = 'Service deployment stopped because a newer service deployment was created.'
export const deletedText = 'Service deployment stopped because the service was deleted.'

/** A record of what the service now says, named by the deployment of it: clients find the one by the other. */
export function newServiceRevision(
  service: Service,
  taskDefinition: TaskDefinition,
  { deploymentId, now }: { readonly deploymentId: string; readonly now: number },
): ServiceRevision {
  const { launchType, capacityProviderStrategy } = service
  const [first] = capacityProviderStrategy ?? []
  const fargate = first ? isBuiltInProvider(first.capacityProvider ?? '') : launchType === 'FARGATE'
  return {
    accountId: service.accountId,
    region: service.region,
    serviceRevisionArn: arnOf('service-revision', service, arnName(deploymentId)),
    serviceArn: service.serviceArn,
    clusterArn: service.clusterArn,
    ...recordedOf(service),
    ...(fargate && { platformFamily: platformFamilyOf(taskDefinition) }),
    containerImages: taskDefinition.containerDefinitions.map(({ name = '', image = '' }) => ({
      containerName: name,
      image,
    })),
    createdAt: now,
  }
}

/** As AWS shows it: `Linux`, `Windows`. */
function platformFamilyOf({ runtimePlatform }: TaskDefinition): string {
  const { operatingSystemFamily = 'LINUX' } = runtimePlatform ?? {}
  return operatingSystemFamily === 'LINUX' ? 'Linux' : 'Windows'
}

function recordedOf(row: Recorded): Recorded {
  const given = recorded.filter((member) => row[member] !== undefined)
  return Object.fromEntries(given.map((member) => [member, row[member]])) as unknown as Recorded
}

/** The service as that revision had it, as far as deployments change it. */
export function withRevision(service: Service, revision: Recorded): Service {
  const kept = Object.entries(service).filter(([member]) => !recorded.some((name) => name === member))
  return { ...(Object.fromEntries(kept) as unknown as Service), ...recordedOf(revision) }
}

/** The revision with the digests that its tasks have told; the same object when there is nothing new. */
export function withDigests(revision: ServiceRevision, tasks: readonly Task[]): ServiceRevision {
  if (revision.containerImages.every(({ imageDigest }) => imageDigest !== undefined)) return revision
  const told = new Map<string, string>()
  for (const { containers } of tasks)
    for (const { name, imageDigest } of containers)
      if (imageDigest !== undefined && !told.has(name)) told.set(name, imageDigest)
  const containerImages = revision.containerImages.map((image) => {
    const imageDigest = image.imageDigest ?? told.get(image.containerName)
    return imageDigest === image.imageDigest || imageDigest === undefined ? image : { ...image, imageDigest }
  })
  const same = containerImages.every((image, index) => image === revision.containerImages[index])
  return same ? revision : { ...revision, containerImages }
}

/** A service deployment that has not started yet. */
export function newServiceDeployment(
  revision: ServiceRevision,
  {
    deploymentId,
    sources,
    ids,
    now,
  }: {
    readonly deploymentId: string
    readonly sources: readonly string[]
    readonly ids: Ids
    readonly now: number
  },
): ServiceDeployment {
  return {
    accountId: revision.accountId,
    region: revision.region,
    serviceDeploymentArn: arnOf('service-deployment', revision, base64url(ids, 21)),
    serviceArn: revision.serviceArn,
    clusterArn: revision.clusterArn,
    deploymentId,
    targetServiceRevisionArn: revision.serviceRevisionArn,
    sourceServiceRevisionArns: sources,
    status: 'PENDING',
    createdAt: now,
    updatedAt: now,
  }
}

function arnOf(kind: string, { serviceArn, ...scope }: Scope & { serviceArn: string }, id: string): string {
  const [, ...path] = parseArn(serviceArn)?.resource.split('/') ?? []
  return formatArn(scope, 'ecs', [kind, ...path, id].join('/'))
}

/** An id as AWS gives those of deployments. */
export function base64url(ids: Ids, length: number): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return Array.from({ length }, () => alphabet.charAt(Math.floor(ids.fraction() * alphabet.length))).join('')
}

/** Whatever moves a service deployment on says when, and may say why. */
interface Move {
  readonly now: number
  readonly reason?: string
}

function moved(
  row: ServiceDeployment,
  status: ServiceDeploymentStatus,
  { now, reason }: Move,
): ServiceDeployment {
  assert(
    ways[row.status].includes(status),
    `${row.serviceDeploymentArn} went from ${row.status} to ${status}`,
  )
  return {
    ...row,
    status,
    ...(reason !== undefined && { statusReason: reason }),
    updatedAt: now,
  }
}

/** From PENDING: the scheduler has taken it up. */
export function start(row: ServiceDeployment, now: number, lifecycle?: Lifecycle): ServiceDeployment {
  return { ...moved(row, 'IN_PROGRESS', { now }), startedAt: now, ...(lifecycle && { lifecycle }) }
}

/** From PENDING or IN_PROGRESS. */
export function requestStop(row: ServiceDeployment, move: Move): ServiceDeployment {
  return moved(row, 'STOP_REQUESTED', move)
}

/** From PENDING or IN_PROGRESS. */
export function requestRollback(row: ServiceDeployment, move: Move): ServiceDeployment {
  return moved(row, 'ROLLBACK_REQUESTED', move)
}

/** From IN_PROGRESS or ROLLBACK_REQUESTED. Without a revision to go back to it can but fail. */
export function beginRollback(
  row: ServiceDeployment,
  {
    now,
    reason,
    serviceRevisionArn,
  }: {
    readonly now: number
    readonly reason: string
    readonly serviceRevisionArn?: string | undefined
  },
): ServiceDeployment {
  return {
    ...moved(row, 'ROLLBACK_IN_PROGRESS', { now, reason }),
    rollback: { reason, startedAt: now, ...(serviceRevisionArn !== undefined && { serviceRevisionArn }) },
  }
}

/** Its last move, with how things stand then. */
export function finish(
  row: ServiceDeployment,
  status: 'SUCCESSFUL' | 'STOPPED' | 'ROLLBACK_SUCCESSFUL' | 'ROLLBACK_FAILED',
  { outcome, ...move }: Move & { readonly outcome: DeploymentProgress },
): ServiceDeployment {
  return {
    ...moved(row, status, move),
    finishedAt: move.now,
    ...(status === 'STOPPED' && { stoppedAt: move.now }),
    outcome,
  }
}
