import type { Clock } from './clock.ts'

const timerMsMax = 2 ** 31 - 1

/** The machine's own time. Only the `main.ts` files hand it out. */
export const systemClock: Clock = {
  now: () => Date.now(),
  steady: () => performance.now(),
  at(timeMs, callback) {
    let timer: NodeJS.Timeout
    const arm = (): void => {
      const delayMs = timeMs - Date.now()
      timer = setTimeout(
        () => (delayMs > timerMsMax ? arm() : callback()),
        Math.min(Math.max(0, delayMs), timerMsMax),
      )
    }
    arm()
    return () => clearTimeout(timer)
  },
}
