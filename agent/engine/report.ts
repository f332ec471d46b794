/** What the control plane is told of a task, and when. */
import type { ContainerChange, TaskRecord } from './task-record.ts'

export interface TaskReport {
  readonly status: 'RUNNING' | 'STOPPED'
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

/**
 * The next report, or undefined when the control plane knows all it should. Containers that end by themselves are told
 * as they end; while a task is being stopped because the control plane said so, only its end is.
 */
export function nextReport(record: TaskRecord): TaskReport | undefined {
  const status = knownStatus(record)
  if (status === 'PENDING' || record.sentStatus === 'STOPPED') return undefined
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
  return { ...record, sentStatus: report.status, changes: record.changes.slice(report.changes.length) }
}
