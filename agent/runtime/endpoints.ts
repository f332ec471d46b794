import { messageOf } from './agent-error.ts'
import type { AgentDependencies } from './ports.ts'

export interface Endpoints {
  readonly acs: string
  readonly tcs: string | undefined
}

const freshMs = 12 * 3_600_000

/** Where the control plane's websockets are: asked once, kept for 12 hours, and kept on when asking again fails. */
export class EndpointCache {
  readonly #dependencies: AgentDependencies
  readonly #cluster: string
  readonly #containerInstance: string
  #known: { readonly endpoints: Endpoints; readonly at: number } | undefined
  #asking: Promise<Endpoints> | undefined

  constructor(dependencies: AgentDependencies, cluster: string, containerInstance: string) {
    this.#dependencies = dependencies
    this.#cluster = cluster
    this.#containerInstance = containerInstance
  }

  get(): Promise<Endpoints> {
    const now = this.#dependencies.clock.now()
    if (this.#known && now - this.#known.at < freshMs) return Promise.resolve(this.#known.endpoints)
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined))
    return this.#asking
  }

  async #ask(): Promise<Endpoints> {
    try {
      const output = await this.#dependencies.ecs.discoverPollEndpoint({
        cluster: this.#cluster,
        containerInstance: this.#containerInstance,
      })
      if (!output.endpoint) throw new Error('DiscoverPollEndpoint named no endpoint')
      const endpoints = { acs: output.endpoint, tcs: output.telemetryEndpoint }
      this.#known = { endpoints, at: this.#dependencies.clock.now() }
      return endpoints
    } catch (error) {
      if (!this.#known) throw error
      this.#dependencies.log('warn', 'poll endpoint not asked again', { error: messageOf(error) })
      return this.#known.endpoints
    }
  }
}

/** The websocket below an endpoint; anything but http and https is refused, as the official agent does. */
export function websocketUrl(endpoint: string): string {
  const url = new URL('ws', endpoint.endsWith('/') ? endpoint : `${endpoint}/`)
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Error(`unsupported scheme of endpoint ${endpoint}`)
  url.protocol = url.protocol === 'http:' ? 'ws:' : 'wss:'
  return url.toString()
}
