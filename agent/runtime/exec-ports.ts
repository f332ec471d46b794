/** What sessions of ECS Exec need of the world beside the agent's other ports. */
import type { RoleCredentials, SessionLog } from '@berth/agent-protocol/acs.ts'
import type { TerminalSize } from '@berth/agent-protocol/ssm-contents.ts'

/** A signed websocket that carries bytes; handlers are set in the turn in which it is had. */
export interface DataSocket {
  send(data: Buffer | string): void
  close(code: number, reason: string): void
  onMessage: (data: Buffer) => void
  onClose: () => void
}

export interface ExecSpec {
  readonly containerId: string
  readonly command: readonly string[]
  /** `NAME=value`, beside what the container has. */
  readonly environment: readonly string[]
  readonly user: string
  readonly terminal: boolean
}

/** A command that runs in a container. Handlers are set in the turn in which it is had. */
export interface ExecProcess {
  /** False: what is written waits; `onWritable` follows. */
  write(bytes: Buffer): boolean
  endInput(): void
  resize(size: TerminalSize): Promise<void>
  /** Holds its output back until `resume`. */
  pause(): void
  resume(): void
  /** Hangs up, and kills what does not go. What runs is gone, or going, when it resolves. */
  end(): Promise<void>
  onOutput: (stream: 'output' | 'error', bytes: Buffer) => void
  onWritable: () => void
  /** All output was given. Undefined when nobody knows how the command ended. */
  onExit: (exitCode: number | undefined) => void
}

export interface ExecPorts {
  /** @throws RuntimeError */
  readonly start: (spec: ExecSpec) => Promise<ExecProcess>
  readonly connect: (url: string, query: Readonly<Record<string, string>>) => Promise<DataSocket>
  /** Keeps what a session printed: puts events into a stream of the session's name, with the role's credentials or the instance's. */
  readonly putLog?: (
    log: SessionLog,
    sessionId: string,
    role: RoleCredentials | undefined,
  ) => (message: string, timeMs: number) => Promise<void>
}
