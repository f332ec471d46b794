import type { IncomingMessage, ServerResponse } from 'node:http'
import { type BlobStore, UploadError } from './blob-store.ts'
import { type Catalog, CatalogError } from './catalog.ts'
import { type Exchange, findRepository } from './exchange.ts'
import { deleteBlob, getBlob } from './blobs.ts'
import { RegistryError } from './error.ts'
import { deleteManifest, getManifest, listReferrers, listTags, putManifest } from './manifests.ts'
import { cancelUpload, finishUpload, showUpload, startUpload, writeUpload } from './uploads.ts'

type Handler = (exchange: Exchange) => Promise<void>

/** The endpoints of the OCI distribution specification 1.1, by the path after the repository's name. */
const routes: ReadonlyArray<{ readonly path: RegExp; readonly methods: Readonly<Record<string, Handler>> }> =
  [
    { path: /^(.+)\/blobs\/uploads\/?$/, methods: { POST: startUpload } },
    {
      path: /^(.+)\/blobs\/uploads\/([^/]+)$/,
      methods: { GET: showUpload, PATCH: writeUpload, PUT: finishUpload, DELETE: cancelUpload },
    },
    { path: /^(.+)\/blobs\/([^/]+)$/, methods: { GET: getBlob, HEAD: getBlob, DELETE: deleteBlob } },
    {
      path: /^(.+)\/manifests\/([^/]+)$/,
      methods: { GET: getManifest, HEAD: getManifest, PUT: putManifest, DELETE: deleteManifest },
    },
    { path: /^(.+)\/tags\/list$/, methods: { GET: listTags } },
    { path: /^(.+)\/referrers\/([^/]+)$/, methods: { GET: listReferrers } },
  ]
export interface RegistryEndpoint {
  readonly catalog: Catalog
  readonly blobs: BlobStore
  readonly onError: (error: unknown) => void
}

/** Serves the registry under `/v2/`. Errors are answered in the specification's JSON shape. */
export function registryEndpoint({ catalog, blobs, onError }: RegistryEndpoint) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0')
    answer(request, response, catalog, blobs).catch((error: unknown) => {
      const shown = shownError(error)
      if (shown.httpStatus === 500) onError(error)
      refuse(request, response, shown)
    })
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  catalog: Catalog,
  blobs: BlobStore,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://registry')
  const host = request.headers.host ?? ''
  const scope = catalog.authenticate(request.headers.authorization, host)
  if (!scope) {
    response.setHeader('WWW-Authenticate', `Basic realm="http://${host}/",service="ecr.amazonaws.com"`)
    throw new RegistryError(
      'UNAUTHORIZED',
      'authentication required: aws ecr get-login-password | docker login',
      401,
    )
  }
  if (url.pathname === '/v2/') {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    return
  }
  for (const { path, methods } of routes) {
    const match = path.exec(decodeURIComponent(url.pathname.slice('/v2/'.length)))
    if (!match) continue
    const handler = methods[request.method ?? '']
    if (!handler) throw new RegistryError('UNSUPPORTED', `${request.method} is not supported here`, 405)
    const repository = findRepository(catalog, scope, match[1] ?? '')
    await handler({
      request,
      response,
      query: url.searchParams,
      scope,
      repository,
      catalog,
      blobs,
      reference: match[2] ?? '',
    })
    return
  }
  throw new RegistryError('UNSUPPORTED', 'there is nothing at this path', 404)
}

function shownError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error
  if (error instanceof CatalogError) return new RegistryError(error.code, error.message, error.httpStatus)
  if (error instanceof UploadError)
    return new RegistryError(error.code, error.message, error.code === 'BLOB_UPLOAD_UNKNOWN' ? 404 : 400)
  return new RegistryError('UNKNOWN', 'Internal failure.', 500)
}

function refuse(request: IncomingMessage, response: ServerResponse, error: RegistryError): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const body = JSON.stringify({ errors: [{ code: error.code, message: error.message }] })
  // A body that nobody read would be taken for the next request: such a connection is closed.
  if (!request.complete) response.setHeader('connection', 'close')
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value)
  response.writeHead(error.httpStatus, { 'content-type': 'application/json' })
  response.end(request.method === 'HEAD' ? undefined : body)
}
