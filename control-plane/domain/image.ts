import type { ImageTagMutability } from '@aws-sdk/client-ecr'
import type { Scope } from './arn.ts'

/** An ECR repository. */
export interface Repository extends Scope {
  readonly repositoryArn: string
  readonly repositoryName: string
  readonly imageTagMutability: ImageTagMutability
  /** Tags, `*` for any characters, for which the opposite of `imageTagMutability` holds. */
  readonly mutabilityExclusions?: readonly string[]
  readonly scanOnPush: boolean
  readonly encryptionType: 'AES256' | 'KMS' | 'KMS_DSSE'
  /** Of the key that encrypts it at AWS; nothing is encrypted here. */
  readonly kmsKey?: string
  readonly createdAt: number
}

/** Whether the tag may be moved from one image of the repository to another. */
export function isTagImmutable(
  {
    imageTagMutability,
    mutabilityExclusions = [],
  }: Pick<Repository, 'imageTagMutability' | 'mutabilityExclusions'>,
  tag: string,
): boolean {
  const excluded = mutabilityExclusions.some((filter) =>
    new RegExp(
      `^${filter
        .split('*')
        .map((literal) => RegExp.escape(literal))
        .join('.*')}$`,
    ).test(tag),
  )
  switch (imageTagMutability) {
    case 'MUTABLE':
      return false
    case 'IMMUTABLE':
      return true
    case 'MUTABLE_WITH_EXCLUSION':
      return excluded
    case 'IMMUTABLE_WITH_EXCLUSION':
      return !excluded
  }
}

/** A manifest of a repository: an image, an index or an artifact. Its layers are blobs on disk, by digest. */
export interface Image {
  readonly repositoryArn: string
  /** `sha256:…` of the manifest's bytes. */
  readonly imageDigest: string
  readonly mediaType: string
  readonly artifactType?: string
  /** The manifest's exact text, as pushed. */
  readonly manifest: string
  readonly tags: readonly string[]
  /** Digests of the blobs it names (config and layers): what garbage collection must keep. */
  readonly blobs: readonly string[]
  /** Digests of manifests an index names. */
  readonly manifests: readonly string[]
  /** The manifest this one refers to (`subject`), for the referrers API. */
  readonly subject?: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly sizeInBytes: number
  readonly pushedAt: number
  readonly lastRecordedPullTime?: number
}

/** A blob that a repository has. The same bytes may be a layer of several repositories; they are stored once. */
export interface Layer {
  readonly repositoryArn: string
  readonly digest: string
  readonly sizeInBytes: number
  readonly uploadedAt: number
}

/** How long a layer that no image names is kept: the push it belongs to may still be under way. */
export const unusedLayerKeptMs = 24 * 3_600_000
