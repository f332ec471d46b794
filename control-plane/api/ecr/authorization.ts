import { createHmac, timingSafeEqual } from 'node:crypto'
import type { GetAuthorizationTokenRequest, GetAuthorizationTokenResponse } from '@aws-sdk/client-ecr'
import type { Context } from '#api/operation.ts'
import type { Scope } from '#domain/arn.ts'
import type { Transaction, View } from '#state/store.ts'
import { resolveRegistry } from './resolve.ts'

const tokenKeyName = 'registry-token-key'
const tokenLifeMs = 12 * 3_600_000

interface TokenClaims extends Scope {
  readonly expiresAt: number
}

/** A password for `docker login`, good for twelve hours: what it allows, signed with a key of this installation. */
export function getAuthorizationToken(
  context: Context,
  input: GetAuthorizationTokenRequest,
): GetAuthorizationTokenResponse {
  const { store, clock, scope, installation } = context
  const registryIds = input.registryIds && input.registryIds.length > 0 ? input.registryIds : [undefined]
  return store.update((tx) => ({
    authorizationData: registryIds.map((registryId) => {
      const accountId = resolveRegistry(context, registryId)
      const expiresAt = clock.now() + tokenLifeMs
      const password = signToken(tokenKey(tx, context), { accountId, region: scope.region, expiresAt })
      return {
        authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'),
        expiresAt: new Date(expiresAt),
        proxyEndpoint: `http://${installation.registryHost}`,
      }
    }),
  }))
}

/** Whose login an `Authorization: Basic` header is; undefined when it is forged, expired or none. */
export function readRegistryLogin(
  view: View,
  authorization: string | undefined,
  nowMs: number,
): Scope | undefined {
  const key = view.find('installationSecret', tokenKeyName)?.value
  const basic = /^Basic (.+)$/i.exec(authorization ?? '')?.[1]
  if (key === undefined || basic === undefined) return undefined
  const [user, password = ''] = splitOnce(Buffer.from(basic, 'base64').toString(), ':')
  const [body, signature = ''] = splitOnce(password, '.')
  if (user !== 'AWS') return undefined
  const expected = Buffer.from(sign(key, body))
  const given = Buffer.from(signature)
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as TokenClaims
  return claims.expiresAt > nowMs ? { accountId: claims.accountId, region: claims.region } : undefined
}

function signToken(key: string, claims: TokenClaims): string {
  const body = Buffer.from(JSON.stringify(claims)).toString('base64url')
  return `${body}.${sign(key, body)}`
}

function sign(key: string, body: string): string {
  return createHmac('sha256', key).update(body).digest('base64url')
}

function tokenKey(tx: Transaction, { ids }: Context): string {
  const known = tx.find('installationSecret', tokenKeyName)
  if (known) return known.value
  const made = { name: tokenKeyName, value: ids.hex(64) }
  tx.put('installationSecret', made)
  return made.value
}

function splitOnce(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
