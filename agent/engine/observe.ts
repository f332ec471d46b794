/** Folds what was seen of a container into its task. States only go forward, so seeing a thing twice changes nothing. */
import { networkBindings } from './network-bindings.ts'
import type { ContainerChange, ContainerRecord, HealthStatus, TaskRecord } from './task-record.ts'

/** A container as the runtime shows it. */
export interface Sighting {
  readonly id: string
  readonly imageId: string
  readonly status: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'
  readonly exitCode: number
  readonly oomKilled: boolean
  readonly error: string
  readonly createdAt?: number
  readonly startedAt?: number
  readonly finishedAt?: number
  readonly health?: { readonly status: 'starting' | 'healthy' | 'unhealthy'; readonly output: string }
}

const outOfMemoryReason = 'OutOfMemoryError: Container killed due to memory usage'

export const reasonLengthMax = 1024

/** A container reason as it is reported: `<ErrorName>: <text>`, at most 1024 characters. */
export const reasonOf = (errorName: string, text: string): string =>
  `${errorName}: ${text}`.slice(0, reasonLengthMax)

export function replaceContainer(
  record: TaskRecord,
  name: string,
  change: (container: ContainerRecord) => ContainerRecord,
): TaskRecord {
  return {
    ...record,
    containers: record.containers.map((container) =>
      container.name === name ? change(container) : container,
    ),
  }
}

/** Marks a container STOPPED and queues the report of it; one that is STOPPED already stays as it was. */
export function stopContainer(
  record: TaskRecord,
  name: string,
  end: { readonly exitCode?: number; readonly reason?: string; readonly finishedAt?: number },
): TaskRecord {
  if (find(record, name)?.state === 'STOPPED') return record
  return queueChange(
    replaceContainer(record, name, (container) => ({ ...container, ...end, state: 'STOPPED' })),
    name,
  )
}

/**
 * What the runtime shows of a container. `undefined`: it has no such container. Health is taken only for containers
 * whose payload asks for it. `ranMs` is how long it has been running if that was measured: the times that the runtime
 * shows are those of a clock that somebody may have set meanwhile.
 */
export function observeContainer(
  record: TaskRecord,
  name: string,
  sighting: Sighting | undefined,
  now: number,
  ranMs?: number,
): TaskRecord {
  const container = find(record, name)
  if (!container || container.state === 'STOPPED') return record
  if (!sighting) return observeAbsence(record, container, now)
  let next = record
  if (container.state === 'NONE' || container.state === 'PULLED' || container.runtimeId !== sighting.id)
    next = replaceContainer(next, name, (seen) => ({
      ...seen,
      state: seen.state === 'RUNNING' ? 'RUNNING' : 'CREATED',
      runtimeId: sighting.id,
      imageId: sighting.imageId,
      createdAt: sighting.createdAt ?? now,
    }))
  if (sighting.status === 'created' || sighting.startedAt === undefined) return next
  if (container.restarts !== undefined && find(next, name)?.state === 'CREATED')
    // The exit the restart policy answered is still what the runtime shows until the new start.
    if (sighting.status === 'exited' && (sighting.finishedAt ?? 0) <= container.restarts.at) return next
  next = observeStart(next, name, sighting, now)
  const ended = sighting.status === 'exited' || sighting.status === 'dead' || sighting.status === 'removing'
  // Docker calls a container that has ended unhealthy, whatever its check found last: that is not taken for its health.
  return ended ? observeExit(next, name, sighting, now, ranMs) : observeHealth(next, name, sighting, now)
}

function observeAbsence(record: TaskRecord, container: ContainerRecord, now: number): TaskRecord {
  if (container.state === 'NONE' || container.state === 'PULLED') return record
  const reason = reasonOf(
    'NoSuchContainerError',
    `No such container: ${container.runtimeId ?? container.dockerName}`,
  )
  return stopContainer(record, container.name, {
    reason,
    ...(container.startedAt !== undefined && { finishedAt: now }),
  })
}

function observeStart(record: TaskRecord, name: string, sighting: Sighting, now: number): TaskRecord {
  const container = find(record, name)
  if (container?.state !== 'CREATED') return record
  const started = replaceContainer(record, name, (seen) => ({
    ...seen,
    state: 'RUNNING',
    startedAt: sighting.startedAt ?? now,
  }))
  return container.restarts ? started : queueChange(started, name)
}

const healthOf: Readonly<Record<'starting' | 'healthy' | 'unhealthy', HealthStatus>> = {
  starting: 'UNKNOWN',
  healthy: 'HEALTHY',
  unhealthy: 'UNHEALTHY',
}

function observeHealth(record: TaskRecord, name: string, { health }: Sighting, now: number): TaskRecord {
  const asked = record.task.containers?.find((container) => container.name === name)?.healthCheckType
  if (asked !== 'docker' || !health) return record
  const status = healthOf[health.status]
  if (find(record, name)?.health?.status === status) return record
  return replaceContainer(record, name, (seen) => ({
    ...seen,
    health: { status, since: now, output: health.output.slice(0, reasonLengthMax) },
  }))
}

function observeExit(
  record: TaskRecord,
  name: string,
  sighting: Sighting,
  now: number,
  measuredMs: number | undefined,
): TaskRecord {
  const finishedAt = sighting.finishedAt ?? now
  const container = find(record, name)
  const ranMs = measuredMs ?? finishedAt - (container?.restarts?.at ?? container?.startedAt ?? 0)
  if (container && mayRestart(record, container, sighting.exitCode, ranMs))
    return replaceContainer(record, name, ({ health: _gone, ...seen }) => ({
      ...seen,
      state: 'CREATED',
      restarts: { count: (seen.restarts?.count ?? 0) + 1, at: Math.max(now, finishedAt) },
    }))
  const reason = sighting.oomKilled
    ? outOfMemoryReason
    : sighting.error
      ? reasonOf('DockerStateError', sighting.error)
      : undefined
  return stopContainer(record, name, {
    exitCode: sighting.exitCode,
    finishedAt,
    ...(reason !== undefined && { reason }),
  })
}

/** The restart policy: a code that is not ignored, and long enough since the last (re)start. */
function mayRestart(record: TaskRecord, { name }: ContainerRecord, exitCode: number, ranMs: number): boolean {
  const policy = record.task.containers?.find((container) => container.name === name)?.restartPolicy
  if (!policy?.enabled || record.desiredStatus === 'STOPPED') return false
  if (policy.ignoredExitCodes?.includes(exitCode)) return false
  return ranMs >= (policy.restartAttemptPeriod ?? 300) * 1000
}

function queueChange(record: TaskRecord, name: string): TaskRecord {
  const container = find(record, name)
  if (!container || (container.state !== 'RUNNING' && container.state !== 'STOPPED')) return record
  const { state, runtimeId, exitCode, reason, imageDigest, hostPorts } = container
  const change: ContainerChange = {
    containerName: name,
    status: state,
    ...(runtimeId !== undefined && { runtimeId }),
    ...(exitCode !== undefined && { exitCode }),
    ...(reason !== undefined && { reason }),
    ...(imageDigest !== undefined && { imageDigest }),
    ...(hostPorts.length > 0 && { networkBindings: networkBindings(hostPorts) }),
  }
  return { ...record, changes: [...record.changes, change] }
}

function find(record: TaskRecord, name: string): ContainerRecord | undefined {
  return record.containers.find((container) => container.name === name)
}
