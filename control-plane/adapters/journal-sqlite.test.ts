import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Store } from '#state/store.ts'
import { openSqliteJournal } from './journal-sqlite.ts'

// Each test starts threads or processes, which a busy machine may keep waiting.
vi.setConfig({ testTimeout: 60_000 })

let directory = ''
let path = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'berth-journal-'))
  path = join(directory, 'state', 'berth.sqlite')
})
afterEach(() => rmSync(directory, { recursive: true }))

const secret = (name: string, value = ''): { name: string; value: string } => ({ name, value })

test('what was stored is read back in the order in which it came', async () => {
  const store = await Store.open(await openSqliteJournal(path))
  store.update((tx) => ['c', 'a', 'b'].forEach((name) => tx.put('installationSecret', secret(name))))
  await store.durable()
  store.update((tx) => {
    tx.put('installationSecret', secret('c', 'changed'))
    tx.delete('installationSecret', 'a')
    tx.put('installationSecret', secret('d'))
  })
  await store.close()
  const journal = await openSqliteJournal(path)
  const again = await Store.open(journal)
  expect(again.list('installationSecret')).toEqual([secret('c', 'changed'), secret('b'), secret('d')])
  await journal.close()
})

test('the file can be read with SQL while it is in use, by its owner only', async () => {
  const store = await Store.open(await openSqliteJournal(path))
  store.update((tx) => tx.put('installationSecret', secret('a', 'x')))
  await store.durable()
  const reader = new DatabaseSync(path, { readOnly: true })
  expect(reader.prepare(`SELECT key, row ->> 'value' AS value FROM row`).all()).toEqual([
    { key: 'a', value: 'x' },
  ])
  reader.close()
  for (const file of [path, `${path}-wal`]) expect(statSync(file).mode & 0o777).toBe(0o600)
  await store.close()
})

test('a second control plane on the same file is refused, and may take over when the first has ended', async () => {
  const first = await openSqliteJournal(path)
  await expect(openSqliteJournal(path)).rejects.toThrow(
    `${path} is in use by another control plane; stop that one or pass another --data directory`,
  )
  await first.append([{ table: 'installationSecret', key: 'a', version: 1, row: secret('a') }])
  await first.close()
  const second = await openSqliteJournal(path)
  expect([...(await second.load())]).toHaveLength(1)
  await second.close()
  await expect(second.append([])).rejects.toThrow('was closed')
})

test('a file that is no journal, or damaged, or of a newer version, is refused and says what to do', async () => {
  const other = join(directory, 'other.sqlite')
  const database = new DatabaseSync(other)
  database.exec('CREATE TABLE song (name TEXT)')
  database.close()
  await expect(openSqliteJournal(other)).rejects.toThrow(/SQLite file of something else; pass another --data/)

  const garbage = join(directory, 'garbage.sqlite')
  writeFileSync(garbage, 'x'.repeat(10_000))
  await expect(openSqliteJournal(garbage)).rejects.toThrow(
    /is damaged \(.*\); restore it from a backup, or move it away/,
  )

  await (await openSqliteJournal(path)).close()
  const newer = new DatabaseSync(path)
  newer.exec('PRAGMA user_version = 9')
  newer.close()
  await expect(openSqliteJournal(path)).rejects.toThrow(
    /written by a newer version of Berth; start that version/,
  )
})

test('pages overwritten in the middle of the file are found when it is read', async () => {
  const store = await Store.open(await openSqliteJournal(path))
  store.update((tx) => {
    for (let count = 0; count < 500; count++)
      tx.put('installationSecret', secret(`s${count}`, 'v'.repeat(500)))
  })
  await store.close()
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0xff, 16_384 * 3))
  const read = async (): Promise<void> => {
    const journal = await openSqliteJournal(path)
    try {
      await Store.open(journal)
    } finally {
      await journal.close()
    }
  }
  await expect(read()).rejects.toThrow(/is damaged/)
})

const writer = `
import { openSqliteJournal } from ${JSON.stringify(new URL('./journal-sqlite.ts', import.meta.url).href)}
const journal = await openSqliteJournal(process.argv[1])
for (let batch = 0; ; batch++) {
  const row = (key) => ({ table: 'installationSecret', key, version: 1, row: { name: key, value: String(batch) } })
  await journal.append([row('first'), row('b' + batch), row('last')])
  process.stdout.write(batch + '\\n')
}`

test('a process killed while it writes has lost nothing acknowledged, and its last batch is whole or not there', async () => {
  for (const acknowledgements of [1, 7, 40]) {
    const file = join(directory, `killed-${acknowledgements}.sqlite`)
    const child = spawn(process.execPath, ['--input-type=module', '-e', writer, file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let acknowledged = -1
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line)
      if (acknowledged >= acknowledgements && !child.killed) child.kill('SIGKILL')
    }
    const journal = await openSqliteJournal(file)
    const rows = new Map(
      [...(await journal.load())].map(({ key, row }) => [key, (row as { value: string }).value]),
    )
    await journal.close()
    const last = Number(rows.get('last'))
    expect(last).toBeGreaterThanOrEqual(acknowledged)
    expect(last).toBeLessThanOrEqual(acknowledged + 1)
    expect(rows.get('first')).toBe(String(last))
    expect(rows.size).toBe(2 + last + 1)
  }
})
