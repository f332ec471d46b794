import type { IncomingMessage } from 'node:http'
import type { Clock } from '@berth/std/clock.ts'
import { lines } from '#adapters/http.ts'
import type { NetworkCounters } from '#adapters/network-counters.ts'

/** A sample as Docker gives it; only what rates are made of is read. */
export interface DockerStats {
  readonly read: string
  readonly networks?: NetworkCounters
  readonly [member: string]: unknown
}

export interface RatedStats extends DockerStats {
  readonly network_rate_stats?: { readonly rx_bytes_per_sec: number; readonly tx_bytes_per_sec: number }
}

/** Streams figures of a container, one JSON object a line and second; undefined when there is no such container. */
export type OpenStats = (runtimeId: string) => Promise<IncomingMessage | undefined>

/** What went over the interfaces of a container whose network Docker does not know, because it is the task's own. */
export type ReadNetwork = (runtimeId: string) => Promise<NetworkCounters | undefined>

/** Docker's stream is closed when nobody asked for so long: it costs the daemon work each second. */
const idleMs = 30_000
/** Rates and CPU deltas need two samples, which come a second apart. */
const firstMs = 3000

interface Stream {
  last?: RatedStats
  readonly ready: Promise<void>
  end(): void
  asked(): void
}

/**
 * What containers use just now. The official agent follows all containers all the time; here a container is followed from
 * the first time somebody asks until a while after the last, so an agent whose tasks never ask has nothing to do.
 */
export class StatsStreams {
  readonly #open: OpenStats
  readonly #readNetwork: ReadNetwork
  readonly #clock: Clock
  readonly #streams = new Map<string, Stream>()

  constructor(open: OpenStats, readNetwork: ReadNetwork, clock: Clock) {
    this.#open = open
    this.#readNetwork = readNetwork
    this.#clock = clock
  }

  /**
   * The newest sample with network rates; undefined when the container does not run. `sharers` is how many containers share
   * the network of its task: as with the official agent each is shown an equal part of it. 0: its network is Docker's.
   */
  async latest(runtimeId: string, sharers: number): Promise<RatedStats | undefined> {
    const stream = this.#streams.get(runtimeId) ?? this.#follow(runtimeId, sharers)
    stream.asked()
    await stream.ready
    return stream.last
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.end()
  }

  #follow(runtimeId: string, sharers: number): Stream {
    let response: IncomingMessage | undefined
    let ended = false
    let cancelIdle: () => void = () => undefined
    const ready = Promise.withResolvers<void>()
    const cancelFirst = this.#clock.at(this.#clock.now() + firstMs, () => ready.resolve())
    const end = (): void => {
      ended = true
      cancelIdle()
      cancelFirst()
      if (this.#streams.get(runtimeId) === stream) this.#streams.delete(runtimeId)
      response?.destroy()
      ready.resolve()
    }
    const stream: Stream = {
      ready: ready.promise,
      end,
      asked: () => {
        cancelIdle()
        cancelIdle = this.#clock.at(this.#clock.now() + idleMs, end)
      },
    }
    this.#streams.set(runtimeId, stream)
    const read = async (): Promise<void> => {
      response = await this.#open(runtimeId)
      if (ended) response?.destroy()
      if (!response || ended) return
      for await (const line of lines(response)) {
        const sample = JSON.parse(line) as DockerStats
        // A container that has ended is shown with zeroes.
        if (sample.read.startsWith('0001')) break
        const previous = stream.last
        const networks = sharers > 0 ? await this.#readNetwork(runtimeId) : undefined
        stream.last = rated(networks ? { ...sample, networks: shared(networks, sharers) } : sample, previous)
        if (previous) ready.resolve()
      }
    }
    // A stream that breaks is opened anew by the next who asks.
    void read()
      .catch(() => undefined)
      .finally(end)
    return stream
  }
}

function shared(networks: NetworkCounters, sharers: number): NetworkCounters {
  return Object.fromEntries(
    Object.entries(networks).map(([name, counted]) => [
      name,
      Object.fromEntries(
        Object.entries(counted).map(([counter, value]) => [counter, Math.floor(value / sharers)]),
      ),
    ]),
  )
}

/** `sample` with the rates since `previous`, where there are networks to count. */
export function rated(sample: DockerStats, previous: DockerStats | undefined): RatedStats {
  const seconds = previous ? (Date.parse(sample.read) - Date.parse(previous.read)) / 1000 : 0
  if (!sample.networks || !previous?.networks || seconds <= 0) return sample
  const sum = ({ networks = {} }: DockerStats, counter: 'rx_bytes' | 'tx_bytes'): number =>
    Object.values(networks).reduce((total, counted) => total + (counted[counter] ?? 0), 0)
  const rate = (counter: 'rx_bytes' | 'tx_bytes'): number =>
    Math.max(0, (sum(sample, counter) - sum(previous, counter)) / seconds)
  return {
    ...sample,
    network_rate_stats: { rx_bytes_per_sec: rate('rx_bytes'), tx_bytes_per_sec: rate('tx_bytes') },
  }
}
