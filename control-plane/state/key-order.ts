const chunkMax = 512

/** Keys in ascending order, in chunks so small that a key more or less moves few others. */
export class KeyOrder {
  readonly #chunks: string[][] = []

  constructor(keys: Iterable<string>) {
    const sorted = [...keys].toSorted(compare)
    for (let from = 0; from < sorted.length; from += chunkMax / 2)
      this.#chunks.push(sorted.slice(from, from + chunkMax / 2))
  }

  /** Adds a key that is not in it. */
  add(key: string): void {
    const at = Math.min(this.#chunkFor(key), Math.max(0, this.#chunks.length - 1))
    const chunk = (this.#chunks[at] ??= [])
    chunk.splice(firstNotBefore(chunk, key), 0, key)
    if (chunk.length > chunkMax) this.#chunks.splice(at + 1, 0, chunk.splice(chunkMax / 2))
  }

  delete(key: string): void {
    const at = this.#chunkFor(key)
    const chunk = this.#chunks[at]
    const index = chunk ? firstNotBefore(chunk, key) : -1
    if (chunk?.[index] !== key) return
    chunk.splice(index, 1)
    if (chunk.length === 0) this.#chunks.splice(at, 1)
  }

  /** The keys after one, which need not be in it; all of them without. It must not change meanwhile. */
  *after(key?: string): Generator<string> {
    const first = key === undefined ? 0 : this.#chunkFor(key)
    for (let at = first; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] ?? []
      let index = at === first && key !== undefined ? firstNotBefore(chunk, key) : 0
      if (key !== undefined && chunk[index] === key) index++
      for (; index < chunk.length; index++) yield chunk[index] ?? ''
    }
  }

  /** The first chunk whose last key is not before the one given. */
  #chunkFor(key: string): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#chunks[middle]?.at(-1) ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

function firstNotBefore(sorted: readonly string[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? '') < key) low = middle + 1
    else high = middle
  }
  return low
}
