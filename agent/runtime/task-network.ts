import type { ElasticNetworkInterface } from '@berth/agent-protocol/network-interface.ts'
import type { NetworkRules } from '@berth/agent-protocol/network-rules.ts'
import type { Clock } from '@berth/std/clock.ts'
import type { Contributions } from '#engine/contribution.ts'
import { joinSandbox, needsSandbox, sandboxBody, sandboxName } from '#engine/sandbox.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import type { ContainerRuntime } from './container-runtime.ts'
import { RuntimeError } from './container-runtime.ts'
import { messageOf } from './agent-error.ts'
import type { EcsApi, Log } from './ports.ts'
import { ResourceError, type TaskResource } from './task-resources.ts'

/** A task's network interface as the host makes it. */
export interface TaskInterface {
  /** `eni-…` */
  readonly id: string
  readonly address: string
  readonly prefixLength: number
  readonly gateway: string
  readonly macAddress: string
}

/** What a host does for its tasks' networks. */
interface HostNetwork {
  /** Idempotent; `pid` is of a process in the namespace. */
  attach(pid: number, wanted: TaskInterface): Promise<void>
  /** Removes the interface with that address, both of its ends and the host's route; one that is gone is fine. */
  detach(gone: TaskInterface): Promise<void>
  /** Puts the rules in the place of all earlier ones. */
  apply(rules: NetworkRules): Promise<void>
}

interface TaskNetworkDependencies {
  readonly runtime: ContainerRuntime
  readonly host: HostNetwork
  readonly clock: Clock
  /** Makes sure that the runtime has the image of pause containers, and gives its name. */
  readonly image: () => Promise<string>
  readonly ecs: Pick<EcsApi, 'submitTaskStateChange'>
  readonly log: Log
}

const applyAgainMs = 1000

/**
 * The pause container of a task, whose namespaces its containers share: the network of mode awsvpc, and with pidMode or
 * ipcMode `task` those of processes and of shared memory.
 */
export class TaskNetwork implements TaskResource {
  readonly name = 'network'
  readonly #dependencies: TaskNetworkDependencies
  /** The interfaces that rules were applied for, and who waits for them to be. */
  #guarded = new Set<string>()
  #waiting: Array<() => void> = []
  #applying: Promise<void> = Promise.resolve()
  /** The newest. */
  #rules: NetworkRules | undefined

  constructor(dependencies: TaskNetworkDependencies) {
    this.#dependencies = dependencies
  }

  isNeeded(record: TaskRecord): boolean {
    return needsSandbox(record.task)
  }

  async provide(record: TaskRecord): Promise<Contributions> {
    const eni = record.task.elasticNetworkInterfaces?.[0]
    const wanted = eni && interfaceOf(eni)
    if (record.task.networkMode === 'awsvpc' && !wanted)
      throw new ResourceError('the task was given no network interface with an IPv4 address')
    if (wanted) await this.#rulesFor(wanted.id)
    const { id, pid } = await this.#sandbox(record, wanted)
    if (wanted) {
      await this.#dependencies.host.attach(pid, wanted)
      await this.#confirm(record, eni?.attachmentArn)
    }
    return { '*': { hostConfig: joinSandbox(record.task, id) } }
  }

  /** Whether the pause container runs as long as containers of the task rest on it. */
  async isIntact(record: TaskRecord): Promise<boolean> {
    if (record.containers.every(({ runtimeId }) => runtimeId === undefined)) return true
    return (await this.#dependencies.runtime.inspect(sandboxName(record.task)))?.status === 'running'
  }

  /** The name of the container whose end is the task's. */
  containerName(record: TaskRecord): string | undefined {
    return this.isNeeded(record) ? sandboxName(record.task) : undefined
  }

  /**
   * With the container go its namespaces; but a connection of which the other end never heard that it is over keeps the
   * one of the network for minutes, and so the interface goes by itself.
   */
  async release(record: TaskRecord): Promise<void> {
    const { runtime, host } = this.#dependencies
    await runtime.remove(sandboxName(record.task))
    const eni = record.task.elasticNetworkInterfaces?.[0]
    const gone = eni && interfaceOf(eni)
    if (gone) await host.detach(gone)
  }

  /** Takes over what the control plane says tasks' interfaces let through; each time all of it. */
  takeRules(rules: NetworkRules): void {
    this.#rules = rules
    this.#applying = this.#applying.then(() => this.#apply(rules))
  }

  /** Rules that cannot be applied are tried again, unless newer ones have come. */
  async #apply(rules: NetworkRules): Promise<void> {
    if (rules !== this.#rules) return
    const { host, clock, log } = this.#dependencies
    try {
      await host.apply(rules)
      this.#guarded = new Set(rules.interfaces.map(({ ec2Id }) => ec2Id))
      for (const wake of this.#waiting.splice(0)) wake()
    } catch (error) {
      log('error', 'network rules not applied', { error: messageOf(error) })
      clock.at(clock.now() + applyAgainMs, () => {
        if (rules === this.#rules) this.takeRules(rules)
      })
    }
  }

  /** Nothing of a task starts unguarded: the rules come with the task, or a moment later. */
  async #rulesFor(ec2Id: string): Promise<void> {
    while (!this.#guarded.has(ec2Id)) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  async #sandbox(
    record: TaskRecord,
    wanted: TaskInterface | undefined,
  ): Promise<{ readonly id: string; readonly pid: number }> {
    const { runtime, image } = this.#dependencies
    const name = sandboxName(record.task)
    const found = await runtime.inspect(name)
    if (found && found.status !== 'running' && found.status !== 'created') {
      if (record.containers.some(({ runtimeId }) => runtimeId !== undefined))
        throw new ResourceError('the pause container of the task has stopped')
      await runtime.remove(name)
    }
    const id =
      found?.status === 'running' || found?.status === 'created'
        ? found.id
        : await runtime.create(name, sandboxBody(record, await image(), wanted?.address))
    if (found?.status !== 'running') await runtime.start(id)
    const running = await runtime.inspect(id)
    if (running?.pid === undefined) throw new RuntimeError('unreachable', 'the pause container does not run')
    return { id, pid: running.pid }
  }

  /** Should it be lost, the control plane learns it from the first container that runs. */
  async #confirm({ task }: TaskRecord, attachmentArn: string | undefined): Promise<void> {
    if (attachmentArn === undefined) return
    const { ecs, log } = this.#dependencies
    await ecs
      .submitTaskStateChange({
        ...(task.taskClusterArn !== undefined && { cluster: task.taskClusterArn }),
        task: task.arn,
        attachments: [{ attachmentArn, status: 'ATTACHED' }],
      })
      .catch((error: unknown) => log('warn', 'attachment not confirmed', { error: messageOf(error) }))
  }
}

function interfaceOf(eni: ElasticNetworkInterface): TaskInterface | undefined {
  const address = eni.ipv4Addresses?.find(({ primary }) => primary !== false)?.privateAddress
  const [gateway = '', length = ''] = eni.subnetGatewayIpv4Address?.split('/') ?? []
  if (address === undefined || length === '') return undefined
  return {
    id: eni.ec2Id,
    address,
    gateway,
    prefixLength: Number(length),
    macAddress: eni.macAddress,
  }
}
