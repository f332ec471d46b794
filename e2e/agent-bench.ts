import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { FileDisk } from '@berth/agent/adapters/disk.ts'
import { DockerRuntime } from '@berth/agent/adapters/docker.ts'
import type { AgentIdentity } from '@berth/agent/runtime/agent-state.ts'
import { Agent } from '@berth/agent/runtime/agent.ts'
import { FakeControlPlane, fakeContainer, fakeTask } from '@berth/agent/runtime/fake-control-plane.ts'
import { type AgentConfig, agentDefaults } from '@berth/agent/runtime/ports.ts'
import type { PayloadTask } from '@berth/agent-protocol/acs.ts'
import { systemClock } from '@berth/std/system-clock.ts'
import { systemIds } from '@berth/std/system-ids.ts'
import type { OwnDockerd } from './own-dockerd.ts'

/** An agent in this process on a real Docker and a real directory, with a control plane that only listens and says. */
export class AgentBench {
  readonly control = new FakeControlPlane()
  readonly logged: string[] = []
  readonly dockerd: OwnDockerd
  readonly directory: string
  readonly #config: Partial<AgentConfig>
  readonly #predecessor: AgentIdentity | undefined
  #runtime: DockerRuntime
  agent: Agent

  constructor(
    dockerd: OwnDockerd,
    name: string,
    config: Partial<AgentConfig> = {},
    predecessor?: AgentIdentity,
  ) {
    this.#predecessor = predecessor
    this.dockerd = dockerd
    this.directory = join(dockerd.directory, name)
    this.#config = config
    this.#runtime = new DockerRuntime(dockerd.host)
    this.agent = this.#newAgent()
  }

  #newAgent(): Agent {
    return new Agent(
      {
        clock: systemClock,
        ids: systemIds,
        runtime: this.#runtime,
        ecs: this.control,
        connect: this.control.connect,
        login: () => Promise.reject(new Error('no registry here')),
        disk: new FileDisk(this.directory),
        ...(this.#predecessor && { predecessor: this.#predecessor }),
        host: {
          cpu: 2048,
          memoryMiB: 4096,
          identityDocument: '',
          identitySignature: '',
          cpuArchitecture: 'x86_64',
          ephemeralPorts: [32768, 60999],
        },
        log: (level, message, fields) =>
          void this.logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`),
      },
      { ...agentDefaults, cluster: 'proof', ...this.#config },
    )
  }

  /** Resolves when the agent has both its sessions. */
  async start(): Promise<void> {
    const before = this.control.connections.length
    await this.agent.start()
    await this.until(() => this.control.connections.length === before + 2)
  }

  async restart(whileAway: () => Promise<void> | void = () => undefined): Promise<void> {
    await this.agent.stop()
    await whileAway()
    this.agent = this.#newAgent()
    await this.start()
  }

  async end(): Promise<void> {
    await this.agent.stop()
    this.#runtime.close()
  }

  /** Waits until `probe` holds; what is waited for is told by the test's name. */
  async until(probe: () => boolean): Promise<void> {
    for (let attempt = 0; attempt < 800; attempt++) {
      if (probe()) return
      await sleep(50)
    }
    const { submissions } = this.control
    throw new Error(`waited in vain; submissions: ${JSON.stringify(submissions)}\n${this.logged.join('\n')}`)
  }

  async told(task: PayloadTask, status: 'RUNNING' | 'STOPPED'): Promise<readonly string[]> {
    await this.until(() => this.control.told(task.arn).some((line) => line.startsWith(status)))
    return this.control.told(task.arn)
  }

  /** The container that the task was last said to have. */
  idOf(task: PayloadTask): string {
    const said = this.control.submissions.filter((sent) => sent.task === task.arn)
    return (
      said.flatMap(({ containers }) => containers ?? []).find(({ runtimeId }) => runtimeId)?.runtimeId ?? ''
    )
  }

  state(id: string, field: string): string {
    return this.dockerd.docker('inspect', '--format', `{{.State.${field}}}`, id).trim()
  }

  runtimeStatuses(): readonly string[] {
    return this.control.tcsMessages.flatMap((sent) =>
      sent.type === 'PublishInstanceStatusRequest' ? sent.message.statuses.map(({ status }) => status) : [],
    )
  }
}

/** A task of one container that runs until it is stopped, and is killed for that after a second. */
export const sleeperTask = (id: string, image: string, more: object = {}): PayloadTask =>
  fakeTask(id, [fakeContainer('web', { image, command: ['/bin/sleep', '600'], stopTimeout: 1, ...more })])
