/** How the service scheduler evens out a steady service over Availability Zones, one task for another. */
import { placeTask } from '#domain/placement/place.ts'
import { rolloutBounds, type Standing } from '#domain/rollout.ts'
import { type Deployment, rebalancingObstacle } from '#domain/service.ts'
import {
  balancedText,
  rebalancedStartText,
  rebalancedStopText,
  rebalancingStoppedText,
  unbalancedText,
} from '#domain/service-events-text.ts'
import { countZones, moved, type ZoneCounts, zoneToLeave } from '#domain/zone-balance.ts'
import { capacityOf, turnsOf } from './service-scheduler-capacity.ts'
import { launcher, stopForBalance } from './service-scheduler-launch.ts'
import type { ServiceLook } from './service-scheduler-look.ts'

/** Tasks that move at a time at most. */
const movesMax = 100
/** After rebalancing has been given up, it is not tried again for so long. No source says how long AWS waits. */
const pauseMs = 10 * 60_000

/**
 * Goes on with rebalancing, or gives it up. Returns how many tasks there are beyond the desired count that are to stay
 * until they are healthy; then as many in the fullest zones are stopped.
 */
export function continueBalancing(
  look: ServiceLook,
  primary: Deployment,
  standings: readonly Standing[],
): number {
  const { rebalancing, desiredCount } = look.service
  if (!rebalancing || rebalancing.tasks.length === 0) return 0
  const own = new Map(standings.map((task) => [task.taskArn, task]))
  const extra = rebalancing.tasks.map((taskArn) => own.get(taskArn))
  const isMeant =
    isOn(look) &&
    primary.rolloutState === 'COMPLETED' &&
    primary.deploymentId === rebalancing.deploymentId &&
    desiredCount === rebalancing.desiredCount
  const goesOn = extra.every((task) => task && task.phase !== 'unhealthy' && !task.draining)
  if (!isMeant || !goesOn) {
    giveUp(look, isMeant)
    return 0
  }
  if (extra.some((task) => task?.phase !== 'healthy')) return extra.length
  return makeWay(look, standings, new Set(rebalancing.tasks))
}

/** Stops a task in a fullest zone for each that has come. */
function makeWay(look: ServiceLook, standings: readonly Standing[], come: ReadonlySet<string>): number {
  const { rebalancing, desiredCount } = look.service
  if (!rebalancing) return 0
  const zones = zonesOf(look)
  const counts = countZones(standings.map(({ taskArn }) => zones.get(taskArn)))
  const left = standings.filter((task) => !come.has(task.taskArn) && mayGo(task))
  const leaving = new Map<string, string[]>()
  const surplus = Math.min(come.size, standings.length - desiredCount)
  // Where one was lost meanwhile, its replacement comes first.
  if (standings.filter(isServing).length < desiredCount + surplus) return come.size
  for (let move = 0; move < surplus; move++) {
    const from = [...counts].toSorted(([, one], [, other]) => other - one)[0]?.[0] ?? ''
    const at = left.findIndex(({ taskArn }) => zones.get(taskArn) === from)
    const [task] = at === -1 ? [] : left.splice(at, 1)
    if (!task) {
      giveUp(look, true)
      break
    }
    counts.set(from, (counts.get(from) ?? 0) - 1)
    leaving.set(from, [...(leaving.get(from) ?? []), task.taskArn])
  }
  for (const [zone, taskArns] of leaving) {
    stopForBalance(look, taskArns)
    look.say(rebalancedStopText(look.service, zone, taskArns))
  }
  if (look.service.rebalancing?.tasks.length)
    look.putService({ ...look.service, rebalancing: { ...rebalancing, tasks: [] } })
  return come.size
}

/** Begins to even out a steady service, or says that it is even again. */
export function balance(look: ServiceLook, primary: Deployment, standings: readonly Standing[]): void {
  const { rebalancing } = look.service
  if (rebalancing?.pausedUntil !== undefined && look.now < rebalancing.pausedUntil) {
    look.lookAgainAt(rebalancing.pausedUntil)
    return
  }
  if (!isOn(look)) {
    look.putRebalancing(undefined)
    return
  }
  const zones = zonesOf(look)
  const counts = countZones(standings.map(({ taskArn }) => zones.get(taskArn)))
  const started = startMoves(look, primary, standings, counts)
  if (started.length === 0) {
    if (rebalancing && rebalancing.pausedUntil === undefined) look.say(balancedText(look.service, counts))
    look.putRebalancing(undefined)
    return
  }
  look.acted = true
  look.putRebalancing({
    deploymentId: primary.deploymentId,
    desiredCount: look.service.desiredCount,
    tasks: started.map(({ taskArn }) => taskArn),
  })
}

function startMoves(
  look: ServiceLook,
  primary: Deployment,
  standings: readonly Standing[],
  found: ZoneCounts,
): ReadonlyArray<{ readonly taskArn: string; readonly zone: string }> {
  const { service, tools } = look
  const { deploymentConfiguration: configuration, desiredCount } = service
  const { totalMax } = rolloutBounds({
    desiredCount,
    minimumHealthyPercent: configuration.minimumHealthyPercent ?? 100,
    maximumPercent: configuration.maximumPercent ?? 200,
  })
  const capacity = capacityOf(look, primary)
  if (look.refusedRole(primary) !== undefined) return []
  // Nothing is looked for where no zone can have two more than another.
  if (capacity.launchType === 'FARGATE' || ![...found.values()].some((count) => count > 1)) return []
  const { request, launch } = launcher(look, primary)
  const turn = turnsOf(look, primary, capacity)
  const zones = zonesOf(look)
  const movable = countZones(standings.filter(mayGo).map(({ taskArn }) => zones.get(taskArn)))
  const started: Array<{ taskArn: string; zone: string }> = []
  let counts = found
  while (started.length < Math.min(movesMax, totalMax - desiredCount)) {
    const provider = turn()
    const asked = provider === undefined ? request : { ...request, capacityProviderName: provider }
    const placement = placeTask(tools.fleet.cluster(service.clusterArn), asked)
    const to = 'failures' in placement ? undefined : placement.availabilityZone
    const from = to === undefined ? undefined : zoneToLeave(counts, to)
    if ('failures' in placement || to === undefined || from === undefined) break
    const left = movable.get(from) ?? 0
    if (left === 0) break
    movable.set(from, left - 1)
    if (started.length === 0)
      look.say(unbalancedText(service, new Map([...counts, [to, counts.get(to) ?? 0]])))
    counts = moved(counts, { from, to })
    started.push({ taskArn: launch(placement, provider).taskArn, zone: to })
  }
  for (const [zone, tasks] of Map.groupBy(started, (one) => one.zone))
    look.say(
      rebalancedStartText(
        service,
        zone,
        tasks.map(({ taskArn }) => taskArn),
      ),
    )
  return started
}

function isOn({ service }: ServiceLook): boolean {
  return service.availabilityZoneRebalancing === 'ENABLED' && rebalancingObstacle(service) === undefined
}

function isServing({ phase, draining }: Standing): boolean {
  return phase === 'healthy' && !draining
}

/** Whether a task may make way for one in another zone. */
function mayGo(task: Standing): boolean {
  return !task.protected && isServing(task)
}

/** The tasks that have come are surplus from now on. What went wrong might go wrong again: then it is left for a while. */
function giveUp(look: ServiceLook, pause: boolean): void {
  const { rebalancing } = look.service
  if (!rebalancing) return
  look.say(rebalancingStoppedText(look.service))
  look.putRebalancing(pause ? { ...rebalancing, tasks: [], pausedUntil: look.now + pauseMs } : undefined)
}

function zonesOf({ tx, service }: ServiceLook): ReadonlyMap<string, string | undefined> {
  const tasks = tx.by('task', 'service', service.serviceArn)
  return new Map(tasks.map(({ taskArn, availabilityZone }) => [taskArn, availabilityZone]))
}
