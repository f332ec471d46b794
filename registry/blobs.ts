import { isDigest } from './digest.ts'
import { type Exchange, sendStream } from './exchange.ts'
import { RegistryError } from './error.ts'

/** GET and HEAD of a blob, whole or by a byte range. */
export async function getBlob({
  request,
  response,
  repository,
  catalog,
  blobs,
  reference,
}: Exchange): Promise<void> {
  const size = await layerSize(reference)
  const headers = {
    'content-type': 'application/octet-stream',
    'docker-content-digest': reference,
    'accept-ranges': 'bytes',
    etag: `"${reference}"`,
  }
  const range = readRange(request.headers.range, size)
  if (range === 'unsatisfiable')
    throw new RegistryError('SIZE_INVALID', 'the range is outside the blob', 416, {
      'content-range': `bytes */${size}`,
    })
  const length = range ? range.end - range.start + 1 : size
  if (range) response.setHeader('content-range', `bytes ${range.start}-${range.end}/${size}`)
  response.writeHead(range ? 206 : 200, { ...headers, 'content-length': length })
  if (request.method === 'HEAD' || length === 0) response.end()
  else await sendStream(response, blobs.read(reference, range))

  async function layerSize(digest: string): Promise<number> {
    if (!isDigest(digest)) throw new RegistryError('DIGEST_INVALID', `${digest} is not a sha256 digest`, 400)
    const found = catalog.hasLayer(repository, digest) ? await blobs.size(digest) : undefined
    if (found === undefined)
      throw new RegistryError('BLOB_UNKNOWN', `blob ${digest} is not in this repository`, 404)
    return found
  }
}

/** Takes the blob out of the repository; garbage collection frees its bytes when no repository has it. */
export async function deleteBlob({ response, repository, catalog, reference }: Exchange): Promise<void> {
  if (!catalog.hasLayer(repository, reference))
    throw new RegistryError('BLOB_UNKNOWN', `blob ${reference} is not in this repository`, 404)
  await catalog.removeLayer(repository, reference)
  response.writeHead(202).end()
}

/** One range of a `Range` header; undefined when there is none or several are asked for (all is sent then). */
function readRange(
  header: string | undefined,
  size: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1])
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1)
  return start > end || start >= size ? 'unsatisfiable' : { start, end }
}
