/** How secret values are kept: sealed with AES-256-GCM under a root key that is not among the rows. */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { assert } from '@berth/std/assert.ts'
import type { Ids } from '@berth/std/id.ts'

/** Seals what rows may hold only sealed. Its calls wait for nothing. */
export interface Vault {
  /**
   * The text, so that only this installation's root key opens it, and only for the same `context`: which row it is for.
   * The context is not secret and is not kept in what is returned.
   */
  seal(text: string, context: string): string
  /** Throws when it was sealed with a key that is not here, for another context, or was changed. */
  open(sealed: string, context: string): string
}

/** 32 random bytes, and the name by which what they sealed says so. */
export interface RootKey {
  readonly keyId: string
  readonly bytes: Buffer
}

export const rootKeyBytes = 32
const ivBytes = 12
const tagBytes = 16
const version = 'v1'

/** The key with its id, a digest from which the key cannot be had. */
export function rootKey(bytes: Buffer): RootKey {
  assert(bytes.length === rootKeyBytes, `a root key has ${rootKeyBytes} bytes, not ${bytes.length}`)
  const keyId = createHash('sha256').update('berth root key').update(bytes).digest('hex').slice(0, 16)
  return { keyId, bytes }
}

/** Seals with the first of the keys, and opens what any of them sealed: so the key can be changed. */
export function vaultOf(keys: readonly [RootKey, ...RootKey[]], ids: Ids): Vault {
  const [sealing] = keys
  const byId = new Map(keys.map((key) => [key.keyId, key]))
  return {
    seal(text, context) {
      const iv = Buffer.from(ids.hex(ivBytes * 2), 'hex')
      const cipher = createCipheriv('aes-256-gcm', sealing.bytes, iv).setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
      const sealed = Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')
      return `${version}.${sealing.keyId}.${sealed}`
    },
    open(sealed, context) {
      const [format, keyId = '', data = ''] = sealed.split('.')
      const key = byId.get(keyId)
      if (format !== version || !key)
        throw new Error(`a value of ${context} was sealed with the root key ${keyId}, which is not here`)
      const bytes = Buffer.from(data, 'base64url')
      const decipher = createDecipheriv('aes-256-gcm', key.bytes, bytes.subarray(0, ivBytes))
      decipher.setAAD(Buffer.from(context)).setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes))
      const body = bytes.subarray(ivBytes + tagBytes)
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
    },
  }
}

/** A vault whose key goes with the process: for tests and for a control plane that keeps nothing. */
export function vaultInMemory(ids: Ids): Vault {
  return vaultOf([rootKey(Buffer.from(ids.hex(rootKeyBytes * 2), 'hex'))], ids)
}
