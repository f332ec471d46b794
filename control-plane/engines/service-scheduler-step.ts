/** One step of the service scheduler towards so many healthy tasks of one deployment or task set. */
import { isStaying } from '#domain/container-instance.ts'
import { inconsistentFrom } from '#domain/restart-throttle.ts'
import { planRollout, type Standing } from '#domain/rollout.ts'
import { blockedText, inconsistentText } from '#domain/service-events-text.ts'
import { protectionEnd } from '#domain/task-protection.ts'
import type { Task } from '#domain/task.ts'
import { noteProtected, startTasks, stopTasks } from './service-scheduler-launch.ts'
import type { ServiceLook } from './service-scheduler-look.ts'

/** What a part of a service's tasks is to become. */
export interface Track {
  /** The deployment or task set that they are to be of. */
  readonly deploymentId: string
  readonly desiredCount: number
  /** It has failed and launches nothing more. */
  readonly failed?: boolean
  /** The deployment that served before. */
  readonly fallback?: string
  /** So many tasks beyond the desired count stay for now. */
  readonly extra?: number
  /** The tasks concerned: others are left as they are. */
  readonly tasks: readonly Standing[]
}

/** Starts and stops what the service's percentages allow now. */
export function step(
  look: ServiceLook,
  { deploymentId, desiredCount, failed = false, fallback, extra = 0, tasks }: Track,
): void {
  const { deploymentConfiguration } = look.service
  const plan = planRollout({
    desiredCount,
    minimumHealthyPercent: deploymentConfiguration.minimumHealthyPercent ?? 100,
    maximumPercent: deploymentConfiguration.maximumPercent ?? 200,
    primary: deploymentId,
    failed,
    ...(fallback !== undefined && { fallback }),
    extra,
    tasks,
  })
  stopTasks(look, plan.stops, deploymentId)
  const unhealthyIn = (id: string): number =>
    tasks.filter((task) => task.deploymentId === id && task.phase === 'unhealthy').length
  if (fallback !== undefined) startTasks(look, fallback, plan.startFallback, unhealthyIn(fallback))
  startTasks(look, deploymentId, plan.start, unhealthyIn(deploymentId))
  const [held] = plan.held
  if (held) noteProtected(look, held, tasks)
  const speaker = look.speaker(deploymentId)
  if (plan.blocked) look.trouble(blockedText(speaker))
  const retry = look.source(deploymentId)?.retry
  if (retry?.cause === 'TASKS' && retry.attempts >= inconsistentFrom) look.trouble(inconsistentText(speaker))
}

/** The service's tasks that are to run, and what each is worth now. */
export function standingsOf(look: ServiceLook): readonly Standing[] {
  return look.tasks.filter((task) => task.desiredStatus === 'RUNNING').map((task) => stand(look, task))
}

function stand(look: ServiceLook, task: Task): Standing {
  const { phase, healthyAt } = look.appraise(task)
  if (healthyAt !== undefined) look.lookAgainAt(healthyAt)
  const instance = look.tx.find('containerInstance', task.containerInstanceArn ?? '')
  // A host whose agent stays away may be lost: other hosts take over, and what ran there is stopped once they serve. A
  // daemon is of its host; but what does not run yet has nothing to lose.
  const isBound = look.service.schedulingStrategy === 'DAEMON' && phase !== 'pending'
  const draining = instance !== undefined && (!isStaying(instance) || (!instance.agentConnected && !isBound))
  const protectedUntil = protectionEnd(task, look.now)
  if (protectedUntil !== undefined) look.lookAgainAt(protectedUntil)
  return {
    taskArn: task.taskArn,
    deploymentId: task.deploymentId ?? '',
    phase,
    draining,
    ...(protectedUntil !== undefined && { protected: true }),
  }
}

/** Those of the tasks that are of one deployment or task set. */
export function tasksOf(tasks: readonly Standing[], deploymentId: string): readonly Standing[] {
  return tasks.filter((task) => task.deploymentId === deploymentId)
}

export function healthyIn(tasks: readonly Standing[]): number {
  return tasks.filter(({ phase }) => phase === 'healthy').length
}
