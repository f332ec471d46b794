/** What the service scheduler concludes when there is nothing left to do: completed, steady, over. */
import type { Standing } from '#domain/rollout.ts'
import type { Deployment } from '#domain/service.ts'
import { completedText, steadyText } from '#domain/service-events-text.ts'
import { driving, endServiceDeployments, succeed } from './service-scheduler-deployment.ts'
import { withoutRetry } from './service-scheduler-failures.ts'
import type { ServiceLook } from './service-scheduler-look.ts'
import { healthyIn, tasksOf } from './service-scheduler-step.ts'

/**
 * Completes the PRIMARY deployment once all tasks are its own and healthy, and says when the service is steady. Healthy is
 * what it is for stopping older tasks: a task without a health check has run for forty seconds. AWS does not say after
 * what time it completes; a deployment that has completed is what others roll back to, so it must have proven itself.
 * Returns whether the service is steady.
 */
export function conclude(look: ServiceLook, primary: Deployment, standings: readonly Standing[]): boolean {
  const { service } = look
  // The stages end when nothing of the older tasks runs any more; else it is enough that they are to stop.
  const isClean =
    !driving(look, primary)?.lifecycle ||
    look.tasks.every(({ deploymentId }) => deploymentId === primary.deploymentId)
  const asDesired =
    !look.acted &&
    isClean &&
    standings.length === service.desiredCount &&
    standings.every(
      ({ deploymentId, phase, draining }) =>
        deploymentId === primary.deploymentId && phase === 'healthy' && !draining,
    )
  if (primary.rolloutState === 'IN_PROGRESS') {
    if ((asDesired || isEarlySuccess(look, primary, standings)) && isBaked(look, primary)) {
      complete(look, primary)
      succeed(look, primary)
    }
  } else if (asDesired && primary.rolloutState === 'COMPLETED') succeed(look, primary)
  forgetPast(look)
  const isSteady = asDesired && primary.rolloutState !== 'FAILED'
  if (isSteady) look.noteSteady(steadyText(service))
  // Tasks that move between zones leave a service as steady as it was.
  else if (!look.service.rebalancing || look.service.rebalancing.pausedUntil !== undefined)
    look.noteUnsteady()
  return isSteady && look.primary?.rolloutState === 'COMPLETED'
}

/** While traffic is shifted there is nothing to complete, and nothing is steady. */
export function concludeStage(look: ServiceLook): void {
  forgetPast(look)
  look.noteUnsteady()
}

/** The deployment is from now on what others roll back to. */
export function complete(look: ServiceLook, primary: Deployment): void {
  look.putDeployment({
    ...withoutRetry(withoutRetry(primary, 'TASKS'), 'PLACEMENT'),
    rolloutState: 'COMPLETED',
    rolloutStateReason: `ECS deployment ${primary.deploymentId} completed.`,
    failedTasks: 0,
  })
  look.say(completedText(look.service, primary.deploymentId))
}

/**
 * Whether enough tasks are healthy for a service that does not want to wait for the last, and the older ones gone, unless
 * they may go later.
 */
function isEarlySuccess(look: ServiceLook, primary: Deployment, standings: readonly Standing[]): boolean {
  const { desiredCount, deploymentConfiguration } = look.service
  const {
    enable,
    healthyPercent = 100,
    sourceServiceRevisionCleanup,
  } = deploymentConfiguration.earlySuccessCriteria ?? {}
  const driven = driving(look, primary)
  // A rollback is over when it is whole.
  if (!enable || driven?.status !== 'IN_PROGRESS' || driven.lifecycle) return false
  const own = tasksOf(standings, primary.deploymentId)
  const healthy = healthyIn(own.filter(({ draining }) => !draining))
  const isClean = sourceServiceRevisionCleanup === 'DEFERRED' || own.length === standings.length
  return isClean && healthy >= Math.ceil((desiredCount * healthyPercent) / 100)
}

/** Whether the bake time of a rolling deployment is over, which begins when its tasks are there. */
function isBaked(look: ServiceLook, primary: Deployment): boolean {
  const { now, service, tx } = look
  const bakeMs = (service.deploymentConfiguration.bakeTimeInMinutes ?? 0) * 60_000
  const driven = driving(look, primary)
  if (bakeMs === 0 || driven?.status !== 'IN_PROGRESS' || driven.lifecycle) return true
  const { bakesUntil = now + bakeMs } = driven
  if (driven.bakesUntil === undefined) tx.put('serviceDeployment', { ...driven, bakesUntil, updatedAt: now })
  if (now < bakesUntil) look.lookAgainAt(bakesUntil)
  return now >= bakesUntil
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
  endServiceDeployments(look)
  if (look.tasks.length > 0) return
  for (const { deploymentId } of look.deployments) look.tx.delete('deployment', deploymentId)
  const { steadyAt: _steadyAt, trouble: _trouble, ...ended } = look.service
  look.putService({ ...ended, status: 'INACTIVE', inactiveAt: look.now })
}
