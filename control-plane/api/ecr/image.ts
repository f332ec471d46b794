import type {
  BatchDeleteImageRequest,
  BatchDeleteImageResponse,
  BatchGetImageRequest,
  BatchGetImageResponse,
  DescribeImagesRequest,
  DescribeImagesResponse,
  Image as ImageShape,
  ImageDetail,
  ImageFailure,
  ImageIdentifier,
  ImageStatusFilter,
  ListImagesRequest,
  ListImagesResponse,
  PutImageRequest,
  PutImageResponse,
} from '@aws-sdk/client-ecr'
import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import { page } from '#api/page.ts'
import type { Image, Repository } from '#domain/image.ts'
import { findImage, removeImage, storeImage } from './image-store.ts'
import { invalidParameter, pageOf, resolveRepository } from './resolve.ts'
import { readImageManifest } from './manifest.ts'

const batchMax = 100

export function listImages(context: Context, input: ListImagesRequest): ListImagesResponse {
  const repository = resolveRepository(context.store, context, input)
  const wanted = input.filter?.tagStatus
  const ids = imagesOf(context, repository, input.filter).flatMap((image): ImageIdentifier[] => {
    if (image.tags.length === 0) return wanted === 'TAGGED' ? [] : [{ imageDigest: image.imageDigest }]
    if (wanted === 'UNTAGGED') return []
    return image.tags.map((imageTag) => ({ imageDigest: image.imageDigest, imageTag }))
  })
  const keyOf = (id: ImageIdentifier): string => `${id.imageDigest} ${id.imageTag ?? ''}`
  const { rows, nextToken } = page(
    ids,
    pageOf(context, input, { repository: repository.repositoryArn, wanted }),
    keyOf,
  )
  return { imageIds: [...rows], ...(nextToken !== undefined && { nextToken }) }
}

export function describeImages(context: Context, input: DescribeImagesRequest): DescribeImagesResponse {
  const { store } = context
  const repository = resolveRepository(store, context, input)
  if (input.imageIds && input.imageIds.length > 0) {
    checkBatch(input.imageIds)
    return {
      imageDetails: input.imageIds.map((id) => showDetail(repository, required(context, repository, id))),
    }
  }
  const wanted = input.filter?.tagStatus
  const images = imagesOf(context, repository, input.filter).filter(
    (image) => wanted === undefined || wanted === 'ANY' || (wanted === 'TAGGED') === image.tags.length > 0,
  )
  const { rows, nextToken } = page(
    images,
    pageOf(context, input, { repository: repository.repositoryArn, wanted }),
    (image) => image.imageDigest,
  )
  return {
    imageDetails: rows.map((image) => showDetail(repository, image)),
    ...(nextToken !== undefined && { nextToken }),
  }
}

export function batchGetImage(context: Context, input: BatchGetImageRequest): BatchGetImageResponse {
  const { store, clock } = context
  checkBatch(input.imageIds)
  return store.update((tx) => {
    const repository = resolveRepository(tx, context, input)
    const images: ImageShape[] = []
    const failures: ImageFailure[] = []
    for (const id of input.imageIds ?? []) {
      const found = lookUp(context, repository, id)
      if ('failure' in found) failures.push(found.failure)
      else if (input.acceptedMediaTypes?.length && !input.acceptedMediaTypes.includes(found.image.mediaType))
        failures.push({
          imageId: id,
          failureCode: 'ImageNotFound',
          failureReason: 'Requested image not found',
        })
      else {
        tx.put('image', { ...found.image, lastRecordedPullTime: clock.now() })
        images.push(showImage(repository, found.image, id.imageTag ?? found.image.tags[0]))
      }
    }
    return { images, failures }
  })
}

export function batchDeleteImage(context: Context, input: BatchDeleteImageRequest): BatchDeleteImageResponse {
  checkBatch(input.imageIds)
  return context.store.update((tx) => {
    const repository = resolveRepository(tx, context, input)
    const imageIds: ImageIdentifier[] = []
    const failures: ImageFailure[] = []
    for (const id of input.imageIds ?? []) {
      const found = lookUp(context, repository, id)
      if ('failure' in found) {
        failures.push(found.failure)
        continue
      }
      const { imageDigest, tags } = found.image
      removeImage(tx, repository.repositoryArn, id.imageTag ?? imageDigest)
      if (id.imageTag !== undefined) imageIds.push({ imageDigest, imageTag: id.imageTag })
      else if (tags.length === 0) imageIds.push({ imageDigest })
      else imageIds.push(...tags.map((imageTag) => ({ imageDigest, imageTag })))
    }
    return { imageIds, failures }
  })
}

export function putImage(context: Context, input: PutImageRequest): PutImageResponse {
  const { store, clock } = context
  return store.update((tx) => {
    const repository = resolveRepository(tx, context, input)
    const image = readImageManifest(input.imageManifest ?? '', input.imageManifestMediaType, clock.now())
    if (input.imageDigest !== undefined && input.imageDigest !== image.imageDigest)
      throw new AwsError(
        'ImageDigestDoesNotMatchException',
        `The digest ${input.imageDigest} does not match the digest calculated by ECR: ${image.imageDigest}`,
      )
    const missing = image.blobs.filter((digest) => !tx.find('layer', `${repository.repositoryArn}@${digest}`))
    if (missing.length > 0)
      throw new AwsError(
        'LayersNotFoundException',
        `The layers with digests '[${missing.join(', ')}]' do not exist in the repository with name '${repository.repositoryName}' in the registry with id '${repository.accountId}'`,
      )
    const absent = image.manifests.filter(
      (digest) => !tx.find('image', `${repository.repositoryArn}@${digest}`),
    )
    if (absent.length > 0)
      throw new AwsError(
        'ReferencedImagesNotFoundException',
        `The images with digests '[${absent.join(', ')}]' referenced by the manifest list do not exist in the repository with name '${repository.repositoryName}' in the registry with id '${repository.accountId}'`,
      )
    const stored = storeImage(tx, repository, image, input.imageTag)
    return { image: showImage(repository, stored, input.imageTag) }
  })
}

/** The images of a repository with the status asked for; Berth archives none, so all are ACTIVE. */
function imagesOf(
  { store }: Context,
  { repositoryArn }: Repository,
  { imageStatus = 'ACTIVE' }: { readonly imageStatus?: ImageStatusFilter | undefined } = {},
): readonly Image[] {
  return ['ACTIVE', 'ANY'].includes(imageStatus) ? store.by('image', 'repository', repositoryArn) : []
}

function checkBatch(ids: readonly ImageIdentifier[] | undefined): void {
  if (!ids || ids.length === 0)
    throw invalidParameter('imageIds', 'Member must have length greater than or equal to 1')
  if (ids.length > batchMax)
    throw invalidParameter('imageIds', `Member must have length less than or equal to ${batchMax}`)
}

function lookUp(
  { store }: Context,
  { repositoryArn }: Repository,
  id: ImageIdentifier,
): { readonly image: Image } | { readonly failure: ImageFailure } {
  const fail = (failureCode: NonNullable<ImageFailure['failureCode']>, failureReason: string) => ({
    failure: { imageId: id, failureCode, failureReason },
  })
  if (id.imageDigest === undefined && id.imageTag === undefined)
    return fail('MissingDigestAndTag', 'Invalid request parameters: both tag and digest cannot be null')
  if (id.imageDigest !== undefined && !/^[a-z0-9]+:[0-9a-f]{32,}$/.test(id.imageDigest))
    return fail(
      'InvalidImageDigest',
      "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
    )
  const image = findImage(store, repositoryArn, id.imageDigest ?? id.imageTag ?? '')
  if (!image) return fail('ImageNotFound', 'Requested image not found')
  if (id.imageTag !== undefined && !image.tags.includes(id.imageTag))
    return fail('ImageTagDoesNotMatchDigest', 'Requested image digest does not match the tag')
  return { image }
}

function required(context: Context, repository: Repository, id: ImageIdentifier): Image {
  const found = lookUp(context, repository, id)
  if ('image' in found) return found.image
  const { repositoryName, accountId } = repository
  throw new AwsError(
    'ImageNotFoundException',
    `The image with imageId {imageDigest:'${id.imageDigest ?? 'null'}', imageTag:'${id.imageTag ?? 'null'}'} does not exist within the repository with name '${repositoryName}' in the registry with id '${accountId}'`,
  )
}

function showImage(repository: Repository, image: Image, tag: string | undefined): ImageShape {
  return {
    registryId: repository.accountId,
    repositoryName: repository.repositoryName,
    imageId: { imageDigest: image.imageDigest, ...(tag !== undefined && { imageTag: tag }) },
    imageManifest: image.manifest,
    imageManifestMediaType: image.mediaType,
  }
}

function showDetail(repository: Repository, image: Image): ImageDetail {
  return {
    registryId: repository.accountId,
    repositoryName: repository.repositoryName,
    imageDigest: image.imageDigest,
    ...(image.tags.length > 0 && { imageTags: [...image.tags] }),
    imageSizeInBytes: image.sizeInBytes,
    imagePushedAt: new Date(image.pushedAt),
    imageManifestMediaType: image.mediaType,
    ...(image.artifactType !== undefined && { artifactMediaType: image.artifactType }),
    ...(image.lastRecordedPullTime !== undefined && {
      lastRecordedPullTime: new Date(image.lastRecordedPullTime),
    }),
  }
}
