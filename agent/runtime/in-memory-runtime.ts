import type { Clock } from '@berth/std/clock.ts'
import { type Ids } from '@berth/std/id.ts'
import type { NetworkUse } from '#engine/metrics.ts'
import {
  type ContainerDetail,
  type ContainerEvent,
  type ContainerRuntime,
  type ContainerStats,
  type CreateBody,
  type ImageDetail,
  type ListedContainer,
  type ListedImage,
  type PullWatch,
  type RegistryCredentials,
  RuntimeError,
  type RuntimeWatcher,
  type VolumeSpec,
} from './container-runtime.ts'

/** What an image takes of the disk here. */
export const imageBytes = 100

export type RuntimeCall =
  | 'version'
  | 'pull'
  | 'inspectImage'
  | 'removeImage'
  | 'listImages'
  | 'list'
  | 'create'
  | 'start'
  | 'stop'
  | 'remove'
  | 'inspect'
  | 'stats'
  | 'createVolume'
  | 'hasVolume'
  | 'removeVolume'

/** Called before a call takes effect (`before`) and after it did but was not answered yet (`after`); may throw or wait. */
type RuntimeFault = (call: RuntimeCall, moment: 'before' | 'after', subject: string) => Promise<void> | void

export interface InMemoryRuntimeOptions {
  readonly clock: Clock
  readonly ids: Ids
  /** How much room for images there is, each of them taking `imageBytes`. */
  readonly diskBytes?: number
  /** Whether a registry has the image; all images by default. */
  readonly hasImage?: (image: string) => boolean
  readonly fault?: RuntimeFault
  /** What a container does once started; it runs until stopped by default. */
  readonly program?: (container: StoredContainer, runtime: InMemoryRuntime) => void
}

export interface StoredContainer extends ContainerDetail {
  readonly body: CreateBody
  /** How often it was started. */
  readonly starts: number
}

/**
 * A container runtime without containers: it outlives the agents that use it, counts what was done to each container
 * and fails as told. The simulator and the agent's tests run on it.
 */
export class InMemoryRuntime implements ContainerRuntime {
  readonly containers = new Map<string, StoredContainer>()
  readonly images = new Map<string, ImageDetail>()
  readonly volumes = new Map<string, VolumeSpec>()
  /** How often a container of each name was started, removed ones too. */
  readonly starts = new Map<string, number>()
  /** How often each image was pulled. */
  readonly pulls = new Map<string, number>()
  readonly #options: InMemoryRuntimeOptions
  readonly #byName = new Map<string, string>()
  readonly #watchers = new Set<RuntimeWatcher>()
  #up = true

  constructor(options: InMemoryRuntimeOptions) {
    this.#options = options
  }

  get isUp(): boolean {
    return this.#up
  }

  version(): Promise<{ version: string; apiVersion: string; apiVersionMin: string }> {
    const version = { version: '20.10.24', apiVersion: '1.41', apiVersionMin: '1.12' }
    return this.#call('version', '', () => version)
  }

  pull(image: string, _credentials?: RegistryCredentials, watch?: PullWatch): Promise<void> {
    return this.#call('pull', image, () => {
      watch?.onProgress({ layers: 1, layersDone: 0, bytes: 0, bytesTotal: 1024 })
      if (this.#options.hasImage?.(image) === false)
        throw new RuntimeError('notFound', `Error response from daemon: manifest for ${image} not found`)
      this.pulls.set(image, (this.pulls.get(image) ?? 0) + 1)
      if (this.images.has(image)) return
      if ((this.images.size + 1) * imageBytes > (this.#options.diskBytes ?? Infinity))
        throw new RuntimeError('refused', 'write /var/lib/docker/tmp/layer: no space left on device')
      const hex = Array.from(image, (letter) => letter.charCodeAt(0).toString(16))
        .join('')
        .padEnd(64, '0')
      this.images.set(image, { id: `sha256:${hex.slice(0, 64)}`, digest: `sha256:${hex.slice(-64)}` })
    })
  }

  inspectImage(image: string): Promise<ImageDetail | undefined> {
    return this.#call('inspectImage', image, () => this.images.get(image))
  }

  removeImage(image: string): Promise<void> {
    return this.#call('removeImage', image, () => {
      if ([...this.containers.values()].some((container) => container.image === image))
        throw new RuntimeError('conflict', 'Error response from daemon: the image is being used')
      this.images.delete(image)
    })
  }

  listImages(): Promise<readonly ListedImage[]> {
    return this.#call('listImages', '', () =>
      [...this.images].map(([reference, { id }]) => ({ id, references: [reference], createdAt: 0 })),
    )
  }

  imageStorage(): Promise<{ totalBytes: number; freeBytes: number } | undefined> {
    const { diskBytes } = this.#options
    if (diskBytes === undefined) return Promise.resolve(undefined)
    return Promise.resolve({
      totalBytes: diskBytes,
      freeBytes: Math.max(0, diskBytes - this.images.size * imageBytes),
    })
  }

  create(name: string, body: CreateBody): Promise<string> {
    return this.#call('create', name, () => {
      if (this.#byName.has(name))
        throw new RuntimeError('conflict', `Error response from daemon: the name ${name} is already in use`)
      const image = this.images.get(body.Image)
      if (!image)
        throw new RuntimeError('notFound', `Error response from daemon: No such image: ${body.Image}`)
      const id = this.#options.ids.hex(64)
      this.#byName.set(name, id)
      this.containers.set(id, {
        id,
        name,
        body,
        image: body.Image,
        imageId: image.id,
        labels: body.Labels,
        status: 'created',
        exitCode: 0,
        oomKilled: false,
        error: '',
        createdAt: this.#options.clock.now(),
        starts: 0,
      })
      return id
    })
  }

  start(id: string): Promise<void> {
    return this.#call('start', id, () => {
      const container = this.#get(id)
      if (container.status === 'running') return
      const { finishedAt: _gone, ...rest } = container
      const started: StoredContainer = {
        ...rest,
        status: 'running',
        startedAt: this.#options.clock.now(),
        starts: container.starts + 1,
      }
      this.containers.set(container.id, started)
      this.starts.set(container.name, (this.starts.get(container.name) ?? 0) + 1)
      this.#emit(started, 'start')
      this.#options.program?.(started, this)
    })
  }

  stop(id: string): Promise<void> {
    return this.#call('stop', id, () => {
      if (this.#get(id).status === 'running') this.exit(id, 143)
    })
  }

  remove(id: string): Promise<void> {
    return this.#call('remove', id, () => this.removeBehindBack(id))
  }

  inspect(idOrName: string): Promise<ContainerDetail | undefined> {
    return this.#call('inspect', idOrName, () => this.find(idOrName))
  }

  list(label: string): Promise<readonly ListedContainer[]> {
    return this.#call('list', label, () =>
      [...this.containers.values()]
        .filter(({ labels }) => label in labels)
        .map(({ id, name, labels, status }) => ({ id, name, labels, running: status === 'running' })),
    )
  }

  stats(id: string): Promise<ContainerStats | undefined> {
    return this.#call('stats', id, () => {
      const container = this.find(id)
      if (container?.status !== 'running') return undefined
      const atMs = this.#options.clock.now()
      const ranMs = atMs - (container.startedAt ?? atMs)
      return { atMs, cpuNs: ranMs * 10_000, cores: 1, memoryBytes: 2 ** 20, readBytes: 0, writeBytes: 0 }
    })
  }

  networkUse(idOrName: string): Promise<NetworkUse | undefined> {
    return this.#call('stats', idOrName, () => {
      if (this.find(idOrName)?.status !== 'running') return undefined
      const sent = { txBytes: 700, txPackets: 7, txErrors: 0, txDropped: 0 }
      return { rxBytes: 900, rxPackets: 9, rxErrors: 0, rxDropped: 0, ...sent }
    })
  }

  createVolume(volume: VolumeSpec): Promise<void> {
    return this.#call('createVolume', volume.name, () => void this.volumes.set(volume.name, volume))
  }

  hasVolume(name: string): Promise<boolean> {
    return this.#call('hasVolume', name, () => this.volumes.has(name))
  }

  removeVolume(name: string): Promise<void> {
    return this.#call('removeVolume', name, () => void this.volumes.delete(name))
  }

  watch(watcher: RuntimeWatcher): () => void {
    this.#watchers.add(watcher)
    if (this.#up) watcher.onUp()
    return () => this.#watchers.delete(watcher)
  }

  find(idOrName: string): StoredContainer | undefined {
    return this.containers.get(idOrName) ?? this.containers.get(this.#byName.get(idOrName) ?? '')
  }

  /** The container's process ends. */
  exit(id: string, exitCode: number, oomKilled = false): void {
    const container = this.#get(id)
    if (container.status !== 'running') return
    const { health, ...rest } = container
    const exited: StoredContainer = {
      ...rest,
      // Docker says unhealthy of what has ended.
      ...(health && { health: { ...health, status: 'unhealthy' as const } }),
      status: 'exited',
      exitCode,
      oomKilled,
      finishedAt: this.#options.clock.now(),
    }
    this.containers.set(container.id, exited)
    this.#emit(exited, 'die', exitCode)
  }

  /** `docker rm -f`. */
  removeBehindBack(id: string): void {
    const container = this.find(id)
    if (!container) return
    this.exit(container.id, 137)
    this.containers.delete(container.id)
    this.#byName.delete(container.name)
    this.#emit(container, 'destroy')
  }

  setHealth(id: string, status: 'starting' | 'healthy' | 'unhealthy'): void {
    const container = {
      ...this.#get(id),
      health: { status, output: '', exitCode: status === 'healthy' ? 0 : 1 },
    }
    this.containers.set(container.id, container)
    this.#emit(container, 'health')
  }

  /** The daemon is gone: calls are unreachable and watchers are told. With `killing`, its containers end with it. */
  goDown(killing = false): void {
    this.#up = false
    for (const watcher of this.#watchers) watcher.onDown()
    if (killing) for (const { id } of this.containers.values()) this.exit(id, 137)
  }

  comeUp(): void {
    this.#up = true
    for (const watcher of this.#watchers) watcher.onUp()
  }

  async #call<T>(call: RuntimeCall, subject: string, effect: () => T): Promise<T> {
    await this.#options.fault?.(call, 'before', subject)
    if (!this.#up) throw new RuntimeError('unreachable', 'connect ECONNREFUSED docker.sock')
    const result = effect()
    await this.#options.fault?.(call, 'after', subject)
    return result
  }

  #get(id: string): StoredContainer {
    const container = this.find(id)
    if (!container) throw new RuntimeError('notFound', `Error response from daemon: No such container: ${id}`)
    return container
  }

  #emit({ id, name }: ContainerDetail, action: ContainerEvent['action'], exitCode?: number): void {
    if (!this.#up) return
    const event = { id, name, action, ...(exitCode !== undefined && { exitCode }) }
    for (const watcher of this.#watchers) watcher.onEvent(event)
  }
}
