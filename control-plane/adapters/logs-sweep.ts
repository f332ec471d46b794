import type { LogStore } from '@berth/log-store/log-store.ts'
import type { LogBytes } from '#engines/log-retention.ts'

/** A group's row is there before the store knows of it, so what the store knows and no row names was deleted. */
export function logSweep(store: LogStore): LogBytes {
  return {
    async sweep(kept, now, wanted) {
      for (const id of await store.listGroups()) if (!wanted(id)) await store.deleteGroup(id)
      await store.retain(kept, now)
    },
  }
}
