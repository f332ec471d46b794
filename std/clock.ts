/** The only source of time. The simulator substitutes one that it moves by hand. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /**
   * Milliseconds since some moment, which go on as time does though somebody sets the clock: what durations are
   * measured by. Absent where nobody can set it.
   */
  steady?(): number
  /** Calls `callback` once at `timeMs`, unless the returned function was called before. */
  at(timeMs: number, callback: () => void): () => void
}

/** Resolves after `durationMs` of the clock's time; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    const cancel = clock.at(clock.now() + durationMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}
