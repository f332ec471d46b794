import type { IncomingMessage } from 'node:http'
import type { ManifestRecord } from './catalog.ts'
import { isDigest } from './digest.ts'
import type { Exchange } from './exchange.ts'
import { RegistryError } from './error.ts'
import { indexTypes, manifestBytesMax, readManifest } from './manifest.ts'

const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const tagsCountMax = 1000

/** GET and HEAD of a manifest by tag or digest. */
export function getManifest({ request, response, repository, catalog, reference }: Exchange): Promise<void> {
  const found = catalog.manifest(repository, reference)
  if (!found) throw unknownManifest(reference)
  response.writeHead(200, {
    'content-type': found.mediaType,
    'docker-content-digest': found.digest,
    'content-length': Buffer.byteLength(found.manifest),
    etag: `"${found.digest}"`,
  })
  if (request.method === 'GET') catalog.pulled(repository, found.digest)
  response.end(request.method === 'HEAD' ? undefined : found.manifest)
  return Promise.resolve()
}

/** PUT of a manifest: everything it names must be in the repository already. */
export async function putManifest(exchange: Exchange): Promise<void> {
  const { request, response, repository, catalog, reference } = exchange
  const record = readManifest(await readText(request), request.headers['content-type'])
  const byDigest = reference.includes(':')
  if (byDigest && reference !== record.digest)
    throw new RegistryError(
      'DIGEST_INVALID',
      `the manifest has the digest ${record.digest}, not ${reference}`,
      400,
    )
  if (!byDigest && !tagPattern.test(reference))
    throw new RegistryError('TAG_INVALID', `${reference} is not a tag`, 400)
  checkNamed(exchange, record)
  await catalog.putManifest(repository, record, byDigest ? undefined : reference)
  response
    .writeHead(201, {
      location: `/v2/${repository.repositoryName}/manifests/${record.digest}`,
      'docker-content-digest': record.digest,
      ...(record.subject !== undefined && { 'oci-subject': record.subject }),
      'content-length': 0,
    })
    .end()
}

export async function deleteManifest({ response, repository, catalog, reference }: Exchange): Promise<void> {
  if (!(await catalog.deleteManifest(repository, reference))) throw unknownManifest(reference)
  response.writeHead(202).end()
}

/** The tags in lexical order, `n` at a time after `last`, with a Link header to the next page. */
export function listTags({ response, repository, catalog, query }: Exchange): Promise<void> {
  const asked = query.get('n')
  const count = asked === null ? tagsCountMax : Number(asked)
  if (!Number.isInteger(count) || count < 0)
    throw new RegistryError('UNSUPPORTED', 'n must be a whole number', 400)
  const last = query.get('last')
  const rest = catalog.tags(repository).filter((tag) => last === null || tag > last)
  const tags = rest.slice(0, count)
  const end = tags.at(-1)
  if (rest.length > tags.length && end !== undefined)
    response.setHeader(
      'link',
      `</v2/${repository.repositoryName}/tags/list?n=${count}&last=${encodeURIComponent(end)}>; rel="next"`,
    )
  sendJson(response, 'application/json', { name: repository.repositoryName, tags })
  return Promise.resolve()
}

/** What refers to a manifest, as an image index; an unknown digest has no referrers. */
export function listReferrers({ response, repository, catalog, query, reference }: Exchange): Promise<void> {
  if (!isDigest(reference))
    throw new RegistryError('DIGEST_INVALID', `${reference} is not a sha256 digest`, 400)
  const artifactType = query.get('artifactType')
  if (artifactType !== null) response.setHeader('oci-filters-applied', 'artifactType')
  const manifests = catalog
    .referrers(repository, reference)
    .filter((record) => artifactType === null || record.artifactType === artifactType)
    .map((record) => ({
      mediaType: record.mediaType,
      digest: record.digest,
      size: Buffer.byteLength(record.manifest),
      ...(record.artifactType !== undefined && { artifactType: record.artifactType }),
      ...(record.annotations && { annotations: record.annotations }),
    }))
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  sendJson(response, mediaType, { schemaVersion: 2, mediaType, manifests })
  return Promise.resolve()
}

function checkNamed({ repository, catalog }: Exchange, record: ManifestRecord): void {
  for (const digest of record.blobs)
    if (!catalog.hasLayer(repository, digest))
      throw new RegistryError(
        'MANIFEST_BLOB_UNKNOWN',
        `blob ${digest} is not in this repository; push it first`,
        400,
      )
  // An index may name manifests that were left out on purpose (a platform not pushed); docker and ECR refuse those.
  if (indexTypes.has(record.mediaType))
    for (const digest of record.manifests)
      if (!catalog.manifest(repository, digest))
        throw new RegistryError('MANIFEST_BLOB_UNKNOWN', `manifest ${digest} is not in this repository`, 400)
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > manifestBytesMax)
      throw new RegistryError('SIZE_INVALID', `a manifest has at most ${manifestBytesMax} bytes`, 413)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function sendJson(response: Exchange['response'], contentType: string, body: object): void {
  const text = JSON.stringify(body)
  response
    .writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) })
    .end(text)
}

function unknownManifest(reference: string): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', `Requested image not found: ${reference}`, 404)
}
