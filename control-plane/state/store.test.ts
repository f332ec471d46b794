import { describe, expect, test } from 'vitest'
import type { AccessKey } from '#domain/identity.ts'
import { type Journal, type JournalRow, memoryJournal } from './journal.ts'
import { type Change, Store } from './store.ts'

const accessKey = (accessKeyId: string, principalArn = 'root'): AccessKey => ({
  accessKeyId,
  principalArn,
  secretAccessKey: 'secret',
  accountId: '000000000000',
  userId: 'user',
})

/** A journal that stores when it is told to. */
function heldJournal(): {
  journal: Journal
  appended: Array<readonly JournalRow[]>
  answers: Array<() => void>
} {
  const appended: Array<readonly JournalRow[]> = []
  const answers: Array<() => void> = []
  const append = (rows: readonly JournalRow[]): Promise<void> => {
    appended.push(rows)
    return new Promise((resolve) => answers.push(resolve))
  }
  return { journal: { ...memoryJournal, append }, appended, answers }
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('a transaction', () => {
  test('that throws leaves nothing behind, neither rows nor an entry in the journal', async () => {
    const { journal, appended } = heldJournal()
    const store = await Store.open(journal)
    store.update((tx) => {
      tx.put('accessKey', accessKey('a'))
      tx.put('accessKey', accessKey('b'))
    })
    const failing = (): unknown =>
      store.update((tx) => {
        tx.delete('accessKey', 'a')
        tx.put('accessKey', accessKey('b', 'other'))
        tx.put('accessKey', accessKey('c'))
        throw new Error('no')
      })
    expect(failing).toThrow('no')
    expect(store.list('accessKey')).toEqual([accessKey('a'), accessKey('b')])
    expect(store.by('accessKey', 'principal', 'root')).toEqual([accessKey('a'), accessKey('b')])
    expect(store.count('accessKey', 'principal', 'other')).toBe(0)
    await turn()
    expect(appended.flat().map(({ key }) => key)).toEqual(['a', 'b'])
  })

  test('has no other inside it, and ends with its function', async () => {
    const store = await Store.open(memoryJournal)
    expect(() => store.update(() => store.update(() => 1))).toThrow('a transaction inside a transaction')
    const tx = store.update((inside) => [inside]).at(0)
    expect(() => tx?.put('accessKey', accessKey('a'))).toThrow('after its transaction')
    expect(store.size('accessKey')).toBe(0)
  })

  test('is kept when a watcher fails', async () => {
    const { journal, appended } = heldJournal()
    const store = await Store.open(journal)
    store.watch(() => {
      throw new Error('watcher')
    })
    expect(() => store.update((tx) => tx.put('accessKey', accessKey('a')))).toThrow('watcher')
    expect(store.find('accessKey', 'a')).toBeDefined()
    await turn()
    expect(appended).toHaveLength(1)
  })

  test('shows its watchers what it changed, once', async () => {
    const store = await Store.open(memoryJournal)
    const seen: Change[] = []
    const unwatch = store.watch((changes) => seen.push(...changes))
    const row = accessKey('a')
    store.update((tx) => tx.put('accessKey', row))
    store.update((tx) => tx.put('accessKey', row))
    unwatch()
    store.update((tx) => tx.delete('accessKey', 'a'))
    expect(seen).toEqual([{ table: 'accessKey', before: undefined, after: row }])
  })
})

describe('durability', () => {
  test('each waits for its own position, in whatever order they ask', async () => {
    const { journal, answers } = heldJournal()
    const store = await Store.open(journal)
    const reached: string[] = []
    const wait = (name: string, position: number): void =>
      void store.durable(position).then(() => reached.push(name))
    store.update((tx) => tx.put('accessKey', accessKey('a')))
    const first = store.position
    await turn()
    store.update((tx) => tx.put('accessKey', accessKey('b')))
    wait('second', store.position)
    wait('first', first)
    answers[0]?.()
    await turn()
    expect(reached).toEqual(['first'])
    answers[1]?.()
    await turn()
    expect(reached).toEqual(['first', 'second'])
  })

  test('transactions of one turn, and all those during a write, share a batch with the newest of each row', async () => {
    const { journal, appended, answers } = heldJournal()
    const store = await Store.open(journal)
    for (const name of ['a', 'b']) store.update((tx) => tx.put('accessKey', accessKey(name)))
    await turn()
    for (const principal of ['x', 'y']) store.update((tx) => tx.put('accessKey', accessKey('a', principal)))
    answers[0]?.()
    await turn()
    expect(appended.map((rows) => rows.map(({ key }) => key))).toEqual([['a', 'b'], ['a']])
    expect(appended[1]?.[0]?.row).toEqual(accessKey('a', 'y'))
  })

  test('a journal that refuses fails the store and all who wait', async () => {
    const lost = new Error('disk full')
    const store = await Store.open({ ...memoryJournal, append: () => Promise.reject(lost) })
    store.update((tx) => tx.put('accessKey', accessKey('a')))
    await expect(store.durable()).rejects.toBe(lost)
    await expect(store.failed).rejects.toBe(lost)
    await expect(store.durable()).rejects.toBe(lost)
    expect(() => store.update(() => 1)).toThrow('the journal is lost')
  })
})

describe('opening', () => {
  const journalWith = (row: JournalRow): Journal => ({ ...memoryJournal, load: () => Promise.resolve([row]) })
  const stored = { table: 'accessKey', key: 'a', version: 1, row: accessKey('a') }

  test('reads every row', async () => {
    const store = await Store.open(journalWith(stored))
    expect(store.by('accessKey', 'principal', 'root')).toEqual([accessKey('a')])
  })

  test.each([
    ['a row', { ...stored, version: 99 }],
    ['a table', { ...stored, table: 'starship' }],
  ])('refuses %s of a newer version', async (_, row) => {
    await expect(Store.open(journalWith(row))).rejects.toThrow(
      /newer version of Berth.*start that version instead/,
    )
  })
})

describe('a rehearsal', () => {
  test('shows its transactions each other, and leaves no trace', async () => {
    const { journal, appended } = heldJournal()
    const store = await Store.open(journal)
    store.update((tx) => tx.put('accessKey', accessKey('a')))
    await turn()
    const told: unknown[] = []
    store.watch((changes) => told.push(changes))
    const seen = store.rehearse(() => {
      store.update((tx) => {
        tx.put('accessKey', accessKey('b'))
        tx.delete('accessKey', 'a')
      })
      const refused = (): unknown =>
        store.update((tx) => {
          tx.put('accessKey', accessKey('c'))
          throw new Error('refused')
        })
      expect(refused).toThrow('refused')
      return store.update((tx) => tx.list('accessKey').map(({ accessKeyId }) => accessKeyId))
    })
    expect(seen).toEqual(['b'])
    expect(store.list('accessKey')).toEqual([accessKey('a')])
    expect(store.by('accessKey', 'principal', 'root')).toEqual([accessKey('a')])
    expect([told, store.position]).toEqual([[], 1])
    await turn()
    expect(appended).toHaveLength(1)
  })

  test('that throws is undone as well', async () => {
    const store = await Store.open(memoryJournal)
    const failing = (): unknown =>
      store.rehearse(() => {
        store.update((tx) => tx.put('accessKey', accessKey('a')))
        throw new Error('no')
      })
    expect(failing).toThrow('no')
    expect(store.list('accessKey')).toEqual([])
    store.update((tx) => tx.put('accessKey', accessKey('b')))
    expect(store.position).toBe(1)
  })

  test('is not for inside a transaction', async () => {
    const store = await Store.open(memoryJournal)
    expect(() => store.update(() => store.rehearse(() => 1))).toThrow('assertion failed')
  })
})
