/** How the service scheduler starts and stops tasks, and what the service then says. */
import { present } from '@berth/std/assert.ts'
import { defaultServiceStrategy, type PlacementRequest, placeTask } from '#domain/placement/place.ts'
import { StopOrder } from '#domain/placement/stop-order.ts'
import { placementDelayMs } from '#domain/restart-throttle.ts'
import type { Demand } from '#domain/resources.ts'
import type { Standing, Stops } from '#domain/rollout.ts'
import type { TaskSource } from '#domain/service.ts'
import {
  noFargateText,
  notLaunchedText,
  protectedText,
  startedText,
  stoppedPendingText,
  stoppedRunningText,
  unhealthyText,
  unplacedText,
} from '#domain/service-events-text.ts'
import { demandOf } from '#domain/task-definition.ts'
import { requirementsOf } from '#domain/task-requirements.ts'
import { taskTags } from '#domain/task-tags.ts'
import { newTask, requestStop, type Task, type TaskPlacement } from '#domain/task.ts'
import { hasFargateFor } from '#state/fargate-capacity.ts'
import { zonesOfSubnets } from '#state/subnet-zones.ts'
import { taskNetwork } from '#state/task-network.ts'
import { placementOn } from '#state/task-placement.ts'
import { capacityOf, stopTurnsOf, turnsOf } from './service-scheduler-capacity.ts'
import { withoutRetry } from './service-scheduler-failures.ts'
import type { ServiceLook } from './service-scheduler-look.ts'

/** A service that needs more starts them in slices, so that no look takes long. */
export const startsPerLookMax = 500
/** Tasks named in one event. */
const tasksPerEventMax = 100

const strategiesOf = ({ service }: ServiceLook): typeof defaultServiceStrategy =>
  service.placementStrategy.length > 0 ? service.placementStrategy : defaultServiceStrategy

/** Asks the tasks of the plan to stop, chosen by the service's strategies. */
export function stopTasks(look: ServiceLook, stops: readonly Stops[], deploymentId: string): void {
  if (stops.length === 0) return
  const known = new Map(look.tasks.map((task) => [task.taskArn, task]))
  const stopped: Task[] = []
  for (const { from, count, why } of stops) {
    const tasks = from.map(({ taskArn }) => present(known.get(taskArn), 'a task of the plan'))
    for (const task of chosen(look, tasks, count)) {
      stopped.push(task)
      stopTask(look, task, {
        stoppedReason:
          why === 'unhealthy'
            ? 'Task failed container health checks'
            : `Scaling activity initiated by (deployment ${deploymentId})`,
      })
      if (why === 'unhealthy') noteUnhealthy(look, task)
    }
  }
  sayStopped(look, stopped, deploymentId)
}

/** Says that the task cannot be stopped for now, and how many of its deployment are protected like it. */
export function noteProtected(
  look: ServiceLook,
  { deploymentId }: Standing,
  tasks: readonly Standing[],
): void {
  const count = tasks.filter((task) => task.deploymentId === deploymentId && task.protected).length
  look.trouble(protectedText(look.service, deploymentId, count))
}

/** So many of the tasks, in the order in which they are to be stopped. */
function* chosen(look: ServiceLook, tasks: readonly Task[], count: number): Generator<Task> {
  if (count >= tasks.length) return yield* tasks
  const { fleet, ids } = look.tools
  const { partOf, next } = stopTurnsOf(look, tasks)
  const order = new StopOrder(fleet.cluster(look.service.clusterArn), tasks, {
    strategies: strategiesOf(look),
    fraction: () => ids.fraction(),
    ...(partOf && { partOf }),
  })
  for (let number = 0; number < count; number++) {
    const task = order.next(next())
    if (!task) return
    yield task
  }
}

/** What this engine stops needs no conclusions when it has ended. */
function stopTask(look: ServiceLook, task: Task, { stoppedReason }: { stoppedReason: string }): void {
  look.acted = true
  const cause = { stopCode: 'ServiceSchedulerInitiated', stoppedReason, now: look.now } as const
  look.tx.put('task', { ...requestStop(task, cause), accounted: true })
}

function noteUnhealthy(look: ServiceLook, task: Task): void {
  look.say(unhealthyText(look.speaker(task.deploymentId ?? ''), task.taskArn))
  const deployment = look.source(task.deploymentId ?? '')
  if (deployment) look.putSource({ ...deployment, failedTasks: deployment.failedTasks + 1 })
}

function sayStopped(look: ServiceLook, stopped: readonly Task[], by = ''): void {
  const speaker = look.speaker(by)
  const running = stopped.filter((task) => task.lastStatus === 'RUNNING').map((task) => task.taskArn)
  for (let first = 0; first < running.length; first += tasksPerEventMax)
    look.say(stoppedRunningText(speaker, running.slice(first, first + tasksPerEventMax)))
  const pending = stopped.length - running.length
  if (pending > 0) look.say(stoppedPendingText(speaker, pending))
}

/** Asks tasks to stop for which others have come in another zone. Who asks says so. */
export function stopForBalance(look: ServiceLook, taskArns: readonly string[]): void {
  for (const taskArn of taskArns) {
    const task = present(look.tx.find('task', taskArn), 'a task that makes way')
    stopTask(look, task, {
      stoppedReason: `Scaling activity initiated by (deployment ${task.deploymentId})`,
    })
  }
}

/** Asks every task of a deleted service to stop. */
export function stopAll(look: ServiceLook): void {
  const tasks = look.tasks.filter((task) => task.desiredStatus === 'RUNNING')
  for (const task of tasks)
    stopTask(look, task, {
      stoppedReason: `Scaling activity initiated by (deployment ${task.deploymentId})`,
    })
  sayStopped(look, tasks)
}

/** Starts up to `count` tasks of the deployment where there is room; `replaced` of them for unhealthy ones. */
export function startTasks(look: ServiceLook, deploymentId: string, count: number, replaced: number): void {
  if (count === 0) return
  const deployment = present(look.source(deploymentId), 'the deployment to start')
  if (isThrottled(look, deployment) || isRefusedRole(look, deployment)) return
  const place = placer(look, deployment)
  const wanted = Math.min(count, startsPerLookMax)
  const started: string[] = []
  let unplaced: Unplaced | undefined
  for (let task = 0; task < wanted; task++) {
    const placed = place()
    if ('taskArn' in placed) started.push(placed.taskArn)
    else unplaced ??= placed
  }
  sayStarted(look, started, replaced, deploymentId)
  if (unplaced) {
    look.unplaced = unplaced
    noteUnplaced(look, deployment, unplaced.message)
  } else if (deployment.retry?.cause === 'PLACEMENT') look.putSource(withoutRetry(deployment, 'PLACEMENT'))
}

/** Whether the deployment waits after launches that failed; the look is then repeated when the wait is over. */
export function isThrottled(look: ServiceLook, { retry, retryAt = 0 }: TaskSource): boolean {
  const throttled = retry?.cause === 'TASKS' && look.now < retryAt
  if (throttled) look.lookAgainAt(retryAt)
  return throttled
}

/** Whether the tasks may not have their roles; the service says so then, and waits as for a place. */
export function isRefusedRole(look: ServiceLook, deployment: TaskSource): boolean {
  const refused = look.refusedRole(deployment)
  if (refused === undefined) return false
  noteUnplaced(look, deployment, notLaunchedText(look.speaker(deployment.deploymentId), refused))
  return true
}

export function sayStarted(look: ServiceLook, started: readonly string[], replaced: number, by = ''): void {
  if (started.length > 0) look.acted = true
  for (let first = 0; first < started.length; first += tasksPerEventMax) {
    const some = started.slice(first, first + tasksPerEventMax)
    look.say(startedText(look.speaker(by), some, Math.max(0, Math.min(replaced - first, some.length))))
  }
}

/** Why a task found no place, as the service says it. */
interface Unplaced {
  readonly message: string
  /** How much room it waits for, and where. */
  readonly demand: Demand
  readonly onFargate: boolean
}

/**
 * Puts one more task of the deployment each time it is called, or says why there is no place for it. With a strategy
 * each call is another provider's turn; one that has no room keeps its turns, as no other stands in for it.
 */
function placer(look: ServiceLook, deployment: TaskSource): () => Task | Unplaced {
  const { service, tools } = look
  const capacity = capacityOf(look, deployment)
  const speaker = look.speaker(deployment.deploymentId)
  const { request, launch, hasFargate } = launcher(look, deployment)
  const turn = turnsOf(look, deployment, capacity)
  if (capacity.launchType === 'FARGATE')
    return () => {
      const provider = turn()
      if (hasFargate(provider)) return launch(undefined, provider)
      return { message: noFargateText(speaker), demand: request.demand, onFargate: true }
    }
  const full = new Map<string | undefined, Unplaced>()
  return () => {
    const provider = turn()
    const known = full.get(provider)
    if (known) return known
    const asked = provider === undefined ? request : { ...request, capacityProviderName: provider }
    const placement = placeTask(tools.fleet.cluster(service.clusterArn), asked)
    if (!('failures' in placement)) return launch(placement, provider)
    const message = unplacedText(speaker, placement.closest, provider !== undefined)
    const unplaced = { message, demand: request.demand, onFargate: false }
    full.set(provider, unplaced)
    return unplaced
  }
}

/** What a task of the deployment asks of its place, and what puts one there, on the provider whose turn it is. */
export function launcher(
  look: ServiceLook,
  deployment: TaskSource,
): {
  readonly request: PlacementRequest
  readonly launch: (placement: TaskPlacement | undefined, capacityProviderName?: string) => Task
  readonly hasFargate: (capacityProviderName: string | undefined) => boolean
} {
  const { tx, tools, service, now } = look
  const taskDefinition = present(tx.find('taskDefinition', deployment.taskDefinitionArn), 'the revision')
  const cluster = present(tx.find('cluster', service.clusterArn), 'the cluster of a service')
  const { launchType } = capacityOf(look, deployment)
  const group = `service:${service.serviceName}`
  const request = {
    ...requirementsOf(taskDefinition, {
      demand: demandOf(taskDefinition),
      group,
      launchType: launchType === 'EXTERNAL' ? 'EXTERNAL' : 'EC2',
      constraints: service.placementConstraints,
      enableExecuteCommand: service.enableExecuteCommand,
      zones: zonesOfSubnets(tx, deployment.networkConfiguration),
    }),
    strategies: strategiesOf(look),
    fraction: () => tools.ids.fraction(),
  }
  const tags = tagsOf(look, cluster.clusterName, taskDefinition.taskDefinitionArn)
  const hasFargate = (capacityProviderName: string | undefined): boolean =>
    hasFargateFor(tools.fleet, taskDefinition, tools.fargate, {
      demand: request.demand,
      capacityProviderName,
    })
  const launch = (placement: TaskPlacement | undefined, capacityProviderName?: string): Task => {
    const instance = placement && tx.find('containerInstance', placement.containerInstanceArn)
    const place = instance ? placementOn(tx, instance) : placement
    const task = newTask({
      scope: service,
      cluster,
      taskDefinition,
      ids: tools.ids,
      now,
      ...(place && { placement: place }),
      group,
      service: { serviceArn: service.serviceArn, deploymentId: deployment.deploymentId },
      launchType,
      capacityProviderName,
      platformVersion: deployment.platformVersion,
      enableExecuteCommand: service.enableExecuteCommand,
      network: taskNetwork(tx, taskDefinition, deployment.networkConfiguration, {
        clusterArn: cluster.clusterArn,
        group,
        launchType,
        availabilityZone: place?.availabilityZone,
        fraction: () => tools.ids.fraction(),
      }),
    })
    tx.put('task', task)
    if (tags.length > 0) tx.put('resourceTags', { resourceArn: task.taskArn, tags })
    return task
  }
  return { request, launch, hasFargate }
}

function tagsOf(
  { tx, service }: ServiceLook,
  clusterName: string,
  taskDefinitionArn: string,
): ReturnType<typeof taskTags> {
  const source = {
    NONE: undefined,
    SERVICE: service.serviceArn,
    TASK_DEFINITION: taskDefinitionArn,
  }[service.propagateTags]
  return taskTags({
    propagated: source === undefined ? [] : (tx.find('resourceTags', source)?.tags ?? []),
    ...(service.enableECSManagedTags && { managed: { clusterName, serviceName: service.serviceName } }),
  })
}

/**
 * A task that finds no place, or may not have its role, is tried again after a growing wait, and as soon as capacity appears. Only what the wait
 * brought about counts as a further attempt, and as a failure only while nothing of the deployment runs.
 */
export function noteUnplaced(look: ServiceLook, deployment: TaskSource, message: string): void {
  look.trouble(message)
  const waiting = deployment.retry?.cause === 'PLACEMENT' && look.now < (deployment.retryAt ?? 0)
  if (waiting) {
    look.lookAgainAt(deployment.retryAt ?? 0)
    return
  }
  const attempts = (deployment.retry?.cause === 'PLACEMENT' ? deployment.retry.attempts : 0) + 1
  const retryAt = look.now + placementDelayMs(attempts)
  look.putSource({
    ...deployment,
    failedTasks: deployment.failedTasks + (look.hasRunning(deployment) ? 0 : 1),
    retry: { cause: 'PLACEMENT', attempts },
    retryAt,
  })
  look.lookAgainAt(retryAt)
}
