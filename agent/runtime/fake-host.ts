import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import { present } from '@berth/std/assert.ts'
import type { Clock } from '@berth/std/clock.ts'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { Agent } from './agent.ts'
import type { AgentIdentity } from './agent-state.ts'
import type { TaskCredentials } from './credentials.ts'
import { FakeControlPlane } from './fake-control-plane.ts'
import { InMemoryDisk } from './in-memory-disk.ts'
import { InMemoryRuntime, type InMemoryRuntimeOptions, type StoredContainer } from './in-memory-runtime.ts'
import { type AgentConfig, agentDefaults } from './ports.ts'
import type { TaskResource } from './task-resources.ts'

/** A clock that a test moves. */
export interface MovableClock extends Clock {
  run(untilMs: number): Promise<void>
}

export interface FakeHostOptions {
  readonly config?: Partial<AgentConfig>
  readonly runtime?: Partial<InMemoryRuntimeOptions>
  readonly seed?: number
  readonly resources?: readonly TaskResource[]
  readonly credentials?: TaskCredentials
  readonly predecessor?: AgentIdentity
}

/** A host whose agents come and go while its disk, its containers and the control plane stay. */
export class FakeHost {
  readonly clock: MovableClock
  readonly ids: ReturnType<typeof idsFrom>
  readonly disk = new InMemoryDisk()
  readonly control = new FakeControlPlane()
  readonly runtime: InMemoryRuntime
  readonly config: AgentConfig
  agent: Agent
  readonly #resources: readonly TaskResource[]
  readonly #credentials: TaskCredentials | undefined
  readonly #predecessor: AgentIdentity | undefined
  #incarnation = 0

  constructor(
    clock: MovableClock,
    { config, runtime, seed = 1, resources = [], credentials, predecessor }: FakeHostOptions = {},
  ) {
    this.#resources = resources
    this.#credentials = credentials
    this.#predecessor = predecessor
    this.clock = clock
    this.ids = idsFrom(prng(seed))
    this.config = { ...agentDefaults, cluster: 'proof', ...config }
    this.runtime = new InMemoryRuntime({ clock, ids: this.ids, ...runtime })
    this.agent = this.#newAgent()
  }

  #newAgent(): Agent {
    this.#incarnation++
    return new Agent(
      {
        clock: this.clock,
        ids: this.ids,
        runtime: this.#fenced(this.runtime),
        ecs: this.#fenced(this.control),
        connect: this.control.connect,
        login: () => Promise.reject(new Error('no registry here')),
        disk: this.#fenced(this.disk),
        host: {
          cpu: 2048,
          memoryMiB: 4096,
          identityDocument: '',
          identitySignature: '',
          cpuArchitecture: 'x86_64',
          ephemeralPorts: [32768, 60999],
        },
        resources: this.#resources,
        ...(this.#credentials && { credentials: this.#credentials }),
        ...(this.#predecessor && { predecessor: this.#predecessor }),
        log: () => undefined,
      },
      this.config,
    )
  }

  /** A dead agent reaches nothing: what it still asks for is never answered. */
  #fenced<T extends object>(target: T): T {
    const mine = this.#incarnation
    return new Proxy(target, {
      get: (_, name) => {
        const member: unknown = Reflect.get(target, name)
        if (typeof member !== 'function') return member
        const alive = member as (...parameters: unknown[]) => unknown
        return (...parameters: unknown[]) =>
          this.#incarnation === mine ? alive.apply(target, parameters) : new Promise(() => undefined)
      },
    })
  }

  /** Starts the agent, again and again when it ends over it, as its supervisor would. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const mine = this.#incarnation
      let failure: unknown
      let over = false
      this.agent.start().then(
        () => (over = true),
        (error: unknown) => {
          failure = error
          over = true
        },
      )
      while (!over && mine === this.#incarnation) await this.run(1000)
      if (mine !== this.#incarnation) continue
      if (failure === undefined) return this.run(10)
      if (attempt === 5) throw failure
      this.crash()
    }
  }

  /** The agent's process ends without a word. Another one may be started in its place. */
  crash(): void {
    const dead = this.agent
    // From here on the old one reaches nothing, so ending it saves nothing either.
    this.agent = this.#newAgent()
    void dead.stop()
  }

  async restart(): Promise<void> {
    this.crash()
    await this.start()
  }

  run(durationMs = 1): Promise<void> {
    return this.clock.run(this.clock.now() + durationMs)
  }

  async send(...tasks: readonly PayloadTask[]): Promise<string> {
    const messageId = this.control.send(...tasks)
    await this.run()
    return messageId
  }

  /** The first container of that name in its task. */
  container(name: string): StoredContainer {
    const found = [...this.runtime.containers.values()].find(
      ({ labels }) => labels['com.amazonaws.ecs.container-name'] === name,
    )
    return present(found, `a container ${name} exists`)
  }
}
