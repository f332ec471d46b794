import type {
  BatchCheckLayerAvailabilityRequest,
  BatchCheckLayerAvailabilityResponse,
  GetDownloadUrlForLayerRequest,
  GetDownloadUrlForLayerResponse,
} from '@aws-sdk/client-ecr'
import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import { invalidParameter, resolveRepository } from './resolve.ts'

const batchMax = 100

export function batchCheckLayerAvailability(
  context: Context,
  input: BatchCheckLayerAvailabilityRequest,
): BatchCheckLayerAvailabilityResponse {
  const { repositoryArn } = resolveRepository(context.store, context, input)
  const digests = input.layerDigests ?? []
  if (digests.length === 0 || digests.length > batchMax)
    throw invalidParameter('layerDigests', `Member must have length between 1 and ${batchMax}`)
  const wellFormed = (digest: string): boolean => /^sha256:[0-9a-f]{64}$/.test(digest)
  return {
    layers: digests.filter(wellFormed).map((layerDigest) => {
      const layer = context.store.find('layer', `${repositoryArn}@${layerDigest}`)
      return layer
        ? { layerDigest, layerAvailability: 'AVAILABLE', layerSize: layer.sizeInBytes }
        : { layerDigest, layerAvailability: 'UNAVAILABLE' }
    }),
    failures: digests
      .filter((digest) => !wellFormed(digest))
      .map((layerDigest) => ({
        layerDigest,
        failureCode: 'InvalidLayerDigest',
        failureReason:
          "Invalid request parameters: layer digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
      })),
  }
}

/** The layer's address in the registry, which wants the same login as a pull. */
export function getDownloadUrlForLayer(
  context: Context,
  input: GetDownloadUrlForLayerRequest,
): GetDownloadUrlForLayerResponse {
  const repository = resolveRepository(context.store, context, input)
  const layerDigest = input.layerDigest ?? ''
  if (!context.store.find('layer', `${repository.repositoryArn}@${layerDigest}`))
    throw new AwsError(
      'LayersNotFoundException',
      `The layer with digest '${layerDigest}' does not exist in the repository with name '${repository.repositoryName}' in the registry with id '${repository.accountId}'`,
    )
  const { url } = context.installation
  return { downloadUrl: `${url}/v2/${repository.repositoryName}/blobs/${layerDigest}`, layerDigest }
}
