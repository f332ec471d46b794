/** What of service deployments and revisions is derived from other rows, and when their rows go. */
import { hasReached } from '#domain/rollout-lifecycle.ts'
import { weightsOf } from '#domain/rollout-lifecycle-duties.ts'
import { failureThreshold } from '#domain/rollout-circuit-breaker.ts'
import type { Deployment, Service } from '#domain/service.ts'
import type { DeploymentProgress, RevisionCounts, ServiceDeployment } from '#domain/service-deployment.ts'
import { countTasks } from '#domain/task-counts.ts'
import type { Transaction, View } from './store.ts'

/** How far it has come: as it stands while it goes on, as it stood when it has finished. */
export function progressOf(view: View, row: ServiceDeployment): DeploymentProgress {
  if (row.outcome) return row.outcome
  const service = view.find('service', row.serviceArn)
  const { deploymentConfiguration = {}, desiredCount = 0 } = service ?? {}
  const deployments = view.by('deployment', 'service', row.serviceArn)
  const { lifecycle } = row
  const weightOf = (kind: 'test' | 'production', arn: string): number =>
    (lifecycle ? weightsOf(lifecycle, kind, row.targetServiceRevisionArn) : []).find(
      ({ serviceRevisionArn }) => serviceRevisionArn === arn,
    )?.weight ?? 0
  const counts = (arn: string): RevisionCounts => ({
    ...revisionCounts(view, service, deployments, arn),
    ...(lifecycle && {
      requestedTestTrafficWeight: weightOf('test', arn),
      requestedProductionTrafficWeight: weightOf('production', arn),
    }),
  })
  return {
    target: counts(row.targetServiceRevisionArn),
    sources: row.sourceServiceRevisionArns.map(counts),
    failureCount: view.find('deployment', row.deploymentId)?.failedTasks ?? 0,
    threshold: failureThreshold(desiredCount, deploymentConfiguration.deploymentCircuitBreaker),
    deploymentConfiguration,
  }
}

/** The tasks of a revision: of all its deployments, as a rollback may have begun another. */
export function revisionCounts(
  view: View,
  service: Service | undefined,
  deployments: readonly Deployment[],
  arn: string,
): RevisionCounts {
  const own = deployments.filter(({ serviceRevisionArn }) => serviceRevisionArn === arn)
  let [requestedTaskCount, runningTaskCount, pendingTaskCount] = [0, 0, 0]
  for (const deployment of own) {
    const tasks = view.by('task', 'deployment', deployment.deploymentId)
    const { runningCount, pendingCount } = countTasks(tasks)
    runningTaskCount += runningCount
    pendingTaskCount += pendingCount
    requestedTaskCount +=
      deployment.status === 'PRIMARY'
        ? requestedOf(view, service, deployment)
        : tasks.filter(({ desiredStatus }) => desiredStatus === 'RUNNING').length
  }
  return { arn, requestedTaskCount, runningTaskCount, pendingTaskCount }
}

/** Of a PRIMARY deployment all that the service desires, once its service deployment has started. */
function requestedOf(view: View, service: Service | undefined, deployment: Deployment): number {
  const driven = view.find('serviceDeployment', deployment.serviceDeploymentArn ?? '')
  if (driven?.status === 'PENDING') return 0
  const isAhead = driven?.lifecycle && driven.deploymentId === deployment.deploymentId
  if (isAhead && driven.lifecycle && !hasReached(driven.lifecycle, 'SCALE_UP')) return 0
  return service?.desiredCount ?? 0
}

/** Forgets a service deployment, and the revisions that nothing names any more. */
export function forgetServiceDeployment(tx: Transaction, row: ServiceDeployment): void {
  tx.delete('serviceDeployment', row.serviceDeploymentArn)
  const current = tx.by('deployment', 'service', row.serviceArn).map((one) => one.serviceRevisionArn)
  const named = [
    row.targetServiceRevisionArn,
    ...row.sourceServiceRevisionArns,
    row.rollback?.serviceRevisionArn ?? '',
  ]
  for (const arn of named)
    if (!current.includes(arn) && tx.count('serviceDeployment', 'revision', arn) === 0)
      tx.delete('serviceRevision', arn)
}

/** Forgets all that a service has been: its events, deployments, service deployments and revisions. */
export function forgetServiceHistory(tx: Transaction, serviceArn: string): void {
  for (const { sequence } of tx.by('serviceEvent', 'service', serviceArn))
    tx.delete('serviceEvent', `${serviceArn}/${sequence}`)
  for (const { deploymentId } of tx.by('deployment', 'service', serviceArn))
    tx.delete('deployment', deploymentId)
  for (const { serviceDeploymentArn } of tx.by('serviceDeployment', 'service', serviceArn))
    tx.delete('serviceDeployment', serviceDeploymentArn)
  for (const { serviceRevisionArn } of tx.by('serviceRevision', 'service', serviceArn))
    tx.delete('serviceRevision', serviceRevisionArn)
}
