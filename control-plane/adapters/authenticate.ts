import {
  type Credential,
  type SignedRequest,
  type SigningKey,
  readCredential,
  readSessionToken,
  SignatureError,
  verifySignature,
} from '@berth/wire/sigv4.ts'
import type { Caller } from '#api/operation.ts'
import type { AccessKey } from '#domain/identity.ts'
import { verifySession } from '#state/session-credentials.ts'
import type { View } from '#state/store.ts'

/** `--dev` accepts any signature; otherwise only keys of the accessKey table and sessions made here sign. */
export interface AccessMode {
  readonly dev: boolean
  /** Whose root an unknown key is under `--dev`. */
  readonly defaultAccountId: string
}

export interface Identity {
  readonly caller: Caller
  readonly credential: Credential
}

interface Signer {
  readonly key: SigningKey
  readonly caller: Caller
}

/**
 * Who sent a request, by its signature; websocket upgrades are signed the same way, with an empty body. Under `--dev` a
 * session token names its principal too, and one that has expired is refused; any other is not looked at.
 * Throws a SignatureError.
 */
export function authenticate(
  request: SignedRequest,
  store: Pick<View, 'find'>,
  mode: AccessMode,
  nowMs: number,
): Identity {
  const credential = readCredential(request)
  const signer = signerOf(credential.accessKeyId, readSessionToken(request), store)
  if (mode.dev) {
    const expiresAt = signer?.key.expiresAt
    if (expiresAt !== undefined && expiresAt <= nowMs)
      throw new SignatureError('tokenExpired', 'The security token included in the request is expired')
    return { credential, caller: signer?.caller ?? rootOf(credential.accessKeyId, mode) }
  }
  verifySignature(request, () => signer?.key, nowMs)
  // The signature was made with this key, so it is there.
  return { credential, caller: signer?.caller ?? rootOf(credential.accessKeyId, mode) }
}

function signerOf(
  accessKeyId: string,
  sessionToken: string | undefined,
  store: Pick<View, 'find'>,
): Signer | undefined {
  const key = store.find('accessKey', accessKeyId)
  if (key) return key.status === 'Inactive' ? undefined : { key, caller: callerOf(key) }
  if (sessionToken === undefined) return undefined
  const session = verifySession(store, { accessKeyId, sessionToken })
  if (!session) return undefined
  const { claims, credentials } = session
  const { accountId, principalArn, userId } = claims
  return { key: credentials, caller: { accountId, arn: principalArn, userId, session: claims } }
}

const callerOf = ({ accountId, principalArn, userId }: AccessKey): Caller => ({
  accountId,
  arn: principalArn,
  userId,
})

function rootOf(accessKeyId: string, mode: AccessMode): Caller {
  const accountId = /^\d{12}$/.test(accessKeyId) ? accessKeyId : mode.defaultAccountId
  return { accountId, arn: `arn:aws:iam::${accountId}:root`, userId: accountId }
}
