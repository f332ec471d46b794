import { readFile, statfs } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { Agent } from '@berth/wire/node-http.ts'
import {
  type ContainerDetail,
  type ContainerRuntime,
  type ContainerStats,
  type CreateBody,
  type ImageDetail,
  type ListedContainer,
  type ListedImage,
  type PullWatch,
  type RegistryCredentials,
  RuntimeError,
  type RuntimeFailure,
  type RuntimeWatcher,
  type VolumeSpec,
} from '#runtime/container-runtime.ts'
import { taskArnLabel } from '#engine/container-spec.ts'
import type { NetworkUse } from '#engine/metrics.ts'
import { EventWatch, watchedEvents } from './docker-events.ts'
import { digestOf, LayerTally, type PullLine } from './docker-pull.ts'
import {
  type InspectedContainer,
  type InspectedStats,
  type ShownInfo,
  containerDetail,
  containerStats,
  engineInfo,
} from './docker-shapes.ts'
import type { EngineInfo } from './host-capabilities.ts'
import { type HttpRequest, lines, open, text } from './http.ts'
import { type NetworkCounters, networkUse, parseNetDev } from './network-counters.ts'

/** How long a pull may take to begin; the official agent waits as long. */
const pullBeginMs = 5 * 60_000
/** How long Docker may take for what it does without a container's or a registry's help; then it counts as away. */
const promptMs = 30_000
/** How long Docker may take to say that it is there. */
const pingMs = 10_000
/** Making, starting and removing containers wait for disks and volume drivers; who asks has limits of its own. */
const patientMs = 10 * 60_000

interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** Instead of `body`: a tar archive. */
  readonly archive?: Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  readonly silenceMs?: number
}

/**
 * The Docker Engine over its own HTTP API: a dozen calls, for which no client library is worth its megabytes in a
 * process that runs once a host. `host` is what DOCKER_HOST says: `unix:///var/run/docker.sock` or `tcp://host:port`.
 */
export class DockerRuntime implements ContainerRuntime {
  readonly #base: URL
  readonly #socketPath: string | undefined
  /** A burst of calls leaves few connections behind. */
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 4 })

  constructor(host: string) {
    this.#socketPath = host.startsWith('unix://') ? host.slice('unix://'.length) : undefined
    this.#base = new URL(this.#socketPath === undefined ? host.replace(/^tcp:/, 'http:') : 'http://docker')
  }

  async version(): Promise<{ version: string; apiVersion: string; apiVersionMin: string }> {
    const found = await this.#json<{ Version: string; ApiVersion: string; MinAPIVersion: string }>('/version')
    return { version: found.Version, apiVersion: found.ApiVersion, apiVersionMin: found.MinAPIVersion }
  }

  /** What the engine says of itself and its plugins. */
  async info(): Promise<EngineInfo> {
    return engineInfo(await this.#json<ShownInfo>('/info'))
  }

  async pull(image: string, credentials?: RegistryCredentials, watch?: PullWatch): Promise<void> {
    const registryAuth = credentials && registryAuthHeader(credentials)
    const named = /@sha256:|:[^/]+$/.test(image)
    const response = await this.#open('/images/create', {
      method: 'POST',
      // Without a tag Docker would pull every tag there is.
      query: { fromImage: image, ...(!named && { tag: 'latest' }) },
      silenceMs: pullBeginMs,
      ...(registryAuth !== undefined && { headers: { 'x-registry-auth': registryAuth } }),
    })
    const silenceMs = watch?.silenceMsMax ?? pullBeginMs
    response.socket.setTimeout(0)
    const giveUp = (): void => void response.destroy(new RuntimeError('refused', silenceText))
    let silence = setTimeout(giveUp, silenceMs)
    const tally = new LayerTally()
    try {
      await unreachableOnBreak(async () => {
        for await (const text of lines(response)) {
          clearTimeout(silence)
          silence = setTimeout(giveUp, silenceMs)
          const line = JSON.parse(text) as PullLine
          if (line.error !== undefined) throw new RuntimeError(pullFailure(line.error), line.error)
          const progress = tally.add(line)
          if (progress) watch?.onProgress(progress)
        }
      })
    } finally {
      clearTimeout(silence)
    }
  }

  async inspectImage(image: string): Promise<ImageDetail | undefined> {
    const found = await this.#find<{ Id: string; RepoDigests?: readonly string[] }>(
      `/images/${encodeURIComponent(image)}/json`,
    )
    if (!found) return undefined
    const digest = digestOf(image, found.RepoDigests)
    return { id: found.Id, ...(digest !== undefined && { digest }) }
  }

  /** Makes an image of one layer, the files of a tar archive; `changes` are lines of a Dockerfile. */
  async importImage(
    repository: string,
    tag: string,
    archive: Uint8Array,
    changes: readonly string[],
  ): Promise<void> {
    const query = new URLSearchParams([
      ['fromSrc', '-'],
      ['repo', repository],
      ['tag', tag],
      ...changes.map((change): [string, string] => ['changes', change]),
    ])
    const response = await this.#open(`/images/create?${query}`, {
      method: 'POST',
      archive,
      silenceMs: patientMs,
    })
    await unreachableOnBreak(async () => {
      for await (const line of lines(response)) {
        const { error } = JSON.parse(line) as PullLine
        if (error !== undefined) throw new RuntimeError('refused', error)
      }
    })
  }

  async removeImage(image: string): Promise<void> {
    const call: Call = { method: 'DELETE', silenceMs: patientMs }
    await this.#tolerate('notFound', `/images/${encodeURIComponent(image)}`, call)
  }

  async listImages(): Promise<readonly ListedImage[]> {
    const found = await this.#json<
      ReadonlyArray<{
        readonly Id: string
        readonly RepoTags?: readonly string[] | null
        readonly RepoDigests?: readonly string[] | null
        readonly Created: number
      }>
    >('/images/json', { silenceMs: patientMs })
    return found.map(({ Id, RepoTags, RepoDigests, Created }) => {
      const tags = (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>')
      const digests = (RepoDigests ?? []).filter((name) => !name.startsWith('<none>@'))
      const references = tags.length > 0 ? tags : digests
      return { id: Id, references: references.length > 0 ? references : [Id], createdAt: Created * 1000 }
    })
  }

  async imageStorage(): Promise<{ totalBytes: number; freeBytes: number } | undefined> {
    if (this.#socketPath === undefined) return undefined
    const { DockerRootDir } = await this.#json<{ readonly DockerRootDir: string }>('/info')
    try {
      const { blocks, bavail, bsize } = await statfs(DockerRootDir)
      return { totalBytes: blocks * bsize, freeBytes: bavail * bsize }
    } catch {
      // The agent may run where the daemon's files cannot be seen.
      return undefined
    }
  }

  async create(name: string, body: CreateBody): Promise<string> {
    const { Id } = await this.#json<{ Id: string }>('/containers/create', {
      method: 'POST',
      query: { name },
      body,
      silenceMs: patientMs,
    })
    return Id
  }

  async start(id: string): Promise<void> {
    await this.#text(`/containers/${id}/start`, { method: 'POST', silenceMs: patientMs })
  }

  async stop(id: string, timeoutSeconds: number): Promise<void> {
    const silenceMs = timeoutSeconds * 1000 + patientMs
    await this.#text(`/containers/${id}/stop`, {
      method: 'POST',
      query: { t: String(timeoutSeconds) },
      silenceMs,
    })
  }

  async remove(id: string): Promise<void> {
    const call: Call = { method: 'DELETE', query: { force: '1', v: '1' }, silenceMs: patientMs }
    await this.#tolerate('notFound', `/containers/${id}`, call)
  }

  async inspect(idOrName: string): Promise<ContainerDetail | undefined> {
    const found = await this.#find<InspectedContainer>(`/containers/${idOrName}/json`)
    return found && containerDetail(found)
  }

  async list(label: string): Promise<readonly ListedContainer[]> {
    const found = await this.#json<
      ReadonlyArray<{
        readonly Id: string
        readonly Names: readonly string[]
        readonly Labels?: Readonly<Record<string, string>> | null
        readonly State: string
      }>
    >('/containers/json', { query: { all: '1', filters: JSON.stringify({ label: [label] }) } })
    return found.map(({ Id, Names, Labels, State }) => ({
      id: Id,
      name: (Names[0] ?? '').replace(/^\//, ''),
      labels: Labels ?? {},
      running: State === 'running' || State === 'paused',
    }))
  }

  async stats(id: string): Promise<ContainerStats | undefined> {
    const found = await this.#find<InspectedStats>(`/containers/${id}/stats`, {
      query: { stream: 'false', 'one-shot': 'true' },
    })
    return found && containerStats(found)
  }

  async networkUse(idOrName: string): Promise<NetworkUse | undefined> {
    const networks = await this.networkCounters(idOrName)
    return networks && networkUse(networks)
  }

  /** By interface; undefined when the container does not run. */
  async networkCounters(idOrName: string): Promise<NetworkCounters | undefined> {
    const pid = (await this.inspectRaw(idOrName))?.State.Pid
    if (!pid) return undefined
    // It may have ended meanwhile.
    const shown = await readFile(`/proc/${pid}/net/dev`, 'utf8').catch(() => undefined)
    return shown === undefined ? undefined : parseNetDev(shown)
  }

  /** The raw figures, one JSON object a second; undefined when there is no such container. */
  async openStats(id: string): Promise<IncomingMessage | undefined> {
    try {
      return await this.#open(`/containers/${id}/stats`, { query: { stream: 'true' } })
    } catch (error) {
      if (error instanceof RuntimeError && error.failure === 'notFound') return undefined
      throw error
    }
  }

  /** A container as Docker itself describes it. */
  inspectRaw(idOrName: string): Promise<InspectedContainer | undefined> {
    return this.#find<InspectedContainer>(`/containers/${idOrName}/json`)
  }

  async createVolume({ name, driver, driverOpts, labels }: VolumeSpec): Promise<void> {
    const body = { Name: name, Driver: driver ?? 'local', DriverOpts: driverOpts ?? {}, Labels: labels ?? {} }
    await this.#text('/volumes/create', { method: 'POST', body, silenceMs: patientMs })
  }

  async hasVolume(name: string): Promise<boolean> {
    const found = await this.#tolerate('notFound', `/volumes/${encodeURIComponent(name)}`)
    return found !== undefined
  }

  async removeVolume(name: string): Promise<void> {
    const call: Call = { method: 'DELETE', silenceMs: patientMs }
    await this.#tolerate('notFound', `/volumes/${encodeURIComponent(name)}`, call)
  }

  watch(watcher: RuntimeWatcher): () => void {
    const filters = { type: ['container'], event: watchedEvents, label: [taskArnLabel] }
    const watching = new EventWatch(
      watcher,
      () => this.#open('/events', { query: { filters: JSON.stringify(filters) } }),
      () => this.#text('/_ping', { silenceMs: pingMs }),
    )
    return () => watching.end()
  }

  /** Ends idle connections, so that the process can end. */
  close(): void {
    this.#agent.destroy()
  }

  async #open(path: string, call: Call = {}): Promise<IncomingMessage> {
    const { method = 'GET', query, body, archive, headers, silenceMs = promptMs } = call
    const url = new URL(path, this.#base)
    if (query) url.search = new URLSearchParams(query).toString()
    const sent = body === undefined ? archive : JSON.stringify(body)
    const type = body === undefined ? 'application/x-tar' : 'application/json'
    const request: HttpRequest = {
      url,
      method,
      headers: { ...headers, ...(sent !== undefined && { 'content-type': type }) },
      agent: this.#agent,
      ...(sent !== undefined && { body: sent }),
      silenceMs,
      ...(this.#socketPath !== undefined && { socketPath: this.#socketPath }),
    }
    const response = await unreachableOnBreak(() => open(request))
    const status = response.statusCode ?? 0
    if (status < 400) return response
    const answer = await unreachableOnBreak(() => text(response))
    throw new RuntimeError(failureOf(status, answer), `Error response from daemon: ${messageIn(answer)}`)
  }

  async #text(path: string, call?: Call): Promise<string> {
    const response = await this.#open(path, call)
    return unreachableOnBreak(() => text(response))
  }

  async #json<T>(path: string, call?: Call): Promise<T> {
    return JSON.parse(await this.#text(path, call)) as T
  }

  async #find<T>(path: string, call?: Call): Promise<T | undefined> {
    const answer = await this.#tolerate('notFound', path, call)
    return answer === undefined ? undefined : (JSON.parse(answer) as T)
  }

  async #tolerate(failure: RuntimeFailure, path: string, call?: Call): Promise<string | undefined> {
    try {
      return await this.#text(path, call)
    } catch (error) {
      if (error instanceof RuntimeError && error.failure === failure) return undefined
      throw error
    }
  }
}

/** The official agent's words for a pull that came to a standstill. */
const silenceText = 'inactivity time exceeded timeout while pulling image'

/** Docker decodes URL-safe base64 with its padding, and takes what it cannot decode for no credentials at all. */
function registryAuthHeader(credentials: RegistryCredentials): string {
  const text = Buffer.from(JSON.stringify(credentials)).toString('base64')
  return text.replaceAll('+', '-').replaceAll('/', '_')
}

/** A connection that breaks leaves open what became of the call. */
async function unreachableOnBreak<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof RuntimeError) throw error
    throw new RuntimeError('unreachable', error instanceof Error ? error.message : String(error))
  }
}

function failureOf(status: number, answer: string): RuntimeFailure {
  if (status === 404) return 'notFound'
  if (status === 409) return 'conflict'
  return pullFailure(answer)
}

/** Of a failed pull only the text tells whether trying again could help. */
function pullFailure(message: string): RuntimeFailure {
  if (/not found|manifest unknown|does not exist|invalid reference/i.test(message)) return 'notFound'
  if (/denied|unauthorized|no basic auth/i.test(message)) return 'unauthorized'
  return 'refused'
}

function messageIn(answer: string): string {
  try {
    return (JSON.parse(answer) as { readonly message?: string }).message ?? answer
  } catch {
    return answer
  }
}
