import type { InstanceLoad } from './instance-load.ts'

/** What an instance is ranked by under one strategy: a number of which the least is best, or an attribute's value. */
export type Rank = number | string | undefined

/** How the ranks of one depth compare. Undefined: less is better. Otherwise the tasks counted for each rank are compared. */
export type Counts = ReadonlyMap<Rank, number> | undefined

/**
 * Instances arranged by their ranks under each strategy in turn, so that the best are found without a look at the
 * rest: a tree with a depth for each strategy, and at the end the instances that no strategy tells apart.
 */
export class Ranking {
  readonly #children = new Map<Rank, Ranking>()
  /** The ranks that are numbers, in order. */
  readonly #numbers: number[] = []
  readonly #loads: InstanceLoad[] = []
  readonly #places = new Map<InstanceLoad, number>()

  add(load: InstanceLoad, path: readonly Rank[], depth = 0): void {
    if (depth === path.length) {
      this.#places.set(load, this.#loads.push(load) - 1)
      return
    }
    const rank = path[depth]
    let child = this.#children.get(rank)
    if (!child) {
      child = new Ranking()
      this.#children.set(rank, child)
      if (typeof rank === 'number') this.#numbers.splice(lowerBound(this.#numbers, rank), 0, rank)
    }
    child.add(load, path, depth + 1)
  }

  remove(load: InstanceLoad, path: readonly Rank[], depth = 0): void {
    if (depth === path.length) {
      const place = this.#places.get(load)
      const last = this.#loads.pop()
      this.#places.delete(load)
      if (place === undefined || last === undefined || last === load) return
      this.#loads[place] = last
      this.#places.set(last, place)
      return
    }
    const rank = path[depth]
    const child = this.#children.get(rank)
    child?.remove(load, path, depth + 1)
    if (!child || child.#loads.length > 0 || child.#children.size > 0) return
    this.#children.delete(rank)
    if (typeof rank === 'number') this.#numbers.splice(lowerBound(this.#numbers, rank), 1)
  }

  /** One of the best instances, each as likely as the others; undefined when there is none. `counts` has a row a depth. */
  pick(counts: readonly Counts[], fraction: () => number): InstanceLoad | undefined {
    let level: Ranking[] = [this]
    // Equally good branches go down together: the next strategy compares all that is left, not each branch alone.
    for (const count of counts) level = count ? fewestCounted(level, count) : leastRanked(level)
    let left = Math.floor(fraction() * level.reduce((sum, { size }) => sum + size, 0))
    for (const { loads } of level) {
      if (left < loads.length) return loads[left]
      left -= loads.length
    }
    return undefined
  }

  get loads(): readonly InstanceLoad[] {
    return this.#loads
  }

  get size(): number {
    return this.#loads.length
  }

  get children(): ReadonlyMap<Rank, Ranking> {
    return this.#children
  }

  /** The least number among the ranks; Infinity when there is none. */
  get least(): number {
    return this.#numbers[0] ?? Infinity
  }
}

function leastRanked(level: readonly Ranking[]): Ranking[] {
  let least = Infinity
  for (const ranking of level) least = Math.min(least, ranking.least)
  return level.flatMap((ranking) => ranking.children.get(least) ?? [])
}

function fewestCounted(level: readonly Ranking[], counts: ReadonlyMap<Rank, number>): Ranking[] {
  let fewest = Infinity
  let best: Ranking[] = []
  for (const { children } of level)
    for (const [rank, child] of children) {
      const count = counts.get(rank) ?? 0
      if (count < fewest) {
        fewest = count
        best = []
      }
      if (count === fewest) best.push(child)
    }
  return best
}

/** The place of the first number that is not less than `wanted`. */
function lowerBound(numbers: readonly number[], wanted: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((numbers[middle] ?? Infinity) < wanted) low = middle + 1
    else high = middle
  }
  return low
}
