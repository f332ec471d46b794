import type { Standing } from '#domain/rollout.ts'
import { settledAfterMsDefault } from '#domain/rollout-standing.ts'
import { isStaying } from '#domain/container-instance.ts'
import { controllerOf, type Deployment, type Service } from '#domain/service.ts'
import { isFinished } from '#domain/service-deployment.ts'
import type { View } from '#state/store.ts'
import type { Reconciler } from './reconciler.ts'
import { watchAlarms } from './service-scheduler-alarms.ts'
import {
  daemonServicesOf,
  daemonsFirst,
  isDaemon,
  servicesLeaving,
  stepDaemon,
} from './service-scheduler-daemon.ts'
import { breakCircuit, takeUp } from './service-scheduler-deployment.ts'
import { accountForEnded, noteHealthy } from './service-scheduler-failures.ts'
import { stopAll } from './service-scheduler-launch.ts'
import { stagedBy, stepStages } from './service-scheduler-lifecycle.ts'
import { type SchedulerTools, ServiceLook } from './service-scheduler-look.ts'
import { conclude, concludeStage, endService } from './service-scheduler-progress.ts'
import { healthyIn, standingsOf, step, tasksOf } from './service-scheduler-step.ts'
import { stepTaskSets } from './service-scheduler-task-set.ts'
import { fargatePlace, WaitingServices } from './service-scheduler-waiting.ts'
import { balance, continueBalancing } from './service-scheduler-zones.ts'

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
  const waiting = new WaitingServices(tools.fleet, tools.fargate)
  return {
    name: 'service-scheduler',
    watches: {
      service: (row) => row.serviceArn,
      deployment: (row) => row.serviceArn,
      taskSet: (row) => row.serviceArn,
      // What others write there: what was asked of it, and what the world answered to its lifecycle.
      serviceDeployment: (row) =>
        row.status.endsWith('_REQUESTED') || (row.lifecycle && !isFinished(row)) ? row.serviceArn : undefined,
      task: (row) => [
        ...(row.serviceArn === undefined ? [] : [row.serviceArn]),
        ...(row.lastStatus === 'STOPPED' ? waiting.wokenBy(row.containerInstanceArn) : []),
        ...(row.lastStatus === 'STOPPED' && row.launchType === 'FARGATE' ? waiting.wokenByFargate() : []),
        ...(row.lastStatus === 'STOPPED' ? servicesLeaving(view, row.containerInstanceArn) : []),
      ],
      containerInstance: (row) => [
        ...daemonServicesOf(view, row.clusterArn),
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
      for (const place of daemonsFirst(tx, places)) {
        const service = tx.find('service', place)
        if (!service || !isScheduled(service)) {
          waiting.set(place, undefined)
          continue
        }
        const look = new ServiceLook(tx, now, { ...tools, settledAfterMs }, service)
        lookAt(look)
        const next = waiting.set(
          place,
          look.unplaced && {
            place: look.unplaced.onFargate ? fargatePlace : service.clusterArn,
            demand: look.unplaced.demand,
          },
        )
        again.push(...next.map((other) => ({ place: other, at: now })))
        if (look.nextAt < Infinity) again.push({ place, at: look.nextAt })
      }
      return { again }
    },
  }
}

/** Services that are this engine's affair. The task sets of CodeDeploy are not there, but the end of its services is. */
function isScheduled(service: Service): boolean {
  return (
    service.status === 'DRAINING' || (service.status === 'ACTIVE' && controllerOf(service) !== 'CODE_DEPLOY')
  )
}

function lookAt(look: ServiceLook): void {
  accountForEnded(look)
  if (look.service.status === 'DRAINING') {
    stopAll(look)
    endService(look)
    return
  }
  if (controllerOf(look.service) === 'EXTERNAL') {
    stepTaskSets(look)
    look.settleTrouble()
    return
  }
  takeUp(look)
  const before = look.primary
  if (!before) return
  const standings = standingsOf(look)
  const healthy = healthyIn(tasksOf(standings, before.deploymentId))
  breakCircuit(look, noteHealthy(look, before, healthy))
  watchAlarms(look)
  deploy(look, look.primary ?? before, standings)
  look.settleTrouble()
}

function deploy(look: ServiceLook, primary: Deployment, standings: readonly Standing[]): void {
  const staged = stagedBy(look, primary)
  if (staged && !stepStages(look, primary, staged, standings)) {
    concludeStage(look)
    return
  }
  let counted = standings
  if (isDaemon(look.service)) counted = stepDaemon(look, primary, standings)
  else stepRolling(look, primary, standings)
  const after = look.primary ?? primary
  if (conclude(look, after, counted) && !isDaemon(look.service)) balance(look, after, standings)
}

/** One step of the rollout, or of keeping what is there. */
function stepRolling(look: ServiceLook, primary: Deployment, tasks: readonly Standing[]): void {
  const extra = continueBalancing(look, primary, tasks)
  // Tasks that have just made way are not to be counted on.
  if (look.acted) return
  step(look, {
    extra,
    deploymentId: primary.deploymentId,
    desiredCount: look.service.desiredCount,
    failed: primary.rolloutState === 'FAILED',
    // What has completed needs no help of what it replaced.
    ...(look.fallback && primary.rolloutState !== 'COMPLETED' && { fallback: look.fallback.deploymentId }),
    tasks,
  })
}

function servicesOn(view: View, containerInstanceArn: string): string[] {
  const tasks = view.by('task', 'containerInstance', containerInstanceArn)
  return [...new Set(tasks.flatMap(({ serviceArn }) => (serviceArn === undefined ? [] : [serviceArn])))]
}
