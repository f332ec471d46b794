import { createHash } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { Hash } from '@smithy/core/serde'
import { expect, test } from 'vitest'
import { type SignatureProblem, SignatureError, type SignedRequest, verifySignature } from './sigv4.ts'

const signedAt = Date.UTC(2026, 0, 2, 3, 4, 5)
const keys: Readonly<Record<string, { secretAccessKey: string; sessionToken?: string; expiresAt?: number }>> =
  {
    AKIDEXAMPLE: { secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
    ASIASESSION: {
      secretAccessKey: 'session-secret',
      sessionToken: 'token+/=',
      expiresAt: signedAt + 3_600_000,
    },
  }
const lookup = (accessKeyId: string) => keys[accessKeyId]

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly query?: Record<string, string | string[]>
  readonly headers?: Record<string, string>
  readonly body?: string
  readonly accessKeyId?: string
  readonly secretAccessKey?: string
  readonly sessionToken?: string
}

const signerFor = ({ accessKeyId = 'AKIDEXAMPLE', ...sent }: Sent) => {
  const key = keys[accessKeyId]
  const sessionToken = sent.sessionToken ?? key?.sessionToken
  return new SignatureV4({
    service: 'ecs',
    region: 'eu-central-1',
    sha256: Hash.bind(null, 'sha256') as never,
    credentials: {
      accessKeyId,
      secretAccessKey: sent.secretAccessKey ?? key?.secretAccessKey ?? 'unknown',
      ...(sessionToken !== undefined && { sessionToken }),
    },
  })
}

const requestOf = (sent: Sent) => ({
  method: sent.method ?? 'POST',
  protocol: 'http:',
  hostname: '127.0.0.1',
  path: sent.path ?? '/',
  query: sent.query ?? {},
  headers: { host: '127.0.0.1:4566', 'content-type': 'application/x-amz-json-1.1', ...sent.headers },
  body: sent.body ?? '{}',
})

const rawQuery = (query: Record<string, string | string[] | null> | undefined): string =>
  Object.entries(query ?? {})
    .flatMap(([name, values]) =>
      [values ?? ''].flat().map((value) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`),
    )
    .join('&')

async function signed(sent: Sent): Promise<SignedRequest> {
  const { method, path, headers, query, body } = await signerFor(sent).sign(requestOf(sent), {
    signingDate: new Date(signedAt),
  })
  return { method, path, rawQuery: rawQuery(query), headers, body: Buffer.from(body as string) }
}

async function presigned(sent: Sent, expiresIn: number): Promise<SignedRequest> {
  const { method, path, headers, query } = await signerFor(sent).presign(
    { ...requestOf(sent), body: '' },
    { signingDate: new Date(signedAt), expiresIn },
  )
  return { method, path, rawQuery: rawQuery(query), headers, body: new Uint8Array() }
}

function problemOf(request: SignedRequest, nowMs = signedAt): SignatureProblem | 'none' {
  try {
    verifySignature(request, lookup, nowMs)
    return 'none'
  } catch (error) {
    if (error instanceof SignatureError) return error.problem
    throw error
  }
}

test.each<[string, Sent]>([
  ['a plain request', {}],
  ['a body', { body: '{"cluster":"demo","tags":[{"key":"ä"}]}' }],
  ['another path', { path: '/a b/c%2Fd/' }],
  ['a path with dots', { path: '/a/./b/../c' }],
  ['a query out of order', { query: { b: '2', a: ['2', '1'], 'A z': "it's (so)*", c: '' } }],
  ['a session token', { accessKeyId: 'ASIASESSION' }],
  ['headers with spaces', { headers: { 'x-amz-target': '  A.B   C ' } }],
])('accepts what an SDK signed: %s', async (_, sent) => {
  const request = await signed(sent)
  expect(verifySignature(request, lookup, signedAt)).toEqual({
    accessKeyId: sent.accessKeyId ?? 'AKIDEXAMPLE',
    region: 'eu-central-1',
    service: 'ecs',
  })
})

test('takes a plus in the query for the space that was signed', async () => {
  const request = await signed({
    method: 'GET',
    path: '/ws',
    query: { dockerVersion: 'DockerVersion: 20.10 +x' },
    body: '',
  })
  const sent = 'dockerVersion=DockerVersion%3A+20.10+%2Bx'
  expect(problemOf({ ...request, rawQuery: sent })).toBe('none')
  expect(problemOf({ ...request, rawQuery: sent.replace('%2B', '+') })).toBe('mismatch')
})

const without = (request: SignedRequest, name: string): SignedRequest => ({
  ...request,
  headers: { ...request.headers, [name]: undefined },
})

test.each<[string, SignatureProblem, (request: SignedRequest) => SignedRequest]>([
  ['another body', 'mismatch', (request) => ({ ...request, body: Buffer.from('{"a":1}') })],
  ['another method', 'mismatch', (request) => ({ ...request, method: 'GET' })],
  ['another path', 'mismatch', (request) => ({ ...request, path: '/x' })],
  ['another query', 'mismatch', (request) => ({ ...request, rawQuery: 'a=1' })],
  ['a query that cannot be decoded', 'mismatch', (request) => ({ ...request, rawQuery: 'a=%E0%A4%A' })],
  [
    'another host',
    'mismatch',
    ({ headers, ...request }) => ({ ...request, headers: { ...headers, host: 'x' } }),
  ],
  [
    'a declared hash that is not the body’s',
    'mismatch',
    ({ headers, ...request }) => ({
      ...request,
      headers: { ...headers, 'x-amz-content-sha256': createHash('sha256').update('x').digest('hex') },
    }),
  ],
  [
    'no signed host',
    'mismatch',
    ({ headers, ...request }) => ({
      ...request,
      headers: { ...headers, authorization: headers.authorization?.replace('host;', '') },
    }),
  ],
  ['no signature', 'missing', (request) => without(request, 'authorization')],
  ['no date', 'incomplete', (request) => without(request, 'x-amz-date')],
  [
    'a basic authorization',
    'incomplete',
    ({ headers, ...request }) => ({ ...request, headers: { ...headers, authorization: 'Basic QVdTOng=' } }),
  ],
  [
    'a credential without a region',
    'incomplete',
    ({ headers, ...request }) => ({
      ...request,
      headers: { ...headers, authorization: headers.authorization?.replace('/eu-central-1', '') },
    }),
  ],
])('refuses %s', async (_, problem, change) => {
  expect(problemOf(change(await signed({})))).toBe(problem)
})

test.each<[string, SignatureProblem, Sent]>([
  ['a key it does not know', 'unknownKey', { accessKeyId: 'AKIASTRANGER' }],
  ['a wrong secret', 'mismatch', { secretAccessKey: 'wrong' }],
  ['another session token', 'tokenInvalid', { accessKeyId: 'ASIASESSION', sessionToken: 'other' }],
  ['a session token on a key that has none', 'tokenInvalid', { sessionToken: 'surplus' }],
])('refuses %s', async (_, problem, sent) => {
  expect(problemOf(await signed(sent))).toBe(problem)
})

test.each<[SignatureProblem | 'none', number]>([
  ['none', 5 * 60_000],
  ['none', -5 * 60_000],
  ['expired', 5 * 60_000 + 1],
  ['expired', -5 * 60_000 - 1],
])('answers %s when the clocks differ by %i ms', async (problem, skewMs) => {
  expect(problemOf(await signed({}), signedAt + skewMs)).toBe(problem)
})

test('says by how much a signature is late', async () => {
  const request = await signed({})
  expect(() => verifySignature(request, lookup, signedAt + 600_000)).toThrow(
    'Signature expired: 20260102T030405Z is now earlier than 20260102T030905Z (20260102T031405Z - 5 min.)',
  )
  expect(() => verifySignature(request, lookup, signedAt - 600_000)).toThrow(
    'Signature not yet current: 20260102T030405Z is still later than 20260102T025905Z (20260102T025405Z + 5 min.)',
  )
})

test('refuses a session that has ended, though its signature is right', async () => {
  const request = await signed({ accessKeyId: 'ASIASESSION' })
  const ended = (accessKeyId: string) => {
    const key = lookup(accessKeyId)
    return key && { ...key, expiresAt: signedAt }
  }
  expect(() => verifySignature(request, ended, signedAt)).toThrow(
    expect.objectContaining({ problem: 'tokenExpired' }) as Error,
  )
})

test('accepts a presigned request until it expires', async () => {
  const request = await presigned({ method: 'GET', accessKeyId: 'ASIASESSION', query: { Action: 'X' } }, 60)
  expect(problemOf(request)).toBe('none')
  expect(problemOf(request, signedAt + 60_000)).toBe('none')
  expect(problemOf(request, signedAt + 60_001)).toBe('expired')
  expect(problemOf({ ...request, rawQuery: request.rawQuery.replace('Expires=60', 'Expires=600') })).toBe(
    'mismatch',
  )
})
