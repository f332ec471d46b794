import { Readable } from 'node:stream'
import { type BlobStore, UploadError } from '@berth/registry/blob-store.ts'
import { AwsError } from '@berth/wire/error.ts'
import type { DataPlanes } from '#api/data-planes.ts'
import { invalidParameter, resolveRepository } from '#api/ecr/resolve.ts'

const partSizeBytes = 20 * 1024 * 1024

/** ECR's own way to bring layers in, over the blobs that `docker push` writes too. */
export function ecrLayers(blobs: BlobStore): DataPlanes['layers'] {
  return {
    async initiateLayerUpload(context, input) {
      resolveRepository(context.store, context, input)
      return { uploadId: await blobs.startUpload(), partSize: partSizeBytes }
    },

    async uploadLayerPart(context, input) {
      const repository = resolveRepository(context.store, context, input)
      const { uploadId = '', partFirstByte, partLastByte, layerPartBlob = new Uint8Array() } = input
      if (
        partFirstByte === undefined ||
        partLastByte === undefined ||
        partLastByte - partFirstByte + 1 !== layerPartBlob.length
      )
        throw invalidParameter('partLastByte', 'must be the index of the last byte of layerPartBlob')
      const size = await explained(
        uploadId,
        blobs.append(uploadId, Readable.from([layerPartBlob]), partFirstByte),
      )
      return {
        registryId: repository.accountId,
        repositoryName: repository.repositoryName,
        uploadId,
        lastByteReceived: size - 1,
      }
    },

    async completeLayerUpload(context, input) {
      const repository = resolveRepository(context.store, context, input)
      const { uploadId = '' } = input
      const layerDigest = input.layerDigests?.[0] ?? ''
      const sizeInBytes = await explained(uploadId, blobs.finishUpload(uploadId, layerDigest))
      context.store.update((tx) => {
        const { repositoryArn } = resolveRepository(tx, context, input)
        tx.put('layer', { repositoryArn, digest: layerDigest, sizeInBytes, uploadedAt: context.clock.now() })
      })
      return {
        registryId: repository.accountId,
        repositoryName: repository.repositoryName,
        uploadId,
        layerDigest,
      }
    },
  }
}

async function explained<T>(uploadId: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof UploadError)) throw error
    const codes = {
      BLOB_UPLOAD_UNKNOWN: 'UploadNotFoundException',
      BLOB_UPLOAD_INVALID: 'InvalidLayerPartException',
      SIZE_INVALID: 'InvalidLayerPartException',
      DIGEST_INVALID: 'InvalidLayerException',
    } as const
    throw new AwsError(codes[error.code], `Upload '${uploadId}': ${error.message}`)
  }
}
