/** Managed daemons: one task on each instance of their capacity providers. */
import type {
  DaemonDeploymentConfiguration,
  DaemonDeploymentStatus,
  DaemonPropagateTags,
  DaemonStatus,
} from '@aws-sdk/client-ecs'
import type { Ids } from '@berth/std/id.ts'
import { formatArn, type Scope } from './arn.ts'
import type { Cluster } from './cluster.ts'
import { base64url } from './service-deployment.ts'

/** What a daemon is called, and which of its revisions it should be. All else stands in the revision. */
export interface Daemon extends Scope {
  readonly daemonArn: string
  readonly daemonName: string
  readonly clusterArn: string
  readonly status: DaemonStatus
  /** The revision its tasks should be of; operations write it, and the engine when it rolls back. */
  readonly daemonRevisionArn: string
  /** The one that last was on all instances: what a failed deployment goes back to. Written by the engine. */
  readonly stableRevisionArn?: string
  /** Those of the revision, kept with it so that an instance finds its daemons. */
  readonly capacityProviderArns: readonly string[]
  /** The most recent deployment. */
  readonly deploymentArn: string
  readonly createdAt: number
  readonly updatedAt: number
}

/** A snapshot of what a daemon was asked to be. Never changed. */
export interface DaemonRevision extends Scope {
  readonly daemonRevisionArn: string
  readonly daemonArn: string
  readonly clusterArn: string
  readonly daemonTaskDefinitionArn: string
  readonly capacityProviderArns: readonly string[]
  readonly containerImages: ReadonlyArray<{ readonly containerName: string; readonly image: string }>
  readonly propagateTags: DaemonPropagateTags
  readonly enableECSManagedTags: boolean
  readonly enableExecuteCommand: boolean
  readonly critical: boolean
  readonly createdAt: number
}

/** A rollout of a daemon, or its removal. Counts of instances are derived from tasks. */
export interface DaemonDeployment extends Scope {
  readonly daemonDeploymentArn: string
  readonly daemonArn: string
  readonly clusterArn: string
  readonly status: DaemonDeploymentStatus
  readonly statusReason?: string
  /** Absent when the daemon is being deleted. */
  readonly targetRevisionArn?: string
  readonly sourceRevisionArns: readonly string[]
  readonly deploymentConfiguration: DaemonDeploymentConfiguration
  /** Launches that failed while it was under way: what the circuit breaker counts. */
  readonly failureCount: number
  /** How many are too many; set when it begins, by how many instances there are. */
  readonly threshold: number
  readonly rollback?: {
    readonly reason: string
    readonly startedAt: number
    readonly revisionArn: string
    readonly capacityProviderArns: readonly string[]
  }
  /** A step has been healthy since; the next comes when the bake time is over. */
  readonly bakedAt?: number
  /** No launch before this time, after so many in a row that failed. */
  readonly retryAt?: number
  readonly attempts?: number
  /** How many instances had a healthy task at the engine's last look: more end a row of failures. */
  readonly healthyCount?: number
  readonly createdAt: number
  readonly startedAt?: number
  readonly stoppedAt?: number
  readonly finishedAt?: number
}

/** What AWS fills in. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/managed-daemons-deployments.html */
export function completeDaemonDeploymentConfiguration({
  drainPercent = 25,
  bakeTimeInMinutes = 0,
  alarms,
}: DaemonDeploymentConfiguration = {}): DaemonDeploymentConfiguration {
  return {
    drainPercent,
    bakeTimeInMinutes,
    alarms: { alarmNames: alarms?.alarmNames ?? [], enable: alarms?.enable ?? false },
  }
}

/** `daemon/CLUSTER/NAME` and the like, with what comes after the name. */
export function daemonArnOf(
  cluster: Pick<Cluster, keyof Scope | 'clusterName'>,
  daemonName: string,
  kind: 'daemon' | 'daemon-deployment' | 'daemon-revision' = 'daemon',
  id?: string,
): string {
  const path = [kind, cluster.clusterName, daemonName, ...(id === undefined ? [] : [id])]
  return formatArn(cluster, 'ecs', path.join('/'))
}

/** A deployment that has just been asked for. `targetRevisionArn` is left out to remove the daemon. */
export function newDaemonDeployment({
  daemon,
  cluster,
  ids,
  now,
  ...given
}: Pick<DaemonDeployment, 'deploymentConfiguration' | 'sourceRevisionArns'> & {
  readonly daemon: Pick<Daemon, 'daemonArn' | 'daemonName'>
  readonly cluster: Cluster
  readonly targetRevisionArn?: string
  readonly ids: Ids
  readonly now: number
}): DaemonDeployment {
  return {
    accountId: cluster.accountId,
    region: cluster.region,
    daemonDeploymentArn: daemonArnOf(cluster, daemon.daemonName, 'daemon-deployment', base64url(ids, 16)),
    daemonArn: daemon.daemonArn,
    clusterArn: cluster.clusterArn,
    status: 'PENDING',
    ...given,
    failureCount: 0,
    threshold: failuresMax(0),
    createdAt: now,
  }
}

/**
 * How many failed launches a deployment to so many instances survives. AWS does not say how it reckons; its examples show
 * 10 for three instances, which the formula of services gave before its minimum was lowered.
 */
export function failuresMax(instances: number): number {
  return Math.min(200, Math.max(10, Math.ceil(instances / 2)))
}

/** The way of a deployment; what has no way out is over. */
const next: Readonly<Record<DaemonDeploymentStatus, readonly DaemonDeploymentStatus[]>> = {
  PENDING: ['IN_PROGRESS', 'STOP_REQUESTED', 'STOPPED'],
  IN_PROGRESS: ['SUCCESSFUL', 'STOP_REQUESTED', 'STOPPED', 'ROLLBACK_IN_PROGRESS'],
  STOP_REQUESTED: ['STOPPED'],
  ROLLBACK_IN_PROGRESS: ['ROLLBACK_SUCCESSFUL', 'ROLLBACK_FAILED', 'STOP_REQUESTED'],
  SUCCESSFUL: [],
  STOPPED: [],
  ROLLBACK_SUCCESSFUL: [],
  ROLLBACK_FAILED: [],
}

/** Whether the deployment is over. */
export function isOver({ status }: Pick<DaemonDeployment, 'status'>): boolean {
  return next[status].length === 0
}

/** The deployment in its next status, with the times that go with it. Throws when there is no such way. */
export function moved(
  deployment: DaemonDeployment,
  status: DaemonDeploymentStatus,
  { statusReason, now }: { readonly statusReason?: string; readonly now: number },
): DaemonDeployment {
  if (!next[deployment.status].includes(status))
    throw new Error(`assertion failed: a daemon deployment cannot go from ${deployment.status} to ${status}`)
  const { bakedAt: _, ...rest } = deployment
  const over = isOver({ status })
  return {
    ...rest,
    status,
    ...(statusReason !== undefined && { statusReason }),
    ...(status === 'IN_PROGRESS' && { startedAt: now }),
    ...(over && { finishedAt: now }),
    ...(status === 'STOPPED' && { stoppedAt: now }),
  }
}

/** What every task of a daemon is grouped by. */
export function daemonGroup(daemonName: string): string {
  return `daemon:${daemonName}`
}
