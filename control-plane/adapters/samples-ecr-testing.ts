// Inputs of ECR's operations that succeed; see samples-testing.ts.
import { existing, existingName } from './any-input-testing.ts'

/** Of the one blob that every image here is made of. */
export const digest = `sha256:${'0'.repeat(64)}`
const imageManifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
  config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: 1, digest },
  layers: [],
})

export const ecrSamples: Readonly<Record<string, readonly object[]>> = {
  CreateRepository: [{ repositoryName: 'web' }, { repositoryName: 'other' }],
  BatchCheckLayerAvailability: [{ repositoryName: existingName, layerDigests: [digest] }],
  GetDownloadUrlForLayer: [{ repositoryName: existingName, layerDigest: digest }],
  PutImage: [
    { repositoryName: existingName, imageManifest, imageTag: '1' },
    { repositoryName: existingName, imageManifest, imageTag: 'latest' },
  ],
  ListImages: [{ repositoryName: existingName }],
  DescribeImages: [{ repositoryName: existingName }],
  BatchGetImage: [{ repositoryName: existingName, imageIds: [{ imageTag: '1' }] }],
  BatchDeleteImage: [{ repositoryName: existingName, imageIds: [{ imageTag: '1' }] }],
  PutImageTagMutability: [{ repositoryName: existingName, imageTagMutability: 'IMMUTABLE' }],
  DeleteRepository: [{ repositoryName: existingName, force: true }],
  TagResource: [{ resourceArn: existing, tags: [{ Key: 'team', Value: 'a' }] }],
  UntagResource: [{ resourceArn: existing, tagKeys: ['team'] }],
}

/** What is then in the registry. */
export const pushed: ReadonlyArray<readonly [operation: string, input: object]> = [
  ['CreateRepository', { repositoryName: 'web', tags: [{ Key: 'team', Value: 'a' }] }],
  ['PutImage', { repositoryName: 'web', imageManifest, imageTag: '1' }],
]
