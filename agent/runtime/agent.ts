import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import { portKey } from '#engine/host-ports.ts'
import { hasDependencyCycle } from '#engine/task-plan.ts'
import { InvalidTaskError, invalidTaskRecord, newTaskRecord, type TaskRecord } from '#engine/task-record.ts'
import { Adoption } from './adoption.ts'
import { AgentExit, exitCode, messageOf } from './agent-error.ts'
import {
  type AgentIdentity,
  awaitedKey,
  ec2InstanceId,
  identityKey,
  type ImageUse,
  loadState,
  type PendingRegistration,
  registrationKey,
  Saver,
  taskKey,
} from './agent-state.ts'
import { Commands } from './commands.ts'
import type { ContainerEvent } from './container-runtime.ts'
import { TaskCredentials } from './credentials.ts'
import { openSessions } from './control-sessions.ts'
import { EndpointCache } from './endpoints.ts'
import { ExecSessions } from './exec.ts'
import { Images, type PullInProgress } from './images.ts'
import type { AgentConfig, AgentDependencies } from './ports.ts'
import { Reaper } from './reaper.ts'
import { register } from './register.ts'
import { removeStrangers } from './strangers.ts'
import { TaskRunner } from './task-runner.ts'
import { Telemetry } from './telemetry.ts'
import { Timers, Turnstile } from './timers.ts'

const submissionsAtOnceMax = 10

/**
 * The host's side of the orchestrator: registers the host, takes tasks over ACS, runs their containers, reports what
 * becomes of them. It keeps all it promised on disk, so it may end at any moment and go on where it was.
 */
export class Agent {
  readonly #dependencies: AgentDependencies
  readonly #config: AgentConfig
  readonly #timers: Timers
  readonly #runners = new Map<string, TaskRunner>()
  /** Whose pause container it is, by Docker name. */
  readonly #sandboxes = new Map<string, TaskRunner>()
  /** Whose container it is, by Docker name. */
  readonly #containers = new Map<string, { readonly runner: TaskRunner; readonly container: string }>()
  readonly #credentials: TaskCredentials
  readonly #submissions = new Turnstile(submissionsAtOnceMax)
  readonly #stops: Turnstile
  readonly #reaper: Reaper
  readonly #exec: ExecSessions | undefined
  #adoption: Adoption
  readonly #identitySaver: Saver<AgentIdentity | undefined>
  #images: Images
  #identity: AgentIdentity | undefined
  #registration: PendingRegistration | undefined
  #availabilityZone: string | undefined
  #dockerVersion = ''
  #runtime: { readonly status: 'OK' | 'IMPAIRED' | 'INITIALIZING'; readonly since: number }
  #telemetry: Telemetry | undefined
  #unwatch: () => void = () => undefined
  #sequence = 0

  constructor(given: AgentDependencies, config: AgentConfig) {
    this.#credentials = given.credentials ?? new TaskCredentials(given.clock)
    const dependencies = { ...given, credentials: this.#credentials }
    this.#dependencies = dependencies
    this.#config = config
    this.#timers = new Timers(dependencies.clock)
    this.#images = this.#newImages({})
    this.#stops = new Turnstile(config.containerStopsAtOnceMax)
    this.#adoption = new Adoption(dependencies, { tasks: [] })
    const { exec } = dependencies
    this.#exec = exec && new ExecSessions(dependencies, exec, (arn) => this.#runners.get(arn)?.record)
    this.#reaper = new Reaper(this.#timers, config.taskCleanupWaitMs, dependencies.log, (runner) =>
      this.#forget(runner),
    )
    this.#identitySaver = new Saver(
      () => this.#identity,
      (value) => dependencies.disk.save(identityKey, value),
    )
    this.#runtime = { status: 'INITIALIZING', since: dependencies.clock.now() }
  }

  /**
   * Takes over what a former run left, registers, and resolves once the agent is a container instance; it then works on
   * until `stop`.
   * @throws AgentExit with the code the process should end with
   */
  async start(): Promise<void> {
    const { log, runtime, host } = this.#dependencies
    await this.#restore()
    await this.#removeStrangers()
    this.#unwatch = runtime.watch({
      onUp: () => this.#onRuntimeUp(),
      onDown: () => this.#onRuntimeDown(),
      onEvent: (event) => this.#onEvent(event),
    })
    const registered = await register(this.#dependencies, this.#config, this.#timers, {
      clientToken: await this.#clientToken(),
      ...(this.#identity && { containerInstanceArn: this.#identity.containerInstanceArn }),
    })
    this.#availabilityZone = registered.availabilityZone
    this.#dockerVersion = registered.dockerVersion
    this.#identity = {
      schemaVersion: 1,
      cluster: this.#config.cluster,
      containerInstanceArn: registered.containerInstanceArn,
      ec2InstanceId: ec2InstanceId(host.identityDocument),
      timeline: this.#identity?.timeline ?? -1,
    }
    await this.#identitySaver.save()
    await this.#dependencies.disk.remove(registrationKey)
    log('info', 'registered', { ...registered, tasks: this.#runners.size })
    this.#sweepImagesLater()
    this.#openSessions(registered.containerInstanceArn, registered.cluster)
  }

  /** Ends the agent and leaves its containers running. All it must remember is on disk already. */
  async stop(): Promise<void> {
    this.#timers.end()
    this.#unwatch()
    this.#exec?.end('The agent is stopping.')
    await Promise.allSettled([...this.#runners.values()].map((runner) => runner.save()))
  }

  /** Every task this agent knows, finished ones until they are cleaned up. */
  records(): readonly TaskRecord[] {
    return [...this.#runners.values()].map(({ record }) => record)
  }

  /** The pulls under way. */
  pulls(): readonly PullInProgress[] {
    return this.#images.pulls()
  }

  identity(): { readonly containerInstanceArn?: string; readonly availabilityZone?: string } {
    return {
      ...(this.#identity && { containerInstanceArn: this.#identity.containerInstanceArn }),
      ...(this.#availabilityZone !== undefined && { availabilityZone: this.#availabilityZone }),
    }
  }

  /** What the control plane sent of the tasks' roles. */
  get credentials(): TaskCredentials {
    return this.#credentials
  }

  async #restore(): Promise<void> {
    const { disk, host, log, clock } = this.#dependencies
    const saved = await loadState(disk)
    const moved = saved.identity && saved.identity.ec2InstanceId !== ec2InstanceId(host.identityDocument)
    if (moved) {
      log('warn', 'the saved state is of another EC2 instance and is dropped')
      for (const { task } of saved.tasks) await disk.remove(taskKey(task.arn))
      await disk.remove(identityKey)
      await disk.remove(registrationKey)
      await disk.remove(awaitedKey)
      return
    }
    if (saved.identity && saved.identity.cluster !== this.#config.cluster)
      throw new AgentExit(
        exitCode.terminal,
        `this host is registered in cluster ${saved.identity.cluster || 'default'}; remove the agent's data directory to move it`,
      )
    this.#adoption = new Adoption(this.#dependencies, saved)
    this.#identity =
      saved.identity ??
      (await this.#adoption.takeOver(this.#config.cluster, ec2InstanceId(host.identityDocument)))
    this.#registration = saved.registration
    this.#images = this.#newImages(saved.images)
    for (const record of saved.tasks) {
      const runner = this.#addRunner(record)
      if (record.sentStatus === 'STOPPED') this.#reaper.add(runner)
      else runner.begin('found')
    }
    this.#runtime = { status: 'INITIALIZING', since: clock.now() }
  }

  /**
   * The token of a first registration is on disk before it is used: an agent that ends before it has saved who it
   * became, or cannot save it, asks again for the same and does not become another container instance each time.
   */
  async #clientToken(): Promise<string> {
    const { ids, disk, host } = this.#dependencies
    if (this.#identity) return ids.uuid()
    const here = ec2InstanceId(host.identityDocument)
    if (this.#registration?.ec2InstanceId !== here)
      this.#registration = { schemaVersion: 1, clientToken: ids.uuid(), ec2InstanceId: here }
    await disk.save(registrationKey, this.#registration)
    return this.#registration.clientToken
  }

  async #removeStrangers(): Promise<void> {
    const { runtime, log } = this.#dependencies
    const known = this.#adoption.known(this.records())
    const now = this.#timers.now()
    const lost = await removeStrangers(runtime, known, now, log).catch((error: unknown) => {
      throw new AgentExit(exitCode.restart, `strange containers were not removed: ${messageOf(error)}`)
    })
    for (const record of lost) await this.#take(record)
  }

  #addRunner(record: TaskRecord): TaskRunner {
    const runner: TaskRunner = new TaskRunner(
      {
        dependencies: this.#dependencies,
        config: this.#config,
        timers: this.#timers,
        images: this.#images,
        submissions: this.#submissions,
        stops: this.#stops,
        isRuntimeUp: () => this.#runtime.status === 'OK',
        portsInUse: () => this.#portsInUse(),
        dynamicPorts: () => this.#config.dynamicHostPortRange ?? this.#dependencies.host.ephemeralPorts,
        healthChanged: () => this.#telemetry?.publishHealth([runner.record]),
        finished: () => this.#reaper.add(runner),
      },
      record,
    )
    this.#runners.set(record.task.arn, runner)
    for (const { dockerName, name } of record.containers)
      this.#containers.set(dockerName, { runner, container: name })
    const sandbox = this.#dependencies.network?.containerName(record)
    if (sandbox !== undefined) this.#sandboxes.set(sandbox, runner)
    return runner
  }

  async #forget(runner: TaskRunner): Promise<void> {
    await runner.cleanUp()
    const { record } = runner
    this.#runners.delete(record.task.arn)
    for (const { dockerName } of record.containers) this.#containers.delete(dockerName)
    this.#sandboxes.delete(this.#dependencies.network?.containerName(record) ?? '')
    this.#credentials.forget(record.task.arn)
  }

  /** Derived from the records each time, so that nothing is ever leaked. */
  #portsInUse(): ReadonlySet<string> {
    const ports = new Set<string>()
    for (const port of this.#config.reservedPorts) ports.add(portKey('tcp', port))
    for (const port of this.#config.reservedPortsUdp) ports.add(portKey('udp', port))
    for (const { record } of this.#runners.values())
      if (record.stoppedAt === undefined)
        for (const { state, hostPorts } of record.containers)
          if (state !== 'STOPPED')
            for (const { protocol, hostPort } of hostPorts) ports.add(portKey(protocol, hostPort))
    return ports
  }

  #onRuntimeUp(): void {
    this.#runtime = { status: 'OK', since: this.#timers.now() }
    this.#telemetry?.publishStatus()
    for (const runner of this.#runners.values()) runner.lookAtAll()
  }

  #onRuntimeDown(): void {
    if (this.#timers.ended || this.#runtime.status === 'IMPAIRED') return
    this.#runtime = { status: 'IMPAIRED', since: this.#timers.now() }
    this.#dependencies.log('warn', 'the container runtime does not answer')
    this.#telemetry?.publishStatus()
  }

  #onEvent({ name, exitCode: code }: ContainerEvent): void {
    const owner = this.#containers.get(name)
    owner?.runner.look(owner.container, code)
    this.#sandboxes.get(name)?.checkResources()
  }

  #openSessions(containerInstanceArn: string, cluster: string): void {
    const endpoints = new EndpointCache(this.#dependencies, cluster, containerInstanceArn)
    const telemetry = new Telemetry(this.#dependencies, this.#config, this.#timers, {
      records: () => this.records(),
      runtimeStatus: () => this.#runtime,
      cluster,
      containerInstanceArn,
    })
    this.#telemetry = telemetry
    const commands = this.#commands(containerInstanceArn, cluster, endpoints)
    openSessions({
      dependencies: this.#dependencies,
      config: this.#config,
      timers: this.#timers,
      endpoints,
      commands,
      telemetry,
      cluster,
      containerInstanceArn,
      dockerVersion: this.#dockerVersion,
      executesCommands: this.#exec !== undefined,
      question: () => this.#adoption.request(containerInstanceArn),
    })
  }

  #commands(containerInstanceArn: string, cluster: string, endpoints: EndpointCache): Commands {
    return new Commands({
      cluster,
      containerInstanceArn,
      log: this.#dependencies.log,
      accept: (task) => this.#accept(task),
      refuse: async (arn, reason) => {
        if (!this.#runners.has(arn))
          await this.#take(invalidTaskRecord({ arn, desiredStatus: 'RUNNING' }, reason, this.#timers.now()))
      },
      requestStop: (arn) => this.#runners.get(arn)?.requestStop(),
      wanted: () =>
        this.records()
          .filter(({ desiredStatus }) => desiredStatus === 'RUNNING')
          .map(({ task }) => ({
            taskArn: task.arn,
            taskClusterArn: task.taskClusterArn ?? cluster,
            desiredStatus: 'RUNNING',
          })),
      raiseTimeline: (timeline) => this.#raiseTimeline(timeline),
      sawSequence: (seqNum) => {
        this.#sequence = Math.max(this.#sequence, seqNum)
      },
      keepCredentials: (taskArn, kind, credentials) => this.#credentials.keep(taskArn, kind, credentials),
      executeCommand: (command) => void this.#exec?.run(command, endpoints),
      takeNetworkRules: (rules) => this.#dependencies.network?.takeRules(rules),
      heartbeat: () => this.#telemetry?.heartbeat(),
    })
  }

  #raiseTimeline(timeline: number): boolean {
    const identity = this.#identity
    if (!identity || timeline <= Math.max(identity.timeline, this.#sequence)) return false
    this.#identity = { ...identity, timeline }
    this.#identitySaver.save().catch((error: unknown) => {
      this.#dependencies.log('error', 'manifest timeline not saved', { error: messageOf(error) })
    })
    return true
  }

  /** Of a task known already only the wish to stop it counts. */
  async #accept(task: PayloadTask): Promise<boolean> {
    const known = this.#runners.get(task.arn)
    if (known) {
      if (task.desiredStatus === 'STOPPED') known.requestStop()
      await known.save()
      return true
    }
    if (this.#adoption.awaits(task.arn)) return this.#adopt(task)
    try {
      const record = newTaskRecord(task, this.#dependencies.ids, this.#timers.now())
      const circular = task.desiredStatus === 'RUNNING' && hasDependencyCycle(task.containers ?? [])
      const reason = 'TaskDependencyError: the dependencies between the containers of the task are circular'
      await this.#take(circular ? invalidTaskRecord(task, reason, this.#timers.now()) : record)
      return true
    } catch (error) {
      if (!(error instanceof InvalidTaskError)) throw error
      await this.#take(invalidTaskRecord(task, error.message, this.#timers.now()))
      return false
    }
  }

  async #adopt(task: PayloadTask): Promise<boolean> {
    // A bare stop is for those who know the task. What it is comes with the answer to what was asked.
    if (!task.containers) return false
    const record = await this.#adoption.adopt(task, this.#timers.now())
    // The same may have come twice meanwhile.
    if (this.#runners.has(task.arn)) return this.#accept(task)
    await this.#take(record, 'found')
    await this.#adoption.done(task.arn)
    return true
  }

  async #take(record: TaskRecord, origin: 'accepted' | 'found' = 'accepted'): Promise<void> {
    const runner = this.#addRunner(record)
    try {
      await runner.save()
    } catch (error) {
      this.#runners.delete(record.task.arn)
      for (const { dockerName } of record.containers) this.#containers.delete(dockerName)
      throw error
    }
    runner.begin(origin)
  }

  #newImages(use: ImageUse): Images {
    const needed = (): ReadonlySet<string> =>
      new Set(this.records().flatMap(({ task }) => task.containers?.map(({ image }) => image) ?? []))
    return new Images(this.#dependencies, this.#config, this.#timers, use, needed)
  }

  #sweepImagesLater(): void {
    const cleanup = this.#config.imageCleanup
    if (!cleanup) return
    this.#timers.after(cleanup.intervalMs, () => {
      this.#images
        .sweep()
        .catch((error: unknown) =>
          this.#dependencies.log('warn', 'images not swept', { error: messageOf(error) }),
        )
        .finally(() => this.#sweepImagesLater())
    })
  }
}
