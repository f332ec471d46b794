import type { Clock } from '@berth/std/clock.ts'

interface Entry {
  readonly timeMs: number
  readonly order: number
  callback: (() => void) | undefined
}

const turnsMax = 256

/** Time that stands still until `run` moves it. Callbacks of the same time come in the order in which they were asked for. */
export class SimulatedClock implements Clock {
  #now: number
  #order = 0
  /** A binary heap: the earliest entry first. A cancelled one stays until its time, without its callback. */
  readonly #heap: Entry[] = []
  /** How many callbacks have been called. */
  steps = 0
  #turns = 0

  constructor(startMs = 0) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  at(timeMs: number, callback: () => void): () => void {
    const entry: Entry = { timeMs, order: this.#order++, callback }
    push(this.#heap, entry)
    return () => {
      entry.callback = undefined
    }
  }

  /** Moves to `untilMs`, or until `done` says so, calling what falls due; all that follows within a moment ends before the next. */
  async run(untilMs: number, done: () => boolean = () => false): Promise<void> {
    for (;;) {
      // Ticks come when no promise is left that can settle; a turn of the event loop now and then lets others live.
      await new Promise((resolve) =>
        ++this.#turns % turnsMax === 0 ? setImmediate(resolve) : process.nextTick(resolve),
      )
      if (done()) return
      const [next] = this.#heap
      if (!next || next.timeMs > untilMs) break
      this.#now = Math.max(this.#now, next.timeMs)
      while (this.#heap[0] && this.#heap[0].timeMs <= this.#now) {
        const { callback } = pop(this.#heap)
        if (callback) this.steps++
        callback?.()
      }
    }
    this.#now = Math.max(this.#now, untilMs)
  }
}

/** A machine's own clock: it goes as true time does, and somebody sets it. Who waits on it waits no longer or shorter for that. */
export class AdjustableClock implements Clock {
  /** How far it is ahead of true time, in milliseconds. */
  aheadMs = 0
  readonly #time: Clock

  constructor(time: Clock) {
    this.#time = time
  }

  now(): number {
    return this.#time.now() + this.aheadMs
  }

  steady(): number {
    return this.#time.now()
  }

  at(timeMs: number, callback: () => void): () => void {
    return this.#time.at(timeMs - this.aheadMs, callback)
  }
}

function before(one: Entry, other: Entry): boolean {
  return one.timeMs < other.timeMs || (one.timeMs === other.timeMs && one.order < other.order)
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length
  heap.push(entry)
  while (index > 0) {
    const parent = (index - 1) >> 1
    const above = heap[parent]
    if (above === undefined || !before(entry, above)) break
    heap[index] = above
    index = parent
  }
  heap[index] = entry
}

/** Takes the earliest entry out. The heap must not be empty. */
function pop(heap: Entry[]): Entry {
  const [top] = heap
  const last = heap.pop()
  if (top === undefined || last === undefined) throw new Error('assertion failed: the heap is empty')
  if (heap.length === 0) return top
  let index = 0
  for (;;) {
    let child = 2 * index + 1
    const right = heap[child + 1]
    let below = heap[child]
    if (below === undefined) break
    if (right !== undefined && before(right, below)) {
      child++
      below = right
    }
    if (!before(below, last)) break
    heap[index] = below
    index = child
  }
  heap[index] = last
  return top
}
