import type { ContainerDefinition } from '@aws-sdk/client-ecs'

/** A container as it is on its host, whatever its agent says of it. */
export interface SeenContainer {
  readonly name: string
  readonly running: boolean
  readonly started: boolean
  readonly exitCode: number
  /** Its health check has passed at some time. */
  readonly wasHealthy: boolean
  /** It ended though nobody asked it to. */
  readonly endedByItself: boolean
}

/** Which condition of a container that starts was not met before; undefined when all were. */
export function unmetCondition(
  { dependsOn = [] }: ContainerDefinition,
  beside: readonly SeenContainer[],
): string | undefined {
  for (const { containerName, condition } of dependsOn) {
    const other = beside.find(({ name }) => name === containerName)
    const ended = other !== undefined && other.started && !other.running
    const met = {
      START: other?.started,
      COMPLETE: ended,
      SUCCESS: ended && other.exitCode === 0,
      HEALTHY: other?.wasHealthy,
    }[condition ?? 'START']
    if (!met) return `${containerName} ${condition}`
  }
  return undefined
}

/** How often a container may have been started: once, and once more for each period that its restart policy asks for. */
export function startsMax({ restartPolicy }: ContainerDefinition, sinceFirstStartMs: number): number {
  if (!restartPolicy?.enabled) return 1
  return 1 + Math.floor(sinceFirstStartMs / ((restartPolicy.restartAttemptPeriod ?? 300) * 1_000))
}

/** Why a task that ended by itself should not have; undefined when an essential container is the reason. */
export function wrongEnd(
  definitions: readonly ContainerDefinition[],
  seen: readonly SeenContainer[],
): string | undefined {
  const essential = definitions.filter((definition) => definition.essential !== false)
  const ended = seen.filter(
    ({ name, endedByItself }) => endedByItself && essential.some((one) => one.name === name),
  )
  if (ended.length > 0) return undefined
  return `none of its essential containers ended by itself: ${JSON.stringify(seen)}`
}
