import type { RoleCredentials } from '@berth/agent-protocol/acs.ts'
import type { Clock } from '@berth/std/clock.ts'

/** The role a task's containers act as, or the one its agent acts as for it: to pull images, read secrets, write logs. */
export type RoleKind = 'task' | 'execution'

export interface HeldCredentials {
  readonly taskArn: string
  readonly kind: RoleKind
  readonly credentials: RoleCredentials
}

/** After a restart of the agent the control plane sends all credentials at once; this is ample for it to come back. */
const waitMs = 60_000

/** The credentials of a task did not come in time. Asking again is right: the control plane may be away. */
export class CredentialsMissing extends Error {}

/**
 * The credentials of all tasks of this agent. They are kept in memory only: a disk would outlive them, and the control
 * plane sends them anew after each restart and well before they expire.
 */
export class TaskCredentials {
  readonly #clock: Clock
  readonly #byId = new Map<string, HeldCredentials>()
  readonly #idsOf = new Map<string, Map<RoleKind, string>>()
  readonly #waiting = new Map<string, Set<(held: RoleCredentials) => void>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Takes what the control plane sent; newer credentials take the place of older ones. */
  keep(taskArn: string, kind: RoleKind, credentials: RoleCredentials): void {
    const ids = this.#idsOf.get(taskArn) ?? new Map<RoleKind, string>()
    const older = ids.get(kind)
    if (older !== undefined) this.#byId.delete(older)
    this.#idsOf.set(taskArn, ids.set(kind, credentials.credentialsId))
    this.#byId.set(credentials.credentialsId, { taskArn, kind, credentials })
    const key = waitKey(taskArn, kind)
    for (const resolve of this.#waiting.get(key) ?? []) resolve(credentials)
    this.#waiting.delete(key)
  }

  find(credentialsId: string): HeldCredentials | undefined {
    return this.#byId.get(credentialsId)
  }

  held(taskArn: string, kind: RoleKind): RoleCredentials | undefined {
    const id = this.#idsOf.get(taskArn)?.get(kind)
    return id === undefined ? undefined : this.#byId.get(id)?.credentials
  }

  /**
   * The task's present credentials, once the first have come. Ask anew for each use: they are replaced before they
   * expire. Whether a task has such a role at all its record says (`credentialsId`, `executionCredentialsId`).
   * @throws CredentialsMissing when none came within a minute
   */
  credentialsFor(taskArn: string, kind: RoleKind): Promise<RoleCredentials> {
    const held = this.held(taskArn, kind)
    if (held) return Promise.resolve(held)
    const key = waitKey(taskArn, kind)
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(key) ?? new Set()
      this.#waiting.set(key, waiting)
      const cancel = this.#clock.at(this.#clock.now() + waitMs, () => {
        waiting.delete(settle)
        reject(new CredentialsMissing(`the credentials of the ${kind} role of ${taskArn} have not come yet`))
      })
      const settle = (credentials: RoleCredentials): void => {
        cancel()
        resolve(credentials)
      }
      waiting.add(settle)
    })
  }

  /** The task is forgotten, and its credentials with it. */
  forget(taskArn: string): void {
    for (const id of this.#idsOf.get(taskArn)?.values() ?? []) this.#byId.delete(id)
    this.#idsOf.delete(taskArn)
  }
}

const waitKey = (taskArn: string, kind: RoleKind): string => `${kind} ${taskArn}`
