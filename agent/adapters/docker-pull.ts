/** What Docker tells while it pulls an image. */
import type { PullProgress } from '#runtime/container-runtime.ts'

/** One line of the stream that `POST /images/create` answers with. */
export interface PullLine {
  readonly error?: string
  /** The layer the line is about. */
  readonly id?: string
  readonly status?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
}

const layerStatuses = new Set([
  'Pulling fs layer',
  'Waiting',
  'Downloading',
  'Verifying Checksum',
  'Download complete',
  'Extracting',
  'Pull complete',
  'Already exists',
])

/** Adds up the layers' own progress. */
export class LayerTally {
  readonly #layers = new Map<string, { bytes: number; total: number; done: boolean }>()

  /** The whole after that line; undefined when it says nothing of a layer. */
  add({ id, status = '', progressDetail }: PullLine): PullProgress | undefined {
    if (id === undefined || !layerStatuses.has(status)) return undefined
    const known = this.#layers.get(id) ?? { bytes: 0, total: 0, done: false }
    const { current = known.bytes, total = known.total } =
      status === 'Downloading' ? (progressDetail ?? {}) : {}
    this.#layers.set(id, {
      bytes: status === 'Download complete' ? known.total : current,
      total,
      done: known.done || status === 'Pull complete' || status === 'Already exists',
    })
    const layers = [...this.#layers.values()]
    return {
      layers: layers.length,
      layersDone: layers.filter(({ done }) => done).length,
      bytes: layers.reduce((sum, layer) => sum + layer.bytes, 0),
      bytesTotal: layers.reduce((sum, layer) => sum + layer.total, 0),
    }
  }
}

/**
 * The digest under which an image's own repository knows it. An image that stands in several repositories has a digest
 * in each, and they need not be the same.
 */
export function digestOf(image: string, repoDigests: readonly string[] = []): string | undefined {
  const [named = '', digest] = image.split('@')
  if (digest !== undefined) return digest
  const repository = repositoryOf(named)
  return repoDigests
    .map((found) => found.split('@'))
    .find(([name]) => repositoryOf(name ?? '') === repository)?.[1]
}

/** Without its tag, and without what Docker leaves out of the names of its own hub. */
function repositoryOf(reference: string): string {
  const name = reference.replace(/:[^/:]+$/, '')
  return name.replace(/^(?:index\.)?docker\.io\//, '').replace(/^library\//, '')
}
