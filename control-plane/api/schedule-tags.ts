/** Tags as EventBridge and its Scheduler know them: with capitals, and errors of their own. */
import type { ResourceTag } from '#domain/tags.ts'
import type { Transaction, View } from '#state/store.ts'
import { type Constraints, invalid } from './constraints.ts'

interface Tag {
  readonly Key: string | undefined
  readonly Value: string | undefined
}

export function constrainTags(check: Constraints, tags: readonly Tag[] | undefined, max: number): void {
  check.items('tags', tags, 0, max)
  for (const [index, { Key, Value }] of (tags ?? []).entries()) {
    check.text(`tags.${index + 1}.member.key`, Key, { max: 128 })
    check.text(`tags.${index + 1}.member.value`, Value, { min: 0, max: 256 })
  }
}

/** Adds the tags to those a resource has. Throws ValidationException; `max` is how many a resource may have. */
export function addTags(tx: Transaction, resourceArn: string, tags: readonly Tag[], max: number): void {
  const merged = new Map((tx.find('resourceTags', resourceArn)?.tags ?? []).map((tag) => [tag.key, tag]))
  for (const { Key = '', Value = '' } of tags) {
    if (/^aws:/i.test(Key)) invalid('Tag keys cannot begin with aws:.')
    merged.set(Key, { key: Key, value: Value })
  }
  if (merged.size > max) invalid(`A resource can have at most ${max} tags.`)
  putTags(tx, resourceArn, [...merged.values()])
}

export function removeTags(tx: Transaction, resourceArn: string, keys: readonly string[]): void {
  const tags = tx.find('resourceTags', resourceArn)?.tags ?? []
  putTags(
    tx,
    resourceArn,
    tags.filter(({ key }) => !keys.includes(key)),
  )
}

export function putTags(tx: Transaction, resourceArn: string, tags: readonly ResourceTag[]): void {
  if (tags.length > 0) tx.put('resourceTags', { resourceArn, tags })
  else tx.delete('resourceTags', resourceArn)
}

export function showTags(view: View, resourceArn: string): Array<{ Key: string; Value: string }> {
  const tags = view.find('resourceTags', resourceArn)?.tags ?? []
  return tags.map(({ key, value }) => ({ Key: key, Value: value }))
}
