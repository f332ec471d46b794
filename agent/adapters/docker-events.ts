import type { IncomingMessage } from 'node:http'
import type { ContainerEvent, RuntimeWatcher } from '#runtime/container-runtime.ts'
import { lines } from './http.ts'

const reconnectMs = 250
const reconnectMsMax = 5000
const pingEveryMs = 15_000
const watched = { start: 'start', die: 'die', destroy: 'destroy', health_status: 'health' } as const

/** What Docker calls the events that are asked for. */
export const watchedEvents: readonly string[] = Object.keys(watched)

/**
 * Reads the daemon's events, connecting again whenever the stream ends. A daemon that hangs keeps its streams open and
 * says nothing, as one without news does; so it is asked now and then.
 */
export class EventWatch {
  readonly #watcher: RuntimeWatcher
  readonly #open: () => Promise<IncomingMessage>
  readonly #ping: () => Promise<unknown>
  #ended = false
  #response: IncomingMessage | undefined
  #delayMs = reconnectMs
  #timer: NodeJS.Timeout | undefined

  constructor(watcher: RuntimeWatcher, open: () => Promise<IncomingMessage>, ping: () => Promise<unknown>) {
    this.#watcher = watcher
    this.#open = open
    this.#ping = ping
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
        // The stream is silent while nothing happens.
        this.#response.socket.setTimeout(0)
        if (this.#ended) return this.end()
        this.#delayMs = reconnectMs
        this.#watcher.onUp()
        this.#pingLater(this.#response)
        for await (const line of lines(this.#response)) this.#tell(line)
      } catch {
        // The daemon is away, which is told below; why, its own log says.
      }
      clearTimeout(this.#timer)
      if (this.#ended) return
      this.#watcher.onDown()
      await new Promise<void>((resolve) => {
        this.#timer = setTimeout(resolve, this.#delayMs)
      })
      this.#delayMs = Math.min(this.#delayMs * 2, reconnectMsMax)
    }
  }

  #pingLater(response: IncomingMessage): void {
    this.#timer = setTimeout(() => {
      this.#ping().then(
        () => {
          if (!response.destroyed && !this.#ended) this.#pingLater(response)
        },
        () => response.destroy(new Error('the daemon does not answer')),
      )
    }, pingEveryMs)
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
