/**
 * Takes the place of the official agent on a host: its tasks run on. This agent goes on under the container instance that
 * the official one registered, asks the control plane what the tasks are whose containers it finds, and takes them over.
 * Which tasks it still waits for is on disk, so that it may end at any moment and none of them is taken for a stranger's.
 */
import { adoptedTaskRecord } from '#engine/adopted-record.ts'
import { containerNameLabel, taskArnLabel } from '#engine/container-spec.ts'
import { InvalidTaskError, lostTaskRecord, type TaskRecord } from '#engine/task-record.ts'
import type { AcsAgentMessage, PayloadTask } from '@berth/agent-protocol/acs.ts'
import { AgentExit, exitCode, messageOf } from './agent-error.ts'
import { type AgentIdentity, type AwaitedTasks, awaitedKey, Saver, type SavedState } from './agent-state.ts'
import type { ContainerDetail } from './container-runtime.ts'
import type { AgentDependencies } from './ports.ts'

export class Adoption {
  readonly #dependencies: AgentDependencies
  readonly #awaited: Set<string>
  /** One at a time: of what is written together the last must not be overtaken. */
  readonly #saver: Saver<AwaitedTasks>

  /** `saved` is what an earlier run of this agent left: it waited for what it had not taken over yet. */
  constructor(dependencies: AgentDependencies, saved: Pick<SavedState, 'awaited' | 'tasks'>) {
    this.#dependencies = dependencies
    this.#awaited = new Set(saved.awaited?.tasks)
    for (const { task } of saved.tasks) this.#awaited.delete(task.arn)
    this.#saver = new Saver<AwaitedTasks>(
      () => ({ schemaVersion: 1, tasks: [...this.#awaited] }),
      (value) =>
        value.tasks.length > 0
          ? dependencies.disk.save(awaitedKey, value)
          : dependencies.disk.remove(awaitedKey),
    )
  }

  /**
   * The identity of the official agent, if it was one on this very host and in this cluster; from now on its containers
   * are waited for.
   * @throws AgentExit when the runtime does not say what containers there are, or that cannot be noted
   */
  async takeOver(cluster: string, ec2InstanceId: string): Promise<AgentIdentity | undefined> {
    const { predecessor, runtime, log } = this.#dependencies
    if (!predecessor) return undefined
    if (predecessor.ec2InstanceId !== ec2InstanceId || named(predecessor.cluster) !== named(cluster)) {
      log('warn', 'the official agent was another container instance here, which is left alone', {
        cluster: predecessor.cluster,
        ec2InstanceId: predecessor.ec2InstanceId,
      })
      return undefined
    }
    try {
      for (const { labels } of await runtime.list(taskArnLabel))
        if (labels[taskArnLabel]) this.#awaited.add(labels[taskArnLabel])
      await this.#saver.save()
    } catch (error) {
      throw new AgentExit(exitCode.restart, `the official agent's tasks were not found: ${messageOf(error)}`)
    }
    log('info', 'the official agent is replaced', { ...predecessor, tasks: this.#awaited.size })
    return { ...predecessor, cluster }
  }

  /** All tasks that have a right to containers here. */
  known(records: readonly TaskRecord[]): ReadonlyMap<string, TaskRecord | 'awaited'> {
    const known = new Map<string, TaskRecord | 'awaited'>()
    for (const arn of this.#awaited) known.set(arn, 'awaited')
    for (const record of records) known.set(record.task.arn, record)
    return known
  }

  /** Whether the containers of a task are to be left as they are until it is known what they are for. */
  awaits(taskArn: string): boolean {
    return this.#awaited.has(taskArn)
  }

  /** What is asked at each connection, until all is answered. */
  request(containerInstance: string): AcsAgentMessage | undefined {
    if (this.#awaited.size === 0) return undefined
    const message = {
      messageId: this.#dependencies.ids.uuid(),
      containerInstance,
      taskArns: [...this.#awaited],
    }
    return { type: 'BerthTasksRequest', message }
  }

  /**
   * The record of a task that was waited for: with its containers as they are, or, when it is over or cannot be gone on
   * with, without them, as they are then removed. It counts as waited for until `done`.
   * @throws RuntimeError when the runtime does not do as told
   */
  async adopt(task: PayloadTask, now: number): Promise<TaskRecord> {
    const { ids, log } = this.#dependencies
    const found = await this.#find(task.arn)
    try {
      const record = task.containers?.length ? adoptedTaskRecord(task, found, ids, now) : undefined
      if (record) {
        log('info', 'a task of the official agent is taken over', {
          task: task.arn,
          containers: found.length,
        })
        return record
      }
    } catch (error) {
      if (!(error instanceof InvalidTaskError)) throw error
      log('warn', 'a task of the official agent cannot be taken over', {
        task: task.arn,
        error: error.message,
      })
    }
    return this.#end(task.arn, found, now)
  }

  /** The task is on disk: nothing is waited for any more. */
  async done(taskArn: string): Promise<void> {
    this.#awaited.delete(taskArn)
    await this.#saver.save()
  }

  async #find(taskArn: string): Promise<readonly ContainerDetail[]> {
    const { runtime } = this.#dependencies
    const listed = (await runtime.list(taskArnLabel)).filter(({ labels }) => labels[taskArnLabel] === taskArn)
    const details = await Promise.all(listed.map(({ id }) => runtime.inspect(id)))
    return details.filter((detail) => detail !== undefined)
  }

  async #end(taskArn: string, found: readonly ContainerDetail[], now: number): Promise<TaskRecord> {
    const { runtime, log } = this.#dependencies
    log('info', 'containers of the official agent that nobody wants are removed', { task: taskArn })
    for (const { id } of found) await runtime.remove(id)
    const names = found.map(({ labels }) => labels[containerNameLabel] ?? '')
    return lostTaskRecord(taskArn, names, now)
  }
}

/** Agents are told of their cluster by its name or by its ARN. */
const named = (cluster: string): string => cluster.slice(cluster.lastIndexOf('/') + 1) || 'default'
