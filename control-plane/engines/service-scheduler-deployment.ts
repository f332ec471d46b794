/** How the service scheduler moves service deployments on: started, stopped, rolled back, finished. */
import {
  beginRollback,
  circuitBrokenStopText,
  circuitBrokenText,
  deletedText,
  finish,
  isFinished,
  isUnderWay,
  noCandidateText,
  requestStop,
  rolledBackByUserText,
  type ServiceDeployment,
  start,
  supersededText,
  withDigests,
  withRevision,
} from '#domain/service-deployment.ts'
import { beginLifecycle, beginWayBack, isStaged } from '#domain/rollout-lifecycle.ts'
import { failureThreshold } from '#domain/rollout-circuit-breaker.ts'
import { type Deployment, newDeployment } from '#domain/service.ts'
import { failedText, rollingBackText } from '#domain/service-events-text.ts'
import { progressOf } from '#state/service-deployments.ts'
import { withoutRetry } from './service-scheduler-failures.ts'
import type { ServiceLook } from './service-scheduler-look.ts'

/** Why a deployment has failed that was stopped on request. No source gives the text. */
const stoppedText = 'ECS deployment stopped by user.'

type Final = Parameters<typeof finish>[1]

/** The unfinished service deployment that the PRIMARY deployment is part of. */
export function driving(look: ServiceLook, primary: Deployment | undefined): ServiceDeployment | undefined {
  const row = look.tx.find('serviceDeployment', primary?.serviceDeploymentArn ?? '')
  return row && !isFinished(row) ? row : undefined
}

function unfinished({ tx, service }: ServiceLook): ServiceDeployment[] {
  return tx.by('serviceDeployment', 'unfinished', service.serviceArn)
}

function conclude(look: ServiceLook, row: ServiceDeployment, status: Final, reason?: string): void {
  const outcome = progressOf(look.tx, row)
  const last = finish(row, status, { now: look.now, outcome, ...(reason !== undefined && { reason }) })
  look.tx.put('serviceDeployment', last)
}

/** Ends a service deployment that cannot reach its end any more. */
function breakOff(look: ServiceLook, row: ServiceDeployment, reason: string): void {
  if (row.status === 'ROLLBACK_IN_PROGRESS') conclude(look, row, 'ROLLBACK_FAILED', reason)
  else if (row.status === 'STOP_REQUESTED') conclude(look, row, 'STOPPED')
  else conclude(look, isUnderWay(row) ? requestStop(row, { now: look.now, reason }) : row, 'STOPPED', reason)
}

/** Starts the newest service deployment, ends those before it, and does what clients have asked for. */
export function takeUp(look: ServiceLook): void {
  const { primary } = look
  const driven = driving(look, primary)
  for (const row of unfinished(look))
    if (row.serviceDeploymentArn !== driven?.serviceDeploymentArn) breakOff(look, row, supersededText)
  if (!primary) return
  noteDigests(look, primary)
  if (driven?.status === 'PENDING') begin(look, driven)
  else if (driven?.status === 'STOP_REQUESTED') giveUp(look, primary, driven)
  // What served before is being stopped already: such a deployment is past the point of return, and succeeds.
  else if (driven?.status === 'ROLLBACK_REQUESTED' && driven.lifecycle?.stage !== 'CLEAN_UP')
    rollBack(look, primary, { ...byUser, target: look.fallback ?? lastSuccessful(look, primary) })
}

/** A strategy other than rolling is the one that the service has now: a later change bears on later deployments. */
function begin(look: ServiceLook, row: ServiceDeployment): void {
  const { now, service, tx, tools } = look
  const sourceRevisionArn = look.fallback?.serviceRevisionArn
  const { sourceServiceRevisionArns: running } = row
  // What runs may be another than what would be rolled back to, when it has never completed.
  const isOther = sourceRevisionArn !== undefined && running.some((arn) => arn !== sourceRevisionArn)
  const lifecycle = isStaged(service.deploymentConfiguration)
    ? beginLifecycle(service.deploymentConfiguration, {
        sourceRevisionArn,
        severalRevisions: running.length > 1 || isOther,
        ids: tools.ids,
        now,
      })
    : undefined
  tx.put('serviceDeployment', start(row, now, lifecycle))
}

/** A deleted service deploys nothing more. */
export function endServiceDeployments(look: ServiceLook): void {
  for (const row of unfinished(look)) breakOff(look, row, deletedText)
}

/** What the tasks of a revision were the first to tell. */
function noteDigests(
  { tx, tasks }: ServiceLook,
  { deploymentId, serviceRevisionArn = '' }: Deployment,
): void {
  const revision = tx.find('serviceRevision', serviceRevisionArn)
  if (!revision) return
  const own = tasks.filter((task) => task.deploymentId === deploymentId)
  const noted = withDigests(revision, own)
  if (noted !== revision) tx.put('serviceRevision', noted)
}

/** A service deployment that is to stop without a rollback leaves things as they are, and launches nothing more. */
function giveUp(look: ServiceLook, primary: Deployment, driven: ServiceDeployment): void {
  if (primary.rolloutState === 'IN_PROGRESS')
    look.putDeployment({
      ...withoutRetry(primary, 'TASKS'),
      rolloutState: 'FAILED',
      rolloutStateReason: stoppedText,
    })
  conclude(look, driven, 'STOPPED')
  look.acted = true
}

/** The service deployment whose deployment has completed has reached its end. */
export function succeed(look: ServiceLook, primary: Deployment): void {
  const driven = driving(look, primary)
  if (driven?.status === 'IN_PROGRESS' || driven?.status === 'ROLLBACK_REQUESTED')
    conclude(look, driven, 'SUCCESSFUL')
  else if (driven?.status === 'ROLLBACK_IN_PROGRESS') conclude(look, driven, 'ROLLBACK_SUCCESSFUL')
}

/**
 * Gives a deployment up whose tasks fail too often, where the service asks for it, and rolls back to the last one that
 * completed: that one becomes PRIMARY again, with the tasks it still has.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
 */
export function breakCircuit(look: ServiceLook, primary: Deployment): void {
  const { service, tx } = look
  const breaker = service.deploymentConfiguration.deploymentCircuitBreaker
  if (!breaker?.enable || primary.rolloutState !== 'IN_PROGRESS') return
  if (primary.failedTasks < failureThreshold(service.desiredCount, breaker)) return
  look.say(failedText(service, primary.deploymentId))
  const driven = driving(look, primary)
  const broken = driven && { ...driven, circuitBroken: true as const }
  if (broken) tx.put('serviceDeployment', broken)
  const { rollback = false } = breaker
  fail(look, primary, { ...byBreaker, rollback, stopped: circuitBrokenStopText })
}

/**
 * Gives a deployment up for a reason: rolls it back where that is asked for, unless it is a rollback itself, and else
 * leaves things as they are.
 */
export function fail(
  look: ServiceLook,
  primary: Deployment,
  { rollback, stopped, ...why }: Why & { readonly rollback: boolean; readonly stopped: string },
): void {
  const driven = driving(look, primary)
  const rollingBack = driven?.status === 'ROLLBACK_IN_PROGRESS'
  if (rollback && !rollingBack) {
    rollBack(look, primary, { ...why, target: look.fallback ?? lastSuccessful(look, primary) })
    return
  }
  look.putDeployment({
    ...withoutRetry(primary, 'TASKS'),
    rolloutState: 'FAILED',
    rolloutStateReason: why.failed,
  })
  look.acted = true
  if (rollingBack) conclude(look, driven, 'ROLLBACK_FAILED', why.reason)
  else if (driven) look.tx.put('serviceDeployment', requestStop(driven, { now: look.now, reason: stopped }))
}

/** What a failure says of itself: of the service deployment, of the failed deployment and of the one that comes back. */
interface Why {
  readonly reason: string
  readonly failed: string
  readonly goingOn?: (id: string) => string
}

interface WayBack extends Why {
  /** Undefined: there is none, and the deployment stalls. */
  readonly target: Deployment | undefined
}

const byBreaker: Why = {
  reason: circuitBrokenText,
  failed: 'ECS deployment circuit breaker: tasks failed to start.',
  goingOn: (id) => `ECS deployment circuit breaker: rolling back to deploymentId ${id}.`,
}
const byUser: Why = { reason: rolledBackByUserText, failed: stoppedText }

/** Makes the target PRIMARY again in place of the one that is given up. */
function rollBack(
  look: ServiceLook,
  primary: Deployment,
  { reason, failed, goingOn, target }: WayBack,
): void {
  const { now, service, tx } = look
  const { ids } = look.tools
  look.acted = true
  const driven = driving(look, primary)
  const { serviceRevisionArn } = target ?? {}
  const rollingBack = driven && beginRollback(driven, { now, reason, serviceRevisionArn })
  look.putDeployment({
    ...withoutRetry(primary, 'TASKS'),
    rolloutState: 'FAILED',
    rolloutStateReason: failed,
    ...(target && { status: 'ACTIVE' }),
  })
  if (!target) {
    if (rollingBack) conclude(look, rollingBack, 'ROLLBACK_FAILED', noCandidateText)
    return
  }
  if (rollingBack) {
    const { lifecycle } = rollingBack
    tx.put('serviceDeployment', {
      ...rollingBack,
      ...(lifecycle && {
        lifecycle: beginWayBack(lifecycle, { sourceRevisionArn: serviceRevisionArn, ids, now }),
      }),
    })
  }
  look.say(rollingBackText(service, target.deploymentId))
  look.putDeployment({
    ...withoutRetry(target, 'TASKS'),
    status: 'PRIMARY',
    rolloutState: 'IN_PROGRESS',
    rolloutStateReason:
      goingOn?.(target.deploymentId) ?? `ECS deployment ${target.deploymentId} in progress.`,
    failedTasks: 0,
    ...(rollingBack && { serviceDeploymentArn: rollingBack.serviceDeploymentArn }),
  })
  // A deployment of an older version has no revision; what it did not record no service could have.
  const revision = tx.find('serviceRevision', serviceRevisionArn ?? '')
  look.putService(withRevision(service, revision ?? { ...target, loadBalancers: [], serviceRegistries: [] }))
}

/**
 * A deployment of the revision that was last deployed with success, for when no deployment that completed is left: it may
 * itself be what was being rolled back to. Its tasks are taken over where it still has some.
 */
function lastSuccessful(look: ServiceLook, primary: Deployment): Deployment | undefined {
  const { now, service, tx } = look
  const newestFirst = tx
    .by('serviceDeployment', 'service', service.serviceArn)
    .filter(({ status }) => status === 'SUCCESSFUL')
    .toSorted((one, other) => other.createdAt - one.createdAt)
  for (const { targetServiceRevisionArn: serviceRevisionArn } of newestFirst) {
    const revision = tx.find('serviceRevision', serviceRevisionArn)
    if (!revision || serviceRevisionArn === primary.serviceRevisionArn) continue
    if (!tx.find('taskDefinition', revision.taskDefinitionArn)) continue
    const left = look.deployments.find(
      (deployment) => deployment.status === 'ACTIVE' && deployment.serviceRevisionArn === serviceRevisionArn,
    )
    const begun = newDeployment(withRevision(service, revision), { ids: look.tools.ids, now })
    return left ?? { ...begun, serviceRevisionArn }
  }
  return undefined
}
