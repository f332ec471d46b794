import { type Ids, idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'

/** All that is left to chance in a run, from one seed. */
export class Chance {
  readonly fraction: () => number
  readonly ids: Ids

  constructor(seed: number) {
    this.fraction = prng(seed)
    this.ids = idsFrom(this.fraction)
  }

  /** A source of its own, so that more use of one does not shift all the others. */
  fork(): Chance {
    return new Chance(Math.floor(this.fraction() * 2 ** 32))
  }

  happens(probability: number): boolean {
    return probability > 0 && this.fraction() < probability
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + this.fraction() * (high - low)
  }

  oneOf<T>(choices: readonly T[]): T | undefined {
    return choices[Math.floor(this.fraction() * choices.length)]
  }
}
