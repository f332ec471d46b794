/** How the service scheduler runs the task sets of a service that an external controller deploys. */
import type { Standing } from '#domain/rollout.ts'
import { steadyText } from '#domain/service-events-text.ts'
import { computedDesiredCount, stabilityOf, sourceOf, type TaskSet } from '#domain/task-set.ts'
import { forgetTaskSet } from '#state/task-sets.ts'
import { noteHealthy } from './service-scheduler-failures.ts'
import type { ServiceLook } from './service-scheduler-look.ts'
import { healthyIn, standingsOf, step, tasksOf } from './service-scheduler-step.ts'

/**
 * One step of each task set towards its share of the service. They do not make way for each other: how much each runs is
 * for the controller to say. Tasks that are replaced keep the service's percentages.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-type-external.html
 */
export function stepTaskSets(look: ServiceLook): void {
  const standings = standingsOf(look)
  for (const taskSet of look.taskSets) {
    const tasks = tasksOf(standings, taskSet.id)
    noteHealthy(look, sourceOf(taskSet), healthyIn(tasks))
    const desiredCount = computedDesiredCount(taskSet, look.service.desiredCount)
    step(look, { deploymentId: taskSet.id, desiredCount, tasks })
    conclude(look, taskSet)
  }
  noteSteady(look, standings)
}

/** Writes down how stable the task set is; one that drains is forgotten with the last of its tasks. */
function conclude(look: ServiceLook, { id }: TaskSet): void {
  const { now, service, tx } = look
  const taskSet = look.taskSet(id)
  if (!taskSet) return
  const tasks = tx.by('task', 'deployment', id)
  if (taskSet.status === 'DRAINING' && tasks.length === 0) {
    forgetTaskSet(tx, taskSet)
    return
  }
  const computed = computedDesiredCount(taskSet, service.desiredCount)
  const status = stabilityOf(computed, tasks, (arn) => tx.find('containerInstance', arn))
  if (status !== taskSet.stability?.status) tx.put('taskSet', { ...taskSet, stability: { status, at: now } })
}

/** A service is steady when all its task sets are, as one with deployments is: with tasks that have proven themselves. */
function noteSteady(look: ServiceLook, standings: readonly Standing[]): void {
  const { service, taskSets } = look
  const isSteady = (taskSet: TaskSet): boolean => {
    const tasks = tasksOf(standings, taskSet.id)
    return (
      taskSet.status !== 'DRAINING' &&
      tasks.length === computedDesiredCount(taskSet, service.desiredCount) &&
      tasks.every(({ phase, draining }) => phase === 'healthy' && !draining)
    )
  }
  if (!look.acted && taskSets.length > 0 && taskSets.every(isSteady)) look.noteSteady(steadyText(service))
  else look.noteUnsteady()
}
