/** How the service scheduler takes a service from one revision to the next by shifting traffic between them. */
import { advance, hasReached } from '#domain/rollout-lifecycle.ts'
import type { Standing } from '#domain/rollout.ts'
import type { Deployment } from '#domain/service.ts'
import { isFinished, type ServiceDeployment } from '#domain/service-deployment.ts'
import { lifecycleFailedText } from '#domain/service-events-text.ts'
import { fail } from './service-scheduler-deployment.ts'
import { noteHealthy } from './service-scheduler-failures.ts'
import type { ServiceLook } from './service-scheduler-look.ts'
import { complete } from './service-scheduler-progress.ts'
import { healthyIn, step, tasksOf } from './service-scheduler-step.ts'

/** Why a deployment has failed whose stages could not go on. No source gives the text. */
const failed = 'ECS deployment failed: a lifecycle stage failed.'
const stopped = 'Service deployment stopped because a lifecycle stage failed.'

/**
 * The service deployment that has the traffic of the service in its hands: it is under way, or has ended between two
 * revisions and left both as they were, until another deployment or a rollback takes the service on.
 */
export function stagedBy(look: ServiceLook, primary: Deployment): ServiceDeployment | undefined {
  const row = look.tx.find('serviceDeployment', primary.serviceDeploymentArn ?? '')
  if (!row?.lifecycle || row.status.endsWith('SUCCESSFUL')) return undefined
  return isFinished(row) && row.lifecycle.stage === 'CLEAN_UP' ? undefined : row
}

/**
 * One step through the stages. Source and target are kept whole each for itself, so that either can bear all traffic.
 * Returns whether only the target is left to be kept, which is done as in a rolling deployment.
 */
export function stepStages(
  look: ServiceLook,
  primary: Deployment,
  row: ServiceDeployment,
  tasks: readonly Standing[],
): boolean {
  const source = row.deploymentId === primary.deploymentId ? look.fallback : primary
  const moved = isFinished(row) ? row : move(look, primary, row, { source, tasks })
  if (!moved?.lifecycle) return false
  const { deploymentId, lifecycle } = moved
  const isOver = isFinished(row)
  if (lifecycle.stage === 'CLEAN_UP' && !isOver) {
    // From now on it is this one that serves, and that a later deployment would come back to.
    if (primary.rolloutState === 'IN_PROGRESS' && !lifecycle.rollingBack) complete(look, primary)
    return true
  }
  keepSource(look, moved, source, tasks)
  if (hasReached(lifecycle, 'SCALE_UP'))
    step(look, {
      deploymentId,
      desiredCount: look.service.desiredCount,
      failed: isOver || lifecycle.rollingBack === true,
      tasks: tasksOf(tasks, deploymentId),
    })
  return false
}

/** Writes down how far the stages have come; undefined when they cannot go on. */
function move(
  look: ServiceLook,
  primary: Deployment,
  row: ServiceDeployment,
  { source, tasks }: { readonly source: Deployment | undefined; readonly tasks: readonly Standing[] },
): ServiceDeployment | undefined {
  const { now, service, tx, tools } = look
  if (!row.lifecycle) return undefined
  const own = (id = ''): number => healthyIn(tasksOf(tasks, id).filter(({ draining }) => !draining))
  const { lifecycle, failure, lookAt } = advance(
    row.lifecycle,
    {
      desiredCount: service.desiredCount,
      targetHealthy: own(row.deploymentId),
      sourceHealthy: own(source?.deploymentId),
      reconciled: !source || tasks.every(({ deploymentId }) => deploymentId === source.deploymentId),
    },
    { ids: tools.ids, now },
  )
  const moved = lifecycle === row.lifecycle ? row : { ...row, lifecycle, updatedAt: now }
  if (moved !== row) tx.put('serviceDeployment', moved)
  if (failure !== undefined) {
    look.say(lifecycleFailedText(service, row.deploymentId))
    fail(look, primary, { reason: failure, failed, stopped, rollback: true })
    return undefined
  }
  if (lookAt !== undefined) look.lookAgainAt(lookAt)
  return moved
}

/** The source revision is kept whole, and what is older than it makes way. What has failed is not started again. */
function keepSource(
  look: ServiceLook,
  row: ServiceDeployment,
  source: Deployment | undefined,
  standings: readonly Standing[],
): void {
  if (!source) return
  const { deploymentId, status, rolloutState } = source
  // Until all traffic has come back to the source, the others may have some.
  const tasks = row.lifecycle?.scattered
    ? tasksOf(standings, deploymentId)
    : standings.filter((task) => task.deploymentId !== row.deploymentId)
  if (status !== 'PRIMARY') noteHealthy(look, source, healthyIn(tasksOf(tasks, deploymentId)))
  step(look, {
    deploymentId,
    desiredCount: look.service.desiredCount,
    failed: rolloutState === 'FAILED',
    tasks,
  })
}
