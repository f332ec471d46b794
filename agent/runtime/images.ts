import type { PayloadContainer } from '@berth/agent-protocol/acs.ts'
import { reasonOf } from '#engine/observe.ts'
import { type ImageUse, imagesKey, Saver } from './agent-state.ts'
import { type ImageDetail, type RegistryCredentials, RuntimeError } from './container-runtime.ts'
import type { AgentConfig, AgentDependencies, EcrAuthData } from './ports.ts'
import { type Timers, Turnstile } from './timers.ts'

/** Why a container has no image, as it is reported. */
export class ImageError extends Error {
  readonly reason: string
  constructor(errorName: string, text: string) {
    super(text)
    this.reason = reasonOf(errorName, text)
  }
}

/** An image that is here now, and when its pull began and ended if there was one. */
export interface PulledImage extends Partial<ImageDetail> {
  readonly pullStartedAt?: number
  readonly pullStoppedAt?: number
}

const pullsAtOnceMax = 4
const attemptsMax = 3
/** A token is not used in the last minutes of its life. */
const loginMarginMs = 10 * 60_000

/** Gets images, each once at a time however many containers want it, and removes those long unneeded. */
export class Images {
  readonly #dependencies: AgentDependencies
  readonly #config: AgentConfig
  readonly #timers: Timers
  readonly #pulling = new Map<string, Promise<PulledImage>>()
  readonly #logins = new Map<string, RegistryCredentials & { readonly expiresAt: number }>()
  readonly #turnstile = new Turnstile(pullsAtOnceMax)
  readonly #saver: Saver<ImageUse>
  #use: ImageUse

  constructor(dependencies: AgentDependencies, config: AgentConfig, timers: Timers, use: ImageUse) {
    this.#dependencies = dependencies
    this.#config = config
    this.#timers = timers
    this.#use = use
    this.#saver = new Saver(
      () => this.#use,
      (value) => dependencies.disk.save(imagesKey, value),
    )
  }

  /**
   * Makes a container's image be here, by ECS_IMAGE_PULL_BEHAVIOR.
   * @throws ImageError when it cannot be had; RuntimeError `unreachable` when nobody knows
   */
  get(container: PayloadContainer): Promise<PulledImage> {
    const { image } = container
    const auth = container.registryAuthentication?.ecrAuthData
    const key = JSON.stringify([image, auth])
    let pulling = this.#pulling.get(key)
    if (!pulling) {
      pulling = this.#turnstile.through(() => this.#get(image, auth)).finally(() => this.#pulling.delete(key))
      this.#pulling.set(key, pulling)
    }
    return pulling
  }

  /** Remembers that an image is needed no longer than until now. */
  release(image: string): void {
    if (this.#use[image] !== undefined) this.#use = { ...this.#use, [image]: this.#timers.now() }
  }

  async #get(image: string, auth: EcrAuthData | undefined): Promise<PulledImage> {
    const { runtime } = this.#dependencies
    const behavior = this.#config.imagePullBehavior
    const mayReuse = behavior === 'prefer-cached' || (behavior === 'once' && this.#use[image] !== undefined)
    const cached = behavior === 'always' ? undefined : await runtime.inspectImage(image)
    if (cached && mayReuse) return cached
    const pullStartedAt = this.#timers.now()
    const failure = await this.#pull(image, auth, cached ? 1 : attemptsMax)
    const pullStoppedAt = this.#timers.now()
    const detail = await runtime.inspectImage(image)
    if (failure && (behavior === 'always' || !detail)) throw failure
    if (failure)
      this.#dependencies.log('warn', 'image not pulled, the one at hand is used', {
        image,
        error: failure.message,
      })
    else if (this.#use[image] === undefined && this.#config.imageCleanup) {
      this.#use = { ...this.#use, [image]: pullStoppedAt }
      await this.#saver.save()
    }
    return { ...detail, pullStartedAt, pullStoppedAt }
  }

  async #pull(
    image: string,
    auth: EcrAuthData | undefined,
    attempts: number,
  ): Promise<ImageError | undefined> {
    let failure: ImageError | undefined
    for (let attempt = 1; attempt <= attempts && !this.#timers.ended; attempt++) {
      try {
        const credentials = auth && (await this.#login(auth))
        await this.#dependencies.runtime.pull(image, credentials)
        return undefined
      } catch (error) {
        if (error instanceof RuntimeError && error.failure === 'unreachable') throw error
        failure =
          error instanceof ImageError ? error : new ImageError('CannotPullContainerError', messageOf(error))
        if (auth) this.#logins.delete(JSON.stringify(auth))
        const final = error instanceof RuntimeError && error.failure !== 'refused'
        if (final || attempt === attempts) break
        await this.#timers.sleep(1000 * 2 ** (attempt - 1))
      }
    }
    return failure
  }

  async #login(auth: EcrAuthData): Promise<RegistryCredentials> {
    const key = JSON.stringify(auth)
    const known = this.#logins.get(key)
    if (known && known.expiresAt - loginMarginMs > this.#timers.now()) return known
    try {
      const login = await this.#dependencies.login(auth)
      this.#logins.set(key, login)
      return login
    } catch (error) {
      throw new ImageError('CannotPullECRContainerError', messageOf(error))
    }
  }

  /** Removes images pulled by this agent that no task has needed for long, the longest unneeded first. */
  async sweep(needed: ReadonlySet<string>): Promise<void> {
    const cleanup = this.#config.imageCleanup
    if (!cleanup) return
    for (const image of needed) this.release(image)
    const now = this.#timers.now()
    const old = Object.entries(this.#use)
      .filter(([image, usedAt]) => !needed.has(image) && now - usedAt >= cleanup.minimumAgeMs)
      .toSorted(([, one], [, other]) => one - other)
      .slice(0, cleanup.imagesPerCycle)
    for (const [image] of old) {
      if (this.#pulling.size > 0) break
      try {
        await this.#dependencies.runtime.removeImage(image)
      } catch (error) {
        this.#dependencies.log('info', 'unused image not removed', { image, error: messageOf(error) })
        continue
      }
      const { [image]: _removed, ...rest } = this.#use
      this.#use = rest
    }
    await this.#saver.save()
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
