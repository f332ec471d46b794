import { unusedLayerKeptMs } from '#domain/image.ts'
import type { Transaction } from '#state/store.ts'
import type { Reconciler } from './reconciler.ts'

/** The bytes of layers. Implemented by adapters/layer-sweep.ts. */
export interface LayerBytes {
  /** Frees what is older than `before` and not wanted, and uploads nobody went on with. `wanted` is asked last of all. */
  sweep(before: number, wanted: (digest: string) => boolean): Promise<void>
}

interface Sweep {
  readonly before: number
}

const periodMs = 3_600_000

/** Takes layers that no image names from their repositories, then frees the bytes that no repository has. */
export function layerCollection(bytes: LayerBytes, wanted: (digest: string) => boolean): Reconciler<Sweep> {
  return {
    name: 'layer-collection',
    watches: {},
    periodMs,
    reconcile(tx, now) {
      for (const layer of tx.list('layer'))
        if (layer.uploadedAt < now - unusedLayerKeptMs && !isNamed(tx, layer.repositoryArn, layer.digest))
          tx.delete('layer', `${layer.repositoryArn}@${layer.digest}`)
      return { effects: [{ before: now - unusedLayerKeptMs }] }
    },
    perform: ({ before }) => bytes.sweep(before, wanted),
  }
}

function isNamed(tx: Transaction, repositoryArn: string, digest: string): boolean {
  return tx.by('image', 'blob', digest).some((image) => image.repositoryArn === repositoryArn)
}
