import { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'
import type { Journal, JournalRow } from '#state/journal.ts'
import type { Reply, Request, StoredRow } from './journal-sqlite-worker.ts'

interface Awaited {
  readonly resolve: () => void
  readonly reject: (reason: Error) => void
}

/**
 * A journal in the SQLite file at `path`, which it makes when there is none. What is appended is on the disk (WAL,
 * synchronous FULL) before `append` resolves. This thread only turns rows into JSON; another one writes.
 * Rejects with an error of one line that says what to do when the file is in use, damaged, newer or no journal.
 */
export async function openSqliteJournal(path: string): Promise<Journal> {
  const worker = new Worker(new URL('./journal-sqlite-worker.ts', import.meta.url), {
    workerData: { path },
    execArgv: [], // the flags of this process are not meant for it
  })
  const awaited: Awaited[] = []
  let lost: Error | undefined
  const lose = (error: Error): void => {
    lost ??= error
    for (const { reject } of awaited.splice(0)) reject(lost)
  }
  worker.on('message', (reply: Reply) => {
    if (typeof reply === 'object') lose(new Error(reply.failed))
    else awaited.shift()?.resolve()
  })
  worker.on('error', (error: Error) => lose(error))
  worker.on('exit', () => lose(new Error(`${path} was closed`)))
  const answer = (request?: Request): Promise<void> =>
    new Promise((resolve, reject) => {
      if (lost) return reject(lost)
      awaited.push({ resolve, reject })
      if (request !== undefined) worker.postMessage(request)
    })

  await answer()
  return {
    load: () => Promise.resolve(readRows(path)),
    append: (rows) => answer({ append: rows.map(stored) }),
    close: async () => {
      if (!lost) await answer('close')
    },
  }
}

function stored({ table, key, version, row }: JournalRow): StoredRow {
  return [table, key, version, row === undefined ? null : JSON.stringify(row)]
}

/** Reads on this thread, where the rows are wanted: to hand 100,000 over from another costs more than to read them. */
function* readRows(path: string): Generator<JournalRow> {
  const database = new DatabaseSync(path, { readOnly: true })
  try {
    const select = database.prepare('SELECT table_name, key, version, row FROM row ORDER BY id')
    select.setReturnArrays(true)
    for (const stored of select.iterate()) {
      const [table, key, version, row] = stored as unknown as [string, string, number, string]
      yield { table, key, version, row: JSON.parse(row) as object }
    }
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new Error(
      `${path} is damaged (${problem}); restore it from a backup, or move it away to start empty`,
      {
        cause: error,
      },
    )
  } finally {
    database.close()
  }
}
