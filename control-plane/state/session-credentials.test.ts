import { idsFrom } from '@berth/std/id.ts'
import { prng } from '@berth/std/prng.ts'
import { expect, test } from 'vitest'
import { accountOfAccessKey } from '#domain/iam/unique-id.ts'
import { memoryJournal } from './journal.ts'
import { issueSession, type RoleSession, verifySession } from './session-credentials.ts'
import { Store } from './store.ts'

const now = Date.UTC(2026, 0, 1)
const clock = { now: () => now, at: () => () => undefined }
const ids = idsFrom(prng(1))
const web: RoleSession = {
  accountId: '012345678901',
  roleArn: 'arn:aws:iam::012345678901:role/service/web',
  sessionName: 'one',
  durationMs: 3_600_000,
}
const open = (): Promise<Store> => Store.open(memoryJournal)

test('a session says whose it is, though nothing of it is stored', async () => {
  const store = await open()
  const session = issueSession(store, ids, clock, { ...web, policyArns: ['arn:aws:iam::aws:policy/X'] })
  expect(session).toMatchObject({
    accessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/) as string,
    expiresAt: now + 3_600_000,
  })
  expect(session.secretAccessKey).toHaveLength(40)
  const rows = store.size('installationSecret')
  expect(verifySession(store, session)).toEqual({
    credentials: session,
    claims: {
      accountId: '012345678901',
      principalArn: 'arn:aws:sts::012345678901:assumed-role/web/one',
      userId: expect.stringMatching(/^AROA[A-Z2-7]{17}:one$/) as string,
      policyArns: ['arn:aws:iam::aws:policy/X'],
      issuedAt: now,
      expiresAt: now + 3_600_000,
    },
  })
  expect([rows, store.size('accessKey')]).toEqual([1, 0])
  expect(accountOfAccessKey(session.accessKeyId)).toBe('012345678901')
})

test('a session is good for whoever holds the same secret, and for nobody else', async () => {
  const store = await open()
  const session = issueSession(store, ids, clock, web)
  const restarted = await open()
  expect(verifySession(restarted, session)).toBeUndefined()
  restarted.update((tx) => tx.put('installationSecret', store.list('installationSecret')[0] as never))
  expect(verifySession(restarted, session)?.credentials).toEqual(session)
})

test('no character of a token can be changed, nor its key be used with another', async () => {
  const store = await open()
  const session = issueSession(store, ids, clock, web)
  const { sessionToken } = session
  for (let at = 0; at < sessionToken.length; at++) {
    const other = sessionToken[at] === 'A' ? 'B' : 'A'
    const changed = sessionToken.slice(0, at) + other + sessionToken.slice(at + 1)
    expect(verifySession(store, { ...session, sessionToken: changed })).toBeUndefined()
  }
  const second = issueSession(store, ids, clock, web)
  expect(second.accessKeyId).not.toBe(session.accessKeyId)
  expect(verifySession(store, { ...session, accessKeyId: second.accessKeyId })).toBeUndefined()
  expect(verifySession(store, { ...session, sessionToken: `${sessionToken}.` })).toBeUndefined()
  expect(verifySession(store, { ...session, sessionToken: '' })).toBeUndefined()
})

test('the sessions of a role that is there carry its id', async () => {
  const store = await open()
  store.update((tx) =>
    tx.put('iamRole', {
      accountId: web.accountId,
      roleName: 'web',
      roleId: 'AROAWEB',
      path: '/service/',
      arn: web.roleArn,
      createdAt: now,
      trustPolicy: '{}',
      maxSessionSeconds: 3600,
      inlinePolicies: [],
      attachedPolicyArns: [],
      tags: [],
    }),
  )
  expect(verifySession(store, issueSession(store, ids, clock, web))?.claims.userId).toBe('AROAWEB:one')
})
