import type { IncomingMessage } from 'node:http'
import { Agent } from '@berth/wire/node-http.ts'
import {
  type ContainerDetail,
  type ContainerEvent,
  type ContainerRuntime,
  type ContainerStats,
  type CreateBody,
  type ImageDetail,
  type RegistryCredentials,
  RuntimeError,
  type RuntimeFailure,
  type RuntimeWatcher,
  type VolumeSpec,
} from '#runtime/container-runtime.ts'
import { taskArnLabel } from '#engine/container-spec.ts'
import {
  type InspectedContainer,
  type InspectedStats,
  containerDetail,
  containerStats,
} from './docker-shapes.ts'
import { type HttpRequest, lines, open, text } from './http.ts'

/** Docker's own limit for a registry that says nothing. */
const pullSilenceMs = 3 * 60_000
const reconnectMs = 250
const reconnectMsMax = 5000
const watched = { start: 'start', die: 'die', destroy: 'destroy', health_status: 'health' } as const

interface Call {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
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
  readonly #agent = new Agent({ keepAlive: true })

  constructor(host: string) {
    this.#socketPath = host.startsWith('unix://') ? host.slice('unix://'.length) : undefined
    this.#base = new URL(this.#socketPath === undefined ? host.replace(/^tcp:/, 'http:') : 'http://docker')
  }

  async version(): Promise<{ version: string; apiVersion: string; apiVersionMin: string }> {
    const found = await this.#json<{ Version: string; ApiVersion: string; MinAPIVersion: string }>('/version')
    return { version: found.Version, apiVersion: found.ApiVersion, apiVersionMin: found.MinAPIVersion }
  }

  async pull(image: string, credentials?: RegistryCredentials): Promise<void> {
    const registryAuth = credentials && registryAuthHeader(credentials)
    const named = /@sha256:|:[^/]+$/.test(image)
    const response = await this.#open('/images/create', {
      method: 'POST',
      // Without a tag Docker would pull every tag there is.
      query: { fromImage: image, ...(!named && { tag: 'latest' }) },
      silenceMs: pullSilenceMs,
      ...(registryAuth !== undefined && { headers: { 'x-registry-auth': registryAuth } }),
    })
    await unreachableOnBreak(async () => {
      for await (const line of lines(response)) {
        const { error } = JSON.parse(line) as { readonly error?: string }
        if (error !== undefined) throw new RuntimeError(pullFailure(error), error)
      }
    })
  }

  async inspectImage(image: string): Promise<ImageDetail | undefined> {
    const found = await this.#find<{ Id: string; RepoDigests?: readonly string[] }>(
      `/images/${encodeURIComponent(image)}/json`,
    )
    if (!found) return undefined
    const digest = found.RepoDigests?.[0]?.split('@')[1]
    return { id: found.Id, ...(digest !== undefined && { digest }) }
  }

  async removeImage(image: string): Promise<void> {
    await this.#tolerate('notFound', `/images/${encodeURIComponent(image)}`, { method: 'DELETE' })
  }

  async create(name: string, body: CreateBody): Promise<string> {
    const { Id } = await this.#json<{ Id: string }>('/containers/create', {
      method: 'POST',
      query: { name },
      body,
    })
    return Id
  }

  async start(id: string): Promise<void> {
    await this.#text(`/containers/${id}/start`, { method: 'POST' })
  }

  async stop(id: string, timeoutSeconds: number): Promise<void> {
    await this.#text(`/containers/${id}/stop`, { method: 'POST', query: { t: String(timeoutSeconds) } })
  }

  async remove(id: string): Promise<void> {
    const call: Call = { method: 'DELETE', query: { force: '1', v: '1' } }
    await this.#tolerate('notFound', `/containers/${id}`, call)
  }

  async inspect(idOrName: string): Promise<ContainerDetail | undefined> {
    const found = await this.#find<InspectedContainer>(`/containers/${idOrName}/json`)
    return found && containerDetail(found)
  }

  async stats(id: string): Promise<ContainerStats | undefined> {
    const found = await this.#find<InspectedStats>(`/containers/${id}/stats`, {
      query: { stream: 'false', 'one-shot': 'true' },
    })
    return found && containerStats(found)
  }

  /** The raw figures, which containers are shown by the metadata endpoint. */
  rawStats(id: string): Promise<unknown> {
    return this.#find<unknown>(`/containers/${id}/stats`, { query: { stream: 'false' } })
  }

  async createVolume({ name, driver, driverOpts, labels }: VolumeSpec): Promise<void> {
    const body = { Name: name, Driver: driver ?? 'local', DriverOpts: driverOpts ?? {}, Labels: labels ?? {} }
    await this.#text('/volumes/create', { method: 'POST', body })
  }

  async hasVolume(name: string): Promise<boolean> {
    const found = await this.#tolerate('notFound', `/volumes/${encodeURIComponent(name)}`)
    return found !== undefined
  }

  async removeVolume(name: string): Promise<void> {
    await this.#tolerate('notFound', `/volumes/${encodeURIComponent(name)}`, { method: 'DELETE' })
  }

  watch(watcher: RuntimeWatcher): () => void {
    const watching = new EventWatch(watcher, () =>
      this.#open('/events', {
        query: {
          filters: JSON.stringify({
            type: ['container'],
            event: Object.keys(watched),
            label: [taskArnLabel],
          }),
        },
      }),
    )
    return () => watching.end()
  }

  /** Ends idle connections, so that the process can end. */
  close(): void {
    this.#agent.destroy()
  }

  async #open(path: string, call: Call = {}): Promise<IncomingMessage> {
    const { method = 'GET', query, body, headers, silenceMs } = call
    const url = new URL(path, this.#base)
    url.search = new URLSearchParams(query).toString()
    const json = body === undefined ? undefined : JSON.stringify(body)
    const request: HttpRequest = {
      url,
      method,
      headers: { ...headers, ...(json !== undefined && { 'content-type': 'application/json' }) },
      agent: this.#agent,
      ...(json !== undefined && { body: json }),
      ...(silenceMs !== undefined && { silenceMs }),
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

/** Reads the daemon's events, connecting again whenever the stream ends. */
class EventWatch {
  readonly #watcher: RuntimeWatcher
  readonly #open: () => Promise<IncomingMessage>
  #ended = false
  #response: IncomingMessage | undefined
  #delayMs = reconnectMs
  #timer: NodeJS.Timeout | undefined

  constructor(watcher: RuntimeWatcher, connect: () => Promise<IncomingMessage>) {
    this.#watcher = watcher
    this.#open = connect
    void this.#run()
  }

  end(): void {
    this.#ended = true
    clearTimeout(this.#timer)
    this.#response?.destroy()
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      try {
        this.#response = await this.#open()
        if (this.#ended) return this.end()
        this.#delayMs = reconnectMs
        this.#watcher.onUp()
        for await (const line of lines(this.#response)) this.#tell(line)
      } catch {
        // The daemon is away, which is told below; why, its own log says.
      }
      if (this.#ended) return
      this.#watcher.onDown()
      await new Promise<void>((resolve) => {
        this.#timer = setTimeout(resolve, this.#delayMs)
      })
      this.#delayMs = Math.min(this.#delayMs * 2, reconnectMsMax)
    }
  }

  #tell(line: string): void {
    const event = JSON.parse(line) as {
      readonly Action?: string
      readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> }
    }
    const action = event.Action?.split(':')[0] ?? ''
    const { ID: id, Attributes: attributes = {} } = event.Actor ?? {}
    if (!Object.hasOwn(watched, action) || id === undefined) return
    const exitCode = action === 'die' ? Number(attributes['exitCode']) : Number.NaN
    const told: ContainerEvent = {
      id,
      name: attributes['name'] ?? '',
      action: watched[action as keyof typeof watched],
      ...(!Number.isNaN(exitCode) && { exitCode }),
    }
    this.#watcher.onEvent(told)
  }
}

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
