import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import { type Clock, sleep } from '@berth/std/clock.ts'
import type { Chance } from './chance.ts'

export interface NetworkFaults {
  /** Probability that a request, or its answer, is lost: the caller learns so only by its timeout. */
  readonly loss: number
  /** Probability that a request or answer, or a message of a connection, takes seconds instead of milliseconds. */
  readonly delay: number
  /** Probability that a request arrives twice. */
  readonly duplication: number
  /** Probability, at each message of a connection, that the connection breaks with it. */
  readonly drop: number
}

export const noNetworkFaults: NetworkFaults = { loss: 0, delay: 0, duplication: 0, drop: 0 }

/** A copy of a request may arrive when what it says is long over. */
const copyDelayMsMax = 60_000
const requestTimeoutMs = 20_000
/** How long a closing side waits for the other side's word. */
const closeTimeoutMs = 3_000

/** What lies between agents, clients and the control plane. */
export class SimulatedNetwork {
  faults: NetworkFaults = noNetworkFaults
  readonly #clock: Clock
  readonly #chance: Chance
  readonly #connections = new Set<Connection>()

  constructor(clock: Clock, chance: Chance) {
    this.#clock = clock
    this.#chance = chance
  }

  /**
   * Sends a request to `serve` and brings its answer or its error back, unless something is lost on the way. A request
   * that is not `repeatable` never arrives twice.
   */
  call<T>(serve: () => Promise<T>, repeatable = true): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.at(this.#clock.now() + requestTimeoutMs, () =>
        reject(new Error('the request timed out')),
      )
      const answer = (deliver: () => void): void => {
        if (this.#chance.happens(this.faults.loss)) return
        this.#clock.at(this.#clock.now() + this.latencyMs(), () => {
          cancel()
          deliver()
        })
      }
      const arrive = (): void => {
        serve().then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error as Error)),
        )
      }
      if (!this.#chance.happens(this.faults.loss))
        this.#clock.at(this.#clock.now() + this.latencyMs(), arrive)
      if (repeatable && this.#chance.happens(this.faults.duplication))
        this.#clock.at(this.#clock.now() + this.#chance.between(1_000, copyDelayMsMax), arrive)
    })
  }

  /** Opens a connection; `accept` gets the server's end, or throws the refusal. */
  async connect(accept: (server: MessageSocket) => void): Promise<MessageSocket> {
    await sleep(this.#clock, this.latencyMs())
    if (this.#chance.happens(this.faults.loss)) {
      await sleep(this.#clock, requestTimeoutMs)
      throw new Error('connect ETIMEDOUT')
    }
    const connection = new Connection(this.#clock, this.#chance, this)
    accept(connection.server)
    this.#connections.add(connection)
    connection.onOver = () => this.#connections.delete(connection)
    return connection.client
  }

  /** Breaks every connection for which `chosen` says so. */
  breakConnections(chosen: () => boolean): void {
    for (const connection of this.#connections) if (chosen()) connection.break()
  }

  latencyMs(): number {
    return this.#chance.happens(this.faults.delay)
      ? this.#chance.between(500, 15_000)
      : this.#chance.between(0.2, 5)
  }
}

/** A websocket: messages come in order, or the connection ends. */
class Connection {
  readonly client: Endpoint
  readonly server: Endpoint
  onOver: () => void = () => undefined
  readonly #chance: Chance
  readonly #network: SimulatedNetwork

  constructor(clock: Clock, chance: Chance, network: SimulatedNetwork) {
    this.#chance = chance
    this.#network = network
    const options = {
      clock,
      latencyMs: () => network.latencyMs(),
      sent: () => this.#sent(),
      over: () => this.onOver(),
    }
    this.client = new Endpoint(options)
    this.server = new Endpoint(options)
    this.client.peer = this.server
    this.server.peer = this.client
  }

  /** One side learns of it at once or late, or only by hearing nothing any more. */
  break(): void {
    for (const end of [this.client, this.server]) end.cut(this.#chance.happens(0.3))
    this.onOver()
  }

  #sent(): void {
    if (this.#chance.happens(this.#network.faults.drop)) this.break()
  }
}

interface EndpointOptions {
  readonly clock: Clock
  readonly latencyMs: () => number
  readonly sent: () => void
  readonly over: () => void
}

class Endpoint implements MessageSocket {
  onMessage: (text: string) => void = () => undefined
  onClose: (code: number, reason: string) => void = () => undefined
  peer: Endpoint | undefined
  readonly #options: EndpointOptions
  #open = true
  #cut = false
  #arrivesAt = 0

  constructor(options: EndpointOptions) {
    this.#options = options
  }

  send(text: string): void {
    if (!this.#open) return
    this.#deliver(() => this.peer?.receive(text))
    this.#options.sent()
  }

  close(code: number, reason: string): void {
    if (!this.#open) return
    const { clock } = this.#options
    this.#deliver(() => this.peer?.end(code, reason))
    const cut = this.#cut
    clock.at(clock.now() + (cut ? closeTimeoutMs : this.#options.latencyMs()), () =>
      this.end(cut ? 1006 : code, reason),
    )
  }

  receive(text: string): void {
    if (this.#open && !this.#cut) this.onMessage(text)
  }

  /** This side's end of the connection, told to its owner once. */
  end(code: number, reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.#options.over()
    this.onClose(code, reason)
  }

  /** Nothing gets through any more; `silently`: nobody here is told. */
  cut(silently: boolean): void {
    this.#cut = true
    const { clock } = this.#options
    if (!silently) clock.at(clock.now() + this.#options.latencyMs(), () => this.end(1006, ''))
  }

  #deliver(arrive: () => void): void {
    const { clock, latencyMs } = this.#options
    this.#arrivesAt = Math.max(this.#arrivesAt, clock.now() + latencyMs())
    clock.at(this.#arrivesAt, () => {
      if (!this.#cut) arrive()
    })
  }
}
