import { existsSync } from 'node:fs'
import type { LogStore } from '@berth/log-store/log-store.ts'
import { openLogStore } from '@berth/log-store/threaded-log-store.ts'

/** A control plane that keeps no logs, as most do at first, does not pay for a thread that would. */
export function lazyLogStore(
  directory: string,
  bytesMax: number,
  report: (problem: string) => void,
): LogStore {
  let opening: Promise<LogStore> | undefined
  const open = (): Promise<LogStore> => {
    opening ??= openLogStore(directory, { bytesMax }, report).catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }
  const isEmpty = (): boolean => opening === undefined && !existsSync(directory)
  return {
    createStream: async (...args) => (await open()).createStream(...args),
    deleteStream: async (...args) => (await open()).deleteStream(...args),
    append: async (...args) => (await open()).append(...args),
    deleteGroup: async (...args) => {
      if (!isEmpty()) await (await open()).deleteGroup(...args)
    },
    findStreams: async (...args) => (isEmpty() ? [] : (await open()).findStreams(...args)),
    listStreams: async (...args) => (isEmpty() ? [] : (await open()).listStreams(...args)),
    read: async (...args) => (isEmpty() ? { events: [] } : (await open()).read(...args)),
    size: async (...args) => (isEmpty() ? { bytes: 0, streams: 0 } : (await open()).size(...args)),
    listGroups: async () => (isEmpty() ? [] : (await open()).listGroups()),
    retain: async (...args) => {
      if (!isEmpty()) await (await open()).retain(...args)
    },
    close: async () => {
      await (await opening)?.close()
    },
  }
}
