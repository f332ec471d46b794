import type { Transaction } from './store.ts'
import { versionKey } from '#domain/secret.ts'
import { parameterVersionKey } from '#domain/parameter.ts'

/** Forgets a secret with its versions and tags: its values are gone for good. */
export function forgetSecret(tx: Transaction, secretArn: string): void {
  for (const version of tx.by('secretVersion', 'secret', secretArn))
    tx.delete('secretVersion', versionKey(version))
  tx.delete('resourceTags', secretArn)
  tx.delete('secret', secretArn)
}

/** Forgets a parameter with its versions and tags. */
export function forgetParameter(tx: Transaction, parameterArn: string): void {
  for (const version of tx.by('parameterVersion', 'parameter', parameterArn))
    tx.delete('parameterVersion', parameterVersionKey(version))
  tx.delete('resourceTags', parameterArn)
  tx.delete('parameter', parameterArn)
}
