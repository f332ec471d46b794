import type { CreateRepositoryRequest } from '@aws-sdk/client-ecr'
import { beforeEach, expect, test } from 'vitest'
import { refusalOf } from '#api/ecs/testing-rows.ts'
import { type TestContext, testContext } from '#api/testing.ts'
import {
  createRepository,
  deleteRepository,
  describeRepositories,
  listTagsForResource,
  putImageTagMutability,
  tagResource,
  untagResource,
} from './repository.ts'

let context: TestContext
const arn = 'arn:aws:ecr:us-east-1:000000000000:repository/team/web'
const create = (input: Partial<CreateRepositoryRequest> = {}) =>
  createRepository(context, { repositoryName: 'team/web', ...input }).repository
const exceptReleases = [{ filterType: 'WILDCARD' as const, filter: 'v*' }]

beforeEach(async () => {
  context = await testContext()
})

test('a repository is shown as AWS does, with the defaults filled in', () => {
  const shown = {
    repositoryArn: arn,
    registryId: '000000000000',
    repositoryName: 'team/web',
    repositoryUri: 'localhost:4566/team/web',
    createdAt: new Date(context.clock.now()),
    imageTagMutability: 'MUTABLE',
    imageScanningConfiguration: { scanOnPush: false },
    encryptionConfiguration: { encryptionType: 'AES256' },
  }
  expect(create()).toEqual(shown)
  expect(describeRepositories(context, {}).repositories).toEqual([shown])
  expect(deleteRepository(context, { repositoryName: 'team/web' }).repository).toEqual(shown)
})

test('a repository keeps what it was made with', () => {
  const key = 'arn:aws:kms:us-east-1:000000000000:key/1'
  const made = create({
    imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
    imageTagMutabilityExclusionFilters: exceptReleases,
    imageScanningConfiguration: { scanOnPush: true },
    encryptionConfiguration: { encryptionType: 'KMS', kmsKey: key },
  })
  expect(made).toMatchObject({
    imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
    imageTagMutabilityExclusionFilters: exceptReleases,
    imageScanningConfiguration: { scanOnPush: true },
    encryptionConfiguration: { encryptionType: 'KMS', kmsKey: key },
  })
  const managed = createRepository(context, {
    repositoryName: 'other',
    encryptionConfiguration: { encryptionType: 'KMS' },
  })
  expect(managed.repository?.encryptionConfiguration?.kmsKey).toMatch(
    /^arn:aws:kms:us-east-1:000000000000:key\/[0-9a-f-]{36}$/,
  )
})

test('mutability changes with its filters: those of before do not stay', () => {
  create({
    imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
    imageTagMutabilityExclusionFilters: exceptReleases,
  })
  expect(
    putImageTagMutability(context, { repositoryName: 'team/web', imageTagMutability: 'IMMUTABLE' }),
  ).toEqual({ registryId: '000000000000', repositoryName: 'team/web', imageTagMutability: 'IMMUTABLE' })
  const [shown] = describeRepositories(context, {}).repositories ?? []
  expect(shown).not.toHaveProperty('imageTagMutabilityExclusionFilters')
})

const at = (member: string, rule: string): string =>
  `InvalidParameterException: Invalid parameter at '${member}' failed to satisfy constraint: '${rule}'`

test.each<[string, Partial<CreateRepositoryRequest>]>([
  [at('repositoryName', 'must have length greater than or equal to 2'), { repositoryName: 'a' }],
  [at('repositoryName', 'must have length less than or equal to 256'), { repositoryName: 'a'.repeat(257) }],
  [
    at(
      'repositoryName',
      "must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'",
    ),
    { repositoryName: 'Team/Web' },
  ],
  [
    at(
      'imageTagMutability',
      'Member must satisfy enum value set: [IMMUTABLE, MUTABLE, MUTABLE_WITH_EXCLUSION, IMMUTABLE_WITH_EXCLUSION]',
    ),
    { imageTagMutability: 'SOMETIMES' as 'MUTABLE' },
  ],
  [
    at(
      'imageTagMutabilityExclusionFilters',
      'can only be given with imageTagMutability IMMUTABLE_WITH_EXCLUSION or MUTABLE_WITH_EXCLUSION',
    ),
    { imageTagMutabilityExclusionFilters: exceptReleases },
  ],
  [
    at('imageTagMutabilityExclusionFilters', 'Member must have length between 1 and 5'),
    { imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION' },
  ],
  [
    at('encryptionType', 'Member must satisfy enum value set: [KMS_DSSE, KMS, AES256]'),
    { encryptionConfiguration: { encryptionType: 'ROT13' as 'KMS' } },
  ],
  [
    "InvalidTagParameterException: The tag with key 'aws:x' is not valid",
    { tags: [{ Key: 'aws:x', Value: '' }] },
  ],
  [
    "InvalidTagParameterException: The tag with key 'x' is given more than once",
    {
      tags: [
        { Key: 'x', Value: '' },
        { Key: 'x', Value: '1' },
      ],
    },
  ],
])('refuses to make a repository: %s', (refusal, input) => {
  expect(refusalOf(() => create(input))).toBe(refusal)
})

test('the name of another repository is taken', () => {
  create()
  expect(refusalOf(() => create())).toBe(
    "RepositoryAlreadyExistsException: The repository with name 'team/web' already exists in the registry with id '000000000000'",
  )
})

test('tags are merged by key and taken away; of an unknown repository they are not found', () => {
  create({ tags: [{ Key: 'a', Value: '1' }] })
  tagResource(context, {
    resourceArn: arn,
    tags: [
      { Key: 'a', Value: '2' },
      { Key: 'b', Value: '' },
    ],
  })
  untagResource(context, { resourceArn: arn, tagKeys: ['b'] })
  expect(listTagsForResource(context, { resourceArn: arn }).tags).toEqual([{ Key: 'a', Value: '2' }])
  expect(refusalOf(() => listTagsForResource(context, { resourceArn: `${arn}2` }))).toBe(
    "RepositoryNotFoundException: The repository with name 'team/web2' does not exist in the registry with id '000000000000'",
  )
  expect(refusalOf(() => listTagsForResource(context, { resourceArn: 'web' }))).toBe(
    at('resourceArn', 'Invalid ARN'),
  )
})
