import type { CreateBody } from '#engine/container-spec.ts'
import type { HostPort } from '#engine/host-ports.ts'
import type { NetworkUse, UsageSample } from '#engine/metrics.ts'

export type { CreateBody } from '#engine/container-spec.ts'
/** What a container has used since it started, at a moment. */
export type ContainerStats = UsageSample

/** Why a container runtime could not do as told. `unreachable`: nobody knows whether it was done; ask again later. */
export type RuntimeFailure = 'unreachable' | 'notFound' | 'conflict' | 'refused' | 'unauthorized'

export class RuntimeError extends Error {
  readonly failure: RuntimeFailure
  constructor(failure: RuntimeFailure, message: string) {
    super(message)
    this.name = 'RuntimeError'
    this.failure = failure
  }
}

export interface ContainerDetail {
  readonly id: string
  /** Without a leading slash. */
  readonly name: string
  readonly image: string
  readonly imageId: string
  readonly labels: Readonly<Record<string, string>>
  /** `created` has never been started; `exited` and `dead` have ended. */
  readonly status: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'
  /** Of its first process, while it runs. */
  readonly pid?: number
  readonly exitCode: number
  readonly oomKilled: boolean
  /** The runtime's own error text, such as why a start failed; empty when there is none. */
  readonly error: string
  /** Milliseconds since the epoch; absent when it has not happened. */
  readonly createdAt?: number
  readonly startedAt?: number
  readonly finishedAt?: number
  readonly health?: {
    readonly status: 'starting' | 'healthy' | 'unhealthy'
    readonly output: string
    readonly exitCode: number
  }
  /** `NAME=value`; the image's own among them. */
  readonly environment?: readonly string[]
  readonly publishedPorts?: readonly HostPort[]
  readonly networks?: ReadonlyArray<{ readonly name: string; readonly ipv4Address: string }>
  readonly mounts?: ReadonlyArray<{
    readonly name?: string
    readonly source: string
    readonly destination: string
  }>
}

export interface ListedContainer {
  readonly id: string
  /** Without a leading slash. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly running: boolean
}

export interface ImageDetail {
  readonly id: string
  /** `sha256:…` of the manifest, when the image came from a registry. */
  readonly digest?: string
}

/** How far a pull has come; bytes are those of layers that are being downloaded or are here. */
export interface PullProgress {
  readonly layers: number
  readonly layersDone: number
  readonly bytes: number
  readonly bytesTotal: number
}

export interface PullWatch {
  /** The longest time without any news of the pull before it is given up. */
  readonly silenceMsMax: number
  readonly onProgress: (progress: PullProgress) => void
}

export interface ListedImage {
  readonly id: string
  readonly references: readonly string[]
  readonly createdAt: number
}

export interface RegistryCredentials {
  readonly username: string
  readonly password: string
}

export interface VolumeSpec {
  readonly name: string
  readonly driver?: string
  readonly driverOpts?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
}

/** Something happened to a container. It is a hint to look, never a state: events are lost and come twice. */
export interface ContainerEvent {
  readonly id: string
  readonly name: string
  readonly action: 'start' | 'die' | 'health' | 'destroy'
  /** With `die`. */
  readonly exitCode?: number
}

export interface RuntimeWatcher {
  /** The stream of events stands, from this moment on; called again after each loss. */
  readonly onUp: () => void
  readonly onDown: () => void
  readonly onEvent: (event: ContainerEvent) => void
}

/** The Docker Engine, as far as the agent needs it. Every call throws `RuntimeError` and nothing else. */
export interface ContainerRuntime {
  /** The daemon's version and the newest API version it speaks (`1.41`). */
  version(): Promise<{
    readonly version: string
    readonly apiVersion: string
    readonly apiVersionMin: string
  }>
  pull(image: string, credentials?: RegistryCredentials, watch?: PullWatch): Promise<void>
  inspectImage(image: string): Promise<ImageDetail | undefined>
  /** Idempotent; an image in use is a `conflict`. */
  removeImage(image: string): Promise<void>
  listImages(): Promise<readonly ListedImage[]>
  /** The disk that images are on; undefined when that is another machine's. */
  imageStorage(): Promise<{ readonly totalBytes: number; readonly freeBytes: number } | undefined>
  /** The new container's id. A name in use is a `conflict`. */
  create(name: string, body: CreateBody): Promise<string>
  /** A container that runs already is fine. */
  start(id: string): Promise<void>
  /** Resolves when it no longer runs: its stop signal first, SIGKILL after `timeoutSeconds`. */
  stop(id: string, timeoutSeconds: number): Promise<void>
  /** Removes it with its anonymous volumes, killing it first if needed; one that is gone is fine. */
  remove(id: string): Promise<void>
  /** By id or name. */
  inspect(idOrName: string): Promise<ContainerDetail | undefined>
  /** All containers with that label, whatever their state. */
  list(label: string): Promise<readonly ListedContainer[]>
  stats(id: string): Promise<ContainerStats | undefined>
  /** What went over a running container's network, its loopback left out, where the runtime did not make that itself. */
  networkUse(idOrName: string): Promise<NetworkUse | undefined>
  /** A volume that exists already is fine. */
  createVolume(volume: VolumeSpec): Promise<void>
  hasVolume(name: string): Promise<boolean>
  removeVolume(name: string): Promise<void>
  /** Watches all containers until the returned function is called, connecting again by itself after each loss. */
  watch(watcher: RuntimeWatcher): () => void
}
