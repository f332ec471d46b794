/** How the service scheduler keeps one task of a DAEMON service on each instance of its cluster. */
import { present } from '@berth/std/assert.ts'
import { daemonPlace } from '#domain/daemon-place.ts'
import {
  type DaemonPlace,
  type DaemonPlan,
  type DaemonStart,
  isDesired,
  planDaemon,
  unavailableBy,
} from '#domain/daemon-plan.ts'
import { type Requirements, suits } from '#domain/placement/admission.ts'
import type { InstanceLoad } from '#domain/placement/instance-load.ts'
import { closestMatch, type PlacementFailure, refusal } from '#domain/placement/place.ts'
import { inconsistentFrom } from '#domain/restart-throttle.ts'
import type { Standing } from '#domain/rollout.ts'
import type { Deployment, Service } from '#domain/service.ts'
import { blockedText, inconsistentText, unplacedText } from '#domain/service-events-text.ts'
import { hasOnlyDaemons } from '#state/only-daemons.ts'
import type { View } from '#state/store.ts'
import { capacityOf } from './service-scheduler-capacity.ts'
import { withoutRetry } from './service-scheduler-failures.ts'
import {
  isRefusedRole,
  isThrottled,
  launcher,
  noteProtected,
  noteUnplaced,
  sayStarted,
  startsPerLookMax,
  stopTasks,
} from './service-scheduler-launch.ts'
import type { ServiceLook } from './service-scheduler-look.ts'

export function isDaemon({ schedulingStrategy }: Service): boolean {
  return schedulingStrategy === 'DAEMON'
}

/** The DAEMON services that an instance of the cluster concerns. */
export function daemonServicesOf(view: View, clusterArn: string): string[] {
  return view.by('service', 'daemon', clusterArn).map(({ serviceArn }) => serviceArn)
}

/** The services whose turn to leave may have come on an instance that is being emptied. */
export function servicesLeaving(view: View, containerInstanceArn = ''): string[] {
  const instance = view.find('containerInstance', containerInstanceArn)
  if (!instance || instance.status === 'ACTIVE') return []
  const tasks = view.by('task', 'containerInstance', containerInstanceArn)
  return tasks.flatMap(({ serviceArn }) => serviceArn ?? [])
}

/** Instances that have room for a daemon or for others give it to the daemon. */
export function daemonsFirst(view: View, serviceArns: Iterable<string>): readonly string[] {
  const rank = (arn: string): number => {
    const service = view.find('service', arn)
    return service && isDaemon(service) ? 0 : 1
  }
  return [...serviceArns].toSorted((one, other) => rank(one) - rank(other))
}

/**
 * One step towards one task of the PRIMARY on each instance. Returns the tasks that count for whether the service is as it
 * should be: on an instance that is being emptied the last one stays until all others have gone, and nobody waits for it.
 */
export function stepDaemon(
  look: ServiceLook,
  primary: Deployment,
  standings: readonly Standing[],
): readonly Standing[] {
  const { fallback } = look
  const { minimumHealthyPercent = 0, maximumPercent = 100 } = look.service.deploymentConfiguration
  const failed = primary.rolloutState === 'FAILED'
  const places = placesOf(look, failed ? (fallback ?? primary) : primary, standings)
  const desired = places.filter(isDesired).length
  const plan = planDaemon({
    current: primary.deploymentId,
    failed,
    ...(fallback && { fallback: fallback.deploymentId }),
    unavailableMax: unavailableBy(desired, minimumHealthyPercent),
    surplusMax: Math.max(0, Math.floor((desired * maximumPercent) / 100) - desired),
    held: false,
    places,
  })
  if (look.service.desiredCount !== plan.desiredCount)
    look.putService({ ...look.service, desiredCount: plan.desiredCount })
  stop(look, plan, primary)
  for (const [deploymentId, starts] of Map.groupBy(plan.starts, ({ of }) => of))
    start(look, deploymentId, starts)
  const [withheld] = plan.withheld
  if (withheld) noteProtected(look, withheld, standings)
  if (plan.blocked) look.trouble(blockedText(look.service))
  const { retry } = look.primary ?? primary
  if (retry?.cause === 'TASKS' && retry.attempts >= inconsistentFrom)
    look.trouble(inconsistentText(look.service))
  return places.filter(({ state }) => state !== 'closing').flatMap(({ tasks }) => tasks)
}

/** Every instance of the cluster as the plan sees it, for tasks of that deployment. */
function placesOf(
  look: ServiceLook,
  deployment: Deployment,
  standings: readonly Standing[],
): readonly DaemonPlace[] {
  const { tx, service, tools } = look
  const { request } = launcher(look, deployment)
  const loads = new Map(
    [...tools.fleet.cluster(service.clusterArn).instances()].map((load) => [load.arn, load]),
  )
  const tasksOn = Map.groupBy(look.tasks, ({ containerInstanceArn = '' }) => containerInstanceArn)
  const common = {
    fits: fitting(request, providersOf(look, deployment)),
    standings: new Map(standings.map((task) => [task.taskArn, task])),
    isAlone: (arn: string) => hasOnlyDaemons(tx, arn),
  }
  return [...new Set([...loads.keys(), ...tasksOn.keys()])].map((arn) =>
    daemonPlace({
      ...common,
      containerInstanceArn: arn,
      load: loads.get(arn),
      tasks: tasksOn.get(arn) ?? [],
    }),
  )
}

/** The capacity providers on whose instances the tasks are; undefined without a strategy. */
function providersOf(look: ServiceLook, deployment: Deployment): readonly string[] | undefined {
  return capacityOf(look, deployment).strategy?.map(({ capacityProvider = '' }) => capacityProvider)
}

/** Whether an instance is one of those that should have a task; how a strategy shares tasks says nothing here. */
function fitting(
  request: Requirements,
  providers: readonly string[] | undefined,
): (load: InstanceLoad) => boolean {
  if (!providers) return suits(request)
  const rules = providers.map((capacityProviderName) => suits({ ...request, capacityProviderName }))
  return (load) => rules.some((rule) => rule(load))
}

function stop(look: ServiceLook, { stops }: DaemonPlan, { deploymentId }: Deployment): void {
  const bundles = [...Map.groupBy(stops, ({ why }) => why)].map(([why, some]) => {
    const from = some.map(({ task }) => task)
    return { from, count: from.length, why }
  })
  stopTasks(look, bundles, deploymentId)
}

function start(look: ServiceLook, deploymentId: string, starts: readonly DaemonStart[]): void {
  const deployment = present(look.tx.find('deployment', deploymentId), 'the deployment to start')
  if (isThrottled(look, deployment) || isRefusedRole(look, deployment)) return
  const { request, launch } = launcher(look, deployment)
  // There is one on each instance anyway; a second one is refused by nobody but the plan.
  const constraints = request.constraints.filter(({ type }) => type !== 'distinctInstance')
  const started: string[] = []
  const failures: PlacementFailure[] = []
  const view = look.tools.fleet.cluster(look.service.clusterArn)
  const isOnProvider = providersOf(look, deployment) !== undefined
  for (const { containerInstanceArn } of starts) {
    if (started.length === startsPerLookMax) break
    const failure = refusal(view, containerInstanceArn, { ...request, constraints })
    const provider = isOnProvider
      ? view.find(containerInstanceArn)?.instance?.capacityProviderName
      : undefined
    if (failure) failures.push(failure)
    else started.push(launch({ containerInstanceArn }, provider).taskArn)
  }
  sayStarted(look, started, 0)
  if (failures.length > 0) {
    look.unplaced = { demand: request.demand, onFargate: false }
    noteUnplaced(look, deployment, unplacedText(look.service, closestMatch(failures)))
  } else if (deployment.retry?.cause === 'PLACEMENT') look.putSource(withoutRetry(deployment, 'PLACEMENT'))
}
