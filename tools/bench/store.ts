// How fast the store changes, becomes durable and comes back: one JSON line a figure.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteJournal } from '@berth/control-plane/adapters/journal-sqlite.ts'
import { Fleet } from '@berth/control-plane/state/fleet.ts'
import { Store } from '@berth/control-plane/state/store.ts'
import { largeFleet, taskRow } from './stored-state.ts'

const { tasks } = largeFleet
/** Tasks put by one transaction, as RunTask puts up to ten. */
const batch = 10

const report = (name: string, value: number, unit: string): void =>
  console.log(JSON.stringify({ name: `store.${name}`, value: Math.round(value), unit, tasks }))

async function write(path: string): Promise<void> {
  const store = await Store.open(await openSqliteJournal(path))
  Fleet.of(store)
  const rows = Array.from({ length: tasks }, (_, index) => taskRow(index))
  let started = performance.now()
  for (let from = 0; from < tasks; from += batch) {
    store.update((tx) => {
      for (const row of rows.slice(from, from + batch)) tx.put('task', row)
    })
    // Yielding now and then, as a server does between requests, lets the journal keep up.
    if (from % 1000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await store.durable()
  report('put-durable', tasks / ((performance.now() - started) / 1000), 'tasks/s')

  const writes = 200
  started = performance.now()
  for (let index = 0; index < writes; index++) {
    store.update((tx) => tx.put('task', { ...taskRow(index), version: 4 }))
    await store.durable()
  }
  report('write-alone', ((performance.now() - started) / writes) * 1000, 'us')
  await store.close()
}

async function recover(path: string): Promise<void> {
  const started = performance.now()
  const journal = await openSqliteJournal(path)
  const store = await Store.open(journal)
  Fleet.of(store)
  report('recovery', performance.now() - started, 'ms')
  if (store.size('task') !== tasks) throw new Error('tasks were lost')
  await journal.close()
}

const [, script = '', recovered] = process.argv
if (recovered !== undefined) await recover(recovered)
else {
  const directory = mkdtempSync(join(tmpdir(), 'berth-bench-'))
  try {
    const path = join(directory, 'berth.sqlite')
    await write(path)
    // In a process of its own, as after a restart.
    execFileSync(process.execPath, [...process.execArgv, script, path], { stdio: 'inherit' })
  } finally {
    rmSync(directory, { recursive: true })
  }
}
