import { AwsError } from '@berth/wire/error.ts'
import { type Image, isTagImmutable, type Repository } from '#domain/image.ts'
import type { Transaction, View } from '#state/store.ts'

/** The image a tag or a digest names. */
export function findImage(view: View, repositoryArn: string, reference: string): Image | undefined {
  if (reference.includes(':')) return view.find('image', `${repositoryArn}@${reference}`)
  return view.by('image', 'tag', `${repositoryArn}:${reference}`)[0]
}

/**
 * Puts an image, and the tag on it if one is given; the tag leaves the image that had it.
 * Throws ImageTagAlreadyExistsException where tags are immutable, ImageAlreadyExistsException when nothing would change.
 */
export function storeImage(
  tx: Transaction,
  repository: Repository,
  image: Omit<Image, 'repositoryArn' | 'tags'>,
  tag: string | undefined,
): Image {
  const { repositoryArn, repositoryName, accountId } = repository
  const known = tx.find('image', `${repositoryArn}@${image.imageDigest}`)
  const tagged = tag === undefined ? undefined : findImage(tx, repositoryArn, tag)
  if (tag !== undefined && tagged && tagged.imageDigest !== image.imageDigest) {
    if (isTagImmutable(repository, tag))
      throw new AwsError(
        'ImageTagAlreadyExistsException',
        `The image tag '${tag}' already exists in the '${repositoryName}' repository and cannot be overwritten because the tag is immutable.`,
      )
    tx.put('image', { ...tagged, tags: tagged.tags.filter((other) => other !== tag) })
  }
  if (known && (tag === undefined || known.tags.includes(tag)))
    throw new AwsError(
      'ImageAlreadyExistsException',
      `Image with digest '${image.imageDigest}' and tag '${tag ?? 'null'}' already exists in the repository with name '${repositoryName}' in registry with id '${accountId}'`,
    )
  const tags = [...(known?.tags ?? []), ...(tag === undefined ? [] : [tag])]
  const stored: Image = { ...image, repositoryArn, tags, ...(known && { pushedAt: known.pushedAt }) }
  tx.put('image', stored)
  return stored
}

/** Takes a tag from its image, or the image away with all its tags. Returns what it was; undefined when unknown. */
export function removeImage(tx: Transaction, repositoryArn: string, reference: string): Image | undefined {
  const image = findImage(tx, repositoryArn, reference)
  if (!image) return undefined
  const tags = reference.includes(':') ? [] : image.tags.filter((tag) => tag !== reference)
  if (tags.length > 0) tx.put('image', { ...image, tags })
  else tx.delete('image', `${repositoryArn}@${image.imageDigest}`)
  return image
}
