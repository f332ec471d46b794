import { arnName } from '#domain/arn.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import { batchOf, type DaemonPlan, isDesired, planDaemon } from '#domain/daemon-plan.ts'
import { settledAfterMsDefault } from '#domain/rollout-standing.ts'
import type { View } from '#state/store.ts'
import { DaemonLook, type DaemonTools } from './daemon-scheduler-look.ts'
import {
  accountForEnded,
  begin,
  breakCircuit,
  conclude,
  endTakenOver,
  isHeld,
  noteFailures,
  noteHealthy,
  remove,
} from './daemon-scheduler-progress.ts'
import type { Reconciler } from './reconciler.ts'

/** A daemon of many instances starts its tasks in slices, so that no look takes long. */
const startsPerLookMax = 500

/**
 * Keeps one task of each managed daemon on each instance of its capacity providers, and takes them from one revision to
 * the next, some instances at a time. The instance that loses its old task is the one that gets the new one: on AWS it
 * would be replaced by another. `view` is the store: it tells which daemons an instance's change concerns.
 */
export function daemonScheduler({
  view,
  settledAfterMs = settledAfterMsDefault,
  ...tools
}: Omit<DaemonTools, 'settledAfterMs'> & {
  readonly view: View
  readonly settledAfterMs?: number
}): Reconciler {
  /** Daemons that lack room somewhere. Not kept over a restart: the first look at everything finds them again. */
  const crowdedOut = new Set<string>()
  return {
    name: 'daemon-scheduler',
    watches: {
      daemon: (row) => row.daemonArn,
      daemonDeployment: (row) => row.daemonArn,
      task: (row) => [
        ...(row.daemonArn === undefined ? [] : [row.daemonArn]),
        ...(row.lastStatus === 'STOPPED' ? wokenBy(view, row.containerInstanceArn, crowdedOut) : []),
      ],
      containerInstance: (row) => [...daemonsOf(view, row), ...daemonsOn(view, row.containerInstanceArn)],
    },
    periodMs: 5 * 60_000,
    // Many tasks change at once: a moment later they are seen in one look.
    paceMs: 20,
    everywhere: (all) => all.list('daemon').map(({ daemonArn }) => daemonArn),
    reconcile(tx, now, places = new Set()) {
      const again: Array<{ place: string; at: number }> = []
      for (const place of places) {
        crowdedOut.delete(place)
        const daemon = tx.find('daemon', place)
        if (!daemon) continue
        const look = new DaemonLook(tx, now, { ...tools, settledAfterMs }, daemon)
        if (lookAt(look)) crowdedOut.add(place)
        if (look.nextAt < Infinity) again.push({ place, at: look.nextAt })
      }
      return { again }
    },
  }
}

/** Returns whether some instance has no room for the daemon. */
function lookAt(look: DaemonLook): boolean {
  endTakenOver(look)
  if (look.daemon.status === 'DELETE_IN_PROGRESS') {
    remove(look)
    return false
  }
  accountForEnded(look)
  const standings = look.standings()
  noteHealthy(look, standings)
  breakCircuit(look)
  const places = look.places(standings)
  const desired = places.filter(isDesired).length
  begin(look, desired)
  const crowded = look.crowded(places)
  const held = isHeld(look, places, crowded)
  const { drainPercent = 25 } = look.deployment.deploymentConfiguration
  const plan = planDaemon({
    current: look.daemon.daemonRevisionArn,
    failed: look.deployment.status === 'STOPPED',
    unavailableMax: batchOf(desired, drainPercent) + crowded.size,
    surplusMax: 0,
    held,
    places,
  })
  stop(look, plan)
  start(look, plan, crowded)
  conclude(look, places, { held, crowded })
  return crowded.size > 0
}

function stop(look: DaemonLook, { stops }: DaemonPlan): void {
  const reason = `Scaling activity initiated by (daemon-deployment ${arnName(look.deployment.daemonDeploymentArn)})`
  for (const { task, why } of stops)
    look.stop(task.taskArn, why === 'unhealthy' ? 'Task failed container health checks' : reason)
  const unhealthy = stops.filter(({ why }) => why === 'unhealthy')
  const own = unhealthy.filter(({ task }) => task.deploymentId === look.daemon.daemonRevisionArn)
  noteFailures(look, unhealthy.length, own.length)
}

function start(look: DaemonLook, { starts }: DaemonPlan, crowded: ReadonlySet<string>): void {
  const { retryAt = 0 } = look.deployment
  const open = starts.filter(({ containerInstanceArn }) => !crowded.has(containerInstanceArn))
  if (open.length === 0) return
  if (look.now < retryAt) {
    look.lookAgainAt(retryAt)
    return
  }
  // Daemons have no events to say it in: their deployment counts it as launches that failed.
  if (look.isRoleRefused) {
    noteFailures(look, open.length, open.length)
    look.lookAgainAt(look.deployment.retryAt ?? look.now)
    return
  }
  for (const { containerInstanceArn } of open.slice(0, startsPerLookMax)) look.start(containerInstanceArn)
}

/** The daemons of the capacity provider that an instance belongs to. */
function daemonsOf(view: View, { clusterArn, capacityProviderName }: ContainerInstance): string[] {
  if (capacityProviderName === undefined) return []
  return view
    .by('daemon', 'capacityProvider', `${clusterArn} ${capacityProviderName}`)
    .map(({ daemonArn }) => daemonArn)
}

function daemonsOn(view: View, containerInstanceArn: string): string[] {
  return view
    .by('task', 'containerInstance', containerInstanceArn)
    .flatMap(({ daemonArn }) => daemonArn ?? [])
}

/** Whom it concerns that a task has left an instance: who waits for room there, or for being the last there. */
function wokenBy(view: View, containerInstanceArn = '', crowdedOut: ReadonlySet<string>): string[] {
  const instance = view.find('containerInstance', containerInstanceArn)
  if (!instance) return []
  if (instance.status !== 'ACTIVE') return daemonsOn(view, containerInstanceArn)
  return crowdedOut.size === 0 ? [] : daemonsOf(view, instance).filter((arn) => crowdedOut.has(arn))
}
