import { createServer, type Server } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlobStore } from '@berth/registry/blob-store.ts'
import { digestOf } from '@berth/registry/digest.ts'
import { registryEndpoint } from '@berth/registry/endpoint.ts'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { getAuthorizationToken } from '#api/ecr/authorization.ts'
import { batchDeleteImage, describeImages, listImages } from '#api/ecr/image.ts'
import { createRepository, deleteRepository, describeRepositories } from '#api/ecr/repository.ts'
import { testContext } from '#api/testing.ts'
import type { Context } from '#api/operation.ts'
import { layerCollection } from '#engines/layer-collection.ts'
import { layerSweep } from './layer-sweep.ts'
import { registryCatalog } from './registry-catalog.ts'

let directory = ''
const errors: unknown[] = []
let server: Server
let context: Context
let blobs: BlobStore
let origin = ''
let login = ''

beforeAll(async () => {
  server = createServer((request, response) =>
    registryEndpoint({
      catalog: registryCatalog(context),
      blobs,
      onError: (error) => errors.push(error),
    })(request, response),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
})
beforeEach(async () => {
  context = await testContext({})
  directory = mkdtempSync(join(tmpdir(), 'berth-registry-'))
  blobs = new BlobStore(directory, context.ids)
  createRepository(context, { repositoryName: 'web' })
  const token = getAuthorizationToken(context, {}).authorizationData?.[0]?.authorizationToken ?? ''
  login = `Basic ${token}`
})

afterEach(() => {
  rmSync(directory, { recursive: true })
  if (errors.length > 0) throw new Error('the endpoint failed', { cause: errors.splice(0) })
})

const call = (
  method: string,
  path: string,
  init: { readonly body?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> =>
  fetch(origin + path, { ...init, method, headers: { authorization: login, ...init.headers } })
const errorCode = async (response: Response): Promise<string | undefined> =>
  ((await response.json()) as { errors: Array<{ code: string }> }).errors[0]?.code

async function pushBlob(repository: string, content: string): Promise<string> {
  const started = await call('POST', `/v2/${repository}/blobs/uploads/`)
  expect(started.status).toBe(202)
  const digest = digestOf(content)
  const finished = await call('PUT', `${started.headers.get('location')}?digest=${digest}`, { body: content })
  expect(finished.status).toBe(201)
  return digest
}

async function pushImage(
  repository: string,
  tag: string,
  layerContent: string,
  extra: object = {},
): Promise<Response> {
  const config = '{"os":"linux"}'
  const descriptor = async (content: string, mediaType: string): Promise<object> => ({
    mediaType,
    digest: await pushBlob(repository, content),
    size: content.length,
  })
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: await descriptor(config, 'application/vnd.oci.image.config.v1+json'),
    layers: [await descriptor(layerContent, 'application/vnd.oci.image.layer.v1.tar')],
    ...extra,
  })
  return call('PUT', `/v2/${repository}/manifests/${tag}`, {
    body: manifest,
    headers: { 'content-type': mediaType },
  })
}

test('nobody gets in without a login, and a login is not good for ever', async () => {
  const anonymous = await fetch(`${origin}/v2/`)
  expect(anonymous.status).toBe(401)
  expect(anonymous.headers.get('www-authenticate')).toMatch(/^Basic realm=/)
  expect((await call('GET', '/v2/')).status).toBe(200)
  const forged = `Basic ${Buffer.from(`AWS:${Buffer.from(login.slice(6), 'base64').toString().slice(4, -2)}xx`).toString('base64')}`
  expect((await fetch(`${origin}/v2/`, { headers: { authorization: forged } })).status).toBe(401)
  const later = { ...context, clock: { ...context.clock, now: () => context.clock.now() + 13 * 3_600_000 } }
  expect(registryCatalog(later).authenticate(login, '127.0.0.1')).toBeUndefined()
})

test('what is pushed is what is pulled, by tag and by digest, and what the API shows', async () => {
  const pushed = await pushImage('web', 'v1', 'layer one')
  expect(pushed.status).toBe(201)
  const digest = pushed.headers.get('docker-content-digest') ?? ''
  for (const reference of ['v1', digest]) {
    const pulled = await call('GET', `/v2/web/manifests/${reference}`)
    expect(digestOf(await pulled.text())).toBe(digest)
    expect(pulled.headers.get('content-type')).toBe('application/vnd.oci.image.manifest.v1+json')
  }
  const head = await call('HEAD', `/v2/web/manifests/v1`)
  expect([head.status, head.headers.get('docker-content-digest')]).toEqual([200, digest])
  const blob = await call('GET', `/v2/web/blobs/${digestOf('layer one')}`, { headers: { range: 'bytes=6-' } })
  expect([blob.status, await blob.text(), blob.headers.get('content-range')]).toEqual([
    206,
    'one',
    'bytes 6-8/9',
  ])
  expect(listImages(context, { repositoryName: 'web' }).imageIds).toEqual([
    { imageDigest: digest, imageTag: 'v1' },
  ])
  expect(describeImages(context, { repositoryName: 'web' }).imageDetails?.[0]).toMatchObject({
    imageDigest: digest,
    imageTags: ['v1'],
    imageSizeInBytes: 23,
  })
})

test('a blob may come in chunks; a chunk at the wrong place says where to go on', async () => {
  const started = await call('POST', '/v2/web/blobs/uploads/')
  const location = started.headers.get('location') ?? ''
  const first = await call('PATCH', location, { body: 'hello ', headers: { 'content-range': '0-5' } })
  expect([first.status, first.headers.get('range')]).toEqual([202, '0-5'])
  const gap = await call('PATCH', location, { body: 'x', headers: { 'content-range': '9-9' } })
  expect([gap.status, gap.headers.get('range')]).toEqual([416, '0-5'])
  const shown = await call('GET', location)
  expect([shown.status, shown.headers.get('range')]).toEqual([204, '0-5'])
  const wrong = await call('PUT', `${location}?digest=${digestOf('other')}`, { body: 'world' })
  expect([wrong.status, await errorCode(wrong)]).toEqual([400, 'DIGEST_INVALID'])
  const digest = digestOf('hello world')
  expect((await call('PUT', `${location}?digest=${digest}`)).status).toBe(201)
  expect(await (await call('GET', `/v2/web/blobs/${digest}`)).text()).toBe('hello world')
})

test('a blob of another repository is mounted, one that is not there is asked for', async () => {
  createRepository(context, { repositoryName: 'team/api' })
  const digest = await pushBlob('web', 'shared')
  expect((await call('HEAD', `/v2/team/api/blobs/${digest}`)).status).toBe(404)
  const mounted = await call('POST', `/v2/team/api/blobs/uploads/?mount=${digest}&from=web`)
  expect(mounted.status).toBe(201)
  expect(await (await call('GET', `/v2/team/api/blobs/${digest}`)).text()).toBe('shared')
  const unknown = await call('POST', `/v2/team/api/blobs/uploads/?mount=${digestOf('nothing')}&from=web`)
  expect(unknown.status).toBe(202)
})

test.each([
  ['an unknown repository', 'GET', '/v2/nowhere/manifests/v1', undefined, 404, 'NAME_UNKNOWN'],
  ['a bad name', 'GET', '/v2/UPPER/manifests/v1', undefined, 400, 'NAME_INVALID'],
  ['an unknown manifest', 'GET', '/v2/web/manifests/v9', undefined, 404, 'MANIFEST_UNKNOWN'],
  ['an unknown blob', 'GET', `/v2/web/blobs/${digestOf('none')}`, undefined, 404, 'BLOB_UNKNOWN'],
  ['a digest of another kind', 'GET', '/v2/web/blobs/md5:abc', undefined, 400, 'DIGEST_INVALID'],
  ['a manifest that is no JSON', 'PUT', '/v2/web/manifests/v1', '{', 400, 'MANIFEST_INVALID'],
  ['an unknown upload', 'PATCH', '/v2/web/blobs/uploads/nothing', 'x', 404, 'BLOB_UPLOAD_UNKNOWN'],
  ['a path that is none', 'GET', '/v2/web/elsewhere', undefined, 404, 'UNSUPPORTED'],
])('%s is refused as the specification says', async (_, method, path, body, status, code) => {
  const refused = await call(method, path, body === undefined ? {} : { body })
  expect([refused.status, await errorCode(refused)]).toEqual([status, code])
})

test('a manifest that names blobs the repository lacks is refused', async () => {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const absent = { mediaType: 'x', digest: digestOf('absent'), size: 6 }
  const body = JSON.stringify({ schemaVersion: 2, mediaType, config: absent, layers: [] })
  const refused = await call('PUT', '/v2/web/manifests/v1', { body, headers: { 'content-type': mediaType } })
  expect([refused.status, await errorCode(refused)]).toEqual([400, 'MANIFEST_BLOB_UNKNOWN'])
})

test('a tag moves to the image pushed last, unless tags are immutable', async () => {
  const first = (await pushImage('web', 'latest', 'one')).headers.get('docker-content-digest') ?? ''
  const second = (await pushImage('web', 'latest', 'two')).headers.get('docker-content-digest') ?? ''
  expect((await call('HEAD', '/v2/web/manifests/latest')).headers.get('docker-content-digest')).toBe(second)
  expect(listImages(context, { repositoryName: 'web', filter: { tagStatus: 'UNTAGGED' } }).imageIds).toEqual([
    { imageDigest: first },
  ])
  createRepository(context, { repositoryName: 'fixed', imageTagMutability: 'IMMUTABLE' })
  expect((await pushImage('fixed', 'v1', 'one')).status).toBe(201)
  expect((await pushImage('fixed', 'v1', 'one')).status).toBe(201)
  const moved = await pushImage('fixed', 'v1', 'two')
  expect([moved.status, await errorCode(moved)]).toEqual([400, 'TAG_INVALID'])
})

test('tags are listed in order, a page at a time', async () => {
  for (const tag of ['b', 'c', 'a']) await pushImage('web', tag, tag)
  const first = await call('GET', '/v2/web/tags/list?n=2')
  expect(await first.json()).toEqual({ name: 'web', tags: ['a', 'b'] })
  const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? ''
  const second = await call('GET', next)
  expect([await second.json(), second.headers.get('link')]).toEqual([{ name: 'web', tags: ['c'] }, null])
})

test('what refers to an image is found, by its kind too', async () => {
  const subject = (await pushImage('web', 'v1', 'app')).headers.get('docker-content-digest') ?? ''
  const refers = { subject: { mediaType: 'x', digest: subject, size: 1 }, artifactType: 'application/sbom' }
  const pushed = await pushImage('web', 'sbom', 'sbom', refers)
  expect(pushed.headers.get('oci-subject')).toBe(subject)
  const found = await call('GET', `/v2/web/referrers/${subject}?artifactType=application/sbom`)
  expect(await found.json()).toMatchObject({ manifests: [{ artifactType: 'application/sbom' }] })
  expect(found.headers.get('oci-filters-applied')).toBe('artifactType')
  const none = await call('GET', `/v2/web/referrers/${digestOf('x')}`)
  expect(await none.json()).toMatchObject({ manifests: [] })
})

test('deleting follows the API: an image by tag or digest, a repository only when empty or by force', async () => {
  await pushImage('web', 'v1', 'app')
  expect(() => deleteRepository(context, { repositoryName: 'web' })).toThrow(/still contains images/)
  expect((await call('DELETE', '/v2/web/manifests/v1')).status).toBe(202)
  expect((await call('DELETE', '/v2/web/manifests/v1')).status).toBe(404)
  const failed = batchDeleteImage(context, { repositoryName: 'web', imageIds: [{ imageTag: 'v1' }] })
  expect(failed.failures).toMatchObject([{ failureCode: 'ImageNotFound' }])
  deleteRepository(context, { repositoryName: 'web' })
  expect(describeRepositories(context, {}).repositories).toEqual([])
})

test('collection frees layers that no image names, and only those', async () => {
  await pushImage('web', 'v1', 'kept')
  const unused = await pushBlob('web', 'left over')
  const engine = layerCollection(
    layerSweep(blobs),
    (digest) => context.store.count('layer', 'digest', digest) > 0,
  )
  const later = Date.now() + 25 * 3_600_000
  const look = context.store.update((tx) => engine.reconcile(tx, later, undefined))
  for (const effect of look.effects ?? []) await engine.perform?.(effect)
  expect(await blobs.size(unused)).toBeUndefined()
  expect(await blobs.size(digestOf('kept'))).toBe(4)
  expect((await call('HEAD', `/v2/web/manifests/v1`)).status).toBe(200)
})
