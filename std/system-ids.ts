import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import { type Ids, idsFrom } from './id.ts'

const fraction = (): number => randomInt(2 ** 32) / 2 ** 32

/** Ids nobody can guess. Only the `main.ts` files hand them out. */
export const systemIds: Ids = {
  ...idsFrom(fraction),
  hex: (length) =>
    randomBytes(Math.ceil(length / 2))
      .toString('hex')
      .slice(0, length),
  uuid: () => randomUUID(),
}
