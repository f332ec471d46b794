import type { ManifestTask } from '@berth/agent-protocol/acs.ts'
import type { NetworkRules } from '@berth/agent-protocol/network-rules.ts'
import type { PayloadTask } from '@berth/agent-protocol/payload.ts'
import type { Refusal } from '@berth/agent-protocol/refusal.ts'
import type { MessageSocket } from '@berth/agent-protocol/socket.ts'
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import type { Installation } from '#api/operation.ts'
import { accountSetting } from '#api/ecs/account-setting.ts'
import { arnName } from '#domain/arn.ts'
import {
  type ContainerInstance,
  observeAgentConnected,
  observeAgentLost,
} from '#domain/container-instance.ts'
import type { DesiredStatus, Task } from '#domain/task.ts'
import type { NetworkAgents } from '#engines/security-groups.ts'
import type { Agents } from '#engines/task-dispatch.ts'
import type { Change, Store } from '#state/store.ts'
import { type AcsQuery, AcsSession } from './agent-gateway-acs.ts'
import { CredentialRefresh, payloadCredentials } from './agent-gateway-credentials.ts'
import { type MetricsSink, TcsSession } from './agent-gateway-tcs.ts'
import { imageDigests } from './image-digests.ts'
import { payloadInterface } from './task-payload-network.ts'
import { taskPayload } from './task-payload.ts'

/** How long an agent may take to come back after its session ended: agents that can, do so at once. */
export const agentReturnMs = 15_000
/**
 * How long agents may take to find this control plane after it started. They try again after pauses that grow to two
 * minutes and a fifth.
 */
export const agentReturnAfterStartMs = 180_000

export interface TcsQuery {
  readonly containerInstanceArn: string
  readonly cluster: string
}

export interface AgentGatewayOptions {
  readonly store: Store
  readonly clock: Clock
  readonly ids: Ids
  readonly installation: Pick<Installation, 'registryHost' | 'agentUrl'>
  readonly metrics: MetricsSink
  /** Told of what an agent said that makes no sense, and of failures of our own. */
  readonly report: (containerInstanceArn: string, problem: unknown) => void
}

/** Holds the sessions of all agents, one ACS and one TCS connection each; of two for an instance the newest counts. */
export class AgentGateway implements Agents, NetworkAgents {
  readonly #options: AgentGatewayOptions
  readonly #store: Store
  readonly #acs = new Map<string, { readonly session: AcsSession; readonly greeted: Promise<void> }>()
  readonly #tcs = new Map<string, TcsSession>()
  readonly #seqNums = new Map<string, number>()
  readonly #credentials: CredentialRefresh
  readonly #unwatch: () => void
  #closed = false

  /** Every agent that was connected when the control plane last stopped gets time to come back. */
  constructor(options: AgentGatewayOptions) {
    this.#options = options
    this.#store = options.store
    const lostBy = options.clock.now() + agentReturnAfterStartMs
    this.#store.update((tx) => {
      for (const instance of tx.list('containerInstance'))
        tx.put('containerInstance', observeAgentLost(instance, lostBy))
    })
    this.#credentials = new CredentialRefresh({
      ...options,
      knows: (arn, task) => isReported(task) || (this.#acs.get(arn)?.session.told.has(task.taskArn) ?? false),
      send: (arn, message) => this.#acs.get(arn)?.session.sendCredentials(message),
    })
    this.#unwatch = this.#store.watch((changes) => this.#follow(changes))
  }

  /** Why the agent of an instance may not connect; undefined when it may. The signature is not this one's affair. */
  admit({ containerInstanceArn, cluster }: TcsQuery): Refusal | undefined {
    const instance = this.#store.find('containerInstance', containerInstanceArn)
    if (!instance)
      return {
        type: 'InvalidInstanceException',
        message: `There is no container instance ${containerInstanceArn} here. An agent whose control plane lost its data registers again after a restart.`,
      }
    if (instance.status === 'INACTIVE')
      return {
        type: 'InactiveInstanceException',
        message: `The container instance ${containerInstanceArn} is deregistered.`,
      }
    // The agent sends what it was configured with, which is a name as a rule; nothing configured is the default.
    if (arnName(cluster || 'default') !== arnName(instance.clusterArn))
      return {
        type: 'InvalidClusterException',
        message: `The container instance ${containerInstanceArn} is not in the cluster ${cluster}.`,
      }
    return undefined
  }

  /** Takes over the command connection of an agent that was admitted. */
  openAcs(query: AcsQuery, socket: MessageSocket): void {
    const { containerInstanceArn } = query
    const instance = this.#store.find('containerInstance', containerInstanceArn)
    if (this.#closed || !instance || this.admit(query))
      return socket.close(1001, 'the control plane cannot take this session')

    const tasks = this.#store.by('task', 'containerInstance', containerInstanceArn)
    const session: AcsSession = new AcsSession(query, instance.clusterArn, known(tasks), socket, {
      clock: this.#options.clock,
      ids: this.#options.ids,
      nextSeqNum: () => this.#nextSeqNum(containerInstanceArn),
      tellAgain: (taskArns) => this.#tellAgain(session, containerInstanceArn, taskArns),
      confirmStops: (candidates) => this.#confirmStops(containerInstanceArn, candidates),
      report: (problem) => this.#options.report(containerInstanceArn, problem),
      ended: () => this.#lost(containerInstanceArn, session),
    })
    const older = this.#acs.get(containerInstanceArn)
    const greeted = this.#greet(session, query, tasks)
    this.#acs.set(containerInstanceArn, { session, greeted })
    // Not 1000: should two agents have the same identity, they are not to chase each other without a pause.
    older?.session.close(1008, 'a newer connection of this container instance took over')
    this.#credentials.connected(containerInstanceArn, query.sendCredentials ?? false)
  }

  /** Takes over the telemetry connection of an agent that was admitted. */
  openTcs(query: TcsQuery, socket: MessageSocket): void {
    const { containerInstanceArn } = query
    if (this.#closed || this.admit(query))
      return socket.close(1001, 'the control plane cannot take this session')
    const { clock, metrics, report } = this.#options
    const session: TcsSession = new TcsSession(containerInstanceArn, socket, {
      store: this.#store,
      clock,
      metrics,
      report: (problem) => report(containerInstanceArn, problem),
      ended: () => {
        if (this.#tcs.get(containerInstanceArn) === session) this.#tcs.delete(containerInstanceArn)
      },
    })
    const older = this.#tcs.get(containerInstanceArn)
    this.#tcs.set(containerInstanceArn, session)
    older?.close(1008, 'a newer connection of this container instance took over')
  }

  told(containerInstanceArn: string): ReadonlyMap<string, DesiredStatus> | undefined {
    return this.#acs.get(containerInstanceArn)?.session.told
  }

  async tell(containerInstanceArn: string, taskArns: readonly string[]): Promise<void> {
    const held = this.#acs.get(containerInstanceArn)
    if (!held) return
    await held.greeted
    const payloads = taskArns.flatMap((taskArn) => this.#payload(containerInstanceArn, taskArn) ?? [])
    await this.#store.durable()
    for (const payload of payloads) held.session.sendTask(payload)
  }

  /** What is over, or none of this agent's, is a task without containers that is to stop. */
  async #tellAgain(
    session: AcsSession,
    containerInstanceArn: string,
    taskArns: readonly string[],
  ): Promise<void> {
    const payloads = taskArns.map((arn): PayloadTask => {
      const nothing = { arn, desiredStatus: 'STOPPED', containers: [] } as const
      return { ...nothing, ...this.#payload(containerInstanceArn, arn, true) }
    })
    await this.#store.durable()
    for (const payload of payloads) session.sendTask(payload)
  }

  /** The session of an agent that runs commands in containers; undefined when it is away or cannot. */
  commands(containerInstanceArn: string): Pick<AcsSession, 'sendCommand'> | undefined {
    const session = this.#acs.get(containerInstanceArn)?.session
    return session?.executesCommands ? session : undefined
  }

  toldRules(containerInstanceArn: string): string | undefined {
    return this.#acs.get(containerInstanceArn)?.session.toldRules
  }

  tellRules(containerInstanceArn: string, rules: NetworkRules, fingerprint: string): Promise<void> {
    this.#acs.get(containerInstanceArn)?.session.sendRules(rules, fingerprint)
    return Promise.resolve()
  }

  /** Ends all sessions so that agents look for a control plane at once. Rows stay: agents are expected back. */
  close(): void {
    this.#closed = true
    this.#unwatch()
    this.#credentials.close()
    const sessions = [...[...this.#acs.values()].map(({ session }) => session), ...this.#tcs.values()]
    for (const session of sessions) session.close(1001, 'the control plane is stopping')
  }

  /** Writes that the agent is there and, once that is durable, tells it what should run. */
  async #greet(session: AcsSession, query: AcsQuery, tasks: readonly Task[]): Promise<void> {
    const { containerInstanceArn, agentVersion, agentHash, dockerVersion } = query
    try {
      this.#changeInstance(containerInstanceArn, (instance) =>
        observeAgentConnected(instance, { agentVersion, agentHash, dockerVersion }),
      )
      // Read before the wait: what changes during it is not durable yet, and is told by a payload.
      const manifest = tasks.map(({ taskArn, clusterArn, desiredStatus }) => ({
        taskArn,
        taskClusterArn: clusterArn,
        desiredStatus,
      }))
      await this.#store.durable()
      session.sendManifest(manifest)
    } catch (error) {
      this.#options.report(containerInstanceArn, error)
    }
  }

  /** The task as its agent should get it now; undefined when it is not this agent's or has nothing to be told. */
  #payload(containerInstanceArn: string, taskArn: string, whole = false): PayloadTask | undefined {
    const task = this.#store.find('task', taskArn)
    if (task?.containerInstanceArn !== containerInstanceArn || task.lastStatus === 'STOPPED') return undefined
    const taskDefinition = this.#store.find('taskDefinition', task.taskDefinitionArn)
    // A task that its agent never reported on may be new to it even when it is to stop: then the agent needs it whole.
    if (!taskDefinition || (task.desiredStatus === 'STOPPED' && isReported(task) && !whole))
      return { arn: taskArn, taskClusterArn: task.clusterArn, desiredStatus: task.desiredStatus }
    const networkInterface = payloadInterface(this.#store, taskArn)
    const { registryHost, agentUrl } = this.#options.installation
    return {
      ...taskPayload(task, taskDefinition, {
        registryHost,
        ecrUrl: agentUrl(containerInstanceArn),
        logDriverMode: accountSetting(this.#store, task, 'defaultLogDriverMode'),
        ...(task.serviceArn !== undefined && { serviceName: arnName(task.serviceArn) }),
        ...(networkInterface && { networkInterface }),
        imageDigests: imageDigests(this.#store, task),
      }),
      ...payloadCredentials(this.#options, task, taskDefinition),
    }
  }

  /**
   * Follows the clock in milliseconds, because then a control plane that starts anew goes on above all that went
   * before without having stored it; it counts by one where more is said within a millisecond.
   */
  #nextSeqNum(containerInstanceArn: string): number {
    const last = this.#seqNums.get(containerInstanceArn) ?? 0
    const next = Math.max(last + 1, this.#options.clock.now())
    this.#seqNums.set(containerInstanceArn, next)
    return next
  }

  /** A task has to stop unless its row says that it is to run on this very instance. */
  async #confirmStops(
    containerInstanceArn: string,
    candidates: readonly ManifestTask[],
  ): Promise<readonly ManifestTask[]> {
    const stops = candidates.filter(({ taskArn }) => {
      const task = this.#store.find('task', taskArn)
      return !(
        task?.containerInstanceArn === containerInstanceArn &&
        task.desiredStatus === 'RUNNING' &&
        task.lastStatus !== 'STOPPED'
      )
    })
    await this.#store.durable()
    return stops.map((candidate) => ({ ...candidate, desiredStatus: 'STOPPED' as const }))
  }

  #lost(containerInstanceArn: string, session: AcsSession): void {
    if (this.#acs.get(containerInstanceArn)?.session !== session) return
    this.#acs.delete(containerInstanceArn)
    this.#credentials.disconnected(containerInstanceArn)
    if (this.#closed) return
    try {
      const lostBy = this.#options.clock.now() + agentReturnMs
      this.#changeInstance(containerInstanceArn, (instance) => observeAgentLost(instance, lostBy))
    } catch (error) {
      this.#options.report(containerInstanceArn, error)
    }
  }

  #changeInstance(
    containerInstanceArn: string,
    change: (instance: ContainerInstance) => ContainerInstance,
  ): void {
    this.#store.update((tx) => {
      const instance = tx.find('containerInstance', containerInstanceArn)
      if (instance) tx.put('containerInstance', change(instance))
    })
  }

  /** Forgets what was told of tasks that are over, and ends the sessions of instances that are gone. */
  #follow(changes: readonly Change[]): void {
    const gone = new Set<string>()
    for (const change of changes) {
      if (
        isChangeOf(change, 'task') &&
        (change.after === undefined || change.after.lastStatus === 'STOPPED')
      ) {
        const { taskArn, containerInstanceArn = '' } = change.after ?? change.before ?? { taskArn: '' }
        this.#acs.get(containerInstanceArn)?.session.told.delete(taskArn)
      }
      if (isChangeOf(change, 'containerInstance') && (change.after?.status ?? 'INACTIVE') === 'INACTIVE')
        gone.add((change.after ?? change.before)?.containerInstanceArn ?? '')
    }
    if (gone.size > 0) void this.#evict(gone)
  }

  /** The agent comes back at once, is refused as deregistered, and rests. */
  async #evict(containerInstanceArns: ReadonlySet<string>): Promise<void> {
    try {
      await this.#store.durable()
    } catch {
      return // The journal is lost, which ends the process; it is reported where it is written.
    }
    for (const containerInstanceArn of containerInstanceArns) {
      this.#credentials.forget(containerInstanceArn)
      this.#acs.get(containerInstanceArn)?.session.close(1000, 'the container instance is deregistered')
      this.#tcs.get(containerInstanceArn)?.close(1000, 'the container instance is deregistered')
    }
  }
}

function isChangeOf<T extends Change['table']>(change: Change, table: T): change is Change<T> {
  return change.table === table
}

/** Whether the agent has said something of the task, and so knows it. */
function isReported(task: Task): boolean {
  return task.lastStatus !== 'PROVISIONING' && task.lastStatus !== 'PENDING'
}

/**
 * What an agent need not be told anew when it connects: tasks that run and should. It keeps what it has begun, and an
 * agent that has forgotten a task it once ran must not start it a second time.
 */
function known(tasks: readonly Task[]): ReadonlyMap<string, DesiredStatus> {
  return new Map(
    tasks
      .filter((task) => task.desiredStatus === 'RUNNING' && isReported(task))
      .map((task) => [task.taskArn, task.desiredStatus]),
  )
}
