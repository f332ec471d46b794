import { Worker } from 'node:worker_threads'
import type { DiskLogStoreOptions } from './disk-log-store.ts'
import type { LogStore } from './log-store.ts'
import type { Call, Reply } from './worker.ts'

interface Awaited {
  readonly resolve: (result: never) => void
  readonly reject: (problem: Error) => void
}

/**
 * A DiskLogStore in a thread of its own. `report` is told what fails though nobody waits for it. Rejects when its files
 * cannot be opened.
 */
export async function openLogStore(
  directory: string,
  options: DiskLogStoreOptions,
  report: (problem: string) => void = () => undefined,
): Promise<LogStore> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { directory, options },
    execArgv: [], // the flags of this process are not meant for it
  })
  const awaited = new Map<number, Awaited>()
  const opened = Promise.withResolvers<void>()
  let nextId = 0
  let lost: Error | undefined
  const lose = (error: Error): void => {
    lost ??= error
    opened.reject(lost)
    for (const { reject } of awaited.values()) reject(lost)
    awaited.clear()
  }
  worker.on('message', (reply: Reply) => {
    if ('ready' in reply) return opened.resolve()
    if ('problem' in reply) return report(reply.problem)
    const call = awaited.get(reply.id)
    awaited.delete(reply.id)
    if ('failed' in reply) call?.reject(new Error(reply.failed))
    else call?.resolve(reply.result as never)
  })
  worker.on('error', (error: Error) => lose(error))
  worker.on('exit', () => lose(new Error(`the logs in ${directory} were closed`)))

  const call =
    <Method extends keyof LogStore>(
      method: Method,
      transferred?: (args: readonly unknown[]) => ArrayBuffer,
    ) =>
    (...args: Parameters<LogStore[Method]>): ReturnType<LogStore[Method]> =>
      new Promise((resolve, reject) => {
        if (lost) return reject(lost)
        const id = nextId++
        awaited.set(id, { resolve, reject })
        const request: Call = { id, method, args }
        worker.postMessage(request, transferred ? [transferred(args)] : [])
      }) as ReturnType<LogStore[Method]>

  await opened.promise
  return {
    createStream: call('createStream'),
    deleteStream: call('deleteStream'),
    deleteGroup: call('deleteGroup'),
    findStreams: call('findStreams'),
    listStreams: call('listStreams'),
    // The batch goes over, it is not copied; so it cannot be used again here.
    append: call('append', ([, , batch]) => (batch as Uint8Array<ArrayBuffer>).buffer),
    read: call('read'),
    size: call('size'),
    listGroups: call('listGroups'),
    retain: call('retain'),
    close: call('close'),
  }
}
