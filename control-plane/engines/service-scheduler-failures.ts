/** What the service scheduler concludes from tasks that ended: how many failed, and how long to wait. */
import { inconsistentFrom, launchDelayMs } from '#domain/restart-throttle.ts'
import { ownEnd, type OwnEnd } from '#domain/rollout-standing.ts'
import type { TaskSource } from '#domain/service.ts'
import { inconsistentText } from '#domain/service-events-text.ts'
import type { ServiceLook } from './service-scheduler-look.ts'

/** Counts each task that ended by itself once, and lets its deployment wait before it launches again. */
export function accountForEnded(look: ServiceLook): void {
  const ended = look.tx.by('task', 'unaccounted', look.service.serviceArn)
  if (ended.length === 0) return
  for (const task of ended) look.tx.put('task', { ...task, accounted: true })
  for (const [deploymentId, tasks] of Map.groupBy(ended, (task) => task.deploymentId ?? '')) {
    const source = look.source(deploymentId)
    const ends = tasks.map((task) =>
      ownEnd(task, look.essentials(task.taskDefinitionArn), look.tools.settledAfterMs),
    )
    const failures = ends.filter((end) => end === 'neverRan' || end === 'crashed')
    if (source && failures.length > 0) look.putSource(afterFailures(look, source, failures))
  }
}

/**
 * Tasks that never ran count as failed while nothing of the deployment runs. What crashes after it ran only waits a
 * little before it is started again: on AWS neither the circuit breaker nor the throttle knows it.
 */
function afterFailures(look: ServiceLook, deployment: TaskSource, failures: readonly OwnEnd[]): TaskSource {
  const neverRan = failures.filter((end) => end === 'neverRan').length
  const failed = look.hasRunning(deployment) ? 0 : neverRan
  const counted = { ...deployment, failedTasks: deployment.failedTasks + failed }
  // Tasks that fail while the deployment waits belong to the launch it waits for: they do not lengthen the wait.
  const waiting = deployment.retry?.cause === 'TASKS' && look.now < (deployment.retryAt ?? 0)
  if (waiting) return counted
  const attempts = (deployment.retry?.cause === 'TASKS' ? deployment.retry.attempts : 0) + 1
  const ran = neverRan === 0
  if (!ran && attempts >= inconsistentFrom) look.trouble(inconsistentText(look.service))
  return {
    ...counted,
    retry: { cause: 'TASKS', attempts },
    retryAt: look.now + launchDelayMs(attempts, ran),
  }
}

/** A task that became healthy ends a row of failures: the next one is counted and waited for from the start. */
export function noteHealthy<Source extends TaskSource>(
  look: ServiceLook,
  deployment: Source,
  healthy: number,
): Source {
  const before = deployment.healthyTasks ?? 0
  if (healthy === before) return deployment
  const { resetOnHealthyTask = true } = look.service.deploymentConfiguration.deploymentCircuitBreaker ?? {}
  const noted = { ...deployment, healthyTasks: healthy }
  const better = healthy > before
  const after = better
    ? { ...withoutRetry(noted, 'TASKS'), ...(resetOnHealthyTask && { failedTasks: 0 }) }
    : noted
  look.putSource(after)
  return after
}

/** The deployment no longer waiting for that cause. */
export function withoutRetry<Source extends TaskSource>(
  deployment: Source,
  cause: 'PLACEMENT' | 'TASKS',
): Source {
  if (deployment.retry?.cause !== cause) return deployment
  const { retry: _retry, retryAt: _retryAt, ...free } = deployment
  return free as unknown as Source
}
