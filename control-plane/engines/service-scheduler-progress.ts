/** What the service scheduler concludes when there is nothing left to do: completed, steady, over. */
import type { Standing } from '#domain/rollout.ts'
import type { Deployment } from '#domain/service.ts'
import { completedText, steadyText } from '#domain/service-events-text.ts'
import { repeatEventAfterMs } from '#state/service-events.ts'
import { withoutRetry } from './service-scheduler-failures.ts'
import type { ServiceLook } from './service-scheduler-look.ts'

/**
 * Completes the PRIMARY deployment once all tasks are its own and healthy, and says when the service is steady. Healthy is
 * what it is for stopping older tasks: a task without a health check has run for forty seconds. AWS does not say after
 * what time it completes; a deployment that has completed is what others roll back to, so it must have proven itself.
 */
export function conclude(look: ServiceLook, primary: Deployment, standings: readonly Standing[]): void {
  const { service, now } = look
  const asDesired =
    !look.acted &&
    standings.length === service.desiredCount &&
    standings.every(
      ({ deploymentId, phase, draining }) =>
        deploymentId === primary.deploymentId && phase === 'healthy' && !draining,
    )
  const completed = asDesired && primary.rolloutState === 'IN_PROGRESS'
  if (completed) {
    look.putDeployment({
      ...withoutRetry(withoutRetry(primary, 'TASKS'), 'PLACEMENT'),
      rolloutState: 'COMPLETED',
      rolloutStateReason: `ECS deployment ${primary.deploymentId} completed.`,
      failedTasks: 0,
    })
    look.say(completedText(service, primary.deploymentId))
  }
  forgetPast(look)
  if (asDesired && primary.rolloutState !== 'FAILED') {
    if (service.steadyAt === undefined || now >= service.steadyAt + repeatEventAfterMs) {
      look.say(steadyText(service))
      look.putService({ ...look.service, steadyAt: now })
    }
    look.lookAgainAt((look.service.steadyAt ?? now) + repeatEventAfterMs)
  } else if (service.steadyAt !== undefined) {
    const { steadyAt: _, ...unsteady } = look.service
    look.putService(unsteady)
  }
}

/**
 * Removes older deployments that have no tasks left. While the PRIMARY is not complete, the last one that completed stays,
 * for rolling back to it, and so does one that failed, for people to see.
 */
function forgetPast(look: ServiceLook): void {
  const { deployments, fallback, primary } = look
  for (const deployment of deployments) {
    if (deployment.status === 'PRIMARY') continue
    const needed = deployment.deploymentId === fallback?.deploymentId || deployment.rolloutState === 'FAILED'
    if (needed && primary?.rolloutState !== 'COMPLETED') continue
    if (look.tx.count('task', 'deployment', deployment.deploymentId) > 0) continue
    look.tx.delete('deployment', deployment.deploymentId)
  }
}

/** A deleted service is INACTIVE when the last of its tasks has stopped; its deployments go with it. */
export function endService(look: ServiceLook): void {
  if (look.tasks.length > 0) return
  for (const { deploymentId } of look.deployments) look.tx.delete('deployment', deploymentId)
  const { steadyAt: _steadyAt, trouble: _trouble, ...ended } = look.service
  look.putService({ ...ended, status: 'INACTIVE', inactiveAt: look.now })
}
