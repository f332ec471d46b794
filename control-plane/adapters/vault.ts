/** The root key on the disk: made at the first start, and checked against what was sealed with it at each later one. */
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Ids } from '@berth/std/id.ts'
import type { Store } from '#state/store.ts'
import { type RootKey, rootKey, rootKeyBytes, type Vault, vaultOf } from '#state/vault.ts'

export const rootKeyFile = 'root.key'
/** The ids of all the keys that were ever sealed with stand in this row of installationSecret. */
const usedKeysName = 'vault-root-keys'

/**
 * The vault of the installation in `directory`. Each line of its `root.key` is a key in hexadecimal digits: the first
 * seals, all open.
 *
 * Throws an Error that says what to do when a key that values are sealed with is not there.
 */
export function openVault(directory: string, store: Store, ids: Ids): Vault {
  const file = join(directory, rootKeyFile)
  const used = usedKeys(store)
  let keys = readKeys(file)
  if (!keys) {
    if (used.length > 0 && holdsSealed(store))
      throw new Error(
        `${file} is not there, and secrets are sealed with it; put it back from where you keep its copy`,
      )
    keys = [makeKey(file, ids)]
  }
  const missing = used.filter((keyId) => !keys.some((key) => key.keyId === keyId))
  if (missing.length > 0 && holdsSealed(store))
    throw new Error(
      `${file} is not the key that secrets are sealed with (${missing.join(', ')}); put that one back, or add it as a further line`,
    )
  const [sealing, ...others] = keys
  if (!used.includes(sealing.keyId) || missing.length > 0)
    store.update((tx) => {
      const value = [...new Set([...used, sealing.keyId])].filter((id) => !missing.includes(id)).join(' ')
      tx.put('installationSecret', { name: usedKeysName, value })
    })
  return vaultOf([sealing, ...others], ids)
}

function usedKeys(store: Store): readonly string[] {
  return store.find('installationSecret', usedKeysName)?.value.split(' ') ?? []
}

/** Whether there is anything that only the key opens. */
function holdsSealed(store: Store): boolean {
  return store.size('secretVersion') > 0 || store.size('parameterVersion') > 0
}

function readKeys(file: string): [RootKey, ...RootKey[]] | undefined {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`${file} cannot be read: ${String(error)}`, { cause: error })
  }
  chmodSync(file, 0o600)
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const [first, ...rest] = lines.map((line) => {
    const digits = line.trim()
    if (!/^[0-9a-f]+$/.test(digits) || digits.length !== rootKeyBytes * 2)
      throw new Error(
        `${file} holds a line that is no key of ${rootKeyBytes * 2} hexadecimal digits; put the file back as it was`,
      )
    return rootKey(Buffer.from(digits, 'hex'))
  })
  if (!first)
    throw new Error(`${file} is empty; put it back as it was, or remove it when no secrets are kept`)
  return [first, ...rest]
}

/** On the disk for good before anything is sealed with it. */
function makeKey(file: string, ids: Ids): RootKey {
  const digits = ids.hex(rootKeyBytes * 2)
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeSync(descriptor, `${digits}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  const folder = openSync(join(file, '..'), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
  return rootKey(Buffer.from(digits, 'hex'))
}
