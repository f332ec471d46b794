/** What an instance is ranked by under one strategy: a number of which the least is best, or an attribute's value. */
export type Rank = number | string | undefined

/** How the ranks of one depth compare. Undefined: less is better. Otherwise the tasks counted for each rank are compared. */
export type Counts = ReadonlyMap<Rank, number> | undefined

/**
 * Instances, by their slots, arranged by their ranks under each strategy in turn, so that the best are found without a
 * look at the rest: a tree with a depth for each strategy, and at its leaves the instances that no strategy tells apart.
 */
export class Ranking {
  readonly #depth: number
  readonly #root = new Branch(undefined, undefined)
  /** By slot, the leaf that has it, and where in that leaf. */
  readonly #leaves: Array<Branch | undefined> = []
  readonly #places: number[] = []

  /** `depth` is how many strategies there are; each path has as many ranks. */
  constructor(depth: number) {
    this.#depth = depth
  }

  /** Puts a slot, which must not be in it, where the path leads. */
  add(slot: number, path: readonly Rank[]): void {
    let branch = this.#root
    for (let depth = 0; depth < this.#depth; depth++) branch = branch.grow(path[depth])
    this.#leaves[slot] = branch
    this.#places[slot] = branch.slots.push(slot) - 1
  }

  /** Takes a slot out that is in it. */
  remove(slot: number): void {
    const leaf = this.#leaves[slot]
    const last = leaf?.slots.pop()
    if (!leaf || last === undefined) return
    this.#leaves[slot] = undefined
    if (last !== slot) {
      const place = this.#places[slot] ?? 0
      leaf.slots[place] = last
      this.#places[last] = place
    }
    if (leaf.slots.length === 0) leaf.wither()
  }

  /** Whether the slot is in it just where the path leads. */
  isAt(slot: number, path: readonly Rank[]): boolean {
    let branch = this.#leaves[slot]
    if (!branch) return false
    for (let depth = this.#depth - 1; depth >= 0; depth--) {
      if (branch?.rank !== path[depth]) return false
      branch = branch?.parent
    }
    return true
  }

  /** One of the best slots, each as likely as the others; -1 when there is none. `counts` has a row a depth. */
  pick(counts: readonly Counts[], fraction: () => number): number {
    let level: Branch[] = [this.#root]
    // Equally good branches go down together: the next strategy compares all that is left, not each branch alone.
    for (const count of counts) level = count ? fewestCounted(level, count) : leastRanked(level)
    let size = 0
    for (const { slots } of level) size += slots.length
    let left = Math.floor(fraction() * size)
    for (const { slots } of level) {
      if (left < slots.length) return slots[left] ?? -1
      left -= slots.length
    }
    return -1
  }
}

class Branch {
  readonly parent: Branch | undefined
  readonly rank: Rank
  readonly children = new Map<Rank, Branch>()
  /** The ranks of the children that are numbers, in order. */
  readonly numbers: number[] = []
  readonly slots: number[] = []

  constructor(parent: Branch | undefined, rank: Rank) {
    this.parent = parent
    this.rank = rank
  }

  /** The child of that rank, made when there is none. */
  grow(rank: Rank): Branch {
    const known = this.children.get(rank)
    if (known) return known
    const child = new Branch(this, rank)
    this.children.set(rank, child)
    if (typeof rank === 'number') this.numbers.splice(lowerBound(this.numbers, rank), 0, rank)
    return child
  }

  /** Takes an empty branch from its parent, and that from its own when it is left empty. */
  wither(): void {
    const { parent, rank } = this
    if (!parent) return
    parent.children.delete(rank)
    if (typeof rank === 'number') parent.numbers.splice(lowerBound(parent.numbers, rank), 1)
    if (parent.children.size === 0) parent.wither()
  }
}

function leastRanked(level: readonly Branch[]): Branch[] {
  let least = Infinity
  for (const { numbers } of level) least = Math.min(least, numbers[0] ?? Infinity)
  const best: Branch[] = []
  for (const { children } of level) {
    const child = children.get(least)
    if (child) best.push(child)
  }
  return best
}

function fewestCounted(level: readonly Branch[], counts: ReadonlyMap<Rank, number>): Branch[] {
  let fewest = Infinity
  let best: Branch[] = []
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
