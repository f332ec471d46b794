/** What the control plane is told of a task, and when. */
import type { ContainerChange, TaskRecord } from './task-record.ts'

export interface TaskReport {
  readonly status: 'PENDING' | 'RUNNING' | 'STOPPED'
  readonly reason: string
  readonly changes: readonly ContainerChange[]
  readonly pullStartedAt?: number
  readonly pullStoppedAt?: number
  readonly executionStoppedAt?: number
}

/** The status the agent knows: PENDING until every container reached its steady state or has finished. */
export function knownStatus(record: TaskRecord): 'PENDING' | 'RUNNING' | 'STOPPED' {
  if (record.stoppedAt !== undefined) return 'STOPPED'
  if (record.sentStatus === 'RUNNING') return 'RUNNING'
  const steady = record.containers.every(({ state }) => state === 'RUNNING' || state === 'STOPPED')
  return steady && record.desiredStatus === 'RUNNING' ? 'RUNNING' : 'PENDING'
}

/** Digests that the control plane did not choose itself and does not know yet. */
function untoldDigests(record: TaskRecord): readonly ContainerChange[] {
  return record.containers.flatMap(({ name, imageDigest }): ContainerChange[] => {
    const image = record.task.containers?.find((container) => container.name === name)?.image ?? ''
    if (imageDigest === undefined || image.includes('@') || record.digestsSent?.includes(name)) return []
    return [{ containerName: name, status: 'PENDING', imageDigest }]
  })
}

/** Whether a task that is not RUNNING yet has digests to tell: other tasks of its deployment should get the same images. */
export function hasDigestsToTell(record: TaskRecord): boolean {
  const goingUp = record.desiredStatus === 'RUNNING' && knownStatus(record) === 'PENDING'
  return goingUp && untoldDigests(record).length > 0
}

/**
 * The next report, or undefined when the control plane knows all it should. Containers that end by themselves are told
 * as they end; while a task is being stopped because the control plane said so, only its end is. Of a task that is on its
 * way up only digests are told, and those only if `withDigests` asks for it.
 */
export function nextReport(record: TaskRecord, withDigests: boolean): TaskReport | undefined {
  const status = knownStatus(record)
  if (status === 'PENDING' && withDigests && hasDigestsToTell(record))
    return { status, reason: '', changes: untoldDigests(record) }
  if (status === 'PENDING' || record.sentStatus === 'STOPPED') return undefined
  // The last container's end is the task's, and is told with it.
  if (status === 'RUNNING' && record.containers.every(({ state }) => state === 'STOPPED')) return undefined
  const changed = record.changes.length > 0 && !record.stopRequested
  if (status === record.sentStatus && !changed) return undefined
  return {
    status,
    reason: record.reason ?? '',
    changes: record.changes,
    ...(record.pullStartedAt !== undefined && { pullStartedAt: record.pullStartedAt }),
    ...(record.pullStoppedAt !== undefined && { pullStoppedAt: record.pullStoppedAt }),
    ...(record.executionStoppedAt !== undefined && { executionStoppedAt: record.executionStoppedAt }),
  }
}

/** The record after `report` was taken by the control plane. */
export function reported(record: TaskRecord, report: TaskReport): TaskRecord {
  if (report.status === 'PENDING') {
    const names = report.changes.map(({ containerName }) => containerName)
    return { ...record, digestsSent: [...(record.digestsSent ?? []), ...names] }
  }
  return { ...record, sentStatus: report.status, changes: record.changes.slice(report.changes.length) }
}
