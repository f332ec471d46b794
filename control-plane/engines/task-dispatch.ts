import type { DesiredStatus } from '#domain/task.ts'

/** The agents this control plane holds a session with. Implemented in adapters/agent-gateway. */
export interface Agents {
  /** What the agent's present session was told, by task ARN; undefined while no session is open. */
  told(containerInstanceArn: string): ReadonlyMap<string, DesiredStatus> | undefined
  /**
   * Sends the present state of each task and remembers it as told. What the agent does not acknowledge in time is
   * forgotten again, so that the next look tells it once more.
   */
  tell(containerInstanceArn: string, taskArns: readonly string[]): Promise<void>
}
