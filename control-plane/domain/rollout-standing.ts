import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import type { Phase } from './rollout.ts'
import type { Task } from './task.ts'

/**
 * How long a task without a health check must run before it counts as healthy, in milliseconds. A process that dies of a
 * bad setting or a missing dependency does so within its first seconds; until that time is over, what served before it
 * is all there is to fall back on. AWS waits as long:
 * https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html
 */
export const settledAfterMsDefault = 40_000

export interface Appraisal {
  readonly phase: Phase
  /** When a settling task becomes healthy by running on; absent when only a health check can tell. */
  readonly healthyAt?: number
}

/** The names of a task definition's essential containers that have a health check, and whether others have none. */
export interface Essentials {
  readonly checked: readonly string[]
  readonly unchecked: boolean
}

export function essentialsOf(containerDefinitions: readonly ContainerDefinition[]): Essentials {
  const essential = containerDefinitions.filter((definition) => definition.essential !== false)
  const checked = essential.filter(({ healthCheck }) => healthCheck && healthCheck.command?.[0] !== 'NONE')
  return {
    checked: checked.map((definition) => definition.name ?? ''),
    unchecked: checked.length < essential.length || essential.length === 0,
  }
}

/**
 * What a task that is to run is worth at `now`. Essential containers with a health check must be HEALTHY; where one has
 * none, the task must have run for `settledAfterMs`. Within the grace period a failing check does not count yet.
 */
export function appraise(
  task: Task,
  essentials: Essentials,
  {
    now,
    settledAfterMs,
    graceMs,
  }: { readonly now: number; readonly settledAfterMs: number; readonly graceMs: number },
): Appraisal {
  if (task.lastStatus !== 'RUNNING' || task.startedAt === undefined) return { phase: 'pending' }
  if (task.healthStatus === 'UNHEALTHY') {
    const graceEnds = task.startedAt + graceMs
    return now < graceEnds ? { phase: 'settling', healthyAt: graceEnds } : { phase: 'unhealthy' }
  }
  const passes = essentials.checked.every(
    (name) => task.containers.find((container) => container.name === name)?.healthStatus === 'HEALTHY',
  )
  if (!passes) return { phase: 'settling' }
  if (!essentials.unchecked) return { phase: 'healthy' }
  const settledAt = task.startedAt + settledAfterMs
  return now >= settledAt ? { phase: 'healthy' } : { phase: 'settling', healthyAt: settledAt }
}

/** How a task ended by itself: it never was RUNNING, it was but ended before it was healthy, or it had been healthy. */
export type OwnEnd = 'neverRan' | 'crashed' | 'ended'

/**
 * How a task came to its end; undefined when that was nobody's failure, because it was asked to stop or lost its host.
 * Only what never ran counts for the circuit breaker: a task that was RUNNING fails there by its health checks alone.
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html
 */
export function ownEnd(task: Task, essentials: Essentials, settledAfterMs: number): OwnEnd | undefined {
  if (task.stopCode !== 'TaskFailedToStart' && task.stopCode !== 'EssentialContainerExited') return undefined
  if (task.startedAt === undefined) return 'neverRan'
  const ended = task.executionStoppedAt ?? task.stoppedAt ?? task.startedAt
  const wasHealthy = essentials.checked.every(
    (name) => task.containers.find((container) => container.name === name)?.healthStatus === 'HEALTHY',
  )
  const crashed = !wasHealthy || (essentials.unchecked && ended - task.startedAt < settledAfterMs)
  return crashed ? 'crashed' : 'ended'
}
