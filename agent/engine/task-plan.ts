/** What to do next for a task's containers: pure, and the same whether the task is new or was found after a restart. */
import type { PayloadContainer, PayloadTask } from '@berth/agent-protocol/acs.ts'
import { present } from '@berth/std/assert.ts'
import { isRouted, routerOf } from './firelens.ts'
import { stopContainer } from './observe.ts'
import type { ContainerRecord, ContainerState, TaskRecord } from './task-record.ts'

export type Step = 'pull' | 'create' | 'start' | 'stop'

export interface PlannedStep {
  readonly container: string
  readonly step: Step
}

/** A condition of one container on another; `links` and `volumesFrom` are conditions too. */
interface Dependency {
  readonly on: string
  readonly condition: 'CREATED' | 'START' | 'COMPLETE' | 'SUCCESS' | 'HEALTHY'
}

type Verdict = 'met' | 'waiting' | { readonly impossible: string }

const stepUp: Readonly<Record<ContainerState, Step | undefined>> = {
  NONE: 'pull',
  PULLED: 'create',
  CREATED: 'start',
  RUNNING: undefined,
  STOPPED: undefined,
}

export function containerRecord(record: TaskRecord, name: string): ContainerRecord {
  return present(
    record.containers.find((container) => container.name === name),
    `container ${name} is part of its task`,
  )
}

export function containerPayload(record: TaskRecord, name: string): PayloadContainer {
  return present(
    record.task.containers?.find((container) => container.name === name),
    `container ${name} is in its task's payload`,
  )
}

function dependencies(
  container: PayloadContainer,
  task: Pick<PayloadTask, 'containers'>,
): readonly Dependency[] {
  const router = isRouted(container) ? routerOf(task) : undefined
  return [
    // The log router is there before those whose logs it gets, and goes after them.
    ...(router ? [{ on: router.name, condition: 'START' as const }] : []),
    ...(container.dependsOn ?? []).map(({ containerName, condition }) => ({ on: containerName, condition })),
    ...(container.links ?? []).map((link) => ({ on: link.split(':')[0] ?? '', condition: 'START' as const })),
    ...container.volumesFrom.map(({ sourceContainer }) => ({
      on: sourceContainer,
      condition: 'CREATED' as const,
    })),
  ]
}

function judge({ on, condition }: Dependency, record: TaskRecord, overdue: ReadonlySet<string>): Verdict {
  const other = containerRecord(record, on)
  const started = other.startedAt !== undefined
  const stopped = other.state === 'STOPPED'
  const met = {
    CREATED: other.runtimeId !== undefined,
    START: started,
    COMPLETE: stopped && started,
    SUCCESS: stopped && other.exitCode === 0,
    HEALTHY: other.state === 'RUNNING' && other.health?.status === 'HEALTHY',
  }[condition]
  if (met) return 'met'
  if (stopped) return { impossible: `container ${on} stopped before it met the condition ${condition}` }
  if (overdue.has(on))
    return { impossible: `container ${on} did not meet the condition ${condition} within its start timeout` }
  return 'waiting'
}

/**
 * Applies the rules of a task to the states of its containers: an essential container that stopped, or a dependency
 * that cannot be met, stops the task; what was never started needs no stopping. `held` containers may be about to start,
 * or were not looked at yet after a restart: they are left as they are. `overdue` ones were waited for as long as their
 * startTimeout allows.
 */
export function settleTask(
  record: TaskRecord,
  held: ReadonlySet<string>,
  overdue: ReadonlySet<string>,
  now: number,
): TaskRecord {
  let next = record
  if (next.desiredStatus === 'RUNNING') {
    const essential = next.containers.find(
      ({ name, state }) => state === 'STOPPED' && containerPayload(next, name).essential,
    )
    if (essential)
      next = {
        ...next,
        desiredStatus: 'STOPPED',
        ...(next.executionStoppedAt === undefined && { executionStoppedAt: essential.finishedAt ?? now }),
      }
    else next = refuseImpossible(next, overdue)
  }
  if (next.desiredStatus === 'STOPPED')
    for (const { name, state } of next.containers)
      if (state !== 'RUNNING' && state !== 'STOPPED' && !held.has(name)) next = stopContainer(next, name, {})
  const ended = next.containers.every(({ state }) => state === 'STOPPED')
  if (!ended || next.stoppedAt !== undefined) return next
  if (next.containers.length === 0 && next.desiredStatus === 'RUNNING') return next
  const finished = next.containers.flatMap(({ finishedAt }) => finishedAt ?? [])
  return {
    ...next,
    desiredStatus: 'STOPPED',
    stoppedAt: now,
    ...(next.executionStoppedAt === undefined &&
      finished.length > 0 && { executionStoppedAt: Math.min(...finished) }),
  }
}

/** Stops the task when a container waits for what can no longer be. */
function refuseImpossible(record: TaskRecord, overdue: ReadonlySet<string>): TaskRecord {
  for (const { name, state } of record.containers) {
    if (state !== 'NONE' && state !== 'PULLED') continue
    for (const dependency of dependencies(containerPayload(record, name), record.task)) {
      const verdict = judge(dependency, record, overdue)
      if (typeof verdict === 'object')
        return {
          ...stopContainer(record, name, { reason: `TaskDependencyError: ${verdict.impossible}` }),
          desiredStatus: 'STOPPED',
        }
    }
  }
  return record
}

/** Every step that can be taken now, at most one a container. */
export function nextSteps(
  record: TaskRecord,
  busy: ReadonlySet<string>,
  overdue: ReadonlySet<string>,
): readonly PlannedStep[] {
  return record.containers.flatMap(({ name, state }): PlannedStep[] => {
    if (busy.has(name)) return []
    if (record.desiredStatus === 'STOPPED')
      return state === 'RUNNING' && dependantsStopped(record, name) ? [{ container: name, step: 'stop' }] : []
    const step = stepUp[state]
    if (!step) return []
    if (step === 'create' && !dependenciesMet(record, name, overdue)) return []
    return [{ container: name, step }]
  })
}

function dependenciesMet(record: TaskRecord, name: string, overdue: ReadonlySet<string>): boolean {
  return dependencies(containerPayload(record, name), record.task).every(
    (dependency) => judge(dependency, record, overdue) === 'met',
  )
}

/** On the way down the order is reversed: a container goes when nothing that needs it is left. */
function dependantsStopped(record: TaskRecord, name: string): boolean {
  return record.containers.every(
    (other) =>
      other.state === 'STOPPED' ||
      !dependencies(containerPayload(record, other.name), record.task).some(({ on }) => on === name),
  )
}

/**
 * The containers that others wait for against the clock, and how long that may go on from their start. Empty when
 * nothing waits.
 */
export function awaited(
  record: TaskRecord,
): ReadonlyArray<{ readonly container: string; readonly startedAt: number; readonly limitMs: number }> {
  if (record.desiredStatus === 'STOPPED') return []
  const waiting = record.containers.filter(({ state }) => state === 'NONE' || state === 'PULLED')
  const names = new Set(
    waiting.flatMap(({ name }) =>
      dependencies(containerPayload(record, name), record.task).map(({ on }) => on),
    ),
  )
  return [...names].flatMap((container) => {
    const { startTimeout } = containerPayload(record, container)
    const { startedAt } = containerRecord(record, container)
    if (startTimeout === undefined || startedAt === undefined) return []
    return [{ container, startedAt, limitMs: startTimeout * 1000 }]
  })
}

/** Whether the conditions between a task's containers run in a circle, so that none of them could ever start. */
export function hasDependencyCycle(containers: readonly PayloadContainer[]): boolean {
  const waiting = new Map(
    containers.map((container) => [
      container.name,
      dependencies(container, { containers }).map(({ on }) => on),
    ]),
  )
  for (let shrank = true; shrank;) {
    shrank = false
    for (const [name, on] of waiting)
      if (on.every((other) => !waiting.has(other))) shrank = waiting.delete(name)
  }
  return waiting.size > 0
}
