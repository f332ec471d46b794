import type { ExecuteCommandMessage } from '@berth/agent-protocol/acs.ts'
import { containerRecord } from '#engine/task-plan.ts'
import { isExecEnabled, toolboxPath } from '#engine/managed-agents.ts'
import type { TaskRecord } from '#engine/task-record.ts'
import type { EndpointCache } from './endpoints.ts'
import type { ExecPorts } from './exec-ports.ts'
import { ExecSession } from './exec-session.ts'
import { messageOf } from './agent-error.ts'
import type { AgentDependencies } from './ports.ts'

const sessionsMax = 100

/** The sessions of ECS Exec on this host. Nothing of them is kept: they end with the agent, their commands too. */
export class ExecSessions {
  readonly #dependencies: AgentDependencies
  readonly #ports: ExecPorts
  readonly #recordOf: (taskArn: string) => TaskRecord | undefined
  readonly #sessions = new Map<string, ExecSession>()

  constructor(
    dependencies: AgentDependencies,
    ports: ExecPorts,
    recordOf: (taskArn: string) => TaskRecord | undefined,
  ) {
    this.#dependencies = dependencies
    this.#ports = ports
    this.#recordOf = recordOf
  }

  get size(): number {
    return this.#sessions.size
  }

  /** Opens a session's data channel at the control plane that asked for it. Never rejects. */
  async run(message: ExecuteCommandMessage, endpoints: Pick<EndpointCache, 'get'>): Promise<void> {
    const { log, clock, ids, credentials } = this.#dependencies
    const { sessionId, taskArn } = message
    if (this.#sessions.has(sessionId)) return
    try {
      const url = dataChannelUrl((await endpoints.get()).acs, sessionId)
      const socket = await this.#ports.connect(url, { role: 'agent' })
      const session = new ExecSession(sessionId, socket, {
        clock,
        ids,
        start: this.#ports.start,
        ...(message.log &&
          this.#ports.putLog && {
            putLog: this.#ports.putLog(message.log, sessionId, credentials?.held(taskArn, 'task')),
          }),
        ended: () => this.#sessions.delete(sessionId),
        report: (problem) =>
          log('warn', 'session of ECS Exec', { sessionId, task: taskArn, error: messageOf(problem) }),
      })
      this.#sessions.set(sessionId, session)
      session.open(message.tokenValue, this.#targetOf(message))
      log('info', 'session of ECS Exec opened', {
        sessionId,
        task: taskArn,
        container: message.containerName,
      })
    } catch (error) {
      // The control plane gives the client up after its own time.
      log('warn', 'session of ECS Exec not opened', { sessionId, task: taskArn, error: messageOf(error) })
    }
  }

  /** Ends all sessions, with these words for their users. */
  end(reason: string): void {
    for (const session of this.#sessions.values()) session.end(reason)
  }

  /** Where the command runs, or why it cannot. */
  #targetOf({ taskArn, containerName, command }: ExecuteCommandMessage): Parameters<ExecSession['open']>[1] {
    const record = this.#recordOf(taskArn)
    const payload = record?.task.containers?.find(({ name }) => name === containerName)
    if (!record || !payload) return { refusal: 'The task is not on this container instance.' }
    const { runtimeId, state } = containerRecord(record, containerName)
    if (runtimeId === undefined || state !== 'RUNNING') return { refusal: 'The container is not running.' }
    if (!isExecEnabled(payload)) return { refusal: 'The task was run without execute command.' }
    if (this.#sessions.size > sessionsMax)
      return { refusal: `There are ${sessionsMax} sessions on this container instance already.` }
    return { containerId: runtimeId, toolbox: toolboxPath(record, containerName), command }
  }
}

/** Beside the agent's other websockets, at the same control plane. */
function dataChannelUrl(acsEndpoint: string, sessionId: string): string {
  const url = new URL(`/v1/data-channel/${sessionId}`, acsEndpoint)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  return url.href
}
