import { expect, test } from 'vitest'
import type { JoinToken } from './identity.ts'
import {
  externalInstanceIdOf,
  externalPrincipal,
  formatToken,
  judgeToken,
  knowsSecret,
  parseToken,
  secretHash,
} from './join.ts'

const parts = { tokenId: '0123456789abcdef', secret: 'a'.repeat(40), pin: `${'-_Az0'.repeat(8)}abc` }

test('reads back a token as it was printed, with what the clipboard put around it', () => {
  expect(parseToken(formatToken(parts))).toEqual(parts)
  expect(parseToken(` ${formatToken(parts)}\n`)).toEqual(parts)
})

test.each([
  ['nothing', ''],
  ['a part of one', formatToken(parts).slice(0, -1)],
  ['one of another kind', formatToken(parts).replace('bjt', 'xyz')],
  ['one with another letter', formatToken(parts).replace('aaaa', 'AAAA')],
  ['two', `${formatToken(parts)} ${formatToken(parts)}`],
])('takes %s for no token', (_, text) => {
  expect(parseToken(text)).toBeUndefined()
})

test('knows an external instance by its principal and no other', () => {
  const { principalArn } = externalPrincipal('000000000000', 'mi-0123456789abcdef0')
  expect(externalInstanceIdOf(principalArn)).toBe('mi-0123456789abcdef0')
  expect(externalInstanceIdOf(principalArn.replace('ecsExternalInstanceRole', 'ecsInstanceRole'))).toBe(
    undefined,
  )
  expect(externalInstanceIdOf('arn:aws:iam::000000000000:root')).toBeUndefined()
})

const token: JoinToken = {
  tokenId: parts.tokenId,
  secretHash: secretHash(parts.secret),
  accountId: '000000000000',
  region: 'us-east-1',
  tags: [],
  expiresAt: 1000,
  usesMax: 1,
  uses: [],
}
const used = { ...token, uses: [{ nonceHash: 'first', instanceId: 'mi-1' }] }

test.each([
  ['lets a host in', token, 'first', 999, { instanceId: undefined }],
  ['lets nobody in when its time is over', token, 'first', 1000, 'expired'],
  ['lets the same host ask again', used, 'first', 999, { instanceId: 'mi-1' }],
  ['lets no other host in', used, 'second', 999, 'used'],
  [
    'lets another host in where it may be used twice',
    { ...used, usesMax: 2 },
    'second',
    999,
    { instanceId: undefined },
  ],
])('%s', (_, row, nonceHash, now, judged) => {
  expect(judgeToken(row, nonceHash, now)).toEqual(judged)
})

test('is known by its secret', () => {
  expect(knowsSecret(token, parts.secret)).toBe(true)
  expect(knowsSecret(token, 'b'.repeat(40))).toBe(false)
})
