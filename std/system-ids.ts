import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { type Ids, idsFrom } from './id.ts'

const fraction = (): number => randomInt(2 ** 32) / 2 ** 32

const poolBytes = 4096
/** Random bytes not used yet start at `used`: to get them for each id costs more than the id. */
let pool = randomBytes(0)
let used = 0

function hex(length: number): string {
  const bytes = Math.ceil(length / 2)
  if (used + bytes > pool.length) {
    pool = randomBytes(Math.max(poolBytes, bytes))
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used).slice(0, length)
}

/** Ids nobody can guess. Only the `main.ts` files hand them out. */
export const systemIds: Ids = { ...idsFrom(fraction), hex, uuid: () => randomUUID() }
