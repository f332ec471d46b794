import type { Idempotency } from '#domain/identity.ts'
import {
  forgetDaemonDeployment,
  forgetDaemonTaskDefinition,
  settleDaemonTaskDefinitions,
} from '#state/daemon-history.ts'
import { forgetParameter, forgetSecret } from '#state/secrets.ts'
import { forgetServiceDeployment, forgetServiceHistory } from '#state/service-deployments.ts'
import type { Transaction } from '#state/store.ts'
import { hourOf } from '#state/table.ts'
import type { Reconciler } from './reconciler.ts'

const hourMs = 3_600_000
/** AWS shows stopped tasks for an hour at least. */
const stoppedTaskKeptMs = hourMs
/**
 * AWS does not say how long deleted services and deregistered instances are shown; a task's time serves whoever waits for
 * them to be gone.
 */
const inactiveKeptMs = hourMs
/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html */
const serviceHistoryKeptMs = 90 * 24 * hourMs
const rowsPerLookMax = 500
const place = 'all'

/** A table whose rows have a time after which they are forgotten. */
interface Forgettable {
  /** The times of all its rows that have one: asked for once, when the engine starts, to know where to begin. */
  readonly times: (tx: Transaction) => ReadonlyArray<number | undefined>
  /** The rows whose time lies in that hour, each with what forgets it. */
  readonly inHour: (tx: Transaction, hour: string) => ReadonlyArray<{ at: number; forget: () => void }>
  /** How long after their time rows are kept. */
  readonly keptMs: number
}

const forgettables: readonly Forgettable[] = [
  {
    keptMs: stoppedTaskKeptMs,
    times: (tx) => tx.list('task').map(({ stoppedAt }) => stoppedAt),
    inHour: (tx, hour) =>
      tx.by('task', 'stoppedHour', hour).map(({ taskArn, stoppedAt = 0 }) => ({
        at: stoppedAt,
        forget: () => forgetTask(tx, taskArn),
      })),
  },
  {
    keptMs: inactiveKeptMs,
    times: (tx) => tx.list('service').map(({ inactiveAt }) => inactiveAt),
    inHour: (tx, hour) =>
      tx.by('service', 'inactiveHour', hour).map(({ serviceArn, inactiveAt = 0 }) => ({
        at: inactiveAt,
        forget: () => forgetService(tx, serviceArn),
      })),
  },
  {
    keptMs: serviceHistoryKeptMs,
    times: (tx) => tx.list('serviceDeployment').map(({ finishedAt }) => finishedAt),
    inHour: (tx, hour) =>
      tx.by('serviceDeployment', 'finishedHour', hour).map((row) => ({
        at: row.finishedAt ?? 0,
        forget: () => forgetServiceDeployment(tx, row),
      })),
  },
  {
    // AWS does not say how long; as long as those of services.
    keptMs: serviceHistoryKeptMs,
    times: (tx) => tx.list('daemonDeployment').map(({ finishedAt }) => finishedAt),
    inHour: (tx, hour) =>
      tx.by('daemonDeployment', 'finishedHour', hour).map((row) => ({
        at: row.finishedAt ?? 0,
        forget: () => forgetDaemonDeployment(tx, row),
      })),
  },
  {
    keptMs: inactiveKeptMs,
    times: (tx) => tx.list('daemonTaskDefinition').map(({ deletedAt }) => deletedAt),
    inHour: (tx, hour) =>
      tx.by('daemonTaskDefinition', 'deletedHour', hour).map((row) => ({
        at: row.deletedAt ?? 0,
        forget: () => forgetDaemonTaskDefinition(tx, row.daemonTaskDefinitionArn),
      })),
  },
  {
    keptMs: inactiveKeptMs,
    times: (tx) => tx.list('containerInstance').map(({ inactiveAt }) => inactiveAt),
    inHour: (tx, hour) =>
      tx.by('containerInstance', 'inactiveHour', hour).map(({ containerInstanceArn, inactiveAt = 0 }) => ({
        at: inactiveAt,
        forget: () => {
          tx.delete('containerInstance', containerInstanceArn)
          tx.delete('resourceTags', containerInstanceArn)
        },
      })),
  },
  {
    keptMs: inactiveKeptMs,
    times: (tx) => tx.list('capacityProvider').map(({ inactiveAt }) => inactiveAt),
    inHour: (tx, hour) =>
      tx.by('capacityProvider', 'inactiveHour', hour).map(({ capacityProviderArn, inactiveAt = 0 }) => ({
        at: inactiveAt,
        forget: () => tx.delete('capacityProvider', capacityProviderArn),
      })),
  },
  {
    keptMs: 0,
    times: (tx) => tx.list('secret').map(({ deleteAfter }) => deleteAfter),
    inHour: (tx, hour) =>
      tx.by('secret', 'deletionHour', hour).map(({ secretArn, deleteAfter = 0 }) => ({
        at: deleteAfter,
        forget: () => forgetSecret(tx, secretArn),
      })),
  },
  {
    keptMs: 0,
    times: (tx) => tx.list('parameter').map(({ expiresAt }) => expiresAt),
    inHour: (tx, hour) =>
      tx.by('parameter', 'expiryHour', hour).map(({ parameterArn, expiresAt = 0 }) => ({
        at: expiresAt,
        forget: () => forgetParameter(tx, parameterArn),
      })),
  },
  {
    keptMs: 0,
    times: (tx) => tx.list('idempotency').map(({ expiresAt, reviewAt = expiresAt }) => reviewAt),
    inHour: (tx, hour) =>
      tx.by('idempotency', 'expiryHour', hour).map((row) => ({
        at: row.reviewAt ?? row.expiresAt,
        forget: () => reviewToken(tx, row),
      })),
  },
]

/**
 * Forgets stopped tasks, deleted services, old service deployments, deregistered instances, deleted secrets, expired parameters and client tokens when their
 * time is over, found by the hour it lies in, and deleted task definitions when nothing refers to them any more.
 */
export function taskReaper(): Reconciler {
  /** The first hour of each that may still hold something. */
  const openHours = new Map<Forgettable, number>()
  return {
    name: 'task-reaper',
    watches: {},
    periodMs: 60_000,
    reconcile(tx, now) {
      forgetTaskDefinitions(tx)
      settleDaemonTaskDefinitions(tx, now)
      let left = rowsPerLookMax
      for (const forgettable of forgettables) {
        if (left === 0) break
        const dueAt = now - forgettable.keptMs
        let hour = openHours.get(forgettable) ?? earliestHour(forgettable.times(tx), dueAt)
        for (; left > 0 && hour * hourMs <= dueAt; hour++) {
          const due = forgettable.inHour(tx, hourOf(hour * hourMs)).filter(({ at }) => at <= dueAt)
          for (const { forget } of due.slice(0, left)) forget()
          left -= Math.min(left, due.length)
        }
        // The last hour looked at may not be over, or not all done.
        openHours.set(forgettable, hour - 1)
      }
      return left > 0 ? {} : { again: [{ place, at: now }] }
    },
  }
}

function earliestHour(times: ReadonlyArray<number | undefined>, dueAt: number): number {
  const earliest = times.reduce<number>((least, time = Infinity) => Math.min(least, time), dueAt)
  return Math.floor(earliest / hourMs)
}

/** https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteTaskDefinitions.html */
function forgetTaskDefinitions(tx: Transaction): void {
  for (const { taskDefinitionArn } of tx.by('taskDefinition', 'deleting', 'all')) {
    const services = tx.by('service', 'taskDefinition', taskDefinitionArn)
    const needed =
      tx.count('task', 'taskDefinition', taskDefinitionArn) > 0 ||
      tx.count('deployment', 'taskDefinition', taskDefinitionArn) > 0 ||
      tx.count('taskSet', 'taskDefinition', taskDefinitionArn) > 0 ||
      services.some(({ status }) => status !== 'INACTIVE')
    if (needed) continue
    tx.delete('taskDefinition', taskDefinitionArn)
    tx.delete('resourceTags', taskDefinitionArn)
  }
}

/**
 * A token of RunTask is good for a day, but for an hour only after the last of its tasks has stopped: those are forgotten
 * by then. So most tokens need not be kept for long. https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
 */
function reviewToken(tx: Transaction, row: Idempotency): void {
  const { key, expiresAt, reviewAt = expiresAt, resourceArns } = row
  const stands = reviewAt < expiresAt && resourceArns.some((arn) => tx.find('task', arn))
  if (stands) tx.put('idempotency', { ...row, reviewAt: Math.min(expiresAt, reviewAt + hourMs) })
  else tx.delete('idempotency', key)
}

function forgetTask(tx: Transaction, taskArn: string): void {
  tx.delete('task', taskArn)
  tx.delete('resourceTags', taskArn)
}

function forgetService(tx: Transaction, serviceArn: string): void {
  forgetServiceHistory(tx, serviceArn)
  tx.delete('resourceTags', serviceArn)
  tx.delete('service', serviceArn)
}
