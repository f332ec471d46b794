/**
 * As much of Amazon S3 as tasks need of it: buckets, and objects that fit in memory, by path-style addresses. Environment
 * files and FireLens configurations are fetched from here, and `aws s3 cp` puts them here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { decodeBody, readBody } from '@berth/wire/body.ts'
import { AwsError } from '@berth/wire/error.ts'
import { SignatureError } from '@berth/wire/sigv4.ts'
import { bucketName, type BucketStore, compareKeys, type StoredObject } from './bucket-store.ts'
import { textElement, xmlDocument } from './xml.ts'

/** The largest object. AWS takes 5 GB in one request; what goes through here is held in memory. */
const objectBytesMax = 100 * 1024 * 1024
const keysPerPageMax = 1000

/** Who asks, and what they may do. */
interface S3Caller {
  readonly accountId: string
  readonly region: string
  /** Throws an AwsError when they may not. */
  readonly authorize: (action: string, resource: string) => void
}

export interface S3Endpoint {
  readonly store: BucketStore
  /** Throws a SignatureError. `body` is as it was sent. */
  readonly identify: (request: IncomingMessage, body: Buffer) => S3Caller
  readonly requestId: () => string
  readonly onError: (error: unknown) => void
}

interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer | string
}

interface Asked {
  readonly store: BucketStore
  readonly caller: S3Caller
  readonly method: string
  readonly bucket: string
  /** Empty for what concerns the bucket. */
  readonly key: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly content: Buffer
}

/** Serves requests that are signed for S3. */
export function s3Endpoint(
  endpoint: S3Endpoint,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    const requestId = endpoint.requestId()
    answer(endpoint, request)
      .catch((error: unknown) => shownError(endpoint, request, requestId, error))
      .then(({ status, headers, body = '' }) => {
        const length = headers?.['content-length'] ?? String(Buffer.byteLength(body))
        response.writeHead(status, { 'x-amz-request-id': requestId, ...headers, 'content-length': length })
        response.end(request.method === 'HEAD' ? undefined : body)
      })
      .catch((error: unknown) => {
        response.destroy()
        endpoint.onError(error)
      })
  }
}

/** Whether a request is signed for S3, in its header or in its query. */
export function isForS3({ headers, url = '' }: Pick<IncomingMessage, 'headers' | 'url'>): boolean {
  const scope = /\/s3\/aws4_request/
  return (
    scope.test(headers.authorization ?? '') ||
    /X-Amz-Credential=[^&]*(?:%2F|\/)s3(?:%2F|\/)aws4_request/i.test(url)
  )
}

async function answer({ store, identify }: S3Endpoint, request: IncomingMessage): Promise<Answer> {
  const body = await readBody(request, objectBytesMax)
  const caller = identify(request, body)
  const { method = 'GET', headers } = request
  const [path = '/', rawQuery = ''] = (request.url ?? '/').split(/\?(.*)/s)
  const [bucket = '', ...rest] = decoded(path.slice(1)).split('/')
  const asked: Asked = {
    store,
    caller,
    method,
    bucket,
    key: rest.join('/'),
    query: new URLSearchParams(rawQuery),
    headers,
    content: decodeBody(body, withoutContentCodings(headers), objectBytesMax),
  }
  if (bucket === '') return method === 'GET' ? listBuckets(asked) : notImplemented(asked)
  return asked.key === '' ? bucketOperation(asked) : objectOperation(asked)
}

/** An object keeps the coding it was put in; only the framing of a streamed body is undone. */
function withoutContentCodings(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const { 'content-encoding': coding = '', ...rest } = headers
  return coding.includes('aws-chunked') ? { ...rest, 'content-encoding': 'aws-chunked' } : rest
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new AwsError('InvalidURI', "Couldn't parse the specified URI.", 400)
  }
}

async function listBuckets({ store, caller }: Asked): Promise<Answer> {
  caller.authorize('s3:ListAllMyBuckets', '*')
  const own = (await store.buckets()).filter(({ accountId }) => accountId === caller.accountId)
  const buckets = own.map(
    ({ name, createdAt }) =>
      `<Bucket>${textElement('Name', name)}${textElement('CreationDate', new Date(createdAt).toISOString())}</Bucket>`,
  )
  return xml('ListAllMyBucketsResult', `<Buckets>${buckets.join('')}</Buckets>${owner(caller.accountId)}`)
}

const owner = (accountId: string): string => `<Owner>${textElement('ID', accountId)}</Owner>`
const bucketArn = (bucket: string): string => `arn:aws:s3:::${bucket}`

async function bucketOperation(asked: Asked): Promise<Answer> {
  const { store, caller, method, bucket, query } = asked
  if (method === 'PUT' && query.size === 0) {
    caller.authorize('s3:CreateBucket', bucketArn(bucket))
    if (!bucketName.test(bucket))
      throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.', 400, {
        BucketName: bucket,
      })
    await store.createBucket({ name: bucket, accountId: caller.accountId, region: caller.region })
    return { status: 200, headers: { location: `/${bucket}` } }
  }
  const { region } = await ownBucket(asked)
  if (method === 'HEAD') {
    caller.authorize('s3:ListBucket', bucketArn(bucket))
    return { status: 200, headers: { 'x-amz-bucket-region': region } }
  }
  if (method === 'DELETE' && query.size === 0) {
    caller.authorize('s3:DeleteBucket', bucketArn(bucket))
    await store.deleteBucket(bucket)
    return { status: 204 }
  }
  if (method === 'GET' && query.has('location')) {
    caller.authorize('s3:GetBucketLocation', bucketArn(bucket))
    return xml('LocationConstraint', region === 'us-east-1' ? '' : region)
  }
  const subresource = [...query].some(([name, value]) => value === '' && !listParameters.has(name))
  if (method === 'GET' && !subresource) return listObjects(asked)
  return notImplemented(asked)
}

const listParameters = new Set(['prefix', 'delimiter', 'marker', 'start-after', 'encoding-type'])

/** The bucket, when it is of the caller's account. */
async function ownBucket({ store, caller, bucket }: Asked): ReturnType<BucketStore['bucket']> {
  const found = await store.bucket(bucket)
  if (found.accountId !== caller.accountId) throw new AwsError('AccessDenied', 'Access Denied', 403)
  return found
}

interface Listing {
  readonly objects: StoredObject[]
  readonly prefixes: string[]
  /** The last key or prefix of the page, when there is more. */
  readonly last?: string
}

async function listObjects({ store, caller, bucket, query }: Asked): Promise<Answer> {
  caller.authorize('s3:ListBucket', bucketArn(bucket))
  const isV2 = query.get('list-type') === '2'
  const prefix = query.get('prefix') ?? ''
  const delimiter = query.get('delimiter') ?? ''
  const max = Math.min(Number(query.get('max-keys') ?? keysPerPageMax) || keysPerPageMax, keysPerPageMax)
  const token = query.get('continuation-token')
  const after = isV2
    ? token === null
      ? (query.get('start-after') ?? '')
      : Buffer.from(token, 'base64').toString()
    : (query.get('marker') ?? '')
  const matching = (await store.list(bucket)).filter(
    ({ key }) => key.startsWith(prefix) && compareKeys(key, after) > 0,
  )
  const page = pageOf(matching, { prefix, delimiter, after, max })
  const encode = query.get('encoding-type') === 'url' ? encodeURIComponent : (text: string): string => text
  const count = page.objects.length + page.prefixes.length
  return xml(
    'ListBucketResult',
    [
      textElement('Name', bucket),
      textElement('Prefix', encode(prefix)),
      ...(delimiter === '' ? [] : [textElement('Delimiter', encode(delimiter))]),
      textElement('MaxKeys', String(max)),
      ...(isV2 ? [textElement('KeyCount', String(count))] : [textElement('Marker', encode(after))]),
      ...(query.get('encoding-type') === 'url' ? [textElement('EncodingType', 'url')] : []),
      textElement('IsTruncated', String(page.last !== undefined)),
      ...(page.last === undefined
        ? []
        : [
            isV2
              ? textElement('NextContinuationToken', Buffer.from(page.last).toString('base64'))
              : textElement('NextMarker', encode(page.last)),
          ]),
      ...page.objects.map(
        ({ key, lastModified, etag, size }) =>
          `<Contents>${textElement('Key', encode(key))}${textElement('LastModified', new Date(lastModified).toISOString())}${textElement('ETag', `"${etag}"`)}${textElement('Size', String(size))}${textElement('StorageClass', 'STANDARD')}</Contents>`,
      ),
      ...page.prefixes.map((one) => `<CommonPrefixes>${textElement('Prefix', encode(one))}</CommonPrefixes>`),
    ].join(''),
  )
}

/** Keys that share what comes before the delimiter are one entry of the page. */
function pageOf(
  matching: readonly StoredObject[],
  { prefix, delimiter, after, max }: { prefix: string; delimiter: string; after: string; max: number },
): Listing {
  const objects: StoredObject[] = []
  const prefixes: string[] = []
  let last = ''
  for (const object of matching) {
    const cut = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length)
    const common = cut < 0 ? undefined : object.key.slice(0, cut + delimiter.length)
    if (common !== undefined && (common === prefixes.at(-1) || after.startsWith(common))) continue
    if (objects.length + prefixes.length === max) return { objects, prefixes, last }
    if (common === undefined) objects.push(object)
    else prefixes.push(common)
    last = common ?? object.key
  }
  return { objects, prefixes }
}

async function objectOperation(asked: Asked): Promise<Answer> {
  const { store, caller, method, bucket, key, query, headers, content } = asked
  const arn = `${bucketArn(bucket)}/${key}`
  await ownBucket(asked)
  const plain = [...query.keys()].every((name) => name.startsWith('X-Amz-') || name === 'x-id')
  if (method === 'PUT' && plain && headers['x-amz-copy-source'] === undefined) {
    caller.authorize('s3:PutObject', arn)
    const { etag } = await store.put(bucket, key, content, {
      contentType: headers['content-type'] ?? 'binary/octet-stream',
      metadata: metadataOf(headers),
    })
    return { status: 200, headers: { etag: `"${etag}"` } }
  }
  if ((method === 'GET' || method === 'HEAD') && plain) {
    caller.authorize('s3:GetObject', arn)
    return getObject(asked)
  }
  if (method === 'DELETE' && plain) {
    caller.authorize('s3:DeleteObject', arn)
    await store.delete(bucket, key)
    return { status: 204 }
  }
  return notImplemented(asked)
}

async function getObject({ store, method, bucket, key, headers }: Asked): Promise<Answer> {
  const object = await store.object(bucket, key)
  const shown = {
    etag: `"${object.etag}"`,
    'content-type': object.contentType,
    'last-modified': new Date(object.lastModified).toUTCString(),
    'accept-ranges': 'bytes',
    ...object.metadata,
  }
  if (method === 'HEAD') return { status: 200, headers: { ...shown, 'content-length': String(object.size) } }
  const content = await store.read(bucket, object)
  const range = /^bytes=(\d*)-(\d*)$/.exec(headers.range ?? '')
  if (!range) return { status: 200, headers: shown, body: content }
  const [, from = '', to = ''] = range
  const begin = from === '' ? Math.max(object.size - Number(to), 0) : Number(from)
  const end = from === '' || to === '' ? object.size - 1 : Math.min(Number(to), object.size - 1)
  if (begin > end) throw new AwsError('InvalidRange', 'The requested range is not satisfiable', 416)
  return {
    status: 206,
    headers: { ...shown, 'content-range': `bytes ${begin}-${end}/${object.size}` },
    body: content.subarray(begin, end + 1),
  }
}

function metadataOf(headers: IncomingMessage['headers']): Readonly<Record<string, string>> {
  const own = Object.entries(headers).filter(([name]) => name.startsWith('x-amz-meta-'))
  return Object.fromEntries(own.map(([name, value]) => [name, String(value)]))
}

function notImplemented({ method, bucket, key }: Asked): never {
  throw new AwsError(
    'NotImplemented',
    `Berth's S3 has buckets and whole objects: ${method} of this part of ${key === '' ? bucket || 'the service' : 'an object'} is not in it.`,
    501,
  )
}

function xml(root: string, content: string): Answer {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: xmlDocument(root, content) }
}

const signatureCodes: Readonly<Record<string, string>> = {
  unknownKey: 'InvalidAccessKeyId',
  tokenInvalid: 'InvalidToken',
  tokenExpired: 'ExpiredToken',
  expired: 'RequestTimeTooSkewed',
  missing: 'AccessDenied',
  incomplete: 'AuthorizationHeaderMalformed',
}

function shownError(
  { onError }: S3Endpoint,
  request: IncomingMessage,
  requestId: string,
  error: unknown,
): Answer {
  if (!request.complete && request.destroyed) throw error
  const shown = asAwsError(error)
  if (!shown) onError(error)
  const { code, message, httpStatus, fields } = shown ?? {
    code: 'InternalError',
    message: 'We encountered an internal error. Please try again.',
    httpStatus: 500,
    fields: {},
  }
  const details = Object.entries(fields).map(([name, value]) => textElement(name, String(value)))
  const content = `${textElement('Code', code)}${textElement('Message', message)}${details.join('')}${textElement('RequestId', requestId)}`
  return { ...xml('Error', content), status: httpStatus }
}

function asAwsError(error: unknown): AwsError | undefined {
  if (error instanceof AwsError) return error
  if (error instanceof SignatureError)
    return new AwsError(signatureCodes[error.problem] ?? 'SignatureDoesNotMatch', error.message, 403)
  return undefined
}
