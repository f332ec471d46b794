import type { AgentDependencies } from '@berth/agent/runtime/ports.ts'
import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import type { Instance } from '@berth/control-plane/domain/instance.ts'
import { sleep } from '@berth/std/clock.ts'
import { AwsError } from '@berth/wire/error.ts'
import { Chance } from './chance.ts'
import { Checker, Violation } from './checker.ts'
import { SimulatedClock } from './clock.ts'
import { ControlPlane, scope } from './control-plane.ts'
import { JournalDisk } from './disk.ts'
import { Host, type RuntimeFaults } from './host.ts'
import { SimulatedProvider } from './provider.ts'
import { type NetworkFaults, noNetworkFaults, SimulatedNetwork } from './network.ts'

/** What goes wrong in a run. Mean times are in milliseconds of simulated time; absent, it does not happen. */
export interface Faults {
  readonly network?: NetworkFaults
  readonly runtime?: RuntimeFaults
  readonly controlPlaneCrashMeanMs?: number
  /** Probability that the control plane dies with a write to its journal, just before or just after it. */
  readonly crashAtWrite?: number
  readonly agentCrashMeanMs?: number
  readonly hostLossMeanMs?: number
  readonly containerDeathMeanMs?: number
  /** A container with a health check becomes unhealthy. */
  readonly healthLossMeanMs?: number
  readonly runtimeRestartMeanMs?: number
  readonly connectionLossMeanMs?: number
  /** Probability that a call of the instance provider fails, before or after it took effect. */
  readonly providerFailure?: number
}

const historyMax = 60
/** What has no token: a copy that arrives after the next such request would rightly undo that. */
const withoutToken = new Set(['UpdateService', 'StartInstances', 'StopInstances', 'RebootInstances'])
const startMs = Date.UTC(2026, 0, 1)
const controlPlaneDownMs = 2_000
const noRuntimeFaults: RuntimeFaults = { unreachable: 0, crash: 0 }

/** A whole fleet with its control plane in one process: all that happens in it follows from the seed. */
export class World {
  readonly clock = new SimulatedClock(startMs)
  readonly chance: Chance
  readonly network: SimulatedNetwork
  readonly hosts: Host[] = []
  readonly history: string[] = []
  /** What the clients of a scenario wait for beside what always must be: each says what is not so yet. */
  readonly expectations: Array<(world: World) => string | undefined> = []
  /** Where EC2 instances come from; without one the scenario's hosts are put there by hand. */
  readonly provider: SimulatedProvider | undefined
  controlPlane: ControlPlane | undefined
  violation: unknown
  readonly #disk: JournalDisk
  readonly #checker: Checker
  /** Where the containers of each task were started. */
  readonly #hostOf = new Map<string, Host>()
  #faults: Faults = {}
  #faulty = false

  constructor(seed: number, { withProvider = false } = {}) {
    this.chance = new Chance(seed)
    this.network = new SimulatedNetwork(this.clock, this.chance.fork())
    this.#disk = new JournalDisk(this.chance.fork())
    this.#disk.onWrite = (moment) => {
      if (this.#faulty && this.chance.happens((this.#faults.crashAtWrite ?? 0) / 2))
        this.crashControlPlane(moment)
    }
    this.#checker = new Checker(
      this.clock,
      this.#disk,
      (taskArn) => this.#hostOf.get(taskArn)?.seen(taskArn) ?? [],
    )
    if (withProvider)
      this.provider = new SimulatedProvider({
        clock: this.clock,
        chance: this.chance.fork(),
        failure: () => (this.#faulty ? (this.#faults.providerFailure ?? 0) : 0),
        makeHost: (instanceId) => this.#makeHost(instanceId),
      })
  }

  /** A line for the history that is printed with a violation. */
  note(text: string): void {
    const seconds = ((this.clock.now() - startMs) / 1_000).toFixed(3)
    this.history.push(`${seconds} ${text}`)
    if (this.history.length > historyMax) this.history.shift()
  }

  fail(error: unknown): void {
    this.violation ??= error
  }

  sleep(durationMs: number): Promise<void> {
    return sleep(this.clock, durationMs)
  }

  async startControlPlane(): Promise<void> {
    const started = await ControlPlane.start({
      clock: this.clock,
      chance: this.chance.fork(),
      disk: this.#disk,
      ...(this.provider && { provider: this.provider }),
      onChanges: (store, changes) =>
        this.#check(() => {
          this.#checker.changed(store, changes)
          this.#checker.forgotten(changes)
        }),
      onAcknowledged: (changes) => this.#check(() => this.#checker.acknowledged(changes)),
      onError: (where, error) => {
        this.note(`${where}: ${String(error)}`)
        this.fail(error)
      },
      note: (text) => this.note(text),
    })
    this.controlPlane = started
    this.#check(() => this.#checker.checkKept(started.store))
  }

  crashControlPlane(why: string): void {
    if (!this.controlPlane) return
    this.note(`the control plane is killed (${why})`)
    this.controlPlane.crash()
    this.controlPlane = undefined
    this.network.breakConnections(() => true)
    this.clock.at(this.clock.now() + this.chance.between(10, 2 * controlPlaneDownMs), () => {
      this.startControlPlane().catch((error: unknown) => this.fail(error))
    })
  }

  /** An EC2 instance with its agent, as the instance provider would bring it up. */
  async addHost(): Promise<Host> {
    const instanceId = `i-${this.chance.ids.hex(17)}`
    await this.#operate((controlPlane) =>
      controlPlane.change((tx) => tx.put('instance', ec2Instance(instanceId))),
    )
    const host = this.#makeHost(instanceId)
    host.boot()
    return host
  }

  #makeHost(instanceId: string): Host {
    const host: Host = new Host({
      instanceId,
      clock: this.clock,
      chance: this.chance.fork(),
      faults: () => (this.#faulty ? (this.#faults.runtime ?? noRuntimeFaults) : noRuntimeFaults),
      ecs: this.#agentApi(),
      connect: (url, query) =>
        this.network.connect((socket) => {
          if (!this.controlPlane) throw new Error('connect ECONNREFUSED')
          this.controlPlane.accept(url, query, socket)
        }),
      onStart: (taskArn, name) => {
        this.#hostOf.set(taskArn, host)
        this.#check(() => this.#checker.containerStarted(taskArn, name))
      },
      note: (text) => this.note(text),
    })
    this.hosts.push(host)
    return host
  }

  /** The machine breaks, and its provider says so. */
  async loseHost(host: Host): Promise<void> {
    this.note(`${host.instanceId} is lost`)
    if (this.provider) return this.provider.lose(host.instanceId)
    host.lose()
    const ended = {
      ...ec2Instance(host.instanceId),
      state: 'terminated',
      desiredState: 'terminated',
    } as const
    await this.#operate((controlPlane) => controlPlane.change((tx) => tx.put('instance', ended)))
  }

  /** A client's request, repeated until it is answered. Throws the AwsError that is the answer. */
  async request<Output>(name: string, input: object): Promise<Output> {
    const repeatable = !withoutToken.has(name)
    for (;;) {
      try {
        return (await this.network.call(() => this.#serve(name, input), repeatable)) as Output
      } catch (error) {
        if (error instanceof AwsError) throw error
        await this.sleep(1_000)
      }
    }
  }

  /** Lets go wrong what `faults` says, until they are ended. */
  beginFaults(faults: Faults): void {
    this.#faults = faults
    this.#faulty = true
    this.network.faults = faults.network ?? noNetworkFaults
    const healthyHosts = (): Host[] => this.hosts.filter((host) => host.up)
    this.#again(faults.controlPlaneCrashMeanMs, () => this.crashControlPlane('at any time'))
    this.#again(faults.connectionLossMeanMs, () =>
      this.network.breakConnections(() => this.chance.happens(0.5)),
    )
    this.#again(faults.agentCrashMeanMs, () => {
      const host = this.chance.oneOf(healthyHosts())
      this.note(`the agent of ${host?.instanceId} is killed`)
      host?.crashAgent(this.chance.between(100, 20_000))
    })
    this.#again(faults.hostLossMeanMs, () => {
      const host = this.chance.oneOf(healthyHosts())
      if (!host) return
      this.loseHost(host).catch((error: unknown) => this.fail(error))
      if (!this.provider) this.addHost().catch((error: unknown) => this.fail(error))
    })
    this.#again(faults.containerDeathMeanMs, () => {
      const host = this.chance.oneOf(healthyHosts())
      const container = this.chance.oneOf(host?.running() ?? [])
      if (!host?.runtime.isUp || !container) return
      this.note(`a container of ${container.labels['com.amazonaws.ecs.task-arn']} dies`)
      const memory = this.chance.happens(0.5)
      host.runtime.exit(container.id, memory ? 137 : 1, memory)
    })
    this.#again(faults.healthLossMeanMs, () => {
      const host = this.chance.oneOf(healthyHosts())
      const container = this.chance.oneOf((host?.running() ?? []).filter(({ health }) => health))
      if (!container) return
      this.note(`a container of ${container.labels['com.amazonaws.ecs.task-arn']} becomes unhealthy`)
      host?.setHealth(container.id, 'unhealthy')
    })
    this.#again(faults.runtimeRestartMeanMs, () => {
      const host = this.chance.oneOf(healthyHosts())
      if (!host?.runtime.isUp) return
      this.note(`the container runtime of ${host.instanceId} restarts`)
      host.runtime.goDown(this.chance.happens(0.5))
      this.clock.at(this.clock.now() + this.chance.between(100, 10_000), () => {
        if (host.up) host.runtime.comeUp()
      })
    })
  }

  endFaults(): void {
    this.note('faults end')
    this.#faulty = false
    this.network.faults = noNetworkFaults
  }

  /** Runs until `done`, a violation or `untilMs`. */
  async run(untilMs: number, done: () => boolean): Promise<void> {
    await this.clock.run(untilMs, () => this.violation !== undefined || done())
  }

  definitionsOf(taskArn: string): readonly ContainerDefinition[] {
    return this.#checker.definitionsOf(taskArn)
  }

  /** At the end all that was acknowledged must still be there. */
  checkEnd(): void {
    const store = this.controlPlane?.store
    if (store) this.#check(() => this.#checker.checkKept(store))
  }

  #check(laws: () => void): void {
    try {
      laws()
    } catch (error) {
      this.fail(error instanceof Violation ? error : new Error('a check failed', { cause: error }))
    }
  }

  #serve(name: string, input: object): Promise<unknown> {
    return this.controlPlane?.serve(name, input) ?? Promise.reject(new Error('connect ECONNREFUSED'))
  }

  async #operate(act: (controlPlane: ControlPlane) => Promise<void>): Promise<void> {
    for (;;) {
      const { controlPlane } = this
      if (controlPlane) {
        const done = await Promise.race([
          act(controlPlane).then(() => true),
          this.sleep(5_000).then(() => false),
        ])
        if (done) return
      } else await this.sleep(1_000)
    }
  }

  #agentApi(): AgentDependencies['ecs'] {
    const call = <Output>(name: string, input: object): Promise<Output> =>
      this.network.call(() => this.#serve(name, input)) as Promise<Output>
    return {
      registerContainerInstance: (input) => call('RegisterContainerInstance', input),
      createCluster: (input) => call('CreateCluster', input),
      discoverPollEndpoint: (input) => call('DiscoverPollEndpoint', input),
      submitTaskStateChange: (input) => call('SubmitTaskStateChange', input),
    }
  }

  #again(meanMs: number | undefined, act: () => void): void {
    if (meanMs === undefined) return
    const wait = -Math.log(1 - this.chance.fraction()) * meanMs
    this.clock.at(this.clock.now() + wait, () => {
      if (!this.#faulty) return
      act()
      this.#again(meanMs, act)
    })
  }
}

function ec2Instance(instanceId: string): Instance {
  return {
    ...scope,
    instanceId,
    reservationId: 'r-1',
    launchIndex: 0,
    imageId: 'ami-1',
    instanceType: 't3.large',
    vpcId: 'vpc-1',
    subnetId: 'subnet-1',
    availabilityZone: 'us-east-1a',
    securityGroupIds: [],
    networkInterfaceId: 'eni-1',
    macAddress: '02:00:00:00:00:01',
    privateIpAddress: '10.0.0.4',
    privateDnsName: 'ip-10-0-0-4.ec2.internal',
    launchTime: startMs,
    metadataOptions: { httpTokens: 'optional', httpPutResponseHopLimit: 1 },
    desiredState: 'running',
    boot: 1,
    state: 'running',
    bootSeen: 1,
    stateTransitionReason: '',
  }
}
