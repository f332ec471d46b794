/** Daemons, their deployments and revisions as AWS shows them, with counts derived from tasks. */
import type {
  DaemonDeployment as ShownDaemonDeployment,
  DaemonDeploymentRevisionDetail,
  DaemonDeploymentSummary,
  DaemonDetail,
  DaemonRevision as ShownDaemonRevision,
  DaemonRevisionDetail,
} from '@aws-sdk/client-ecs'
import { arnName } from '#domain/arn.ts'
import { type Daemon, type DaemonDeployment, type DaemonRevision, isOver } from '#domain/daemon.ts'
import type { View } from '#state/store.ts'

/** How many instances of a capacity provider are what, as far as a revision goes. */
interface Counts {
  readonly arn: string
  readonly running: number
  /** Instances that serve although their daemon does not run; a critical daemon lets none do so. */
  readonly without: number
  readonly draining: number
}

export function showDaemon(view: View, daemon: Daemon): DaemonDetail {
  const others = view
    .by('task', 'daemon', daemon.daemonArn)
    .flatMap(({ daemonRevisionArn }) => daemonRevisionArn ?? [])
  return {
    daemonArn: daemon.daemonArn,
    clusterArn: daemon.clusterArn,
    status: daemon.status,
    // What it should be stands first, then what still runs.
    currentRevisions: [...new Set([daemon.daemonRevisionArn, ...others])].flatMap((arn) => {
      const revision = view.find('daemonRevision', arn)
      return revision ? [showCurrent(view, revision)] : []
    }),
    deploymentArn: daemon.deploymentArn,
    createdAt: new Date(daemon.createdAt),
    updatedAt: new Date(daemon.updatedAt),
  }
}

function showCurrent(view: View, revision: DaemonRevision): DaemonRevisionDetail {
  const counts = countsOf(view, revision)
  return {
    arn: revision.daemonRevisionArn,
    capacityProviders: counts.map(({ arn, running, without }) => ({
      arn,
      runningCount: running,
      withoutDaemonCount: without,
    })),
    totalRunningCount: sum(counts, 'running'),
    totalWithoutDaemonCount: sum(counts, 'without'),
  }
}

export function showDaemonDeployment(view: View, row: DaemonDeployment): ShownDaemonDeployment {
  const details = (arns: readonly string[]): DaemonDeploymentRevisionDetail[] =>
    arns.flatMap((arn) => {
      const revision = view.find('daemonRevision', arn)
      return revision ? [showDeployed(view, revision)] : []
    })
  const [target] = details(row.targetRevisionArn === undefined ? [] : [row.targetRevisionArn])
  const { rollback } = row
  return {
    daemonDeploymentArn: row.daemonDeploymentArn,
    clusterArn: row.clusterArn,
    status: row.status,
    ...(row.statusReason !== undefined && { statusReason: row.statusReason }),
    ...(target && { targetDaemonRevision: target }),
    sourceDaemonRevisions: details(row.sourceRevisionArns),
    circuitBreaker: {
      failureCount: row.failureCount,
      status: breakerStatus(row),
      threshold: row.threshold,
    },
    alarms: { alarmNames: [], status: 'DISABLED', triggeredAlarmNames: [] },
    ...(rollback && {
      rollback: {
        reason: rollback.reason,
        startedAt: new Date(rollback.startedAt),
        rollbackTargetDaemonRevisionArn: rollback.revisionArn,
        rollbackCapacityProviders: [...rollback.capacityProviderArns],
      },
    }),
    deploymentConfiguration: row.deploymentConfiguration,
    ...timesOf(row),
  }
}

function showDeployed(view: View, revision: DaemonRevision): DaemonDeploymentRevisionDetail {
  const counts = countsOf(view, revision)
  return {
    arn: revision.daemonRevisionArn,
    capacityProviders: counts.map(({ arn, running, without, draining }) => ({
      arn,
      runningInstanceCount: running,
      withoutDaemonInstanceCount: without,
      drainingInstanceCount: draining,
    })),
    totalRunningInstanceCount: sum(counts, 'running'),
    totalWithoutDaemonInstanceCount: sum(counts, 'without'),
    totalDrainingInstanceCount: sum(counts, 'draining'),
  }
}

function breakerStatus(
  row: DaemonDeployment,
): NonNullable<ShownDaemonDeployment['circuitBreaker']>['status'] {
  if (row.targetRevisionArn === undefined) return 'DISABLED'
  if (row.failureCount >= row.threshold) return 'TRIGGERED'
  return isOver(row) ? 'MONITORING_COMPLETE' : 'MONITORING'
}

export function showDaemonDeploymentBrief(row: DaemonDeployment): DaemonDeploymentSummary {
  return {
    daemonDeploymentArn: row.daemonDeploymentArn,
    daemonArn: row.daemonArn,
    clusterArn: row.clusterArn,
    status: row.status,
    ...(row.statusReason !== undefined && { statusReason: row.statusReason }),
    ...(row.targetRevisionArn !== undefined && { targetDaemonRevisionArn: row.targetRevisionArn }),
    ...timesOf(row),
  }
}

function timesOf({ createdAt, startedAt, stoppedAt, finishedAt }: DaemonDeployment): {
  readonly createdAt: Date
  readonly startedAt?: Date
  readonly stoppedAt?: Date
  readonly finishedAt?: Date
} {
  return {
    createdAt: new Date(createdAt),
    ...(startedAt !== undefined && { startedAt: new Date(startedAt) }),
    ...(stoppedAt !== undefined && { stoppedAt: new Date(stoppedAt) }),
    ...(finishedAt !== undefined && { finishedAt: new Date(finishedAt) }),
  }
}

/** A digest is known once some task of the daemon has pulled the image. */
export function showDaemonRevision(view: View, row: DaemonRevision): ShownDaemonRevision {
  const { accountId: _accountId, region: _region, capacityProviderArns: _providers, ...shown } = row
  const pulled = view
    .by('task', 'daemon', row.daemonArn)
    .filter(({ daemonRevisionArn }) => daemonRevisionArn === row.daemonRevisionArn)
    .flatMap(({ containers }) => containers)
  return {
    ...shown,
    containerImages: row.containerImages.map(({ containerName, image }) => {
      const imageDigest = pulled.find(
        (container) => container.name === containerName && container.imageDigest !== undefined,
      )?.imageDigest
      return { containerName, image, ...(imageDigest !== undefined && { imageDigest }) }
    }),
    createdAt: new Date(row.createdAt),
  }
}

function countsOf(view: View, revision: DaemonRevision): readonly Counts[] {
  const { clusterArn, daemonArn, daemonRevisionArn, critical } = revision
  const target = view.find('daemon', daemonArn)
  const isTarget = target?.daemonRevisionArn === daemonRevisionArn && target.status === 'ACTIVE'
  const tasks = view.by('task', 'daemon', daemonArn)
  return revision.capacityProviderArns.map((arn) => {
    const name = arnName(arn)
    const here = tasks.filter((task) => task.capacityProviderName === name)
    const own = here.filter((task) => task.daemonRevisionArn === daemonRevisionArn)
    const running = own.filter((task) => task.lastStatus === 'RUNNING' && task.desiredStatus === 'RUNNING')
    const served = new Set(
      here
        .filter((task) => task.lastStatus === 'RUNNING')
        .map(({ containerInstanceArn }) => containerInstanceArn),
    )
    const serving = view
      .by('containerInstance', 'capacityProvider', `${clusterArn} ${name}`)
      .filter(({ status }) => status === 'ACTIVE')
    return {
      arn,
      running: running.length,
      without:
        critical || !isTarget
          ? 0
          : serving.filter(({ containerInstanceArn }) => !served.has(containerInstanceArn)).length,
      draining: own.filter((task) => task.desiredStatus === 'STOPPED').length,
    }
  })
}

function sum(counts: readonly Counts[], of: 'running' | 'without' | 'draining'): number {
  return counts.reduce((total, count) => total + count[of], 0)
}
