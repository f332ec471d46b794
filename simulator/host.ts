import { Agent } from '@berth/agent/runtime/agent.ts'
import { type ContainerRuntime, RuntimeError } from '@berth/agent/runtime/container-runtime.ts'
import { InMemoryRuntime, type StoredContainer } from '@berth/agent/runtime/in-memory-runtime.ts'
import { type AgentDependencies, agentDefaults } from '@berth/agent/runtime/ports.ts'
import { type Clock, sleep } from '@berth/std/clock.ts'
import type { Chance } from './chance.ts'
import { AdjustableClock } from './clock.ts'
import type { SeenContainer } from './container-laws.ts'
import { HostDisk } from './disk.ts'
import { Life } from './life.ts'

export interface RuntimeFaults {
  /** Probability that a call of the container runtime fails, before or after it took effect. */
  readonly unreachable: number
  /** Probability that a container ends with code 1 within seconds of its start. */
  readonly crash: number
  /** Probability that the agent dies with a container that it creates or starts, just after that took effect. */
  readonly agentDeath?: number
  /** Probability that the agent's disk refuses a write. */
  readonly diskFailure?: number
  /** How long a pull takes at most; two seconds when nothing is wrong. */
  readonly pullMsMax?: number
}

export interface HostOptions {
  readonly instanceId: string
  /** Its availability zone; us-east-1a by default. */
  readonly zone?: string
  /** The cluster its agent registers in; `default` by default. */
  readonly cluster?: string
  readonly cpu?: number
  readonly memoryMiB?: number
  readonly clock: Clock
  readonly chance: Chance
  readonly faults: () => RuntimeFaults
  readonly ecs: AgentDependencies['ecs']
  readonly connect: AgentDependencies['connect']
  readonly onStart: (taskArn: string, containerName: string) => void
  readonly note: (text: string) => void
}

const restartAfterMs = 3_000
/** Images with this in their names are in no registry. */
export const missingImage = 'missing'
/** Containers of images with this in their names end with code 1 within seconds, each time. */
export const crashingImage = 'crashing'
/** Containers of images with this in their names never pass their health checks. */
export const sickImage = 'sick'
/** Images with this in their names end with code 0 within half a minute. */
export const batchImage = 'batch'

/** A machine: its containers and its disk outlive its agents, and end with it. */
export class Host {
  readonly instanceId: string
  readonly zone: string
  /** What its machine takes for the time. */
  readonly time: AdjustableClock
  readonly runtime: InMemoryRuntime
  readonly cpu: number
  readonly memoryMiB: number
  lost = false
  /** Switched on. */
  up = false
  agent: Agent | undefined
  readonly #options: HostOptions
  readonly #disk: HostDisk
  #life: Life
  #agentRuns = false
  #incarnations = 0
  readonly #healthy = new Set<string>()
  readonly #askedToStop = new Set<string>()

  constructor(options: HostOptions) {
    const { chance, zone = 'us-east-1a' } = options
    const clock = new AdjustableClock(options.clock)
    this.time = clock
    this.zone = zone
    this.cpu = options.cpu ?? 4096
    this.memoryMiB = options.memoryMiB ?? 4096
    this.instanceId = options.instanceId
    this.#options = options
    this.#disk = new HostDisk(clock, chance, () => options.faults().diskFailure ?? 0)
    this.#life = new Life(clock)
    this.runtime = new InMemoryRuntime({
      clock,
      ids: chance.ids,
      hasImage: (image) => !image.includes(missingImage),
      fault: (call, moment) => this.#fault(call, moment),
      program: (container) => this.#program(container),
    })
  }

  /** Switches the machine on. */
  boot(): void {
    if (this.lost || this.up) return
    this.up = true
    this.runtime.comeUp()
    this.startAgent()
  }

  /** Shuts the machine down; what it has on its disk stays. */
  halt(): void {
    this.up = false
    this.#endAgent()
    this.runtime.goDown(true)
  }

  /** Starts an agent, as the host's init does; one that ends by itself is started again. */
  startAgent(): void {
    if (!this.up || this.#agentRuns) return
    this.#agentRuns = true
    const life = new Life(this.time)
    this.#life = life
    const agent = new Agent(this.#dependencies(life), {
      ...agentDefaults,
      cluster: this.#options.cluster ?? 'default',
      metricsEnabled: false,
    })
    this.agent = agent
    agent.start().catch((error: unknown) => {
      if (!life.alive) return
      this.#options.note(`${this.instanceId}: the agent ended: ${String(error)}`)
      this.crashAgent()
    })
  }

  /** kill -9; the host's init starts another. */
  crashAgent(downMs = restartAfterMs): void {
    if (!this.#agentRuns) return
    this.#endAgent()
    this.#options.clock.at(this.#options.clock.now() + downMs, () => this.startAgent())
  }

  /** The machine is gone with all that is on it. */
  lose(): void {
    this.lost = true
    this.halt()
  }

  setHealth(id: string, status: 'healthy' | 'unhealthy'): void {
    if (status === 'healthy') this.#healthy.add(id)
    this.runtime.setHealth(id, status)
  }

  /** The containers of a task as they are, or were. */
  seen(taskArn: string): SeenContainer[] {
    return [...this.runtime.containers.values()]
      .filter(({ labels }) => labels['com.amazonaws.ecs.task-arn'] === taskArn)
      .map(({ id, labels, status, starts, exitCode }) => ({
        name: labels['com.amazonaws.ecs.container-name'] ?? '',
        running: status === 'running',
        started: starts > 0,
        exitCode,
        wasHealthy: this.#healthy.has(id),
        endedByItself: status === 'exited' && !this.#askedToStop.has(id),
      }))
  }

  #endAgent(): void {
    this.#agentRuns = false
    this.#life.end()
  }

  running(): StoredContainer[] {
    return this.lost ? [] : [...this.runtime.containers.values()].filter(({ status }) => status === 'running')
  }

  #dependencies(life: Life): AgentDependencies {
    const { chance, ecs, connect, note } = this.#options
    const asked = <T>(answer: () => Promise<T>): Promise<T> =>
      life.alive ? life.receive(answer()) : new Promise(() => undefined)
    const identity = { instanceId: this.instanceId, availabilityZone: this.zone, instanceType: 't3.large' }
    const incarnation = ++this.#incarnations
    return {
      clock: life.clock,
      ids: chance.ids,
      runtime: runtimeOf(this.runtime, life, asked, (id) => this.#askedToStop.add(id)),
      ecs: {
        registerContainerInstance: (input) => asked(() => ecs.registerContainerInstance(input)),
        createCluster: (input) => asked(() => ecs.createCluster(input)),
        discoverPollEndpoint: (input) => asked(() => ecs.discoverPollEndpoint(input)),
        submitTaskStateChange: (input) => asked(() => ecs.submitTaskStateChange(input)),
      },
      connect: (url, query) => asked(() => connect(url, query)),
      login: () => Promise.reject(new Error('there is no registry here')),
      disk: this.#disk.of(life),
      host: {
        cpu: this.cpu,
        memoryMiB: this.memoryMiB,
        identityDocument: JSON.stringify(identity),
        identitySignature: '',
        cpuArchitecture: 'x86_64',
        ephemeralPorts: [32_768, 60_999],
      },
      log: (level, message, fields) => {
        if (level === 'error' || level === 'warn')
          note(`${this.instanceId}/${incarnation}: ${message} ${JSON.stringify(fields ?? {})}`)
      },
    }
  }

  async #fault(call: string, moment: 'before' | 'after'): Promise<void> {
    const { clock, chance, faults } = this.#options
    const slow =
      call === 'pull' ? (faults().pullMsMax ?? 2_000) : call === 'start' || call === 'create' ? 80 : 5
    if (moment === 'before') await sleep(clock, chance.between(slow / 4, slow))
    const isStep = call === 'create' || call === 'start'
    if (isStep && moment === 'after' && chance.happens(faults().agentDeath ?? 0)) {
      this.#options.note(`the agent of ${this.instanceId} is killed with a ${call}`)
      this.crashAgent()
    }
    if (chance.happens(faults().unreachable))
      throw new RuntimeError('unreachable', `connection lost ${moment} ${call}`)
  }

  /** What the process in a container does. */
  #program(container: StoredContainer): void {
    const { clock, chance, faults, onStart } = this.#options
    const { labels, image, id, body } = container
    onStart(labels['com.amazonaws.ecs.task-arn'] ?? '', labels['com.amazonaws.ecs.container-name'] ?? '')
    const later = (durationMs: number, act: () => void): void => {
      clock.at(clock.now() + durationMs, () => {
        if (this.runtime.find(id)?.status === 'running') act()
      })
    }
    if (image.includes(batchImage)) later(chance.between(500, 30_000), () => this.runtime.exit(id, 0))
    else if (image.includes(crashingImage) || chance.happens(faults().crash))
      later(chance.between(1, 5_000), () => this.runtime.exit(id, 1))
    if (!body['Healthcheck']) return
    this.runtime.setHealth(id, 'starting')
    const health = image.includes(sickImage) ? 'unhealthy' : 'healthy'
    later(chance.between(1_000, 8_000), () => this.setHealth(id, health))
  }
}

/** The container runtime as one agent sees it: what was asked for happens though the asker dies, but is not answered. */
function runtimeOf(
  runtime: InMemoryRuntime,
  life: Life,
  asked: <T>(answer: () => Promise<T>) => Promise<T>,
  onStop: (id: string) => void,
): ContainerRuntime {
  return {
    version: () => asked(() => runtime.version()),
    pull: (image) => asked(() => runtime.pull(image)),
    inspectImage: (image) => asked(() => runtime.inspectImage(image)),
    removeImage: (image) => asked(() => runtime.removeImage(image)),
    listImages: () => asked(() => runtime.listImages()),
    imageStorage: () => asked(() => runtime.imageStorage()),
    list: (label) => asked(() => runtime.list(label)),
    create: (name, body) => asked(() => runtime.create(name, body)),
    start: (id) => asked(() => runtime.start(id)),
    stop: (id) =>
      asked(() => {
        onStop(runtime.find(id)?.id ?? id)
        return runtime.stop(id)
      }),
    remove: (id) => asked(() => runtime.remove(id)),
    inspect: (idOrName) => asked(() => runtime.inspect(idOrName)),
    stats: (id) => asked(() => runtime.stats(id)),
    networkUse: (id) => asked(() => runtime.networkUse(id)),
    createVolume: (volume) => asked(() => runtime.createVolume(volume)),
    hasVolume: (name) => asked(() => runtime.hasVolume(name)),
    removeVolume: (name) => asked(() => runtime.removeVolume(name)),
    watch: (watcher) => {
      const unwatch = runtime.watch({
        onUp: () => life.alive && watcher.onUp(),
        onDown: () => life.alive && watcher.onDown(),
        onEvent: (event) => life.clock.at(life.clock.now() + 1, () => watcher.onEvent(event)),
      })
      return unwatch
    },
  }
}
