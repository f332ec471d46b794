/** The official agent's exit codes: what its supervisor is to do next. */
export const exitCode = { ok: 0, restart: 1, terminal: 5 } as const

/** Why the agent cannot go on, and whether starting it again would help. */
export class AgentExit extends Error {
  readonly exitCode: number
  constructor(code: number, message: string) {
    super(message)
    this.name = 'AgentExit'
    this.exitCode = code
  }
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
