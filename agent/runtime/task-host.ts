import type { TaskRecord } from '#engine/task-record.ts'
import { Saver, taskKey } from './agent-state.ts'
import type { Images } from './images.ts'
import type { AgentConfig, AgentDependencies, AgentDisk } from './ports.ts'
import type { Timers, Turnstile } from './timers.ts'

/** What the runner of one task needs of its agent. */
export interface TaskHost {
  readonly dependencies: AgentDependencies
  readonly config: AgentConfig
  readonly timers: Timers
  readonly images: Images
  readonly submissions: Turnstile
  /** How many containers may be stopped at a time. */
  readonly stops: Turnstile
  /** Whether the container runtime answers; nothing is begun while it does not. */
  isRuntimeUp(): boolean
  /** Host ports of all tasks' containers that are not STOPPED, as `tcp:80`. */
  portsInUse(): ReadonlySet<string>
  dynamicPorts(): readonly [number, number]
  healthChanged(): void
  /** The task is STOPPED and the control plane knows. */
  finished(): void
}

/** The record of one task as it is now, which its runner, its steps and its reporter change in turn. */
export class CurrentRecord {
  record: TaskRecord
  readonly #saver: Saver<TaskRecord>

  constructor(record: TaskRecord, disk: AgentDisk) {
    this.record = record
    this.#saver = new Saver(
      () => this.record,
      (value) => disk.save(taskKey(value.task.arn), value),
    )
  }

  /** Resolves when the task as it is now would survive a crash. */
  save(): Promise<void> {
    return this.#saver.save()
  }
}
