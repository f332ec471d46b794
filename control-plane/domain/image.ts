import type { Scope } from './arn.ts'

/** An ECR repository. */
export interface Repository extends Scope {
  readonly repositoryArn: string
  readonly repositoryName: string
  readonly imageTagMutability: 'MUTABLE' | 'IMMUTABLE'
  readonly scanOnPush: boolean
  readonly encryptionType: string
  readonly createdAt: number
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
