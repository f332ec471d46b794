import type { IncomingMessage } from 'node:http'
import { isDigest } from './digest.ts'
import { type Exchange, findRepository } from './exchange.ts'
import { RegistryError } from './error.ts'

/** POST: begins an upload, mounts a blob of another repository, or takes a whole blob at once (`?digest=`). */
export async function startUpload(exchange: Exchange): Promise<void> {
  const { request, query, blobs, catalog, repository, scope } = exchange
  const mount = query.get('mount')
  const from = query.get('from')
  if (mount !== null && isDigest(mount) && from !== null) {
    const size = catalog.hasLayer(findRepository(catalog, scope, from), mount)
      ? await blobs.size(mount)
      : undefined
    if (size !== undefined) {
      await catalog.addLayer(repository, mount, size)
      created(exchange, mount)
      return
    }
  }
  const id = await blobs.startUpload()
  const digest = query.get('digest')
  if (digest === null) {
    request.resume()
    accepted(exchange, id, 0, 202)
    return
  }
  await blobs.append(id, request)
  await finish(exchange, id, digest)
}

/** PATCH: a chunk, with `Content-Range` when the client says where it goes, or the rest of the stream. */
export async function writeUpload(exchange: Exchange): Promise<void> {
  const { request, blobs, reference } = exchange
  const size = await appendChunk(exchange, request)
  accepted(exchange, reference, size, 202)

  async function appendChunk({ response }: Exchange, bytes: IncomingMessage): Promise<number> {
    const had = await blobs.uploadedSize(reference)
    const offset = chunkStart(bytes.headers['content-range'])
    if (offset !== undefined && offset !== had) {
      response.setHeader('range', `0-${Math.max(0, had - 1)}`)
      throw new RegistryError(
        'BLOB_UPLOAD_INVALID',
        `the upload has ${had} bytes, the chunk starts at ${offset}`,
        416,
      )
    }
    return blobs.append(reference, bytes, offset)
  }
}

/** PUT: the last bytes, if any, and the digest the whole must have. */
export async function finishUpload(exchange: Exchange): Promise<void> {
  const { request, query, blobs, reference } = exchange
  const digest = query.get('digest')
  if (digest === null) throw new RegistryError('DIGEST_INVALID', 'the digest parameter is missing', 400)
  await blobs.append(reference, request, chunkStart(request.headers['content-range']))
  await finish(exchange, reference, digest)
}

export async function showUpload(exchange: Exchange): Promise<void> {
  const { blobs, reference } = exchange
  accepted(exchange, reference, await blobs.uploadedSize(reference), 204)
}

export async function cancelUpload({ response, blobs, reference }: Exchange): Promise<void> {
  await blobs.cancelUpload(reference)
  response.writeHead(204).end()
}

async function finish(exchange: Exchange, id: string, digest: string): Promise<void> {
  const { blobs, catalog, repository } = exchange
  const size = await blobs.finishUpload(id, digest)
  await catalog.addLayer(repository, digest, size)
  created(exchange, digest)
}

function created({ response, repository }: Exchange, digest: string): void {
  response
    .writeHead(201, {
      location: `/v2/${repository.repositoryName}/blobs/${digest}`,
      'docker-content-digest': digest,
      'content-length': 0,
    })
    .end()
}

function accepted({ response, repository }: Exchange, id: string, size: number, status: number): void {
  response
    .writeHead(status, {
      location: `/v2/${repository.repositoryName}/blobs/uploads/${id}`,
      'docker-upload-uuid': id,
      range: `0-${Math.max(0, size - 1)}`,
      ...(status === 204 ? {} : { 'content-length': 0 }),
    })
    .end()
}

/** Where a chunk starts; undefined when the client does not say. */
function chunkStart(contentRange: string | undefined): number | undefined {
  if (contentRange === undefined) return undefined
  const match = /^(?:bytes )?(\d+)-\d+/.exec(contentRange)
  if (!match)
    throw new RegistryError('BLOB_UPLOAD_INVALID', `Content-Range ${contentRange} cannot be read`, 400)
  return Number(match[1])
}
