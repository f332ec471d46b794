import { Hash } from '@smithy/core/serde'
import { SignatureV4 } from '@smithy/signature-v4'
import { beforeEach, expect, test } from 'vitest'
import { type SignatureProblem, SignatureError, type SignedRequest } from '@berth/wire/sigv4.ts'
import { type TestContext, testContext } from '#api/testing.ts'
import { issueSession, type SessionCredentials } from '#state/session-credentials.ts'
import { authenticate } from './authenticate.ts'

const account = '111111111111'
const principalArn = `arn:aws:sts::${account}:assumed-role/web/one`
let context: TestContext
let session: SessionCredentials
beforeEach(async () => {
  context = await testContext()
  session = issueSession(context.store, context.ids, context.clock, {
    accountId: account,
    roleArn: `arn:aws:iam::${account}:role/web`,
    sessionName: 'one',
    durationMs: 900_000,
  })
})

interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

const sign = async (credentials: Keys): Promise<SignedRequest> => {
  const signer = new SignatureV4({
    service: 'ecs',
    region: 'us-east-1',
    sha256: Hash.bind(null, 'sha256') as never,
    credentials,
  })
  const { headers } = await signer.sign(
    {
      method: 'POST',
      protocol: 'http:',
      hostname: '127.0.0.1',
      path: '/',
      query: {},
      headers: { host: '127.0.0.1' },
      body: '{}',
    },
    { signingDate: new Date(context.clock.now()) },
  )
  return { method: 'POST', path: '/', rawQuery: '', headers, body: Buffer.from('{}') }
}
const callerOf = async (credentials: Keys, dev = false): Promise<object> => {
  const request = await sign(credentials)
  return authenticate(request, context.store, { dev, defaultAccountId: '000000000000' }, context.clock.now())
    .caller
}
const problemOf = (credentials: Keys, dev = false): Promise<SignatureProblem | undefined> =>
  callerOf(credentials, dev).then(
    () => undefined,
    (error: unknown) => (error instanceof SignatureError ? error.problem : undefined),
  )

test.each([false, true])('a session signs as its principal (--dev: %s)', async (dev) => {
  expect(await callerOf(session, dev)).toMatchObject({
    accountId: account,
    arn: principalArn,
    session: { principalArn },
  })
})

test.each([false, true])('one that has expired does not (--dev: %s)', async (dev) => {
  context.clock.advance(900_000)
  expect(await problemOf(session, dev)).toBe('tokenExpired')
})

test('nor one whose token, key or secret is not its own', async () => {
  const { accessKeyId, secretAccessKey, sessionToken } = session
  expect(await problemOf({ ...session, sessionToken: `A${sessionToken}` })).toBe('unknownKey')
  expect(await problemOf({ accessKeyId, secretAccessKey })).toBe('unknownKey')
  expect(await problemOf({ ...session, accessKeyId: 'ASIAAAAAAAAAAAAAAAAA' })).toBe('unknownKey')
  expect(await problemOf({ ...session, secretAccessKey: 'another' })).toBe('mismatch')
})

test('a key that was made inactive does not sign', async () => {
  const key = { accessKeyId: 'AKIA1', secretAccessKey: 'secret' }
  const row = {
    ...key,
    accountId: account,
    principalArn: `arn:aws:iam::${account}:user/ann`,
    userId: 'AIDA1',
  }
  context.store.update((tx) => tx.put('accessKey', row))
  expect(await callerOf(key)).toMatchObject({ arn: row.principalArn })
  context.store.update((tx) => tx.put('accessKey', { ...row, status: 'Inactive' }))
  expect(await problemOf(key)).toBe('unknownKey')
})

test('under --dev any other key is the root of the account it names', async () => {
  const key = { accessKeyId: '222222222222', secretAccessKey: 'x', sessionToken: 'whatever' }
  expect(await callerOf(key, true)).toMatchObject({ arn: 'arn:aws:iam::222222222222:root' })
})
