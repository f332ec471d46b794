/** What the daemon scheduler concludes: how far a deployment is, when it has failed, when a daemon is gone. */
import { type DaemonPlace, isDesired } from '#domain/daemon-plan.ts'
import { failuresMax, isOver, moved } from '#domain/daemon.ts'
import { launchDelayMs } from '#domain/restart-throttle.ts'
import { ownEnd } from '#domain/rollout-standing.ts'
import type { Standing } from '#domain/rollout.ts'
import type { DaemonLook } from './daemon-scheduler-look.ts'

const minuteMs = 60_000

/** Counts each task that ended by itself once, and lets the daemon wait before it launches again. */
export function accountForEnded(look: DaemonLook): void {
  const ended = look.tx.by('task', 'unaccounted', look.daemon.daemonArn)
  for (const task of ended) look.tx.put('task', { ...task, accounted: true })
  const failures = ended.filter((task) => {
    const end = ownEnd(task, look.essentials(task.taskDefinitionArn), look.tools.settledAfterMs)
    return end === 'neverRan' || end === 'crashed'
  })
  noteFailures(
    look,
    failures.length,
    failures.filter(({ daemonRevisionArn }) => daemonRevisionArn === look.daemon.daemonRevisionArn).length,
  )
}

/**
 * Lets the daemon wait after launches that failed, of which `counted` are the deployment's own. The wait stays short: an
 * instance without its daemon lacks what others rely on. Failures within the wait belong to the launch it waits for.
 */
export function noteFailures(look: DaemonLook, failures: number, counted: number): void {
  if (failures === 0) return
  const { deployment, now } = look
  const isWaiting = now < (deployment.retryAt ?? 0)
  const attempts = (deployment.attempts ?? 0) + (isWaiting ? 0 : 1)
  look.putDeployment({
    ...deployment,
    failureCount: deployment.failureCount + (isOver(deployment) ? 0 : counted),
    attempts,
    retryAt: isWaiting ? (deployment.retryAt ?? now) : now + launchDelayMs(attempts, true),
  })
}

/** More healthy tasks than before end a row of failures. */
export function noteHealthy(look: DaemonLook, standings: readonly Standing[]): void {
  const { deployment } = look
  const healthyCount = standings.filter(({ phase }) => phase === 'healthy').length
  if (healthyCount === (deployment.healthyCount ?? 0)) return
  const { attempts: _, retryAt: __, ...rested } = deployment
  look.putDeployment({
    ...(healthyCount > (deployment.healthyCount ?? 0) ? rested : deployment),
    healthyCount,
  })
}

/** Deployments that newer ones took over from are stopped by that alone. */
export function endTakenOver(look: DaemonLook): void {
  for (const row of look.tx.by('daemonDeployment', 'stopping', look.daemon.daemonArn))
    look.tx.put('daemonDeployment', moved(row, 'STOPPED', { now: look.now }))
}

/** Begins the deployment, with a circuit breaker that suits the number of instances there are now. */
export function begin(look: DaemonLook, desiredCount: number): void {
  if (look.deployment.status !== 'PENDING') return
  look.putDeployment({
    ...moved(look.deployment, 'IN_PROGRESS', { now: look.now }),
    threshold: failuresMax(desiredCount),
  })
}

const tripped = 'because the circuit breaker threshold was exceeded.'

/**
 * Gives a deployment up whose launches fail too often: the daemon becomes again what it last was on all instances, or
 * stays as it is when it never was.
 */
export function breakCircuit(look: DaemonLook): void {
  const { deployment, daemon, now } = look
  const { status, failureCount, threshold } = deployment
  if (status === 'ROLLBACK_IN_PROGRESS') {
    // The failures before it count on; as many again are too many.
    if (failureCount >= 2 * threshold)
      look.putDeployment(
        moved(deployment, 'ROLLBACK_FAILED', { statusReason: `Daemon rollback failed ${tripped}`, now }),
      )
    return
  }
  if (status !== 'IN_PROGRESS' || failureCount < threshold) return
  const stable = look.tx.find('daemonRevision', daemon.stableRevisionArn ?? '')
  if (!stable) {
    look.putDeployment(
      moved(deployment, 'STOPPED', { statusReason: `Daemon deployment failed ${tripped}`, now }),
    )
    return
  }
  const statusReason = `Daemon deployment rolled back ${tripped}`
  look.putDeployment({
    ...moved(deployment, 'ROLLBACK_IN_PROGRESS', { statusReason, now }),
    rollback: {
      reason: statusReason,
      startedAt: now,
      revisionArn: stable.daemonRevisionArn,
      capacityProviderArns: stable.capacityProviderArns,
    },
  })
  look.putDaemon({
    ...daemon,
    daemonRevisionArn: stable.daemonRevisionArn,
    capacityProviderArns: stable.capacityProviderArns,
  })
}

/**
 * Whether the next instances have to wait: for those of the last step to be healthy, and then for the bake time. Instances
 * without room wait for others to make some, and nobody waits for them.
 */
export function isHeld(
  look: DaemonLook,
  places: readonly DaemonPlace[],
  crowded: ReadonlySet<string>,
): boolean {
  const { deployment, daemon, now } = look
  const isCurrent = ({ deploymentId }: Standing): boolean => deploymentId === daemon.daemonRevisionArn
  const stepped = places.filter((place) => isDesired(place) && !crowded.has(place.containerInstanceArn))
  const isDone = stepped.every(
    ({ tasks: [task, ...others], leaving }) =>
      task !== undefined && others.length === 0 && !leaving && (!isCurrent(task) || task.phase === 'healthy'),
  )
  if (isOver(deployment)) return !isDone
  if (!isDone) {
    if (deployment.bakedAt !== undefined) {
      const { bakedAt: _, ...unbaked } = deployment
      look.putDeployment(unbaked)
    }
    return true
  }
  if (!stepped.some(({ tasks }) => tasks.some(isCurrent))) return false
  const { bakeTimeInMinutes = 0 } = deployment.deploymentConfiguration
  if (deployment.bakedAt === undefined) look.putDeployment({ ...deployment, bakedAt: now })
  const bakedBy = (deployment.bakedAt ?? now) + bakeTimeInMinutes * minuteMs
  if (now >= bakedBy) return false
  look.lookAgainAt(bakedBy)
  return true
}

/** Ends the deployment once every instance that should have one has a healthy task of the revision, and no other. */
export function conclude(
  look: DaemonLook,
  places: readonly DaemonPlace[],
  { held, crowded }: { readonly held: boolean; readonly crowded: ReadonlySet<string> },
): void {
  const { deployment, daemon, now } = look
  if (look.acted || held || isOver(deployment)) return
  const isMissing = look.revision.critical ? () => false : (arn: string) => crowded.has(arn)
  const isDone = places
    .filter((place) => isDesired(place) && !isMissing(place.containerInstanceArn))
    .every(
      ({ tasks: [task, ...others], leaving }) =>
        task?.deploymentId === daemon.daemonRevisionArn &&
        task.phase === 'healthy' &&
        others.length === 0 &&
        !leaving,
    )
  if (!isDone) return
  const rolledBack = deployment.status === 'ROLLBACK_IN_PROGRESS'
  look.putDeployment(
    rolledBack
      ? moved(deployment, 'ROLLBACK_SUCCESSFUL', { now })
      : moved(deployment, 'SUCCESSFUL', { statusReason: 'Deployment completed successfully.', now }),
  )
  look.putDaemon({ ...look.daemon, stableRevisionArn: look.daemon.daemonRevisionArn })
}

/** A deleted daemon is gone when the last of its tasks has stopped. Its history stays for who asks how it went. */
export function remove(look: DaemonLook): void {
  const { deployment, daemon, tasks, tx, now } = look
  if (deployment.status === 'PENDING') look.putDeployment(moved(deployment, 'IN_PROGRESS', { now }))
  for (const { taskArn, desiredStatus } of tasks)
    if (desiredStatus === 'RUNNING') look.stop(taskArn, 'The daemon was deleted.')
  if (tasks.length > 0) return
  tx.put(
    'daemonDeployment',
    moved(look.deployment, 'SUCCESSFUL', { statusReason: 'Deployment completed successfully.', now }),
  )
  tx.delete('resourceTags', daemon.daemonArn)
  tx.delete('daemon', daemon.daemonArn)
}
