import type { Tag, TagResourceRequest, UntagResourceRequest } from '@aws-sdk/client-secrets-manager'
import { constraints, type Constraints } from '#api/constraints.ts'
import type { Operation } from '#api/operation.ts'
import { constrainTags, putTags } from '#api/schedule-tags.ts'
import type { Transaction } from '#state/store.ts'
import { invalidParameter, resolveSecret, touched } from './resolve.ts'

const tagsMax = 50

export function checkTags(check: Constraints, tags: readonly Tag[]): void {
  constrainTags(
    check,
    tags.map(({ Key, Value }) => ({ Key, Value })),
    tagsMax,
  )
}

/** Adds tags to those a secret has. Throws InvalidParameterException; no source gives AWS's texts. */
export function addSecretTags(tx: Transaction, secretArn: string, tags: readonly Tag[]): void {
  const merged = new Map((tx.find('resourceTags', secretArn)?.tags ?? []).map((tag) => [tag.key, tag]))
  for (const { Key = '', Value = '' } of tags) {
    if (/^aws:/i.test(Key)) invalidParameter(`Tag keys can't start with the prefix aws:. Key: ${Key}`)
    merged.set(Key, { key: Key, value: Value })
  }
  if (merged.size > tagsMax) invalidParameter(`You can't attach more than ${tagsMax} tags to a secret.`)
  putTags(tx, secretArn, [...merged.values()])
}

export const tagResource: Operation<TagResourceRequest, Record<string, never>> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, { SecretId, Tags = [] }) => {
    const check = constraints()
    checkTags(check, Tags)
    check.check()
    return context.store.update((tx) => {
      addSecretTags(tx, resolveSecret(tx, context, SecretId).secretArn, Tags)
      return {}
    })
  },
}

export const untagResource: Operation<UntagResourceRequest, Record<string, never>> = {
  resources: (context, { SecretId }) => touched(context, SecretId),
  run: (context, { SecretId, TagKeys = [] }) => {
    const check = constraints()
    for (const key of TagKeys) check.text('tagKeys', key, { max: 128 })
    check.check()
    return context.store.update((tx) => {
      const { secretArn } = resolveSecret(tx, context, SecretId)
      const tags = tx.find('resourceTags', secretArn)?.tags ?? []
      putTags(
        tx,
        secretArn,
        tags.filter(({ key }) => !TagKeys.includes(key)),
      )
      return {}
    })
  },
}
