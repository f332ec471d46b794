import { beforeEach, expect, test } from 'vitest'
import { testContext, type TestContext } from '#api/testing.ts'
import { describeCapacityProviders } from './capacity-provider-list.ts'
import {
  createCapacityProvider,
  deleteCapacityProvider,
  updateCapacityProvider,
} from './capacity-provider.ts'
import { putClusterCapacityProviders } from './cluster-capacity.ts'
import { createCluster, deleteCluster, describeClusters } from './cluster.ts'
import { findCluster } from '#api/ecs/resolve.ts'
import { putService, refusalOf } from '#api/ecs/testing-rows.ts'

const launchTemplate = {
  ec2InstanceProfileArn: 'arn:aws:iam::000000000000:instance-profile/ecsInstanceProfile',
  networkConfiguration: { subnets: ['subnet-1'] },
}
const managed = {
  infrastructureRoleArn: 'arn:aws:iam::000000000000:role/ecsInfrastructureRole',
  instanceLaunchTemplate: launchTemplate,
}

let context: TestContext
beforeEach(async () => {
  context = await testContext()
})

function describeOne(name: string) {
  return describeCapacityProviders.run(context, { capacityProviders: [name] }).capacityProviders?.[0]
}

const create = (name: string, provider: object = managed, cluster: string | undefined = 'demo') =>
  createCapacityProvider.run(context, {
    name,
    cluster,
    managedInstancesProvider: provider as typeof managed,
  }).capacityProvider

test('managed instances belong to their cluster from the start, with every default filled in', () => {
  createCluster.run(context, { clusterName: 'demo' })
  expect(create('mine')).toMatchObject({ status: 'PROVISIONING', updateStatus: 'CREATE_IN_PROGRESS' })
  expect(describeOne('mine')).toEqual({
    capacityProviderArn: 'arn:aws:ecs:us-east-1:000000000000:capacity-provider/mine',
    name: 'mine',
    cluster: 'demo',
    status: 'ACTIVE',
    managedInstancesProvider: {
      ...managed,
      instanceLaunchTemplate: {
        ...launchTemplate,
        capacityOptionType: 'ON_DEMAND',
        monitoring: 'BASIC',
        instanceMetadataTagsPropagation: true,
      },
      propagateTags: 'NONE',
    },
    updateStatus: 'CREATE_COMPLETE',
    tags: [],
    type: 'MANAGED_INSTANCES',
  })
  const [cluster] = describeClusters.run(context, { clusters: ['demo'] }).clusters ?? []
  expect(cluster?.capacityProviders).toEqual(['mine'])
  expect(create('mine')).toMatchObject({ name: 'mine', status: 'ACTIVE' })
})

test('managed instances change by their template, not in what is launched', () => {
  createCluster.run(context, { clusterName: 'demo' })
  create('mine', { ...managed, instanceLaunchTemplate: { ...launchTemplate, capacityOptionType: 'SPOT' } })
  updateCapacityProvider.run(context, {
    name: 'mine',
    cluster: 'demo',
    managedInstancesProvider: {
      ...managed,
      instanceLaunchTemplate: { monitoring: 'DETAILED' },
      infrastructureOptimization: { scaleInAfter: -1 },
    },
  })
  expect(describeOne('mine')?.managedInstancesProvider).toMatchObject({
    instanceLaunchTemplate: { ...launchTemplate, monitoring: 'DETAILED', capacityOptionType: 'SPOT' },
    infrastructureOptimization: { scaleInAfter: -1 },
  })
})

test('managed instances keep their cluster from being deleted, and cannot be taken from it or given to another', () => {
  createCluster.run(context, { clusterName: 'demo' })
  createCluster.run(context, { clusterName: 'other' })
  create('mine')
  expect(refusalOf(() => deleteCluster.run(context, { cluster: 'demo' }))).toBe(
    'ClusterContainsCapacityProviderException: The Cluster cannot be deleted while Cluster Scoped Capacity Providers are attached to the cluster.',
  )
  const put = (cluster: string, capacityProviders: string[]) =>
    putClusterCapacityProviders.run(context, {
      cluster,
      capacityProviders,
      defaultCapacityProviderStrategy: [],
    })
  expect(put('demo', ['FARGATE']).cluster?.capacityProviders).toEqual(['FARGATE', 'mine'])
  expect(put('demo', ['mine']).cluster?.capacityProviders).toEqual(['mine'])
  expect(refusalOf(() => put('other', ['mine']))).toMatch(
    /^InvalidParameterException: Cannot associate Managed Instances capacity provider to clusters using this API\./,
  )
  const elsewhere = { capacityProvider: 'mine', cluster: 'other' }
  expect(refusalOf(() => deleteCapacityProvider.run(context, elsewhere))).toMatch(/does not exist/)
  const deleted = deleteCapacityProvider.run(context, { capacityProvider: 'mine', cluster: 'demo' })
  expect(deleted.capacityProvider).toMatchObject({
    status: 'DEPROVISIONING',
    updateStatus: 'DELETE_IN_PROGRESS',
  })
  expect(deleteCluster.run(context, { cluster: 'demo' }).cluster?.capacityProviders).toEqual([])
})

test('managed instances stay while a service uses them', () => {
  createCluster.run(context, { clusterName: 'demo' })
  create('mine')
  const cluster = findCluster(context.store, context, 'demo')
  if (cluster)
    putService(context, cluster, 'web', {
      capacityProviderStrategy: [{ capacityProvider: 'mine', base: 0, weight: 1 }],
    })
  expect(refusalOf(() => deleteCapacityProvider.run(context, { capacityProvider: 'mine' }))).toMatch(
    /^ClientException: Cannot delete capacity provider\./,
  )
})

const template = (more: object): object => ({
  ...managed,
  instanceLaunchTemplate: { ...launchTemplate, ...more },
})
const requirements = (more: object): object =>
  template({ instanceRequirements: { vCpuCount: { min: 1 }, memoryMiB: { min: 512 }, ...more } })

test('requirements of managed instances are kept as they are', () => {
  createCluster.run(context, { clusterName: 'demo' })
  const instanceRequirements = {
    vCpuCount: { min: 2, max: 8 },
    memoryMiB: { min: 4096 },
    cpuManufacturers: ['amd'],
    allowedInstanceTypes: ['m7a.*'],
    bareMetal: 'excluded',
  }
  create('mine', template({ instanceRequirements, storageConfiguration: { storageSizeGiB: 80 } }))
  expect(describeOne('mine')?.managedInstancesProvider?.instanceLaunchTemplate).toMatchObject({
    instanceRequirements,
    storageConfiguration: { storageSizeGiB: 80 },
  })
})

test.each<[string, object]>([
  ['no role', { ...managed, infrastructureRoleArn: 'role' }],
  ['a role as profile', template({ ec2InstanceProfileArn: managed.infrastructureRoleArn })],
  ['no subnets', template({ networkConfiguration: { subnets: [] } })],
  ['17 subnets', template({ networkConfiguration: { subnets: Array.from({ length: 17 }, () => 's') } })],
  ['little storage', template({ storageConfiguration: { storageSizeGiB: 29 } })],
  ['strange monitoring', template({ monitoring: 'SOME' })],
  ['a strange capacity option', template({ capacityOptionType: 'FREE' })],
  ['reservations of instances on demand', template({ capacityReservations: { reservationGroupArn: 'arn' } })],
  ['strange tags', { ...managed, propagateTags: 'ALL' }],
  ['a long wait', { ...managed, infrastructureOptimization: { scaleInAfter: 3601 } }],
  ['strange repair', { ...managed, autoRepairConfiguration: { actionsStatus: 'ON' } }],
  ['no CPU count', requirements({ vCpuCount: {} })],
  ['memory the wrong way round', requirements({ memoryMiB: { min: 2, max: 1 } })],
  ['a strange manufacturer', requirements({ cpuManufacturers: ['acme'] })],
  [
    'types allowed and excluded',
    requirements({ allowedInstanceTypes: ['m5.*'], excludedInstanceTypes: ['m6.*'] }),
  ],
  [
    'two spot prices',
    requirements({
      spotMaxPricePercentageOverLowestPrice: 1,
      maxSpotPriceAsPercentageOfOptimalOnDemandPrice: 1,
    }),
  ],
])('managed instances are refused with %s', (_, provider) => {
  createCluster.run(context, { clusterName: 'demo' })
  expect(refusalOf(() => create('mine', provider))).toMatch(/^InvalidParameterException: /)
  expect(context.store.size('capacityProvider')).toBe(0)
})

test('managed instances are refused without a cluster, and in one that is not there', () => {
  expect(
    refusalOf(() => createCapacityProvider.run(context, { name: 'mine', managedInstancesProvider: managed })),
  ).toMatch(/^InvalidParameterException: A cluster must be specified/)
  expect(refusalOf(() => create('mine', managed, 'none'))).toBe(
    'ClusterNotFoundException: Cluster not found.',
  )
})
