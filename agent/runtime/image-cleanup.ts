import { type ImageUse, imagesKey, Saver } from './agent-state.ts'
import { messageOf } from './agent-error.ts'
import type { AgentConfig, AgentDependencies } from './ports.ts'
import type { Timers } from './timers.ts'

/** What must not be removed, asked for anew before each removal. */
export type Needed = () => ReadonlySet<string>

/**
 * Knows which images this agent pulled and when each was last needed, and removes those long unneeded: a few at each
 * sweep by age, and, where the disk is fuller than it may be, as many as it takes. An image that a task has, or is
 * about to get, is never removed.
 */
export class ImageCleanup {
  readonly #dependencies: AgentDependencies
  readonly #config: AgentConfig
  readonly #timers: Timers
  readonly #needed: Needed
  readonly #saver: Saver<ImageUse>
  readonly #removing = new Map<string, Promise<void>>()
  #use: ImageUse

  constructor(
    dependencies: AgentDependencies,
    config: AgentConfig,
    timers: Timers,
    use: ImageUse,
    needed: Needed,
  ) {
    this.#dependencies = dependencies
    this.#config = config
    this.#timers = timers
    this.#needed = needed
    this.#use = use
    this.#saver = new Saver(
      () => this.#use,
      (value) => dependencies.disk.save(imagesKey, value),
    )
  }

  /** Whether this agent pulled the image for a task and has not removed it since. */
  wasPulled(image: string): boolean {
    return this.#use[image] !== undefined
  }

  /** A full disk costs the memory of it, not the task. */
  async notePull(image: string): Promise<void> {
    if (this.wasPulled(image)) return
    this.#use = { ...this.#use, [image]: this.#timers.now() }
    await this.#save()
  }

  /** Remembers that an image is needed no longer than until now. */
  release(image: string): void {
    if (this.wasPulled(image)) this.#use = { ...this.#use, [image]: this.#timers.now() }
  }

  /** Resolves when no removal of the image is under way: what is seen of it from then on stays. */
  async removalOver(image: string): Promise<void> {
    await this.#removing.get(image)
  }

  /** By age, and then as many more as the limit of the disk asks for. */
  async sweep(): Promise<void> {
    const cleanup = this.#removable()
    if (!cleanup) return
    for (const image of this.#needed()) this.release(image)
    const now = this.#timers.now()
    const old = this.#unneeded().filter(([, usedAt]) => now - usedAt >= cleanup.minimumAgeMs)
    let left = cleanup.imagesPerCycle
    for (const [image] of old) if (left > 0 && (await this.#remove(image))) left--
    if (left > 0 && cleanup.untracked) await this.#sweepUntracked(cleanup.untracked, left)
    for (const [image] of this.#unneeded()) {
      if (!(await this.#isDiskFull(cleanup.diskUsedPercentMax))) break
      this.#dependencies.log('warn', 'the disk is nearly full: an image goes before its time', { image })
      await this.#remove(image)
    }
    await this.#save()
  }

  /** The disk is full: every image that is not needed goes. */
  async makeRoom(): Promise<void> {
    if (!this.#removable()) return
    this.#dependencies.log('warn', 'the disk is full: all unneeded images go')
    for (const [image] of this.#unneeded()) await this.#remove(image)
    await this.#save()
  }

  /** With prefer-cached an image at hand may be the only one there will ever be, so none is removed. */
  #removable(): AgentConfig['imageCleanup'] {
    return this.#config.imagePullBehavior === 'prefer-cached' ? undefined : this.#config.imageCleanup
  }

  /** The longest unneeded first. */
  #unneeded(): ReadonlyArray<readonly [string, number]> {
    const needed = this.#needed()
    return Object.entries(this.#use)
      .filter(([image]) => !needed.has(image))
      .toSorted(([, one], [, other]) => one - other)
  }

  /** Images that no task of this agent ever had, where ECS_ENABLE_UNTRACKED_IMAGE_CLEANUP asks for it. */
  async #sweepUntracked(
    { minimumAgeMs, excluded }: { readonly minimumAgeMs: number; readonly excluded: readonly string[] },
    count: number,
  ): Promise<void> {
    const kept = new Set(excluded)
    let left = count
    for (const { references, createdAt } of await this.#dependencies.runtime.listImages()) {
      if (left <= 0) return
      if (this.#timers.now() - createdAt < minimumAgeMs) continue
      if (references.some((reference) => kept.has(reference) || this.wasPulled(reference))) continue
      for (const reference of references) if (await this.#remove(reference)) left--
    }
  }

  async #isDiskFull(usedPercentMax: number): Promise<boolean> {
    if (usedPercentMax <= 0) return false
    const room = await this.#dependencies.runtime.imageStorage()
    return room !== undefined && (1 - room.freeBytes / room.totalBytes) * 100 > usedPercentMax
  }

  async #remove(image: string): Promise<boolean> {
    if (this.#needed().has(image)) return false
    const removing = this.#dependencies.runtime.removeImage(image)
    this.#removing.set(
      image,
      removing.catch(() => undefined),
    )
    try {
      await removing
    } catch (error) {
      this.#dependencies.log('info', 'unused image not removed', { image, error: messageOf(error) })
      return false
    } finally {
      this.#removing.delete(image)
    }
    const { [image]: _removed, ...rest } = this.#use
    this.#use = rest
    return true
  }

  async #save(): Promise<void> {
    await this.#saver
      .save()
      .catch((error: unknown) =>
        this.#dependencies.log('error', 'use of images not saved', { error: messageOf(error) }),
      )
  }
}
