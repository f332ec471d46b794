/**
 * How long a service waits before it launches again after launches that went wrong, in milliseconds. AWS does not
 * publish its formula, only that the wait grows up to 15 minutes:
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html
 */
const firstDelayMs = 1_000
const delayMaxMs = 15 * 60_000
/** AWS never throttles tasks that were RUNNING; this only keeps a crashing one from being started as fast as it dies. */
const crashDelayMaxMs = 30_000
/** Slow, because freed capacity ends the wait: what it paces is how soon a circuit breaker gives a full cluster up. */
const firstPlacementDelayMs = 20_000
const placementDelayMaxMs = 5 * 60_000

/** From this many launches in a row a service says that it cannot start tasks consistently. */
export const inconsistentFrom = 3

/** The wait after `attempts` (1 or more) launches in a row whose tasks failed before or, if `ran`, soon after RUNNING. */
export function launchDelayMs(attempts: number, ran: boolean): number {
  return Math.min(firstDelayMs * 2 ** Math.min(attempts - 1, 20), ran ? crashDelayMaxMs : delayMaxMs)
}

/** The wait after `attempts` (1 or more) times in a row in which a task found no place. Freed capacity ends it early. */
export function placementDelayMs(attempts: number): number {
  return Math.min(firstPlacementDelayMs * 2 ** Math.min(attempts - 1, 20), placementDelayMaxMs)
}
