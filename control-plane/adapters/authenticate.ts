import { type Credential, type SignedRequest, readCredential, verifySignature } from '@berth/wire/sigv4.ts'
import type { Caller } from '#api/operation.ts'
import type { AccessKey } from '#domain/identity.ts'
import type { View } from '#state/store.ts'

/** `--dev` accepts any signature; otherwise only keys of the accessKey table sign. */
export interface AccessMode {
  readonly dev: boolean
  /** Whose root an unknown key is under `--dev`. */
  readonly defaultAccountId: string
}

export interface Identity {
  readonly caller: Caller
  readonly credential: Credential
}

/**
 * Who sent a request, by its signature; websocket upgrades are signed the same way, with an empty body. Throws a
 * SignatureError.
 */
export function authenticate(
  request: SignedRequest,
  store: Pick<View, 'find'>,
  mode: AccessMode,
  nowMs: number,
): Identity {
  const find = (accessKeyId: string): AccessKey | undefined => store.find('accessKey', accessKeyId)
  if (!mode.dev) {
    const credential = verifySignature(request, find, nowMs)
    // The signature was made with this key, so it was found a moment ago in the same turn.
    return { credential, caller: callerOf(find(credential.accessKeyId), credential.accessKeyId, mode) }
  }
  const credential = readCredential(request)
  return { credential, caller: callerOf(find(credential.accessKeyId), credential.accessKeyId, mode) }
}

function callerOf(key: AccessKey | undefined, accessKeyId: string, mode: AccessMode): Caller {
  if (key) return { accountId: key.accountId, arn: key.principalArn, userId: key.userId }
  const accountId = /^\d{12}$/.test(accessKeyId) ? accessKeyId : mode.defaultAccountId
  return { accountId, arn: `arn:aws:iam::${accountId}:root`, userId: accountId }
}
