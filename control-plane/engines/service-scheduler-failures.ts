/** What the service scheduler concludes from tasks that ended: throttling, the circuit breaker, rolling back. */
import { inconsistentFrom, launchDelayMs } from '#domain/restart-throttle.ts'
import { failureThreshold } from '#domain/rollout-circuit-breaker.ts'
import { ownEnd, type OwnEnd } from '#domain/rollout-standing.ts'
import type { Deployment } from '#domain/service.ts'
import { failedText, inconsistentText, rollingBackText } from '#domain/service-events-text.ts'
import type { ServiceLook } from './service-scheduler-look.ts'

/** Counts each task that ended by itself once, and lets its deployment wait before it launches again. */
export function accountForEnded(look: ServiceLook): void {
  const ended = look.tx.by('task', 'unaccounted', look.service.serviceArn)
  if (ended.length === 0) return
  for (const task of ended) look.tx.put('task', { ...task, accounted: true })
  for (const [deploymentId, tasks] of Map.groupBy(ended, (task) => task.deploymentId ?? '')) {
    const deployment = look.tx.find('deployment', deploymentId)
    const ends = tasks.map((task) =>
      ownEnd(task, look.essentials(task.taskDefinitionArn), look.tools.settledAfterMs),
    )
    const failures = ends.filter((end) => end === 'neverRan' || end === 'crashed')
    if (deployment && failures.length > 0) look.putDeployment(afterFailures(look, deployment, failures))
  }
}

/**
 * Tasks that never ran count as failed while nothing of the deployment runs. What crashes after it ran only waits a
 * little before it is started again: on AWS neither the circuit breaker nor the throttle knows it.
 */
function afterFailures(look: ServiceLook, deployment: Deployment, failures: readonly OwnEnd[]): Deployment {
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
export function noteHealthy(look: ServiceLook, deployment: Deployment, healthy: number): Deployment {
  const before = deployment.healthyTasks ?? 0
  if (healthy === before) return deployment
  const { resetOnHealthyTask = true } = look.service.deploymentConfiguration.deploymentCircuitBreaker ?? {}
  const noted = { ...deployment, healthyTasks: healthy }
  const better = healthy > before
  const after = better
    ? { ...withoutRetry(noted, 'TASKS'), ...(resetOnHealthyTask && { failedTasks: 0 }) }
    : noted
  look.putDeployment(after)
  return after
}

/** The deployment no longer waiting for that cause. */
export function withoutRetry(deployment: Deployment, cause: 'PLACEMENT' | 'TASKS'): Deployment {
  if (deployment.retry?.cause !== cause) return deployment
  const { retry: _retry, retryAt: _retryAt, ...free } = deployment
  return free
}

/**
 * Gives a deployment up whose tasks fail too often, where the service asks for it, and rolls back to the last one that
 * completed: that one becomes PRIMARY again, with the tasks it still has.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
 */
export function breakCircuit(look: ServiceLook, primary: Deployment): void {
  const { service, fallback } = look
  const breaker = service.deploymentConfiguration.deploymentCircuitBreaker
  if (!breaker?.enable || primary.rolloutState !== 'IN_PROGRESS') return
  if (primary.failedTasks < failureThreshold(service.desiredCount, breaker)) return
  look.acted = true
  const failed: Deployment = {
    ...withoutRetry(primary, 'TASKS'),
    rolloutState: 'FAILED',
    rolloutStateReason: 'ECS deployment circuit breaker: tasks failed to start.',
  }
  look.say(failedText(service, primary.deploymentId))
  look.putDeployment(breaker.rollback && fallback ? { ...failed, status: 'ACTIVE' } : failed)
  if (breaker.rollback && fallback) rollBack(look, fallback)
}

function rollBack(look: ServiceLook, target: Deployment): void {
  const { service } = look
  look.say(rollingBackText(service, target.deploymentId))
  look.putDeployment({
    ...withoutRetry(target, 'TASKS'),
    status: 'PRIMARY',
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason: `ECS deployment circuit breaker: rolling back to deploymentId ${target.deploymentId}.`,
    failedTasks: 0,
  })
  const { platformVersion: _platform, networkConfiguration: _network, ...others } = service
  look.putService({
    ...others,
    taskDefinitionArn: target.taskDefinitionArn,
    ...(target.platformVersion !== undefined && { platformVersion: target.platformVersion }),
    ...(target.networkConfiguration !== undefined && { networkConfiguration: target.networkConfiguration }),
  })
}
