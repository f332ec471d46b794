import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Journal, JournalRow } from './journal.ts'
import { type Change, type Projection, Store, type Transaction } from './store.ts'
import type { TableName } from './tables.ts'

const tablesUsed = ['accessKey', 'installationSecret', 'resourceTags'] as const
type Used = (typeof tablesUsed)[number]

const operation = fc.record({
  table: fc.constantFrom(...tablesUsed),
  key: fc.constantFrom('a', 'b', 'c', 'd'),
  value: fc.nat(3),
  remove: fc.boolean(),
})
const transaction = fc.record({
  operations: fc.array(operation, { maxLength: 5 }),
  throws: fc.constantFrom(false, false, true),
  /** Whether to wait for the journal before the next. */
  waits: fc.boolean(),
})
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never
type Sketch = typeof transaction extends fc.Arbitrary<infer Value> ? Value : never

function apply(tx: Transaction, { table, key, value, remove }: Operation): void {
  if (remove) tx.delete(table, key)
  else if (table === 'installationSecret') tx.put(table, { name: key, value: String(value) })
  else if (table === 'resourceTags')
    tx.put(table, { resourceArn: key, tags: [{ key: 'k', value: String(value) }] })
  else {
    const principalArn = String(value)
    tx.put(table, { accessKeyId: key, principalArn, secretAccessKey: '', accountId: '', userId: '' })
  }
}

function run(store: Store, { operations, throws }: Sketch): void {
  const stopped = new Error('stopped')
  try {
    store.update((tx) => {
      for (const one of operations) apply(tx, one)
      if (throws) throw stopped
    })
  } catch (error) {
    if (error !== stopped) throw error
  }
}

const snapshot = (store: Store): string => JSON.stringify(tablesUsed.map((table) => sorted(store, table)))
const sorted = (store: Store, table: Used): string[] =>
  store
    .list(table)
    .map((row) => JSON.stringify(row))
    .toSorted()

/** Where in a write the process dies: the batch is not stored, or stored whole without an answer. */
type Death = 'before' | 'after'

/** A disk that survives the process, which dies at the write of that number. */
class Disk {
  readonly rows = new Map<string, JournalRow>()
  writes = 0

  journal(diesAt: number, death: Death): Journal {
    return {
      load: () => Promise.resolve([...this.rows.values()]),
      close: () => Promise.resolve(),
      append: async (rows) => {
        const dies = this.writes++ === diesAt
        if (dies && death === 'before') throw new Error('died')
        await Promise.resolve()
        for (const row of rows) {
          const stored = JSON.parse(JSON.stringify(row)) as JournalRow
          if (row.row === undefined) this.rows.delete(`${row.table} ${row.key}`)
          else this.rows.set(`${row.table} ${row.key}`, stored)
        }
        if (dies) throw new Error('died')
      },
    }
  }
}

test('after a death at any write, what was acknowledged is there, and of the last batch all or nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(transaction, { minLength: 1, maxLength: 12 }),
      fc.constantFrom<Death>('before', 'after'),
      async (transactions, death) => {
        for (let diesAt = 0; ; diesAt++) {
          const disk = new Disk()
          const store = await Store.open(disk.journal(diesAt, death))
          // The state at each position of the journal, and the last position that was acknowledged.
          const states = [snapshot(store)]
          let acknowledged = 0
          try {
            for (const one of transactions) {
              run(store, one)
              states[store.position] = snapshot(store)
              const { position } = store
              const answered = store.durable().then(() => (acknowledged = Math.max(acknowledged, position)))
              if (one.waits) await answered
              else answered.catch(() => undefined)
            }
            await store.durable()
          } catch (error) {
            if (!/died|the journal is lost/.test(String(error))) throw error
          }
          await Promise.resolve()
          const found = snapshot(await Store.open(disk.journal(-1, death)))
          expect(states.slice(acknowledged)).toContain(found)
          if (disk.writes <= diesAt) break
        }
      },
    ),
    { numRuns: 60 },
  )
})

/** Counts rows by table and value, as any projection derives something from rows. */
class Tally implements Projection {
  readonly counts = new Map<string, number>()
  apply({ before, after }: Change): void {
    for (const [row, sign] of [
      [before, -1],
      [after, 1],
    ] as const) {
      if (!row) continue
      const name = JSON.stringify(row)
      const count = (this.counts.get(name) ?? 0) + sign
      if (count === 0) this.counts.delete(name)
      else this.counts.set(name, count)
    }
  }
}

test('a projection is what it would be made anew, after commits and rollbacks', async () => {
  const journal: Journal = new Disk().journal(-1, 'before')
  await fc.assert(
    fc.asyncProperty(fc.array(transaction, { maxLength: 20 }), async (transactions) => {
      const store = await Store.open(journal)
      const shown: readonly TableName[] = ['accessKey', 'resourceTags']
      const kept = new Tally()
      store.project(kept, shown)
      for (const one of transactions) {
        run(store, one)
        const anew = new Tally()
        for (const table of shown)
          for (const row of store.list(table)) anew.apply({ table, before: undefined, after: row })
        expect(kept.counts).toEqual(anew.counts)
      }
    }),
  )
})
