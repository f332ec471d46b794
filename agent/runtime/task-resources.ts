import { reasonLengthMax, reasonOf } from '#engine/observe.ts'
import type { Contributions } from '#engine/contribution.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import { messageOf } from './agent-error.ts'

/** Why something a task needs is not there, as it is reported. No container of the task is made. */
export class ResourceError extends Error {
  readonly reason: string
  /** `errorName` is put before the text; an empty one is not, where the official agent puts none. */
  constructor(text: string, errorName = 'ResourceInitializationError') {
    super(text)
    this.reason = errorName === '' ? text.slice(0, reasonLengthMax) : reasonOf(errorName, text)
  }
}

/** Something a task needs on its host before its containers can be made: secrets, files, a network of its own. */
export interface TaskResource {
  /** For the log. */
  readonly name: string
  isNeeded(record: TaskRecord): boolean
  /**
   * Makes it be there, and says what it adds to the containers. Called before the first container of the task is made,
   * and once more after each restart of the agent while there are containers to make; so it must be idempotent, and
   * find again by the task's ARN what an earlier run made.
   * @throws ResourceError: the task cannot be run. Anything else thrown is tried again.
   */
  provide(record: TaskRecord): Promise<Contributions>
  /** Whether what was provided still stands while containers rest on it; one that does not ends the task. */
  isIntact?(record: TaskRecord): Promise<boolean>
  /** A container of the task runs now, for the first time or again. What it throws is logged and changes nothing. */
  started?(record: TaskRecord, container: string): Promise<void>
  /** All containers of the task have stopped. Idempotent; it may never have been provided. */
  release?(record: TaskRecord): Promise<void>
}

/**
 * What the resources of one task add to its containers, asked for once and kept in memory: secrets are among it, so it
 * never gets to the disk.
 */
export class TaskResources {
  readonly #all: readonly TaskResource[]
  #provided: Promise<readonly Contributions[]> | undefined

  constructor(all: readonly TaskResource[]) {
    this.#all = all
  }

  /** @throws ResourceError; anything else may be tried again */
  provide(record: TaskRecord): Promise<readonly Contributions[]> {
    this.#provided ??= this.#provideAll(record).catch((error: unknown) => {
      this.#provided = undefined
      throw error
    })
    return this.#provided
  }

  async areIntact(record: TaskRecord): Promise<boolean> {
    for (const resource of this.#all)
      if (resource.isNeeded(record) && (await resource.isIntact?.(record)) === false) return false
    return true
  }

  async started(record: TaskRecord, container: string): Promise<void> {
    for (const resource of this.#all)
      if (resource.isNeeded(record)) await resource.started?.(record, container)
  }

  /**
   * Releases the last made first; one that fails keeps no other from being released.
   * @throws AggregateError of what failed
   */
  async release(record: TaskRecord): Promise<void> {
    this.#provided = undefined
    const failures: unknown[] = []
    for (const resource of this.#all.toReversed())
      if (resource.isNeeded(record))
        await Promise.resolve(resource.release?.(record)).catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw new AggregateError(failures, failures.map(messageOf).join('; '))
  }

  /** One after the other, in the order of the table: a later one may need what an earlier one made. */
  async #provideAll(record: TaskRecord): Promise<readonly Contributions[]> {
    const contributions: Contributions[] = []
    for (const resource of this.#all)
      if (resource.isNeeded(record)) contributions.push(await resource.provide(record))
    return contributions
  }
}
