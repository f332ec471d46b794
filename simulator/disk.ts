import type { AgentDisk } from '@berth/agent/runtime/ports.ts'
import type { Journal, JournalRow } from '@berth/control-plane/state/journal.ts'
import { type Clock, sleep } from '@berth/std/clock.ts'
import type { Chance } from './chance.ts'
import type { Life } from './life.ts'

/** The control plane's disk: it keeps what was synced, whatever becomes of the process. */
export class JournalDisk {
  readonly rows = new Map<string, JournalRow>()
  /** The keys of all rows that ever were there. */
  readonly known = new Set<string>()
  /** The rows that were written since the last load, and are still the objects of the process that wrote them. */
  readonly #written = new Set<string>()
  /** Called at each write, before it takes effect (`before`) and after, but before the process learns of it. */
  onWrite: (moment: 'before' | 'after') => void = () => undefined
  readonly #chance: Chance

  constructor(chance: Chance) {
    this.#chance = chance
  }

  /** The journal as one process sees it: after its end nothing it asks for is done. */
  journal(life: Life): Journal {
    return {
      // Through JSON, as any real journal stores rows: what is not JSON would be lost.
      load: () => {
        for (const key of this.#written) {
          const row = this.rows.get(key)
          if (row) this.rows.set(key, JSON.parse(JSON.stringify(row)) as JournalRow)
        }
        this.#written.clear()
        return Promise.resolve(this.rows.values())
      },
      append: async (rows) => {
        await sleep(life.clock, this.#chance.between(0.2, 4))
        if (life.alive) this.onWrite('before')
        if (life.alive) {
          for (const row of rows) this.#write(row)
          this.onWrite('after')
        }
        // A process that is gone never hears of it.
        if (!life.alive) await new Promise(() => undefined)
      },
      close: () => Promise.resolve(),
    }
  }

  #write(row: JournalRow): void {
    const key = `${row.table} ${row.key}`
    this.#written.add(key)
    this.known.add(key)
    if (row.row === undefined) this.rows.delete(key)
    else this.rows.set(key, row)
  }
}

/** An agent's disk, which outlives its agents. */
export class HostDisk {
  readonly #values = new Map<string, unknown>()
  readonly #chance: Chance
  readonly #clock: Clock
  readonly #failure: () => number

  /** `failure` is the probability that a write is refused. */
  constructor(clock: Clock, chance: Chance, failure: () => number = () => 0) {
    this.#clock = clock
    this.#failure = failure
    this.#chance = chance
  }

  /** The disk as one process sees it. A write under way when the process ends happens, or does not. */
  of(life: Life): AgentDisk {
    const change = async (effect: () => void): Promise<void> => {
      if (!life.alive) return new Promise(() => undefined)
      await sleep(this.#clock, this.#chance.between(0.1, 3))
      if (life.alive && this.#chance.happens(this.#failure())) throw new Error('EIO: i/o error, write')
      if (life.alive || this.#chance.happens(0.5)) effect()
      if (!life.alive) await new Promise(() => undefined)
    }
    return {
      // What agents save is never changed afterwards, so that it need become JSON only when it is read.
      load: () =>
        Promise.resolve(
          new Map(
            [...this.#values].map(([key, value]) => [key, JSON.parse(JSON.stringify(value)) as unknown]),
          ),
        ),
      save: (key, value) => change(() => this.#values.set(key, value)),
      remove: (key) => change(() => this.#values.delete(key)),
    }
  }
}
