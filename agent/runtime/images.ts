import type { PayloadContainer } from '@berth/agent-protocol/acs.ts'
import { reasonOf } from '#engine/observe.ts'
import { messageOf } from './agent-error.ts'
import type { ImageUse } from './agent-state.ts'
import {
  type ImageDetail,
  type PullProgress,
  type RegistryCredentials,
  RuntimeError,
} from './container-runtime.ts'
import { ImageCleanup, type Needed } from './image-cleanup.ts'
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

const attemptsMax = 3
const progressLogMs = 30_000
/** A token is not used in the last minutes of its life. */
const loginMarginMs = 10 * 60_000

/** A pull under way. */
export interface PullInProgress extends PullProgress {
  readonly image: string
  readonly startedAt: number
}

/** How to sign in to ECR, and for which task. */
interface TaskAuth extends EcrAuthData {
  readonly taskArn: string
}

/** Gets images, each once at a time however many containers want it, and removes those long unneeded. */
export class Images {
  readonly #dependencies: AgentDependencies
  readonly #config: AgentConfig
  readonly #timers: Timers
  readonly #pulling = new Map<string, Promise<PulledImage>>()
  readonly #logins = new Map<string, RegistryCredentials & { readonly expiresAt: number }>()
  readonly #turnstile: Turnstile
  readonly #progress = new Map<string, PullInProgress>()
  readonly #cleanup: ImageCleanup

  /** `needed` names the images that tasks have or are about to get. */
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
    this.#turnstile = new Turnstile(config.imagePullsAtOnceMax)
    this.#cleanup = new ImageCleanup(dependencies, config, timers, use, needed)
  }

  /** The pulls under way, and how far each has come. */
  pulls(): readonly PullInProgress[] {
    return [...this.#progress.values()]
  }

  /**
   * Makes a container's image be here, by ECS_IMAGE_PULL_BEHAVIOR.
   * `signIn` gives the credentials of a private registry.
   * @throws ImageError when it cannot be had; RuntimeError `unreachable` when nobody knows; whatever `signIn` throws
   */
  get(
    container: PayloadContainer,
    taskArn: string,
    signIn?: () => Promise<RegistryCredentials>,
  ): Promise<PulledImage> {
    const { image } = container
    const auth = container.registryAuthentication?.ecrAuthData
    // What a private registry is signed in to with is the task's own.
    const key = JSON.stringify([image, auth, signIn && taskArn])
    let pulling = this.#pulling.get(key)
    if (!pulling) {
      pulling = this.#turnstile
        .through(() => this.#get(image, auth && { ...auth, taskArn }, signIn))
        .finally(() => this.#pulling.delete(key))
      this.#pulling.set(key, pulling)
    }
    return pulling
  }

  /** Remembers that an image is needed no longer than until now. */
  release(image: string): void {
    this.#cleanup.release(image)
  }

  async #get(
    image: string,
    auth: TaskAuth | undefined,
    signIn: (() => Promise<RegistryCredentials>) | undefined,
  ): Promise<PulledImage> {
    const { runtime } = this.#dependencies
    const behavior = this.#config.imagePullBehavior
    await this.#cleanup.removalOver(image)
    const mayReuse = behavior === 'prefer-cached' || (behavior === 'once' && this.#cleanup.wasPulled(image))
    const cached = behavior === 'always' ? undefined : await runtime.inspectImage(image)
    if (cached && mayReuse) return cached
    const given = await signIn?.()
    const pullStartedAt = this.#timers.now()
    const failure = await this.#pull(image, { auth, given }, cached ? 1 : attemptsMax)
    const pullStoppedAt = this.#timers.now()
    const detail = await runtime.inspectImage(image)
    if (failure && (behavior === 'always' || !detail)) throw failure
    if (failure)
      this.#dependencies.log('warn', 'image not pulled, the one at hand is used', {
        image,
        error: failure.message,
      })
    else await this.#cleanup.notePull(image)
    return { ...detail, pullStartedAt, pullStoppedAt }
  }

  async #pull(
    image: string,
    { auth, given }: { readonly auth: TaskAuth | undefined; readonly given: RegistryCredentials | undefined },
    attempts: number,
  ): Promise<ImageError | undefined> {
    let failure: ImageError | undefined
    for (let attempt = 1; attempt <= attempts && !this.#timers.ended; attempt++) {
      try {
        const credentials = given ?? (auth && (await this.#login(auth)))
        await this.#watched(image, credentials)
        return undefined
      } catch (error) {
        if (error instanceof RuntimeError && error.failure === 'unreachable') throw error
        failure =
          error instanceof ImageError
            ? error
            : new ImageError('CannotPullContainerError', augmented(messageOf(error)))
        if (auth) this.#logins.delete(this.#loginKey(auth))
        const final = error instanceof RuntimeError && error.failure !== 'refused'
        if (final || attempt === attempts) break
        if (failure.message.includes('no space left on device')) await this.#cleanup.makeRoom()
        await this.#timers.sleep(1000 * 2 ** (attempt - 1))
      }
    }
    return failure
  }

  async #login(auth: TaskAuth): Promise<RegistryCredentials> {
    const { taskArn, ...ecr } = auth
    try {
      const role = ecr.useExecutionRole
        ? await this.#dependencies.credentials?.credentialsFor(taskArn, 'execution')
        : undefined
      const key = this.#loginKey(auth)
      const known = this.#logins.get(key)
      if (known && known.expiresAt - loginMarginMs > this.#timers.now()) return known
      const login = await this.#dependencies.login(ecr, role)
      this.#logins.set(key, login)
      return login
    } catch (error) {
      throw new ImageError('CannotPullECRContainerError', messageOf(error))
    }
  }

  /** Tasks of the same role share a login. */
  #loginKey({ taskArn, ...ecr }: TaskAuth): string {
    const role = ecr.useExecutionRole ? this.#dependencies.credentials?.held(taskArn, 'execution') : undefined
    return JSON.stringify([ecr, role?.roleArn])
  }

  async #watched(image: string, credentials: RegistryCredentials | undefined): Promise<void> {
    const startedAt = this.#timers.now()
    let loggedAt = startedAt
    this.#progress.set(image, { image, startedAt, layers: 0, layersDone: 0, bytes: 0, bytesTotal: 0 })
    try {
      await this.#dependencies.runtime.pull(image, credentials, {
        silenceMsMax: this.#config.imagePullInactivityMs,
        onProgress: (progress) => {
          this.#progress.set(image, { image, startedAt, ...progress })
          if (this.#timers.now() - loggedAt < progressLogMs) return
          loggedAt = this.#timers.now()
          this.#dependencies.log('info', 'image is being pulled', { image, ...progress })
        },
      })
    } finally {
      this.#progress.delete(image)
    }
  }

  /** Removes images long unneeded; see ImageCleanup. */
  sweep(): Promise<void> {
    return this.#cleanup.sweep()
  }
}

/**
 * What AWS's agent puts before three of Docker's errors. The rest of the reason is Docker's own text.
 */
const advice: ReadonlyArray<readonly [RegExp, string]> = [
  [
    /denied: User: .+ is not authorized to perform: ecr:BatchGetImage/,
    'The task can’t pull the image. Check that the role has the permissions to pull images from the registry.',
  ],
  [
    /denied: requested access to the resource is denied/,
    'The task can’t pull the image. Check whether the image exists.',
  ],
  [
    /request canceled while waiting for connection/,
    'The task can’t pull the image. Check your network configuration.',
  ],
]

function augmented(text: string): string {
  const found = advice.find(([pattern]) => pattern.test(text))
  return found ? `${found[1]} ${text}` : text
}
