/** How the service scheduler starts and stops tasks, and what the service then says. */
import { present } from '@berth/std/assert.ts'
import {
  closestMatch,
  chooseTaskToStop,
  defaultServiceStrategy,
  type Placement,
  type PlacementFailure,
  placeTask,
} from '#domain/placement/place.ts'
import { placementDelayMs } from '#domain/restart-throttle.ts'
import type { Stops } from '#domain/rollout.ts'
import type { Deployment } from '#domain/service.ts'
import {
  startedText,
  stoppedPendingText,
  stoppedRunningText,
  unhealthyText,
  unplacedText,
} from '#domain/service-events-text.ts'
import { demandOf } from '#domain/task-definition.ts'
import { requirementsOf } from '#domain/task-requirements.ts'
import { taskTags } from '#domain/task-tags.ts'
import { newTask, placedOn, requestStop, type Task } from '#domain/task.ts'
import { withoutRetry } from './service-scheduler-failures.ts'
import type { ServiceLook } from './service-scheduler-look.ts'

/** A service that needs more starts them in slices, so that no look takes long. */
const startsPerLookMax = 500
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
  sayStopped(look, stopped)
}

/** Removes from `tasks` what it chooses. */
function* chosen(look: ServiceLook, tasks: readonly Task[], count: number): Generator<Task> {
  const view = look.tools.fleet.cluster(look.service.clusterArn)
  let left = tasks
  for (let number = 0; number < count; number++) {
    const task = left.length > count - number ? chooseTaskToStop(view, left, strategiesOf(look)) : left[0]
    if (!task) return
    left = left.filter((other) => other !== task)
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
  look.say(unhealthyText(look.service, task.taskArn))
  const deployment = look.tx.find('deployment', task.deploymentId ?? '')
  if (deployment) look.putDeployment({ ...deployment, failedTasks: deployment.failedTasks + 1 })
}

function sayStopped(look: ServiceLook, stopped: readonly Task[]): void {
  const running = stopped.filter((task) => task.lastStatus === 'RUNNING').map((task) => task.taskArn)
  for (let first = 0; first < running.length; first += tasksPerEventMax)
    look.say(stoppedRunningText(look.service, running.slice(first, first + tasksPerEventMax)))
  const pending = stopped.length - running.length
  if (pending > 0) look.say(stoppedPendingText(look.service, pending))
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
  const deployment = present(look.tx.find('deployment', deploymentId), 'the deployment to start')
  if (deployment.retry?.cause === 'TASKS' && look.now < (deployment.retryAt ?? 0)) {
    look.lookAgainAt(deployment.retryAt ?? 0)
    return
  }
  const place = placer(look, deployment)
  const wanted = Math.min(count, startsPerLookMax)
  const started: string[] = []
  let failures: readonly PlacementFailure[] | undefined
  while (started.length < wanted && !failures) {
    const placed = place()
    if ('failures' in placed) failures = placed.failures
    else started.push(placed.taskArn)
  }
  sayStarted(look, started, replaced)
  if (failures) {
    look.unplaced = demandOf(
      present(look.tx.find('taskDefinition', deployment.taskDefinitionArn), 'the revision'),
    )
    noteUnplaced(look, deployment, unplacedText(look.service, closestMatch(failures)))
  } else if (deployment.retry?.cause === 'PLACEMENT')
    look.putDeployment(withoutRetry(deployment, 'PLACEMENT'))
}

function sayStarted(look: ServiceLook, started: readonly string[], replaced: number): void {
  if (started.length > 0) look.acted = true
  for (let first = 0; first < started.length; first += tasksPerEventMax) {
    const some = started.slice(first, first + tasksPerEventMax)
    look.say(startedText(look.service, some, Math.max(0, Math.min(replaced - first, some.length))))
  }
}

type Unplaced = Extract<Placement, { failures: unknown }>

/** Puts one more task of the deployment each time it is called, or says why there is no place for it. */
function placer(look: ServiceLook, deployment: Deployment): () => Task | Unplaced {
  const { tx, tools, service, now } = look
  const taskDefinition = present(tx.find('taskDefinition', deployment.taskDefinitionArn), 'the revision')
  const cluster = present(tx.find('cluster', service.clusterArn), 'the cluster of a service')
  const launchType = deployment.launchType === 'EXTERNAL' ? 'EXTERNAL' : 'EC2'
  const group = `service:${service.serviceName}`
  const request = {
    ...requirementsOf(taskDefinition, {
      demand: demandOf(taskDefinition),
      group,
      launchType,
      constraints: service.placementConstraints,
    }),
    strategies: strategiesOf(look),
    fraction: () => tools.ids.fraction(),
  }
  const tags = tagsOf(look, cluster.clusterName, taskDefinition.taskDefinitionArn)
  return () => {
    const placement = placeTask(tools.fleet.cluster(service.clusterArn), request)
    if ('failures' in placement) return placement
    const instance = tx.find('containerInstance', placement.containerInstanceArn)
    const task = newTask({
      scope: service,
      cluster,
      taskDefinition,
      ids: tools.ids,
      now,
      placement: instance ? placedOn(instance) : placement,
      group,
      service: { serviceArn: service.serviceArn, deploymentId: deployment.deploymentId },
      launchType,
      enableExecuteCommand: service.enableExecuteCommand,
    })
    tx.put('task', task)
    if (tags.length > 0) tx.put('resourceTags', { resourceArn: task.taskArn, tags })
    return task
  }
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
 * A task that finds no place is tried again after a growing wait, and as soon as capacity appears. Only what the wait
 * brought about counts as a further attempt, and as a failure only while nothing of the deployment runs.
 */
function noteUnplaced(look: ServiceLook, deployment: Deployment, message: string): void {
  look.trouble(message)
  const waiting = deployment.retry?.cause === 'PLACEMENT' && look.now < (deployment.retryAt ?? 0)
  if (waiting) {
    look.lookAgainAt(deployment.retryAt ?? 0)
    return
  }
  const attempts = (deployment.retry?.cause === 'PLACEMENT' ? deployment.retry.attempts : 0) + 1
  const retryAt = look.now + placementDelayMs(attempts)
  look.putDeployment({
    ...deployment,
    failedTasks: deployment.failedTasks + (look.hasRunning(deployment) ? 0 : 1),
    retry: { cause: 'PLACEMENT', attempts },
    retryAt,
  })
  look.lookAgainAt(retryAt)
}
