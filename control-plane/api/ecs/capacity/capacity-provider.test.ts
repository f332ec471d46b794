import type { CreateCapacityProviderRequest, UpdateCapacityProviderRequest } from '@aws-sdk/client-ecs'
import { beforeEach, describe, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import { describeCapacityProviders } from './capacity-provider-list.ts'
import {
  createCapacityProvider,
  deleteCapacityProvider,
  updateCapacityProvider,
} from './capacity-provider.ts'
import { createCluster, deleteCluster } from './cluster.ts'
import { listTagsForResource, tagResource, untagResource } from '#api/ecs/tag.ts'
import { putCluster, refusalOf } from '#api/ecs/testing-rows.ts'

const arnOf = (name: string): string => `arn:aws:ecs:us-east-1:000000000000:capacity-provider/${name}`
const groupArn = (name: string): string =>
  `arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:a1b2:autoScalingGroupName/${name}`
const tags = [{ key: 'team', value: 'web' }]
const managed = {
  infrastructureRoleArn: 'arn:aws:iam::000000000000:role/ecsInfrastructureRole',
  instanceLaunchTemplate: {
    ec2InstanceProfileArn: 'arn:aws:iam::000000000000:instance-profile/ecsInstanceProfile',
    networkConfiguration: { subnets: ['subnet-1'] },
  },
}

let context: TestContext
beforeEach(async () => {
  context = await testContext()
})

function createOfGroup(name: string, more: Partial<CreateCapacityProviderRequest> = {}) {
  return createCapacityProvider.run(context, {
    name,
    autoScalingGroupProvider: { autoScalingGroupArn: groupArn(name) },
    ...more,
  }).capacityProvider
}

function describeOne(name: string) {
  const [shown] =
    describeCapacityProviders.run(context, { capacityProviders: [name], include: ['TAGS'] })
      .capacityProviders ?? []
  return shown
}

describe('a provider of an Auto Scaling group', () => {
  test('is shown with every default filled in', () => {
    const shown = {
      capacityProviderArn: arnOf('mine'),
      name: 'mine',
      status: 'ACTIVE',
      autoScalingGroupProvider: {
        autoScalingGroupArn: groupArn('mine'),
        managedScaling: {
          status: 'DISABLED',
          targetCapacity: 100,
          minimumScalingStepSize: 1,
          maximumScalingStepSize: 10_000,
          instanceWarmupPeriod: 300,
        },
        managedTerminationProtection: 'DISABLED',
        managedDraining: 'ENABLED',
      },
      updateStatus: 'CREATE_COMPLETE',
      tags,
      type: 'EC2_AUTOSCALING',
    }
    expect(createOfGroup('mine', { tags })).toEqual(shown)
    expect(describeOne('mine')).toEqual(shown)
  })

  test('is made once: the same request gives the present one, another is refused', () => {
    createOfGroup('mine', { tags })
    expect(createOfGroup('mine')).toMatchObject({ name: 'mine', tags })
    expect(
      refusalOf(() =>
        createOfGroup('mine', { autoScalingGroupProvider: { autoScalingGroupArn: groupArn('x') } }),
      ),
    ).toBe(
      'ClientException: The specified capacity provider already exists. To change the configuration of an existing capacity provider, update the capacity provider.',
    )
    expect(context.store.size('capacityProvider')).toBe(1)
  })

  test('has its group for itself', () => {
    createOfGroup('mine')
    const autoScalingGroupProvider = { autoScalingGroupArn: groupArn('mine') }
    expect(refusalOf(() => createOfGroup('other', { autoScalingGroupProvider }))).toBe(
      'ClientException: The specified Auto Scaling group ARN is already being used by another capacity provider. Specify a unique Auto Scaling group ARN and try again.',
    )
    deleteCapacityProvider.run(context, { capacityProvider: 'mine' })
    expect(createOfGroup('other', { autoScalingGroupProvider })).toMatchObject({ status: 'ACTIVE' })
  })

  test('keeps at an update what is left out', () => {
    createOfGroup('mine', {
      autoScalingGroupProvider: {
        autoScalingGroupArn: groupArn('mine'),
        managedScaling: { status: 'ENABLED', targetCapacity: 80 },
        managedTerminationProtection: 'ENABLED',
      },
    })
    const { capacityProvider } = updateCapacityProvider.run(context, {
      name: 'mine',
      autoScalingGroupProvider: {
        managedScaling: { maximumScalingStepSize: 5 },
        managedDraining: 'DISABLED',
      },
    })
    expect(capacityProvider).toMatchObject({ status: 'ACTIVE', updateStatus: 'UPDATE_IN_PROGRESS' })
    expect(describeOne('mine')).toMatchObject({
      updateStatus: 'UPDATE_COMPLETE',
      autoScalingGroupProvider: {
        autoScalingGroupArn: groupArn('mine'),
        managedScaling: { status: 'ENABLED', targetCapacity: 80, maximumScalingStepSize: 5 },
        managedTerminationProtection: 'ENABLED',
        managedDraining: 'DISABLED',
      },
    })
  })

  test('is INACTIVE once deleted, has no tags then, and its name is free', () => {
    createOfGroup('mine', { tags })
    const deleted = deleteCapacityProvider.run(context, { capacityProvider: arnOf('mine') })
    expect(deleted.capacityProvider).toMatchObject({
      status: 'ACTIVE',
      updateStatus: 'DELETE_IN_PROGRESS',
      tags,
    })
    expect(describeOne('mine')).toMatchObject({
      status: 'INACTIVE',
      updateStatus: 'DELETE_COMPLETE',
      tags: [],
    })
    const gone =
      'ClientException: The specified capacity provider does not exist. Specify a valid name or ARN and try again.'
    expect(refusalOf(() => deleteCapacityProvider.run(context, { capacityProvider: 'mine' }))).toBe(gone)
    expect(createOfGroup('mine')).toMatchObject({
      status: 'ACTIVE',
      updateStatus: 'CREATE_COMPLETE',
      tags: [],
    })
  })

  test('is not deleted while a cluster has it, and says why', () => {
    createOfGroup('mine')
    createCluster.run(context, { clusterName: 'demo', capacityProviders: ['mine'] })
    const failed = {
      status: 'ACTIVE',
      updateStatus: 'DELETE_FAILED',
      updateStatusReason:
        'The capacity provider cannot be deleted because it is associated with cluster: demo. Remove the capacity provider from the cluster and try again.',
    }
    const answer = deleteCapacityProvider.run(context, { capacityProvider: 'mine' })
    expect(answer.capacityProvider).toMatchObject(failed)
    expect(describeOne('mine')).toMatchObject(failed)
    deleteCluster.run(context, { cluster: 'demo' })
    deleteCapacityProvider.run(context, { capacityProvider: 'mine' })
    expect(describeOne('mine')).toMatchObject({ status: 'INACTIVE' })
    expect(describeOne('mine')).not.toHaveProperty('updateStatusReason')
  })

  test('can be tagged while it is there; a built-in one cannot', () => {
    createOfGroup('mine')
    tagResource.run(context, { resourceArn: arnOf('mine'), tags })
    expect(listTagsForResource.run(context, { resourceArn: arnOf('mine') }).tags).toEqual(tags)
    untagResource.run(context, { resourceArn: arnOf('mine'), tagKeys: ['team'] })
    expect(describeOne('mine')?.tags).toEqual([])
    for (const name of ['FARGATE', 'none'])
      expect(refusalOf(() => tagResource.run(context, { resourceArn: arnOf(name), tags }))).toMatch(
        /^InvalidParameterException/,
      )
  })
})

const badName =
  'ClientException: The specified capacity provider name is invalid. Up to 255 characters are allowed, including letters (upper and lowercase), numbers, underscores, and hyphens. The name cannot be prefixed with "aws", "ecs", or "fargate". Specify a valid name and try again.'
const badSteps =
  'ClientException: The minimum or maximum scaling step size value is invalid. Specify a minimum scaling step size value that is less than or equal to the maximum scaling step size value and try again.'
const group = (more: object): Partial<CreateCapacityProviderRequest> => ({
  autoScalingGroupProvider: { autoScalingGroupArn: groupArn('x'), ...more },
})

test.each<[string, Partial<CreateCapacityProviderRequest>, string]>([
  ['no name', { name: '' }, badName],
  ['a name that is too long', { name: 'x'.repeat(256) }, badName],
  ['a name with a dot', { name: 'a.b' }, badName],
  ['a name of aws', { name: 'aws-mine' }, badName],
  ['a name of ecs', { name: 'ECSmine' }, badName],
  ['a name of Fargate', { name: 'FARGATE' }, badName],
  ['neither kind', { autoScalingGroupProvider: undefined }, 'InvalidParameterException: Specify either'],
  [
    'both kinds',
    { managedInstancesProvider: managed, cluster: 'demo' },
    'InvalidParameterException: Specify',
  ],
  ['a cluster of a group', { cluster: 'demo' }, 'InvalidParameterException: A cluster can be specified'],
  [
    'the ARN of a role',
    group({ autoScalingGroupArn: managed.infrastructureRoleArn }),
    'ClientException: The specified Auto Scaling group ARN is invalid.',
  ],
  [
    'no group',
    group({ autoScalingGroupArn: '' }),
    'ClientException: The specified Auto Scaling group ARN is invalid.',
  ],
  [
    'steps the wrong way round',
    group({ managedScaling: { minimumScalingStepSize: 3, maximumScalingStepSize: 2 } }),
    badSteps,
  ],
  [
    'no step',
    group({ managedScaling: { minimumScalingStepSize: 0 } }),
    'ClientException: The specified minimum scaling step size is invalid.',
  ],
  [
    'a great step',
    group({ managedScaling: { maximumScalingStepSize: 10_001 } }),
    'ClientException: The specified maximum scaling step size is invalid.',
  ],
  [
    'no target',
    group({ managedScaling: { targetCapacity: 0 } }),
    'ClientException: The specified target capacity is invalid.',
  ],
  [
    'a great target',
    group({ managedScaling: { targetCapacity: 101 } }),
    'ClientException: The specified target capacity is invalid.',
  ],
  [
    'a negative warmup',
    group({ managedScaling: { instanceWarmupPeriod: -1 } }),
    'ClientException: The specified instance warmup period is invalid.',
  ],
  [
    'a strange status',
    group({ managedScaling: { status: 'ON' } }),
    'InvalidParameterException: managedScaling status should be one of [ENABLED,DISABLED]',
  ],
  [
    'strange draining',
    group({ managedDraining: 'ON' }),
    'InvalidParameterException: managedDraining should be',
  ],
  [
    'protection without scaling',
    group({ managedTerminationProtection: 'ENABLED' }),
    'ClientException: The managed termination protection setting for the capacity provider is invalid.',
  ],
  ['tags of AWS', { tags: [{ key: 'aws:x', value: '' }] }, 'InvalidParameterException: Tag key'],
])('refuses to create a provider with %s', (_, input, message) => {
  putCluster(context, 'demo')
  expect(refusalOf(() => createOfGroup('mine', input)).slice(0, message.length)).toBe(message)
  expect(context.store.size('capacityProvider')).toBe(0)
})

test.each<[string, Partial<UpdateCapacityProviderRequest>, string]>([
  ['unknown', { name: 'none' }, 'ClientException: The specified capacity provider does not exist.'],
  [
    'built in',
    { name: 'FARGATE' },
    'ClientException: The FARGATE and FARGATE_SPOT capacity providers are reserved',
  ],
  ['of no kind', { autoScalingGroupProvider: undefined }, 'InvalidParameterException: Specify either'],
  [
    'of the other kind',
    { autoScalingGroupProvider: undefined, managedInstancesProvider: managed },
    'InvalidParameterException: The type of a capacity provider cannot be changed.',
  ],
  [
    'with bad steps',
    { autoScalingGroupProvider: { managedScaling: { minimumScalingStepSize: 10_001 } } },
    'ClientException: The specified minimum',
  ],
])('refuses to update a provider that is %s', (_, input, message) => {
  createOfGroup('mine')
  const before = context.store.list('capacityProvider')
  const asked = { name: 'mine', autoScalingGroupProvider: { managedDraining: 'DISABLED' as const }, ...input }
  expect(refusalOf(() => updateCapacityProvider.run(context, asked)).slice(0, message.length)).toBe(message)
  expect(context.store.list('capacityProvider')).toEqual(before)
})

describe('describing providers', () => {
  test('shows the built-in ones first, then those there are by name', () => {
    createOfGroup('b')
    createOfGroup('a')
    createOfGroup('gone')
    deleteCapacityProvider.run(context, { capacityProvider: 'gone' })
    const { capacityProviders = [], failures } = describeCapacityProviders.run(context, {})
    expect(capacityProviders.map(({ name, type }) => [name, type])).toEqual([
      ['FARGATE', 'FARGATE'],
      ['FARGATE_SPOT', 'FARGATE_SPOT'],
      ['a', 'EC2_AUTOSCALING'],
      ['b', 'EC2_AUTOSCALING'],
    ])
    expect(capacityProviders[0]).toEqual({
      capacityProviderArn: arnOf('FARGATE'),
      name: 'FARGATE',
      status: 'ACTIVE',
      tags: [],
      type: 'FARGATE',
    })
    expect(failures).toEqual([])
  })

  test('finds them by name and ARN, and says which are missing', () => {
    createOfGroup('mine', { tags })
    const elsewhere = 'arn:aws:ecs:eu-west-1:000000000000:capacity-provider/mine'
    const answer = describeCapacityProviders.run(context, {
      capacityProviders: [arnOf('mine'), 'mine', 'none', elsewhere, 'FARGATE_SPOT'],
    })
    expect(answer.capacityProviders?.map(({ name }) => name)).toEqual(['FARGATE_SPOT', 'mine'])
    expect(answer.capacityProviders?.[1]?.tags).toEqual([])
    expect(answer.failures).toEqual([
      { arn: arnOf('none'), reason: 'MISSING' },
      { arn: elsewhere, reason: 'MISSING' },
    ])
  })

  test('shows ten on a page, or as many as are asked for', () => {
    for (let number = 10; number < 22; number++) createOfGroup(`p${number}`)
    const first = describeCapacityProviders.run(context, {})
    const second = describeCapacityProviders.run(context, { nextToken: first.nextToken })
    const names = [first, second].flatMap(({ capacityProviders = [] }) =>
      capacityProviders.map(({ name }) => name),
    )
    expect(first.capacityProviders).toHaveLength(10)
    expect(names).toEqual([
      'FARGATE',
      'FARGATE_SPOT',
      ...Array.from({ length: 12 }, (_, number) => `p${number + 10}`),
    ])
    expect(second.nextToken).toBeUndefined()
    expect(describeCapacityProviders.run(context, { maxResults: 3 }).capacityProviders).toHaveLength(3)
    for (const maxResults of [0, 11])
      expect(refusalOf(() => describeCapacityProviders.run(context, { maxResults }))).toMatch(
        /^InvalidParameter/,
      )
  })

  test('shows those of a cluster only when it is named', () => {
    createOfGroup('mine')
    createOfGroup('other')
    createCluster.run(context, { capacityProviders: ['FARGATE', 'mine'] })
    const answer = describeCapacityProviders.run(context, { cluster: 'default' })
    expect(answer.capacityProviders?.map(({ name }) => name)).toEqual(['FARGATE', 'mine'])
    const asked = describeCapacityProviders.run(context, { cluster: 'default', capacityProviders: ['other'] })
    expect(asked.failures).toEqual([{ arn: arnOf('other'), reason: 'MISSING' }])
    expect(refusalOf(() => describeCapacityProviders.run(context, { cluster: 'none' }))).toBe(
      'ClusterNotFoundException: Cluster not found.',
    )
  })

  test('refuses a hundred and one names', () => {
    const capacityProviders = Array.from({ length: 101 }, (_, number) => `p${number}`)
    expect(refusalOf(() => describeCapacityProviders.run(context, { capacityProviders }))).toMatch(
      /^InvalidParameter/,
    )
  })
})
