// The thread that writes the SQLite journal: it holds the file for this process alone and turns each batch into one transaction.
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { present } from '@berth/std/assert.ts'

/** A row to store, or with `row` null to delete: table, key, schema version, JSON. */
export type StoredRow = readonly [table: string, key: string, version: number, row: string | null]
export type Request = { readonly append: readonly StoredRow[] } | 'close'
export type Reply = 'ready' | 'appended' | 'closed' | { readonly failed: string }

/** Marks the file as ours (`BRTH`); `PRAGMA user_version` is the version of its own schema. */
const applicationId = 0x42525448
const fileVersion = 1

const port = present(parentPort, 'a worker has a parent')
const { path } = workerData as { readonly path: string }
const reply = (message: Reply): void => port.postMessage(message)

function open(): { database: DatabaseSync; lock: DatabaseSync } {
  mkdirSync(dirname(path), { recursive: true })
  // The rows hold secrets. SQLite gives its other files the mode of this one.
  for (const file of [path, `${path}.lock`]) closeSync(openSync(file, 'a', 0o600))
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 0 })
  // A lock of the operating system: it goes with the process however that ends, and leaves the journal itself readable to all.
  lock.exec('BEGIN EXCLUSIVE')
  const database = new DatabaseSync(path, { timeout: 5_000 })
  const pragma = (name: string): number => Number(database.prepare(`PRAGMA ${name}`).get()?.[name])
  const empty = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count'] === 0
  if (!empty && pragma('application_id') !== applicationId)
    throw new Error(`${path} is an SQLite file of something else; pass another --data directory`)
  if (pragma('user_version') > fileVersion)
    throw new Error(`${path} was written by a newer version of Berth; start that version instead`)
  // With FULL each commit is on the disk itself, not just with the operating system: a loss of power loses nothing either.
  // Pages of 16 KiB hold several tasks each; the log is folded into the file every 32 MiB.
  database.exec(`
    PRAGMA page_size = 16384;
    PRAGMA cache_size = -32768;
    PRAGMA wal_autocheckpoint = 2000;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    BEGIN IMMEDIATE;
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${fileVersion};
    CREATE TABLE IF NOT EXISTS row (
      id INTEGER PRIMARY KEY,
      table_name TEXT NOT NULL,
      key TEXT NOT NULL,
      version INTEGER NOT NULL,
      row TEXT NOT NULL,
      UNIQUE (table_name, key)
    );
    COMMIT;
  `)
  return { database, lock }
}

function serve({ database, lock }: { database: DatabaseSync; lock: DatabaseSync }): void {
  // A row that changes keeps its id, so that rows are read back in the order in which they came.
  const put = database.prepare(
    `INSERT INTO row (table_name, key, version, row) VALUES (?, ?, ?, ?)
     ON CONFLICT (table_name, key) DO UPDATE SET version = excluded.version, row = excluded.row`,
  )
  const remove = database.prepare('DELETE FROM row WHERE table_name = ? AND key = ?')
  const append = (rows: readonly StoredRow[]): void => {
    database.exec('BEGIN IMMEDIATE')
    for (const [table, key, version, row] of rows) {
      if (row === null) remove.run(table, key)
      else put.run(table, key, version, row)
    }
    database.exec('COMMIT')
  }
  port.on('message', (request: Request) => {
    try {
      if (request === 'close') {
        database.close()
        lock.close()
        reply('closed')
        port.close()
      } else {
        append(request.append)
        reply('appended')
      }
    } catch (error) {
      fail(error)
    }
  })
}

/** Says what happened and what to do, in one line, and ends: after a failed write nothing more may be stored. */
function fail(error: unknown): void {
  reply({ failed: explain(error) })
  port.close()
}

function explain(error: unknown): string {
  const { errcode, message } = error as Error & { errcode?: number }
  switch (errcode === undefined ? -1 : errcode & 0xff) {
    case 5:
    case 6:
      return `${path} is in use by another control plane; stop that one or pass another --data directory`
    case 11:
    case 26:
      return `${path} is damaged (${message}); restore it from a backup, or move it away to start empty`
    case 13:
      return `${path} cannot be written: the disk is full; make room and start again`
    case -1:
      return message
    default:
      return `${path} cannot be opened or written (${message}); check the directory's disk and permissions`
  }
}

try {
  serve(open())
  reply('ready')
} catch (error) {
  fail(error)
}
