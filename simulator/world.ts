import type { AgentDependencies } from '@berth/agent/runtime/ports.ts'
import type { ContainerDefinition } from '@aws-sdk/client-ecs'
import { ensureDefaultNetwork } from '@berth/control-plane/state/default-network.ts'
import { formatArn } from '@berth/control-plane/domain/arn.ts'
import { capacityProviderTag } from '@berth/control-plane/domain/capacity-provider.ts'
import {
  fargateAccountId,
  fargateClusterName,
  type FargateLimits,
  hostReservedMiB,
  isFargateHost,
} from '@berth/control-plane/domain/fargate.ts'
import { instanceTypes } from '@berth/control-plane/domain/ec2-instance-type.ts'
import type { Instance } from '@berth/control-plane/domain/instance.ts'
import type { Change, Store, Transaction } from '@berth/control-plane/state/store.ts'
import { present } from '@berth/std/assert.ts'
import { sleep } from '@berth/std/clock.ts'
import { AwsError } from '@berth/wire/error.ts'
import { Chance } from './chance.ts'
import { Checker, Violation } from './checker.ts'
import { AdjustableClock, SimulatedClock } from './clock.ts'
import { ControlPlane, scope } from './control-plane.ts'
import { JournalDisk } from './disk.ts'
import { ec2Instance } from './ec2-instance.ts'
import { armFaults, type Faults } from './faults.ts'
import { History } from './history.ts'
import { Host, type HostOptions, type RuntimeFaults } from './host.ts'
import { Inspector } from './inspector.ts'
import { Outside } from './outside.ts'
import { SimulatedProvider } from './provider.ts'
import { noNetworkFaults, SimulatedNetwork } from './network.ts'

/** What has no token: a copy that arrives after the next such request would rightly undo that. */
const withoutToken = new Set([
  'UpdateService',
  'UpdateDaemon',
  'UpdateTaskSet',
  'UpdateServicePrimaryTaskSet',
  'DeleteTaskSet',
  'ContinueServiceDeployment',
  'UpdateContainerInstancesState',
  'StartInstances',
  'StopInstances',
  'RebootInstances',
])
const startMs = Date.UTC(2026, 0, 1)
const controlPlaneDownMs = 2_000
const noRuntimeFaults: RuntimeFaults = { unreachable: 0, crash: 0 }

/** Where a host is put. */
interface Place {
  readonly zone: string
  readonly capacityProvider: string | undefined
}

type GivenHost = Pick<HostOptions, 'zone' | 'cluster' | 'cpu' | 'memoryMiB'>

/** What is particular about an instance that Fargate launched. */
function poolHost(instance: Instance): GivenHost {
  if (!isFargateHost(instance)) return {}
  const { vcpu, memoryMiB } = present(instanceTypes.get(instance.instanceType), 'its type')
  const { availabilityZone: zone } = instance
  return { zone, cluster: fargateClusterName, cpu: vcpu * 1024, memoryMiB: memoryMiB - hostReservedMiB }
}

export interface WorldOptions {
  readonly withProvider?: boolean
  /** What there is for Fargate tasks; it takes a provider. */
  readonly fargate?: FargateLimits | undefined
  /** The capacity provider that its hosts belong to, one after the other; absent: none. */
  readonly capacityProvider?: string | readonly string[] | undefined
  /** The zones of its hosts, one after the other. */
  readonly zones?: readonly string[] | undefined
  /** The control plane dies once, at that moment of a write: before or after the first is 1 or 2, of the second 3 or 4. */
  readonly crashAtMoment?: number | undefined
  /** Its history has every change of a row, and a digest: that takes time. */
  readonly traced?: boolean
}

/** A whole fleet with its control plane in one process: all that happens in it follows from the seed. */
export class World {
  readonly clock = new SimulatedClock(startMs)
  /** What the control plane's machine takes for the time. */
  readonly time = new AdjustableClock(this.clock)
  readonly chance: Chance
  readonly network: SimulatedNetwork
  readonly hosts: Host[] = []
  readonly history: History
  /** What the clients of a scenario wait for beside what always must be: each says what is not so yet. */
  readonly expectations: Array<(world: World) => string | undefined> = []
  /** Where EC2 instances come from; without one the scenario's hosts are put there by hand. */
  readonly provider: SimulatedProvider | undefined
  /** What deployments ask: it outlives the control plane. */
  readonly outside: Outside
  /** Each time that a rule or schedule could not start its tasks. */
  readonly scheduleTroubles: Array<{ readonly arn: string; readonly at: number }> = []
  controlPlane: ControlPlane | undefined
  violation: unknown
  readonly #disk: JournalDisk
  readonly #checker: Checker
  readonly #inspector: Inspector
  /** Where the containers of each task were started. */
  readonly #hostOf = new Map<string, Host>()
  readonly #options: WorldOptions
  /** How many hosts were added that take nobody's place. */
  #added = 0
  readonly #places = new Map<Host, Place>()
  #faults: Faults = {}
  faulty = false
  /** Moments just before and just after a write of the journal, so far. */
  moments = 0

  constructor(seed: number, options: WorldOptions = {}) {
    this.#options = options
    this.history = new History(this.clock, options.traced === true)
    this.chance = new Chance(seed)
    this.outside = new Outside(this.clock, new Chance(seed + 1_000_003), () =>
      this.faulty ? this.#faults.outside : undefined,
    )
    this.network = new SimulatedNetwork(this.clock, this.chance.fork())
    this.#disk = new JournalDisk(this.chance.fork())
    this.#disk.onWrite = (moment) => {
      if (++this.moments === options.crashAtMoment) this.crashControlPlane(moment)
      else if (this.faulty && this.chance.happens((this.#faults.crashAtWrite ?? 0) / 2))
        this.crashControlPlane(moment)
    }
    this.#checker = new Checker(
      this.time,
      this.#disk,
      (taskArn) => this.#hostOf.get(taskArn)?.seen(taskArn) ?? [],
      this.outside,
      options.fargate,
    )
    this.#inspector = new Inspector((broken) => this.fail(new Violation(broken)))
    if (options.withProvider)
      this.provider = new SimulatedProvider({
        clock: this.clock,
        chance: this.chance.fork(),
        failure: () => (this.faulty ? (this.#faults.providerFailure ?? 0) : 0),
        makeHost: (instance) => this.#makeHost(instance.instanceId, poolHost(instance)),
      })
  }

  /** A line for the history that is printed with a violation. */
  note(text: string): void {
    this.history.note(text)
  }

  fail(error: unknown): void {
    this.violation ??= error
  }

  sleep(durationMs: number): Promise<void> {
    return sleep(this.clock, durationMs)
  }

  async startControlPlane(): Promise<void> {
    const started = await ControlPlane.start({
      clock: this.time,
      chance: this.chance.fork(),
      disk: this.#disk,
      ...(this.provider && { provider: this.provider }),
      outside: this.outside,
      fargate: this.#options.fargate,
      onChanges: (store, changes, who) => this.#changed(store, changes, who),
      onAcknowledged: (changes) => this.#check(() => this.#checker.acknowledged(changes)),
      onError: (where, error) => {
        this.note(`${where}: ${String(error)}`)
        this.fail(error)
      },
      note: (text) => this.note(text),
      onScheduleTrouble: (arn, trouble) => {
        this.note(`${arn}: ${trouble}`)
        this.scheduleTroubles.push({ arn, at: this.clock.now() })
      },
    })
    this.controlPlane = started
    this.#check(() => {
      this.#checker.checkKept(started.store)
      this.#inspector.inspect(started)
    })
  }

  #changed(store: Store, changes: readonly Change[], who: string): void {
    this.history.changed(who, changes)
    this.#check(() => {
      this.#checker.changed(store, changes)
      this.#checker.forgotten(changes)
    })
  }

  /** It is up again after some seconds, or after the time given. */
  crashControlPlane(why: string, downMs = this.chance.between(10, 2 * controlPlaneDownMs)): void {
    if (!this.controlPlane) return
    this.note(`the control plane is killed (${why})`)
    this.controlPlane.crash()
    this.controlPlane = undefined
    this.network.breakConnections(() => true)
    this.clock.at(this.clock.now() + downMs, () => {
      this.startControlPlane().catch((error: unknown) => this.fail(error))
    })
  }

  /** An EC2 instance with its agent, as the instance provider would bring it up; `like` another: in place of that. */
  async addHost(like?: Host): Promise<Host> {
    const instanceId = `i-${this.chance.ids.hex(17)}`
    const place = like ? this.#places.get(like) : this.#nextPlace()
    const { zone = 'us-east-1a', capacityProvider: value } = place ?? {}
    await this.#operate((controlPlane) =>
      controlPlane.change((tx) => {
        const { subnets } = ensureDefaultNetwork(tx, scope)
        tx.put('instance', ec2Instance(instanceId, zone, subnets))
        const resourceArn = formatArn(scope, 'ec2', `instance/${instanceId}`)
        if (value !== undefined)
          tx.put('resourceTags', { resourceArn, tags: [{ key: capacityProviderTag, value }] })
      }),
    )
    const host = this.#makeHost(instanceId, { zone })
    this.#places.set(host, { zone, capacityProvider: value })
    host.boot()
    return host
  }

  #nextPlace(): Place {
    const { zones = ['us-east-1a'], capacityProvider } = this.#options
    const index = this.#added++
    const providers = typeof capacityProvider === 'string' ? [capacityProvider] : (capacityProvider ?? [])
    return {
      zone: zones[index % zones.length] ?? '',
      capacityProvider: providers[index % Math.max(1, providers.length)],
    }
  }

  #makeHost(instanceId: string, given: GivenHost = {}): Host {
    const host: Host = new Host({
      ...given,
      instanceId,
      clock: this.clock,
      chance: this.chance.fork(),
      faults: () => (this.faulty ? (this.#faults.runtime ?? noRuntimeFaults) : noRuntimeFaults),
      ecs: this.#agentApi(given.cluster === fargateClusterName ? fargateAccountId : undefined),
      connect: (url, query) =>
        this.network.connect((socket) => {
          if (!this.controlPlane) throw new Error('connect ECONNREFUSED')
          this.controlPlane.accept(url, query, socket)
        }),
      onStart: (taskArn, name) => {
        const before = this.#hostOf.get(taskArn) ?? host
        this.#hostOf.set(taskArn, host)
        this.#check(() => {
          if (before !== host)
            throw new Violation(`${taskArn} ran on ${before.instanceId} and runs on ${host.instanceId}`)
          this.#checker.containerStarted(taskArn, name, host.time.now())
        })
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
    await this.#operate((controlPlane) =>
      controlPlane.change((tx) => {
        const row = tx.find('instance', host.instanceId)
        if (row) tx.put('instance', { ...row, state: 'terminated', desiredState: 'terminated' })
      }),
    )
  }

  /** All machines of a zone break at once. */
  async loseZone(zone: string): Promise<void> {
    this.note(`the zone ${zone} is lost`)
    await Promise.all(
      this.hosts.filter((host) => host.up && host.zone === zone).map((host) => this.loseHost(host)),
    )
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
    this.faulty = true
    this.network.faults = faults.network ?? noNetworkFaults
    armFaults(this, faults)
  }

  endFaults(): void {
    this.note('faults end')
    this.faulty = false
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
    this.inspect()
  }

  /** Looks at all rows, and at what answers say of them. */
  inspect(): void {
    const { controlPlane } = this
    if (controlPlane) this.#check(() => this.#inspector.inspect(controlPlane))
  }

  #check(laws: () => void): void {
    try {
      laws()
    } catch (error) {
      this.fail(error instanceof Violation ? error : new Error('a check failed', { cause: error }))
    }
  }

  #serve(name: string, input: object, accountId?: string): Promise<unknown> {
    return (
      this.controlPlane?.serve(name, input, accountId) ?? Promise.reject(new Error('connect ECONNREFUSED'))
    )
  }

  /** Does what an operator does beside the API. */
  operate(body: (tx: Transaction) => void): Promise<void> {
    return this.#operate((controlPlane) => controlPlane.change(body))
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

  #agentApi(accountId?: string): AgentDependencies['ecs'] {
    const call = <Output>(name: string, input: object): Promise<Output> =>
      this.network.call(() => this.#serve(name, input, accountId)) as Promise<Output>
    return {
      registerContainerInstance: (input) => call('RegisterContainerInstance', input),
      createCluster: (input) => call('CreateCluster', input),
      discoverPollEndpoint: (input) => call('DiscoverPollEndpoint', input),
      submitTaskStateChange: (input) => call('SubmitTaskStateChange', input),
    }
  }
}
