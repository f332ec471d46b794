import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Entry, RowSet } from './row-set.ts'

interface Row {
  readonly id: string
  readonly colour?: string
  readonly tags: readonly string[]
}
const definition = {
  key: (row: Row) => row.id,
  indexes: { colour: (row: Row) => row.colour, tag: (row: Row) => row.tags },
}

const colours = ['red', 'blue']
const tags = ['x', 'y', 'z']
const row = fc.record(
  {
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
    colour: fc.constantFrom(...colours),
    tags: fc.uniqueArray(fc.constantFrom(...tags)),
  },
  { requiredKeys: ['id', 'tags'] },
)
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ put: row }) },
  { weight: 2, arbitrary: fc.record({ remove: row }) },
  { weight: 1, arbitrary: fc.record({ undo: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ slices: fc.nat(3) }) },
)

test('indexes hold what a look at every row finds, oldest first, while they are made and after steps were undone', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(60), (steps, firstLook) => {
      const rows = new RowSet<Row>(definition, 1)
      const making = rows.makeIndexes()
      // The plain one: rows in the order in which they came, with all its past states.
      let plain: Row[] = []
      const past: Array<{ key: string; entry: Entry<Row> | undefined; plain: Row[] }> = []
      for (const [index, one] of steps.entries()) {
        if ('put' in one) {
          const known = plain.findIndex(({ id }) => id === one.put.id)
          past.push({ key: one.put.id, entry: rows.set(one.put), plain })
          plain = known === -1 ? [...plain, one.put] : plain.with(known, one.put)
        } else if ('remove' in one) {
          past.push({ key: one.remove.id, entry: rows.delete(one.remove.id), plain })
          plain = plain.filter(({ id }) => id !== one.remove.id)
        } else if ('slices' in one) for (let slice = 0; slice < one.slices; slice++) making.next()
        else
          for (const before of past.splice(Math.max(0, past.length - one.undo)).toReversed()) {
            rows.restore(before.key, before.entry)
            plain = before.plain
          }
        if (index < firstLook) continue // An index that is asked for late finds what came before.
        expect(rows.all()).toEqual(plain)
        expect(rows.size).toBe(plain.length)
        for (const colour of colours) {
          const found = plain.filter((one) => one.colour === colour)
          expect(rows.by('colour', colour)).toEqual(found)
          expect(rows.count('colour', colour)).toBe(found.length)
          const sorted = found.toSorted((one, other) => (one.id < other.id ? -1 : 1))
          expect([...rows.after('colour', colour, undefined)]).toEqual(sorted)
          expect([...rows.after('colour', colour, 'c')]).toEqual(sorted.filter(({ id }) => id > 'c'))
        }
        for (const tag of tags)
          expect(rows.by('tag', tag)).toEqual(plain.filter((one) => one.tags.includes(tag)))
      }
    }),
  )
})
