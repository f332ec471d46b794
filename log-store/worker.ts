// The thread that keeps the logs: it alone reads and writes their files, so that no request of another API waits for them.
import { parentPort, workerData } from 'node:worker_threads'
import { present } from '@berth/std/assert.ts'
import { DiskLogStore, type DiskLogStoreOptions } from './disk-log-store.ts'
import type { LogStore } from './log-store.ts'

/** A call of the store, and what came of it. */
export interface Call {
  readonly id: number
  readonly method: keyof LogStore
  readonly args: unknown[]
}
export type Reply =
  | { readonly ready: true }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly failed: string }
  | { readonly problem: string }

const port = present(parentPort, 'a worker has a parent')
const { directory, options } = workerData as {
  readonly directory: string
  readonly options: DiskLogStoreOptions
}
const reply = (message: Reply): void => port.postMessage(message)

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const store = await DiskLogStore.open(directory, options, (problem) => reply({ problem: textOf(problem) }))
port.on('message', ({ id, method, args }: Call) => {
  const run = store[method] as (...given: unknown[]) => Promise<unknown>
  run.apply(store, args).then(
    (result) => {
      reply({ id, result })
      if (method === 'close') port.close()
    },
    (error: unknown) => reply({ id, failed: textOf(error) }),
  )
})
reply({ ready: true })
