import { CatalogError, type ManifestRecord } from '@berth/registry/catalog.ts'
import { readManifest } from '@berth/registry/manifest.ts'
import type { Image } from '#domain/image.ts'
import { invalidParameter } from './resolve.ts'

/** The image a manifest's text describes. Throws InvalidParameterException when it is none. */
export function readImageManifest(
  text: string,
  mediaType: string | undefined,
  now: number,
): Omit<Image, 'repositoryArn' | 'tags'> {
  try {
    return imageOf(readManifest(text, mediaType), now)
  } catch (error) {
    if (error instanceof CatalogError) throw invalidParameter('ImageManifest', error.message)
    throw error
  }
}

/** The row of a manifest that was just pushed. */
export function imageOf(record: ManifestRecord, now: number): Omit<Image, 'repositoryArn' | 'tags'> {
  return {
    imageDigest: record.digest,
    mediaType: record.mediaType,
    manifest: record.manifest,
    blobs: record.blobs,
    manifests: record.manifests,
    sizeInBytes: record.size,
    pushedAt: now,
    ...(record.artifactType !== undefined && { artifactType: record.artifactType }),
    ...(record.subject !== undefined && { subject: record.subject }),
    ...(record.annotations && { annotations: record.annotations }),
  }
}
