import type { BlobStore } from '@berth/registry/blob-store.ts'
import type { LayerBytes } from '#engines/layer-collection.ts'

/** Frees blobs on disk. A blob pushed again gets a new time, so one that is on its way back is not freed. */
export function layerSweep(blobs: BlobStore): LayerBytes {
  return {
    async sweep(before, wanted) {
      for await (const { digest, writtenAt } of blobs.blobs())
        if (writtenAt < before && !wanted(digest)) await blobs.delete(digest)
      for await (const { id, writtenAt } of blobs.uploads())
        if (writtenAt < before) await blobs.cancelUpload(id)
    },
  }
}
