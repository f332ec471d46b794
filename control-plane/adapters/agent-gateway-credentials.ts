import { createHmac, hash } from 'node:crypto'
import type { PayloadTask, RoleCredentials } from '@berth/agent-protocol/payload.ts'
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import { arnName } from '#domain/arn.ts'
import { parseRoleArn } from '#domain/iam/entities.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import { type RoleType, rolesOf } from '#domain/task-roles.ts'
import type { Task } from '#domain/task.ts'
import { issueSession, provideSessionKey } from '#state/session-credentials.ts'
import type { Store } from '#state/store.ts'

/** ECS's own sessions of tasks' roles last so long, whatever the role's longest session is. */
export const credentialsLifeMs = 6 * 3_600_000
/** How often an agent is sent new ones: an hour after they came they still hold for five. */
export const credentialsRefreshMs = 3_600_000
/**
 * After a start nobody remembers when an agent got its last credentials, so each connected agent gets new ones within this
 * time, spread so that a large fleet does not get them at once.
 */
const afterStartMs = 60_000

export interface CredentialsHost {
  readonly store: Store
  readonly clock: Clock
  readonly ids: Ids
}

/**
 * New credentials of a task's role. Nothing of them is stored: they are sessions that say of themselves whose they are, and
 * the id under which containers ask for them follows from the task's ARN, so it stays the same for the task's life.
 */
function credentialsOf(
  { store, clock, ids }: CredentialsHost,
  task: Task,
  roleType: RoleType,
  roleArn: string,
): RoleCredentials | undefined {
  if (!parseRoleArn(roleArn)) return undefined
  const session = issueSession(store, ids, clock, {
    accountId: task.accountId,
    roleArn,
    sessionName: arnName(task.taskArn),
    durationMs: credentialsLifeMs,
  })
  return {
    credentialsId: credentialsId(provideSessionKey(store, ids), task.taskArn, roleType),
    roleArn,
    accessKeyId: session.accessKeyId,
    secretAccessKey: session.secretAccessKey,
    sessionToken: session.sessionToken,
    expiration: new Date(session.expiresAt).toISOString().replace(/\.\d+Z$/, 'Z'),
  }
}

/** Whoever knows it gets the credentials, so it cannot be guessed without the installation's key. */
function credentialsId(key: string, taskArn: string, roleType: RoleType): string {
  const hex = createHmac('sha256', key).update(`credentials id ${roleType} ${taskArn}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  )
}

/** What a payload says of a task's roles. */
export function payloadCredentials(
  host: CredentialsHost,
  task: Task,
  definition: TaskDefinition,
): Pick<PayloadTask, 'roleCredentials' | 'executionRoleCredentials'> {
  const { TaskApplication, TaskExecution } = rolesOf(task.overrides, definition)
  const roleCredentials = TaskApplication && credentialsOf(host, task, 'TaskApplication', TaskApplication)
  const executionRoleCredentials = TaskExecution && credentialsOf(host, task, 'TaskExecution', TaskExecution)
  return {
    ...(roleCredentials && { roleCredentials }),
    ...(executionRoleCredentials && { executionRoleCredentials }),
  }
}

/** A number in [0, 1) that is the same for an instance each time, and spreads many of them evenly. */
const placeOf = (containerInstanceArn: string): number =>
  Number.parseInt(hash('sha256', containerInstanceArn).slice(0, 8), 16) / 2 ** 32

export interface SentCredentials {
  readonly taskArn: string
  readonly taskClusterArn: string
  readonly roleType: RoleType
  readonly roleCredentials: RoleCredentials
}

/** What the refresh needs of the gateway. */
export interface RefreshHost extends CredentialsHost {
  /** Whether the agent's session knows of the task, so that it can take credentials for it. */
  readonly knows: (containerInstanceArn: string, task: Task) => boolean
  readonly send: (containerInstanceArn: string, message: SentCredentials) => void
  readonly report: (containerInstanceArn: string, problem: unknown) => void
}

/**
 * Sends each connected agent new credentials for its tasks once an hour, all of an agent at once and agents apart: one
 * timer an agent, one read of the agent's own tasks. What an agent was sent when is remembered in memory only.
 */
export class CredentialRefresh {
  readonly #host: RefreshHost
  readonly #sentAt = new Map<string, number>()
  readonly #cancels = new Map<string, () => void>()

  constructor(host: RefreshHost) {
    this.#host = host
  }

  /** An agent has come. `hasNone`: its process has just started, so it has no credentials at all. */
  connected(containerInstanceArn: string, hasNone: boolean): void {
    const { clock } = this.#host
    const sentAt = this.#sentAt.get(containerInstanceArn)
    if (hasNone) this.#send(containerInstanceArn)
    else if (sentAt === undefined)
      this.#arm(containerInstanceArn, clock.now() + placeOf(containerInstanceArn) * afterStartMs)
    else this.#arm(containerInstanceArn, sentAt + credentialsRefreshMs)
  }

  disconnected(containerInstanceArn: string): void {
    this.#cancels.get(containerInstanceArn)?.()
    this.#cancels.delete(containerInstanceArn)
  }

  /** The instance is gone for good. */
  forget(containerInstanceArn: string): void {
    this.disconnected(containerInstanceArn)
    this.#sentAt.delete(containerInstanceArn)
  }

  close(): void {
    for (const cancel of this.#cancels.values()) cancel()
    this.#cancels.clear()
  }

  #arm(containerInstanceArn: string, atMs: number): void {
    this.disconnected(containerInstanceArn)
    this.#cancels.set(
      containerInstanceArn,
      this.#host.clock.at(Math.max(atMs, this.#host.clock.now()), () => this.#send(containerInstanceArn)),
    )
  }

  #send(containerInstanceArn: string): void {
    const { clock, report } = this.#host
    this.#sentAt.set(containerInstanceArn, clock.now())
    this.#arm(containerInstanceArn, clock.now() + credentialsRefreshMs)
    try {
      for (const message of this.#messages(containerInstanceArn))
        this.#host.send(containerInstanceArn, message)
    } catch (error) {
      report(containerInstanceArn, error)
    }
  }

  #messages(containerInstanceArn: string): readonly SentCredentials[] {
    const { store, knows } = this.#host
    return store.by('task', 'containerInstance', containerInstanceArn).flatMap((task) => {
      const definition = store.find('taskDefinition', task.taskDefinitionArn)
      if (!definition || task.lastStatus === 'STOPPED' || !knows(containerInstanceArn, task)) return []
      return Object.entries(rolesOf(task.overrides, definition)).flatMap(([type, role]) => {
        const roleType = type as RoleType
        const roleCredentials = credentialsOf(this.#host, task, roleType, role)
        const { taskArn, clusterArn: taskClusterArn } = task
        return roleCredentials ? [{ taskArn, taskClusterArn, roleType, roleCredentials }] : []
      })
    })
  }
}
