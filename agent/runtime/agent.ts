import type { PayloadTask, RoleCredentials } from '@berth/agent-protocol/acs.ts'
import { Backoff } from '#engine/backoff.ts'
import { portKey } from '#engine/host-ports.ts'
import { hasDependencyCycle } from '#engine/task-plan.ts'
import { InvalidTaskError, invalidTaskRecord, newTaskRecord, type TaskRecord } from '#engine/task-record.ts'
import { AgentExit, exitCode } from './agent-error.ts'
import { type AgentIdentity, identityKey, loadState, Saver, taskKey } from './agent-state.ts'
import { Commands } from './commands.ts'
import type { ContainerEvent } from './container-runtime.ts'
import { EndpointCache, websocketUrl } from './endpoints.ts'
import { Images, messageOf } from './images.ts'
import type { AgentConfig, AgentDependencies } from './ports.ts'
import { Reaper } from './reaper.ts'
import { register } from './register.ts'
import { keepSession } from './session.ts'
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
  /** Whose container it is, by Docker name. */
  readonly #containers = new Map<string, { readonly runner: TaskRunner; readonly container: string }>()
  readonly #credentials = new Map<string, RoleCredentials>()
  readonly #submissions = new Turnstile(submissionsAtOnceMax)
  readonly #reaper: Reaper
  readonly #identitySaver: Saver<AgentIdentity | undefined>
  #images: Images
  #identity: AgentIdentity | undefined
  #availabilityZone: string | undefined
  #dockerVersion = ''
  #runtime: { readonly status: 'OK' | 'IMPAIRED' | 'INITIALIZING'; readonly since: number }
  #telemetry: Telemetry | undefined
  #unwatch: () => void = () => undefined
  #sequence = 0

  constructor(dependencies: AgentDependencies, config: AgentConfig) {
    this.#dependencies = dependencies
    this.#config = config
    this.#timers = new Timers(dependencies.clock)
    this.#images = new Images(dependencies, config, this.#timers, {})
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
    this.#unwatch = runtime.watch({
      onUp: () => this.#onRuntimeUp(),
      onDown: () => this.#onRuntimeDown(),
      onEvent: (event) => this.#onEvent(event),
    })
    const registered = await register(
      this.#dependencies,
      this.#config,
      this.#timers,
      this.#identity?.containerInstanceArn,
    )
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
    log('info', 'registered', { ...registered, tasks: this.#runners.size })
    this.#sweepImagesLater()
    this.#openSessions(registered.containerInstanceArn, registered.cluster)
  }

  /** Ends the agent and leaves its containers running. All it must remember is on disk already. */
  async stop(): Promise<void> {
    this.#timers.end()
    this.#unwatch()
    await Promise.allSettled([...this.#runners.values()].map((runner) => runner.save()))
  }

  /** Every task this agent knows, finished ones until they are cleaned up. */
  records(): readonly TaskRecord[] {
    return [...this.#runners.values()].map(({ record }) => record)
  }

  identity(): { readonly containerInstanceArn?: string; readonly availabilityZone?: string } {
    return {
      ...(this.#identity && { containerInstanceArn: this.#identity.containerInstanceArn }),
      ...(this.#availabilityZone !== undefined && { availabilityZone: this.#availabilityZone }),
    }
  }

  credentials(credentialsId: string): RoleCredentials | undefined {
    return this.#credentials.get(credentialsId)
  }

  async #restore(): Promise<void> {
    const { disk, host, log, clock } = this.#dependencies
    const saved = await loadState(disk)
    const moved = saved.identity && saved.identity.ec2InstanceId !== ec2InstanceId(host.identityDocument)
    if (moved) {
      log('warn', 'the saved state is of another EC2 instance and is dropped')
      for (const { task } of saved.tasks) await disk.remove(taskKey(task.arn))
      await disk.remove(identityKey)
      return
    }
    if (saved.identity && saved.identity.cluster !== this.#config.cluster)
      throw new AgentExit(
        exitCode.terminal,
        `this host is registered in cluster ${saved.identity.cluster || 'default'}; remove the agent's data directory to move it`,
      )
    this.#identity = saved.identity
    this.#images = new Images(this.#dependencies, this.#config, this.#timers, saved.images)
    for (const record of saved.tasks) {
      const runner = this.#addRunner(record)
      if (record.sentStatus === 'STOPPED') this.#reaper.add(runner)
      else runner.begin('found')
    }
    this.#runtime = { status: 'INITIALIZING', since: clock.now() }
  }

  #addRunner(record: TaskRecord): TaskRunner {
    const runner: TaskRunner = new TaskRunner(
      {
        dependencies: this.#dependencies,
        config: this.#config,
        timers: this.#timers,
        images: this.#images,
        submissions: this.#submissions,
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
    return runner
  }

  async #forget(runner: TaskRunner): Promise<void> {
    await runner.cleanUp()
    const { record } = runner
    this.#runners.delete(record.task.arn)
    for (const { dockerName } of record.containers) this.#containers.delete(dockerName)
    if (record.credentialsId !== undefined) this.#credentials.delete(record.credentialsId)
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
    const commands = this.#commands(containerInstanceArn, cluster)
    const { agentHash, agentVersion } = this.#config
    const { connect, log, ids } = this.#dependencies
    const fraction = (): number => ids.fraction()
    let sendCredentials = true
    const shared = { timers: this.#timers, fraction, log }
    void keepSession({
      ...shared,
      name: 'ACS',
      backoff: new Backoff({ firstMs: 250, factor: 1.5, maxMs: 120_000, jitter: 0.2 }, fraction),
      connect: async () =>
        connect(websocketUrl((await endpoints.get()).acs), {
          agentHash,
          agentVersion,
          clusterArn: cluster,
          containerInstanceArn,
          dockerVersion: `DockerVersion: ${this.#dockerVersion}`,
          protocolVersion: '2',
          sendCredentials: String(sendCredentials),
          seqNum: '1',
        }),
      onConnected: () => {
        sendCredentials = false
        return undefined
      },
      onMessage: (socket, text) => commands.handle(socket, text),
      onInactive: () => log('warn', 'this container instance was deregistered'),
    })
    void keepSession({
      ...shared,
      name: 'TCS',
      backoff: new Backoff({ firstMs: 1000, factor: 2, maxMs: 60_000, jitter: 0.2 }, fraction),
      connect: async () => {
        const { tcs } = await endpoints.get()
        if (tcs === undefined) throw new Error('the control plane has no telemetry endpoint')
        return connect(websocketUrl(tcs), {
          agentHash,
          agentVersion,
          cluster,
          containerInstance: containerInstanceArn,
          dockerVersion: this.#dockerVersion,
        })
      },
      onConnected: (socket) => telemetry.attach(socket),
      onMessage: () => undefined,
      onInactive: () => undefined,
    })
  }

  #commands(containerInstanceArn: string, cluster: string): Commands {
    return new Commands({
      cluster,
      containerInstanceArn,
      log: this.#dependencies.log,
      accept: (task) => this.#accept(task),
      refuse: async (arn, reason) => {
        if (!this.#runners.has(arn))
          await this.#take(invalid({ arn, desiredStatus: 'RUNNING' }, reason, this.#timers))
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
      keepCredentials: (_taskArn, credentials) =>
        void this.#credentials.set(credentials.credentialsId, credentials),
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
    try {
      const record = newTaskRecord(task, this.#dependencies.ids, this.#timers.now())
      const circular = task.desiredStatus === 'RUNNING' && hasDependencyCycle(task.containers ?? [])
      const reason = 'TaskDependencyError: the dependencies between the containers of the task are circular'
      await this.#take(circular ? invalid(task, reason, this.#timers) : record)
      return true
    } catch (error) {
      if (!(error instanceof InvalidTaskError)) throw error
      await this.#take(invalid(task, error.message, this.#timers))
      return false
    }
  }

  async #take(record: TaskRecord): Promise<void> {
    const runner = this.#addRunner(record)
    try {
      await runner.save()
    } catch (error) {
      this.#runners.delete(record.task.arn)
      for (const { dockerName } of record.containers) this.#containers.delete(dockerName)
      throw error
    }
    runner.begin('accepted')
  }

  #sweepImagesLater(): void {
    const cleanup = this.#config.imageCleanup
    if (!cleanup) return
    this.#timers.after(cleanup.intervalMs, () => {
      const needed = this.records().flatMap(({ task }) => task.containers?.map(({ image }) => image) ?? [])
      this.#images
        .sweep(new Set(needed))
        .catch((error: unknown) =>
          this.#dependencies.log('warn', 'images not swept', { error: messageOf(error) }),
        )
        .finally(() => this.#sweepImagesLater())
    })
  }
}

const invalid = (task: PayloadTask, reason: string, timers: Timers): TaskRecord =>
  invalidTaskRecord(task, reason, timers.now())

/** The instance id in an identity document; empty when there is no document. */
function ec2InstanceId(identityDocument: string): string {
  if (!identityDocument) return ''
  const document = JSON.parse(identityDocument) as { readonly instanceId?: string }
  return document.instanceId ?? ''
}
