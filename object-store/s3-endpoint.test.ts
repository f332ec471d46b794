import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { AwsError } from '@berth/wire/error.ts'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { BucketStore } from './bucket-store.ts'
import { isForS3, s3Endpoint } from './s3-endpoint.ts'

let directory: string
let url: string
const denied = new Set<string>()

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'berth-objects-'))
  denied.clear()
  const ids = idsFrom(prng(1))
  let now = Date.UTC(2026, 0, 1)
  const clock = { now: () => (now += 1000), at: () => () => undefined }
  const handler = s3Endpoint({
    store: new BucketStore(directory, clock, ids),
    identify: ({ headers }) => ({
      accountId: String(headers['x-account'] ?? 'one'),
      region: 'eu-west-1',
      authorize: (action) => {
        if (denied.has(action))
          throw new AwsError('AccessDenied', `not authorized to perform: ${action}`, 403)
      },
    }),
    requestId: () => 'REQUEST',
    onError: (error) => expect.unreachable(String(error)),
  })
  const server = createServer(handler).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  onTestFinished(async () => {
    server.closeAllConnections()
    server.close()
    await rm(directory, { recursive: true })
  })
})

async function ask(
  method: string,
  path: string,
  { body, headers = {} }: { body?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(`${url}${path}`, { method, headers, ...(body !== undefined && { body }) })
  return { status: response.status, text: await response.text(), headers: response.headers }
}

test('keeps an object as it was put, and its latest version only', async () => {
  await ask('PUT', '/files')
  expect(await ask('PUT', '/files/a%20b/c.env', { body: 'A=1' })).toMatchObject({ status: 200 })
  await ask('PUT', '/files/a%20b/c.env', {
    body: 'A=2\nB=3',
    headers: { 'content-type': 'text/plain', 'x-amz-meta-from': 'me' },
  })
  const read = await ask('GET', '/files/a%20b/c.env')
  expect(read).toMatchObject({ status: 200, text: 'A=2\nB=3' })
  expect(Object.fromEntries(read.headers)).toMatchObject({
    etag: `"${createHash('md5').update('A=2\nB=3').digest('hex')}"`,
    'content-type': 'text/plain',
    'x-amz-meta-from': 'me',
  })
  expect((await ask('GET', '/files/a%20b/c.env', { headers: { range: 'bytes=0-2' } })).text).toBe('A=2')
  const head = await ask('HEAD', '/files/a%20b/c.env')
  expect([head.status, head.headers.get('content-length'), head.text]).toEqual([200, '7', ''])
  expect((await readdir(join(directory, 'files'))).filter((name) => name.endsWith('.bytes'))).toHaveLength(1)
  expect((await ask('DELETE', '/files/a%20b/c.env')).status).toBe(204)
  expect((await ask('GET', '/files/a%20b/c.env')).text).toContain('<Code>NoSuchKey</Code>')
})

test('takes a body that is streamed in chunks', async () => {
  await ask('PUT', '/files')
  const chunked = '3\r\nA=1\r\n2;chunk-signature=abc\r\n\nB\r\n0\r\nx-amz-checksum-crc32:abc=\r\n\r\n'
  const headers = {
    'content-encoding': 'aws-chunked',
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  }
  await ask('PUT', '/files/x', { body: chunked, headers })
  expect((await ask('GET', '/files/x')).text).toBe('A=1\nB')
})

test('lists by prefix and delimiter, page after page', async () => {
  await ask('PUT', '/files')
  for (const key of ['a/1', 'a/2', 'b', 'c/1']) await ask('PUT', `/files/${key}`, { body: key })
  const tagged = (text: string, tag: string): string[] =>
    [...text.matchAll(new RegExp(`<${tag}>([^<]*)</${tag}>`, 'g'))].map(([, value = '']) => value)
  const { text } = await ask('GET', '/files?list-type=2&delimiter=%2F&max-keys=2')
  expect([tagged(text, 'Key'), tagged(text, 'Prefix'), tagged(text, 'IsTruncated')]).toEqual([
    ['b'],
    ['', 'a/'],
    ['true'],
  ])
  const [token = ''] = tagged(text, 'NextContinuationToken')
  const rest = await ask(
    'GET',
    `/files?list-type=2&delimiter=%2F&continuation-token=${encodeURIComponent(token)}`,
  )
  expect([tagged(rest.text, 'Key'), tagged(rest.text, 'Prefix')]).toEqual([[], ['', 'c/']])
  expect(tagged((await ask('GET', '/files?prefix=a%2F')).text, 'Key')).toEqual(['a/1', 'a/2'])
})

test.each([
  ['a bucket that is not there', 'GET', '/nothing/x', {}, 404, 'NoSuchBucket'],
  ['a name that is none', 'PUT', '/No', {}, 400, 'InvalidBucketName'],
  ['a name that is a path', 'PUT', '/a..b', {}, 400, 'InvalidBucketName'],
  ['a bucket made twice', 'PUT', '/files', {}, 409, 'BucketAlreadyOwnedByYou'],
  ["another's bucket, to make", 'PUT', '/files', { 'x-account': 'two' }, 409, 'BucketAlreadyExists'],
  ["another's bucket, to read", 'GET', '/files/x', { 'x-account': 'two' }, 403, 'AccessDenied'],
  ['a bucket with objects, to delete', 'DELETE', '/files', {}, 409, 'BucketNotEmpty'],
  ['a range that is not there', 'GET', '/files/x', { range: 'bytes=5-9' }, 416, 'InvalidRange'],
  ['what it does not have', 'GET', '/files?acl', {}, 501, 'NotImplemented'],
  ['an upload in parts', 'POST', '/files/x?uploads', {}, 501, 'NotImplemented'],
])('refuses %s', async (_, method, path, headers, status, code) => {
  await ask('PUT', '/files')
  await ask('PUT', '/files/x', { body: 'A=1' })
  const refused = await ask(method, path, { headers: headers as Record<string, string> })
  expect([refused.status, /<Code>(\w+)/.exec(refused.text)?.[1]]).toEqual([status, code])
})

test('asks for leave before it does anything', async () => {
  await ask('PUT', '/files')
  denied.add('s3:PutObject').add('s3:GetObject')
  expect((await ask('PUT', '/files/x', { body: 'A' })).text).toContain(
    'not authorized to perform: s3:PutObject',
  )
  denied.delete('s3:PutObject')
  await ask('PUT', '/files/x', { body: 'A' })
  expect((await ask('GET', '/files/x')).status).toBe(403)
})

test.each([
  [
    'a header',
    { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, …' } },
    true,
  ],
  [
    'a query',
    { headers: {}, url: '/b/k?X-Amz-Credential=A%2F20260101%2Fus-east-1%2Fs3%2Faws4_request' },
    true,
  ],
  [
    'another service',
    { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/ecs/aws4_request' } },
    false,
  ],
  ['nothing', { headers: {} }, false],
])('knows by %s whether a request is for it', (_, request, expected) => {
  expect(isForS3(request)).toBe(expected)
})
