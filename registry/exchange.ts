import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { BlobStore } from './blob-store.ts'
import type { Catalog, CatalogRepository, RegistryScope } from './catalog.ts'
import { RegistryError } from './error.ts'

/** One request to a repository, with all it may touch. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: URLSearchParams
  readonly scope: RegistryScope
  readonly repository: CatalogRepository
  readonly catalog: Catalog
  readonly blobs: BlobStore
  /** What the path says after the kind of thing: a digest, a tag, the id of an upload. */
  readonly reference: string
}
const namePattern = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/

/** The repository of that name. Throws `NAME_INVALID` or `NAME_UNKNOWN`, in ECR's words. */
export function findRepository(catalog: Catalog, scope: RegistryScope, name: string): CatalogRepository {
  if (!namePattern.test(name))
    throw new RegistryError('NAME_INVALID', `${name} is not a repository name`, 400)
  const repository = catalog.repository(scope, name)
  if (!repository)
    throw new RegistryError(
      'NAME_UNKNOWN',
      `The repository with name '${name}' does not exist in the registry with id '${scope.accountId}'`,
      404,
    )
  return repository
}

/** Sends what a stream holds; a client that goes away in the middle is no failure of ours. */
export async function sendStream(response: ServerResponse, bytes: NodeJS.ReadableStream): Promise<void> {
  await pipeline(bytes, response).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'ECONNRESET' && error.code !== 'EPIPE')
      throw error
  })
}
