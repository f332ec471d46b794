import type { TaskRecord } from '#engine/task-record.ts'
import type { AgentDisk } from './ports.ts'

/** Who this agent is to the control plane, kept over restarts. */
export interface AgentIdentity {
  readonly schemaVersion: 1
  readonly cluster: string
  readonly containerInstanceArn: string
  /** The EC2 instance it registered on; a copy of the disk on another one starts anew. Empty off EC2. */
  readonly ec2InstanceId: string
  /** The highest task manifest seen: an older one is stale. */
  readonly timeline: number
}

/** A first registration that was asked for and may have been answered. */
export interface PendingRegistration {
  readonly schemaVersion: 1
  readonly clientToken: string
  /** A copy of the disk on another instance is another registration. */
  readonly ec2InstanceId: string
}

/** Tasks whose containers another agent made and that this one has not taken over yet, by ARN. */
export interface AwaitedTasks {
  readonly schemaVersion: 1
  readonly tasks: readonly string[]
}

/** When each image this agent pulled was last needed, in milliseconds since the epoch, by reference. */
export type ImageUse = Readonly<Record<string, number>>

export const identityKey = 'agent'
export const registrationKey = 'registration'
export const imagesKey = 'images'
export const awaitedKey = 'awaited'
const taskPrefix = 'task-'
/** Task ids are unique by themselves, so the last segment of the ARN is enough. */
export const taskKey = (taskArn: string): string =>
  `${taskPrefix}${taskArn.slice(taskArn.lastIndexOf('/') + 1)}`

export interface SavedState {
  readonly identity?: AgentIdentity
  readonly registration?: PendingRegistration
  readonly awaited?: AwaitedTasks
  readonly images: ImageUse
  readonly tasks: readonly TaskRecord[]
}

/**
 * What a former run of the agent left.
 * @throws when it was written by a version of the agent this one does not know
 */
export async function loadState(disk: AgentDisk): Promise<SavedState> {
  const values = await disk.load()
  const tasks: TaskRecord[] = []
  for (const [key, value] of values)
    if (key.startsWith(taskPrefix)) tasks.push(current(key, value as TaskRecord))
  const identity = values.get(identityKey) as AgentIdentity | undefined
  const registration = values.get(registrationKey) as PendingRegistration | undefined
  const awaited = values.get(awaitedKey) as AwaitedTasks | undefined
  return {
    ...(identity && { identity: current(identityKey, identity) }),
    ...(registration && { registration: current(registrationKey, registration) }),
    ...(awaited && { awaited: current(awaitedKey, awaited) }),
    images: (values.get(imagesKey) as ImageUse | undefined) ?? {},
    tasks,
  }
}

function current<T extends { readonly schemaVersion: number }>(key: string, value: T): T {
  if (value.schemaVersion !== 1)
    throw new Error(`${key} was written by another version of the agent (schema ${value.schemaVersion})`)
  return value
}

/** Saves one value at a time, and of many changes made meanwhile only the last. */
export class Saver<T> {
  readonly #write: (value: T) => Promise<void>
  readonly #read: () => T
  #writing: Promise<void> | undefined
  #next: Promise<void> | undefined
  #saved: T | undefined

  constructor(read: () => T, write: (value: T) => Promise<void>) {
    this.#read = read
    this.#write = write
  }

  /** Resolves when the value as it is now, or a later one, is on disk; rejects when it could not be written. */
  save(): Promise<void> {
    if (this.#next) return this.#next
    if (!this.#writing) return this.#start()
    this.#next = this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.#start()
      })
    return this.#next
  }

  #start(): Promise<void> {
    const value = this.#read()
    if (value === this.#saved) return Promise.resolve()
    const writing = this.#write(value).then(
      () => {
        this.#saved = value
        if (this.#writing === writing) this.#writing = undefined
      },
      (error: unknown) => {
        if (this.#writing === writing) this.#writing = undefined
        throw error
      },
    )
    this.#writing = writing
    return writing
  }
}

/** The instance id in an identity document; empty when there is no document. */
export function ec2InstanceId(identityDocument: string): string {
  if (!identityDocument) return ''
  const document = JSON.parse(identityDocument) as { readonly instanceId?: string }
  return document.instanceId ?? ''
}
