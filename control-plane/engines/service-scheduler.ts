import { planRollout, type Standing } from '#domain/rollout.ts'
import { settledAfterMsDefault } from '#domain/rollout-standing.ts'
import { inconsistentFrom } from '#domain/restart-throttle.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { Deployment, Service } from '#domain/service.ts'
import { blockedText, inconsistentText } from '#domain/service-events-text.ts'
import type { Task } from '#domain/task.ts'
import type { View } from '#state/store.ts'
import type { Reconciler } from './reconciler.ts'
import { accountForEnded, breakCircuit, noteHealthy } from './service-scheduler-failures.ts'
import { startTasks, stopAll, stopTasks } from './service-scheduler-launch.ts'
import { type SchedulerTools, ServiceLook } from './service-scheduler-look.ts'
import { conclude, endService } from './service-scheduler-progress.ts'
import { WaitingServices } from './service-scheduler-waiting.ts'

/**
 * Keeps each service at its desired count of healthy tasks, and takes it from one deployment to the next within its
 * healthy minimum and its maximum. `view` is the store: it tells which services an instance's change concerns.
 */
export function serviceScheduler({
  view,
  settledAfterMs = settledAfterMsDefault,
  ...tools
}: Omit<SchedulerTools, 'settledAfterMs'> & {
  readonly view: View
  readonly settledAfterMs?: number
}): Reconciler {
  const waiting = new WaitingServices(tools.fleet)
  return {
    name: 'service-scheduler',
    watches: {
      service: (row) => row.serviceArn,
      deployment: (row) => row.serviceArn,
      task: (row) => [
        ...(row.serviceArn === undefined ? [] : [row.serviceArn]),
        ...(row.lastStatus === 'STOPPED' ? waiting.wokenBy(row.containerInstanceArn) : []),
      ],
      containerInstance: (row) => [
        ...(isStaying(row) && row.agentConnected ? waiting.wokenBy(row.containerInstanceArn) : []),
        ...(isStaying(row) && row.agentConnected ? [] : servicesOn(view, row.containerInstanceArn)),
      ],
    },
    periodMs: 5 * 60_000,
    // Many tasks of a service change at once: a moment later they are seen in one look.
    paceMs: 20,
    everywhere: (all) =>
      all
        .list('service')
        .filter(isScheduled)
        .map((service) => service.serviceArn),
    reconcile(tx, now, places = new Set()) {
      const again: Array<{ place: string; at: number }> = []
      for (const place of places) {
        const service = tx.find('service', place)
        if (!service || !isScheduled(service)) {
          waiting.set(place, undefined)
          continue
        }
        const look = new ServiceLook(tx, now, { ...tools, settledAfterMs }, service)
        lookAt(look)
        const next = waiting.set(
          place,
          look.unplaced && { clusterArn: service.clusterArn, demand: look.unplaced },
        )
        again.push(...next.map((other) => ({ place: other, at: now })))
        if (look.nextAt < Infinity) again.push({ place, at: look.nextAt })
      }
      return { again }
    },
  }
}

/** Services that are this engine's affair. DAEMON services and other controllers' are not scheduled here. */
function isScheduled({ status, schedulingStrategy, deploymentController }: Service): boolean {
  return (
    status !== 'INACTIVE' &&
    schedulingStrategy === 'REPLICA' &&
    (deploymentController?.type ?? 'ECS') === 'ECS'
  )
}

function lookAt(look: ServiceLook): void {
  accountForEnded(look)
  if (look.service.status === 'DRAINING') {
    stopAll(look)
    endService(look)
    return
  }
  const before = look.primary
  if (!before) return
  const standings = look.tasks
    .filter((task) => task.desiredStatus === 'RUNNING')
    .map((task) => stand(look, task))
  const healthy = standings.filter(
    ({ deploymentId, phase }) => deploymentId === before.deploymentId && phase === 'healthy',
  ).length
  breakCircuit(look, noteHealthy(look, before, healthy))
  const primary = look.primary ?? before
  step(look, primary, standings)
  conclude(look, look.primary ?? primary, standings)
  look.settleTrouble()
}

/** One step of the rollout, or of keeping what is there. */
function step(look: ServiceLook, primary: Deployment, tasks: readonly Standing[]): void {
  const { desiredCount, deploymentConfiguration } = look.service
  const { fallback } = look
  const plan = planRollout({
    desiredCount,
    minimumHealthyPercent: deploymentConfiguration.minimumHealthyPercent ?? 100,
    maximumPercent: deploymentConfiguration.maximumPercent ?? 200,
    primary: primary.deploymentId,
    failed: primary.rolloutState === 'FAILED',
    ...(fallback && { fallback: fallback.deploymentId }),
    tasks,
  })
  stopTasks(look, plan.stops, primary.deploymentId)
  const unhealthyIn = (id: string): number =>
    tasks.filter(({ deploymentId, phase }) => deploymentId === id && phase === 'unhealthy').length
  if (fallback)
    startTasks(look, fallback.deploymentId, plan.startFallback, unhealthyIn(fallback.deploymentId))
  startTasks(look, primary.deploymentId, plan.start, unhealthyIn(primary.deploymentId))
  if (plan.blocked) look.trouble(blockedText(look.service))
  const { retry } = look.primary ?? primary
  if (retry?.cause === 'TASKS' && retry.attempts >= inconsistentFrom)
    look.trouble(inconsistentText(look.service))
}

function stand(look: ServiceLook, task: Task): Standing {
  const { phase, healthyAt } = look.appraise(task)
  if (healthyAt !== undefined) look.lookAgainAt(healthyAt)
  const instance = look.tx.find('containerInstance', task.containerInstanceArn ?? '')
  // A task that does not run yet has nothing to lose: it does not wait for an agent that may never come back.
  const draining =
    instance !== undefined && (!isStaying(instance) || (phase === 'pending' && !instance.agentConnected))
  return { taskArn: task.taskArn, deploymentId: task.deploymentId ?? '', phase, draining }
}

function isStaying({ status }: ContainerInstance): boolean {
  return status === 'ACTIVE' || status === 'REGISTERING'
}

function servicesOn(view: View, containerInstanceArn: string): string[] {
  const tasks = view.by('task', 'containerInstance', containerInstanceArn)
  return [...new Set(tasks.flatMap(({ serviceArn }) => (serviceArn === undefined ? [] : [serviceArn])))]
}
