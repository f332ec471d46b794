import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { refusalOf } from '#api/ecs/testing-rows.ts'
import { type TestContext, testContext } from '#api/testing.ts'
import { batchDeleteImage, batchGetImage, describeImages, listImages, putImage } from './image.ts'
import { createRepository, putImageTagMutability } from './repository.ts'

const repositoryName = 'web'
let context: TestContext

beforeEach(async () => {
  context = await testContext()
  createRepository(context, { repositoryName })
})

const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`
/** An index of nothing: the least that is an image, and needs no layers. */
const manifestOf = (name: string): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [],
    annotations: { name },
  })
const push = (name: string, imageTag?: string) =>
  putImage(context, {
    repositoryName,
    imageManifest: manifestOf(name),
    ...(imageTag !== undefined && { imageTag }),
  })
const digest = (name: string): string => digestOf(manifestOf(name))

test('an image has the digest of its manifest, and a tag is on one image only', () => {
  push('one', 'latest')
  push('one', 'v1')
  push('two', 'latest')
  const shown = describeImages(context, { repositoryName }).imageDetails ?? []
  expect(new Map(shown.map(({ imageDigest, imageTags }) => [imageDigest, imageTags]))).toEqual(
    new Map([
      [digest('one'), ['v1']],
      [digest('two'), ['latest']],
    ]),
  )
})

test('an image without tags is shown without a list of them', () => {
  push('one')
  const [shown] = describeImages(context, { repositoryName }).imageDetails ?? []
  expect(shown).not.toHaveProperty('imageTags')
  expect(listImages(context, { repositoryName }).imageIds).toEqual([{ imageDigest: digest('one') }])
  const archived = { repositoryName, filter: { imageStatus: 'ARCHIVED' as const } }
  expect(listImages(context, archived).imageIds).toEqual([])
  expect(describeImages(context, archived).imageDetails).toEqual([])
})

describe('immutable tags', () => {
  const refusal = (tag: string): string =>
    `ImageTagAlreadyExistsException: The image tag '${tag}' already exists in the 'web' repository and cannot be overwritten because the tag is immutable.`
  const filters = { imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD' as const, filter: 'v*' }] }

  test.each<[string, object, string, string]>([
    ['MUTABLE', {}, 'nothing', 'nothing'],
    ['IMMUTABLE', {}, refusal('v1'), refusal('latest')],
    ['MUTABLE_WITH_EXCLUSION', filters, refusal('v1'), 'nothing'],
    ['IMMUTABLE_WITH_EXCLUSION', filters, 'nothing', refusal('latest')],
  ])('of %s stay where they are', (mutability, given, release, other) => {
    const imageTagMutability = mutability as 'MUTABLE'
    putImageTagMutability(context, { repositoryName, imageTagMutability, ...given })
    push('one', 'v1')
    push('one', 'latest')
    expect([refusalOf(() => push('two', 'v1')), refusalOf(() => push('two', 'latest'))]).toEqual([
      release,
      other,
    ])
  })
})

test('images are got and deleted in one batch, each failure with its reason', () => {
  push('one', 'v1')
  const id = { imageDigest: digest('one'), imageTag: 'v1' }
  const badDigest =
    "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
  const refs = [
    { imageTag: 'v2' },
    {},
    { imageDigest: 'invalid' },
    { imageDigest: digest('one'), imageTag: 'v2' },
    id,
  ]
  const failures = [
    ['ImageNotFound', 'Requested image not found'],
    ['MissingDigestAndTag', 'Invalid request parameters: both tag and digest cannot be null'],
    ['InvalidImageDigest', badDigest],
    ['ImageTagDoesNotMatchDigest', 'Requested image digest does not match the tag'],
  ].map(([failureCode, failureReason], index) => ({ imageId: refs[index], failureCode, failureReason }))
  const got = batchGetImage(context, { repositoryName, imageIds: refs })
  expect(got.failures).toEqual(failures)
  expect(got.images).toMatchObject([{ imageId: id, imageManifest: manifestOf('one'), repositoryName }])
  expect(batchDeleteImage(context, { repositoryName, imageIds: refs })).toEqual({ imageIds: [id], failures })
  expect(listImages(context, { repositoryName }).imageIds).toEqual([])
})

test('a batch has one image at least and a hundred at most, and images are of a repository', () => {
  const at = "InvalidParameterException: Invalid parameter at 'imageIds' failed to satisfy constraint: "
  expect(refusalOf(() => batchGetImage(context, { repositoryName, imageIds: [] }))).toBe(
    `${at}'Member must have length greater than or equal to 1'`,
  )
  const many = Array.from({ length: 101 }, (_, index) => ({ imageTag: String(index) }))
  expect(refusalOf(() => batchDeleteImage(context, { repositoryName, imageIds: many }))).toBe(
    `${at}'Member must have length less than or equal to 100'`,
  )
  expect(refusalOf(() => listImages(context, { repositoryName: 'other' }))).toBe(
    "RepositoryNotFoundException: The repository with name 'other' does not exist in the registry with id '000000000000'",
  )
  expect(refusalOf(() => describeImages(context, { repositoryName, imageIds: [{ imageTag: 'x' }] }))).toBe(
    "ImageNotFoundException: The image with imageId {imageDigest:'null', imageTag:'x'} does not exist within the repository with name 'web' in the registry with id '000000000000'",
  )
})
