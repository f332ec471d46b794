import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** What of a request is signed. `path` and `rawQuery` stand as they came: percent-encoded, the query without its `?`. */
export interface SignedRequest {
  readonly method: string
  readonly path: string
  readonly rawQuery: string
  readonly headers: IncomingHttpHeaders
  readonly body: Uint8Array
}

export interface SigningKey {
  readonly secretAccessKey: string
  readonly sessionToken?: string
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number
}

/** Whose key signed, and for which region and service. */
export interface Credential {
  readonly accessKeyId: string
  readonly region: string
  readonly service: string
}

export type SignatureProblem =
  | 'missing'
  | 'incomplete'
  | 'unknownKey'
  | 'mismatch'
  | 'expired'
  | 'tokenInvalid'
  | 'tokenExpired'

/** A request that is not signed as it must be. Each service has its own code for the problem: `signatureAwsError`. */
export class SignatureError extends Error {
  readonly problem: SignatureProblem
  constructor(problem: SignatureProblem, message: string) {
    super(message)
    this.problem = problem
  }
}

interface Signature extends Credential {
  readonly date: string
  readonly scope: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
  readonly amzDate: string
  readonly token: string | undefined
  /** Set on presigned requests: for how many seconds they hold. */
  readonly expiresSeconds?: number
}

const algorithm = 'AWS4-HMAC-SHA256'
const skewMsMax = 5 * 60_000
const presignedSecondsMax = 7 * 24 * 60 * 60
const mismatchMessage =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'

/** Who says to have signed a request, unproven. Throws a SignatureError when it has no signature, or half of one. */
export function readCredential(request: SignedRequest): Credential {
  const { accessKeyId, region, service } = readSignature(request)
  return { accessKeyId, region, service }
}

/** The session token that a request shows, unproven; undefined where it has none. Throws a SignatureError. */
export function readSessionToken(request: SignedRequest): string | undefined {
  return readSignature(request).token
}

/**
 * Checks a request's Signature Version 4, in its Authorization header or presigned query. Throws a SignatureError.
 * A body that the client declares unsigned or signed chunk by chunk is not covered, as with AWS.
 * See https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function verifySignature(
  request: SignedRequest,
  lookup: (accessKeyId: string) => SigningKey | undefined,
  nowMs: number,
): Credential {
  const signature = readSignature(request)
  const key = lookup(signature.accessKeyId)
  if (!key) throw new SignatureError('unknownKey', 'The security token included in the request is invalid.')
  checkTime(signature, nowMs)
  if (key.sessionToken !== signature.token)
    throw new SignatureError('tokenInvalid', 'The security token included in the request is invalid.')
  if (key.expiresAt !== undefined && key.expiresAt <= nowMs)
    throw new SignatureError('tokenExpired', 'The security token included in the request is expired')
  const expected = sign(canonicalRequest(request, signature), signature, key.secretAccessKey)
  const given = Buffer.from(signature.signature)
  if (given.length !== expected.length || !timingSafeEqual(given, Buffer.from(expected)))
    throw new SignatureError('mismatch', mismatchMessage)
  const { accessKeyId, region, service } = signature
  return { accessKeyId, region, service }
}

function readSignature(request: SignedRequest): Signature {
  const authorization = request.headers.authorization
  if (authorization !== undefined) return readAuthorization(request, authorization)
  const query = new URLSearchParams(request.rawQuery)
  if (!query.has('X-Amz-Signature')) throw new SignatureError('missing', 'Missing Authentication Token')
  const expires = query.get('X-Amz-Expires')
  return {
    ...readScope(query.get('X-Amz-Credential') ?? ''),
    signedHeaders: (query.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature: query.get('X-Amz-Signature') ?? '',
    amzDate: query.get('X-Amz-Date') ?? '',
    token: query.get('X-Amz-Security-Token') ?? undefined,
    expiresSeconds: Math.min(expires === null ? 900 : Number(expires), presignedSecondsMax),
  }
}

function readAuthorization({ headers }: SignedRequest, authorization: string): Signature {
  const parts = new Map(
    authorization
      .slice(algorithm.length)
      .split(',')
      .map((part) => {
        const [name = '', ...value] = part.trim().split('=')
        return [name, value.join('=')]
      }),
  )
  const absent = ['Credential', 'Signature', 'SignedHeaders'].filter((name) => !parts.get(name))
  if (!authorization.startsWith(algorithm) || absent.length > 0)
    throw new SignatureError(
      'incomplete',
      `${absent.map((name) => `Authorization header requires '${name}' parameter. `).join('')}Authorization=${authorization.split(' ')[0]}`,
    )
  const amzDate = text(headers['x-amz-date'])
  if (amzDate === undefined)
    throw new SignatureError(
      'incomplete',
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    )
  return {
    ...readScope(parts.get('Credential') ?? ''),
    signedHeaders: (parts.get('SignedHeaders') ?? '').split(';'),
    signature: parts.get('Signature') ?? '',
    amzDate,
    token: text(headers['x-amz-security-token']),
  }
}

function readScope(credential: string): Credential & { date: string; scope: string } {
  const [accessKeyId, date, region, service, terminator, ...rest] = credential.split('/')
  if (!accessKeyId || !date || !region || !service || terminator !== 'aws4_request' || rest.length > 0)
    throw new SignatureError(
      'incomplete',
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${credential}'`,
    )
  return { accessKeyId, region, service, date, scope: `${date}/${region}/${service}/aws4_request` }
}

function checkTime({ amzDate, date, expiresSeconds }: Signature, nowMs: number): void {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(amzDate)
  const [, year, month, day, hour, minute, second] = match ?? []
  const signedMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  if (Number.isNaN(signedMs))
    throw new SignatureError('incomplete', `Date must be in ISO-8601 'basic format'. Got '${amzDate}'.`)
  if (!amzDate.startsWith(date))
    throw new SignatureError(
      'mismatch',
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${date}' != '${amzDate.slice(0, 8)}', from '${amzDate}'.`,
    )
  const now = (): string => basicFormat(nowMs)
  if (expiresSeconds !== undefined) {
    const endMs = signedMs + expiresSeconds * 1000
    if (!(endMs >= nowMs))
      throw new SignatureError(
        'expired',
        `Signature expired: ${basicFormat(endMs)} is now earlier than ${now()}`,
      )
  } else if (signedMs < nowMs - skewMsMax) {
    const early = basicFormat(nowMs - skewMsMax)
    throw new SignatureError(
      'expired',
      `Signature expired: ${amzDate} is now earlier than ${early} (${now()} - 5 min.)`,
    )
  }
  if (signedMs > nowMs + skewMsMax) {
    const late = basicFormat(nowMs + skewMsMax)
    throw new SignatureError(
      'expired',
      `Signature not yet current: ${amzDate} is still later than ${late} (${now()} + 5 min.)`,
    )
  }
}

const basicFormat = (timeMs: number): string =>
  new Date(timeMs).toISOString().replace(/\.\d+/, '').replaceAll(/[-:]/g, '')

function canonicalRequest(
  request: SignedRequest,
  { service, signedHeaders, expiresSeconds }: Signature,
): string {
  if (!signedHeaders.includes('host'))
    throw new SignatureError(
      'mismatch',
      "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
    )
  const headers = signedHeaders.map((name) => `${name}:${canonicalValue(request.headers[name])}\n`)
  return [
    request.method,
    service === 's3' ? request.path : canonicalPath(request.path),
    canonicalQuery(request.rawQuery),
    headers.join(''),
    signedHeaders.join(';'),
    payloadHash(request, expiresSeconds !== undefined),
  ].join('\n')
}

function payloadHash({ headers, body }: SignedRequest, presigned: boolean): string {
  const declared = text(headers['x-amz-content-sha256'])
  const uncovered = declared !== undefined && /^(?:UNSIGNED-PAYLOAD|STREAMING-)/.test(declared)
  if (uncovered) return declared
  const actual = sha256(body)
  if (declared !== undefined && declared !== actual && !presigned)
    throw new SignatureError('mismatch', mismatchMessage)
  return actual
}

/** Every service but S3 signs the path encoded once more than it is sent, without empty and dot segments. */
function canonicalPath(path: string): string {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(encodeRfc3986(segment))
  }
  const joined = `/${segments.join('/')}`
  return segments.length > 0 && path.endsWith('/') ? `${joined}/` : joined
}

/** Decoded with `+` as a space, encoded anew and sorted: Go's clients send `+` where they signed `%20`. */
function canonicalQuery(rawQuery: string): string {
  if (rawQuery === '') return ''
  const pairs = rawQuery
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair): [string, string] => {
      const at = pair.indexOf('=')
      const [name, value] = at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
      return [encodeRfc3986(decodeForm(name)), encodeRfc3986(decodeForm(value))]
    })
    .filter(([name]) => name !== 'X-Amz-Signature')
  const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
  pairs.sort(([a, x], [b, y]) => order(a, b) || order(x, y))
  return pairs.map(([name, value]) => `${name}=${value}`).join('&')
}

function decodeForm(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll('+', ' '))
  } catch {
    throw new SignatureError('mismatch', mismatchMessage)
  }
}

function encodeRfc3986(part: string): string {
  return encodeURIComponent(part).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

const text = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(',') : value
const canonicalValue = (value: string | string[] | undefined): string =>
  (text(value) ?? '').trim().replaceAll(/\s+/g, ' ')
const sha256 = (data: string | Uint8Array): string => hash('sha256', data, 'hex')
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()

const derivedKeysMax = 1000
const derivedKeys = new Map<string, Buffer>()

/** The key of a day, region and service, kept because deriving it costs four of the five hashes of a check. */
function derivedKey(secret: string, { date, region, service, scope }: Signature): Buffer {
  const id = `${scope} ${secret}`
  let key = derivedKeys.get(id)
  if (!key) {
    key = [region, service, 'aws4_request'].reduce(hmac, hmac(`AWS4${secret}`, date)) as Buffer
    if (derivedKeys.size >= derivedKeysMax) derivedKeys.clear()
    derivedKeys.set(id, key)
  }
  return key
}

function sign(canonical: string, signature: Signature, secret: string): string {
  const stringToSign = [algorithm, signature.amzDate, signature.scope, sha256(canonical)].join('\n')
  return createHmac('sha256', derivedKey(secret, signature)).update(stringToSign).digest('hex')
}
