import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { assert } from '@berth/std/assert.ts'
import type { Clock } from '@berth/std/clock.ts'
import type { Ids } from '@berth/std/id.ts'
import { iamKey, type IamTag, parseRoleArn } from '#domain/iam/entities.ts'
import { accessKeyId, uniqueId } from '#domain/iam/unique-id.ts'
import type { Store, View } from './store.ts'

/** Keys that sign until they expire, as STS and the credentials endpoints hand them out. */
export interface SessionCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** What a session may at most, and what is known of it, as AssumeRole takes them. */
export interface SessionLimits {
  /** A policy document: the session may only what it allows too. */
  readonly policy?: string
  readonly policyArns?: readonly string[]
  readonly tags?: readonly IamTag[]
  /** The keys of tags that roles assumed with this session inherit. */
  readonly transitiveTagKeys?: readonly string[]
  readonly sourceIdentity?: string
}

/** All a session token says. */
export interface SessionClaims extends SessionLimits {
  readonly accountId: string
  /** `arn:aws:sts::…:assumed-role/web/session`, or of GetSessionToken's sessions, the user or root itself. */
  readonly principalArn: string
  /** `AROA…:session`. */
  readonly userId: string
  readonly issuedAt: number
  readonly expiresAt: number
}

/** A session of a role. Whether the caller may assume it is asked before. */
export interface RoleSession extends SessionLimits {
  readonly accountId: string
  readonly roleArn: string
  readonly sessionName: string
  readonly durationMs: number
}

/** A session of somebody who has keys of their own. */
export interface PrincipalSession {
  readonly accountId: string
  readonly principalArn: string
  readonly userId: string
  readonly durationMs: number
}

const keyName = 'session-key'

/**
 * Makes credentials of which nothing is stored: the token says whose they are and until when, and is authenticated with a
 * key of this installation; the secret is derived from it. So they survive a restart, and a hundred thousand cost nothing.
 * Of a role that does not exist there are sessions too. Not to be called within a transaction.
 */
export function issueSession(
  store: Store,
  ids: Ids,
  clock: Clock,
  request: RoleSession | PrincipalSession,
): SessionCredentials {
  const now = clock.now()
  const { accountId, durationMs } = request
  const claims: SessionClaims = {
    accountId,
    ...('roleArn' in request ? rolePrincipal(store, request) : principalOf(request)),
    issuedAt: now,
    // To the second, as all that is told of it is.
    expiresAt: Math.floor((now + durationMs) / 1000) * 1000,
  }
  const body = Buffer.from(JSON.stringify([ids.hex(16), claims])).toString('base64url')
  const key = provideSessionKey(store, ids)
  const sessionToken = `${body}.${mac(key, 'token', body).toString('base64url')}`
  return { ...keysOf(key, sessionToken, accountId), sessionToken, expiresAt: claims.expiresAt }
}

/**
 * What the token says, if it was made here and the key's id is the one handed out with it; undefined of any other. Whether
 * it has expired is for the reader to see.
 */
export function verifySession(
  view: Pick<View, 'find'>,
  shown: { readonly accessKeyId: string; readonly sessionToken: string },
): { readonly claims: SessionClaims; readonly credentials: SessionCredentials } | undefined {
  const key = view.find('installationSecret', keyName)?.value
  const [body = '', signature = '', ...rest] = shown.sessionToken.split('.')
  if (key === undefined || rest.length > 0) return undefined
  const given = Buffer.from(signature, 'base64url')
  const expected = mac(key, 'token', body)
  // Written anew it must be the same text: base64 has more than one way to write the same bytes.
  if (given.length !== expected.length || given.toString('base64url') !== signature) return undefined
  if (!timingSafeEqual(given, expected)) return undefined
  // Nobody but this installation can have written what stands here.
  const [, claims] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [string, SessionClaims]
  const { accountId, expiresAt } = claims
  const keys = keysOf(key, shown.sessionToken, accountId)
  if (keys.accessKeyId !== shown.accessKeyId) return undefined
  return { claims, credentials: { ...keys, sessionToken: shown.sessionToken, expiresAt } }
}

/**
 * The key that tokens are made with. The control plane makes it at its first start, so that no token goes out before it is
 * in the journal.
 */
export function provideSessionKey(store: Store, ids: Ids): string {
  const known = store.find('installationSecret', keyName)
  if (known) return known.value
  const made = { name: keyName, value: ids.hex(64) }
  store.update((tx) => tx.put('installationSecret', made))
  return made.value
}

/** The id by which a role's sessions are known: of a role that is not there, one made from its name. */
function roleIdOf(view: Pick<View, 'find'>, accountId: string, roleName: string): string {
  const row = view.find('iamRole', iamKey(accountId, roleName))
  return row?.roleId ?? uniqueId('AROA', hash('sha256', iamKey(accountId, roleName)))
}

function rolePrincipal(view: Pick<View, 'find'>, request: RoleSession): SessionLimits & PrincipalNames {
  const role = parseRoleArn(request.roleArn)
  assert(role !== undefined, `${request.roleArn} is the ARN of no role`)
  const { sessionName, policy, policyArns, tags, transitiveTagKeys, sourceIdentity } = request
  const { roleName } = role
  return {
    ...(policy !== undefined && { policy }),
    ...(policyArns && { policyArns }),
    ...(tags && { tags }),
    ...(transitiveTagKeys && { transitiveTagKeys }),
    ...(sourceIdentity !== undefined && { sourceIdentity }),
    principalArn: `arn:aws:sts::${role.accountId}:assumed-role/${roleName}/${sessionName}`,
    userId: `${roleIdOf(view, role.accountId, roleName)}:${sessionName}`,
  }
}

type PrincipalNames = Pick<SessionClaims, 'principalArn' | 'userId'>

const principalOf = ({ principalArn, userId }: PrincipalSession): PrincipalNames => ({ principalArn, userId })

function keysOf(
  key: string,
  sessionToken: string,
  accountId: string,
): Pick<SessionCredentials, 'accessKeyId' | 'secretAccessKey'> {
  const digest = mac(key, 'secret', sessionToken)
  return {
    accessKeyId: accessKeyId('ASIA', accountId, mac(key, 'id', sessionToken).toString('hex').slice(0, 10)),
    // 40 letters, as of any secret key.
    secretAccessKey: digest.toString('base64').slice(0, 40),
  }
}

const mac = (key: string, purpose: string, text: string): Buffer =>
  createHmac('sha256', key).update(`${purpose} ${text}`).digest()
