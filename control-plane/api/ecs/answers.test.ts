/** Holds answers to AWS's own model: no member that it does not have, and times as it wants them. */
import * as ECS from '@aws-sdk/client-ecs'
import { NormalizedSchema } from '@smithy/core/schema'
import { expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { listAccountSettings, putAccountSetting } from './account-setting.ts'
import { listAttributes, putAttributes } from '#api/ecs/instances/attribute.ts'
import { describeCapacityProviders } from '#api/ecs/capacity/capacity-provider-list.ts'
import {
  createCapacityProvider,
  deleteCapacityProvider,
  updateCapacityProvider,
} from '#api/ecs/capacity/capacity-provider.ts'
import { putClusterCapacityProviders } from '#api/ecs/capacity/cluster-capacity.ts'
import { createCluster, deleteCluster, describeClusters } from '#api/ecs/capacity/cluster.ts'
import {
  discoverPollEndpoint,
  registerContainerInstance,
} from '#api/ecs/instances/container-instance-registration.ts'
import {
  deregisterContainerInstance,
  describeContainerInstances,
} from '#api/ecs/instances/container-instance.ts'
import { listTagsForResource, tagResource } from './tag.ts'
import { listTaskDefinitions } from '#api/ecs/task-definitions/task-definition-list.ts'
import {
  deregisterTaskDefinition,
  describeTaskDefinition,
  registerTaskDefinition,
} from '#api/ecs/task-definitions/task-definition.ts'

/** The places in a value where it does not fit the schema. */
function misfits(schema: NormalizedSchema, value: unknown, path = ''): string[] {
  if (value === undefined) return []
  if (schema.isTimestampSchema()) return value instanceof Date ? [] : [`${path} is no time`]
  if (schema.isListSchema()) {
    if (!Array.isArray(value)) return [`${path} is no list`]
    return value.flatMap((each, index) => misfits(schema.getValueSchema(), each, `${path}[${index}]`))
  }
  if (schema.isMapSchema())
    return Object.entries(value as object).flatMap(([key, each]) =>
      misfits(schema.getValueSchema(), each, `${path}.${key}`),
    )
  if (schema.isStructSchema()) {
    const members = new Map(schema.structIterator())
    return Object.entries(value as object).flatMap(([name, each]) => {
      const member = members.get(name)
      return member ? misfits(member, each, `${path}.${name}`) : [`${path}.${name} is not in the model`]
    })
  }
  if (schema.isStringSchema()) return typeof value === 'string' ? [] : [`${path} is no text`]
  if (schema.isNumericSchema()) return typeof value === 'number' ? [] : [`${path} is no number`]
  if (schema.isBooleanSchema()) return typeof value === 'boolean' ? [] : [`${path} is neither true nor false`]
  return [`${path} is of a kind this test does not know`]
}

type Schema = Parameters<typeof NormalizedSchema.of>[0]
const check = (schema: Schema, answer: unknown): string[] => misfits(NormalizedSchema.of(schema), answer)

test('the check finds what does not fit', () => {
  const cluster = { clusterArn: 1, region: 'us-east-1', settings: {} }
  expect(check(ECS.CreateClusterResponse$, { cluster })).toEqual([
    '.cluster.clusterArn is no text',
    '.cluster.region is not in the model',
    '.cluster.settings is no list',
  ])
})

test('answers about clusters, task definitions, instances and settings fit the model', async () => {
  const context = await testContext()
  const tags = [{ key: 'a', value: 'b' }]
  const seen: Array<[schema: Schema, answer: unknown]> = []
  const created = createCluster.run(context, {
    tags,
    configuration: { executeCommandConfiguration: { logging: 'DEFAULT' } },
    serviceConnectDefaults: { namespace: 'internal' },
  })
  const { cluster: { clusterArn: resourceArn } = {} } = created
  const definition = registerTaskDefinition.run(context, {
    family: 'web',
    containerDefinitions: [
      { name: 'web', image: 'nginx', memory: 64, healthCheck: { command: ['CMD', 'x'] } },
    ],
    volumes: [{ name: 'data' }],
    runtimePlatform: { cpuArchitecture: 'ARM64' },
    tags,
  })
  const instance = registerContainerInstance.run(context, {
    totalResources: [{ name: 'CPU', type: 'INTEGER', integerValue: 1024 }],
    attributes: [{ name: 'rack', value: '1' }],
  })
  const arn = instance.containerInstance?.containerInstanceArn ?? ''
  seen.push(
    [ECS.CreateClusterResponse$, created],
    [ECS.RegisterTaskDefinitionResponse$, definition],
    [ECS.RegisterContainerInstanceResponse$, instance],
    [
      ECS.PutClusterCapacityProvidersResponse$,
      putClusterCapacityProviders.run(context, {
        cluster: 'default',
        capacityProviders: ['FARGATE'],
        defaultCapacityProviderStrategy: [],
      }),
    ],
    [
      ECS.DescribeClustersResponse$,
      describeClusters.run(context, {
        clusters: ['default', 'nope'],
        include: ['ATTACHMENTS', 'CONFIGURATIONS', 'SETTINGS', 'STATISTICS', 'TAGS'],
      }),
    ],
    [
      ECS.DescribeTaskDefinitionResponse$,
      describeTaskDefinition.run(context, { taskDefinition: 'web', include: ['TAGS'] }),
    ],
    [ECS.ListTaskDefinitionsResponse$, listTaskDefinitions.run(context, { maxResults: 1 })],
    [
      ECS.DeregisterTaskDefinitionResponse$,
      deregisterTaskDefinition.run(context, { taskDefinition: 'web:1' }),
    ],
    [ECS.PutAttributesResponse$, putAttributes.run(context, { attributes: [{ name: 'x', targetId: arn }] })],
    [ECS.ListAttributesResponse$, listAttributes.run(context, { targetType: 'container-instance' })],
  )
  const row = context.store.find('containerInstance', arn)
  if (!row) throw new Error('no instance')
  const runtimeHealth = { status: 'OK', lastUpdated: 2, lastStatusChange: 1 }
  context.store.update((tx) => tx.put('containerInstance', { ...row, runtimeHealth }))
  seen.push(
    [
      ECS.DescribeContainerInstancesResponse$,
      describeContainerInstances.run(context, {
        containerInstances: [arn, '0'.repeat(32)],
        include: ['TAGS', 'CONTAINER_INSTANCE_HEALTH'],
      }),
    ],
    [ECS.DiscoverPollEndpointResponse$, discoverPollEndpoint.run(context, { containerInstance: arn })],
    [ECS.TagResourceResponse$, tagResource.run(context, { resourceArn, tags })],
    [ECS.ListTagsForResourceResponse$, listTagsForResource.run(context, { resourceArn })],
    [
      ECS.PutAccountSettingResponse$,
      putAccountSetting.run(context, { name: 'awsvpcTrunking', value: 'enabled' }),
    ],
    [ECS.ListAccountSettingsResponse$, listAccountSettings.run(context, { effectiveSettings: true })],
    [
      ECS.DeregisterContainerInstanceResponse$,
      deregisterContainerInstance.run(context, { containerInstance: arn }),
    ],
    [ECS.DeleteClusterResponse$, deleteCluster.run(context, { cluster: 'default' })],
  )
  for (const [schema, answer] of seen) expect(check(schema, answer)).toEqual([])
})

test('answers about capacity providers fit the model', async () => {
  const context = await testContext()
  createCluster.run(context, {})
  const created = createCapacityProvider.run(context, {
    name: 'group',
    autoScalingGroupProvider: { autoScalingGroupArn: 'group' },
    tags: [{ key: 'a', value: 'b' }],
  })
  const managed = createCapacityProvider.run(context, {
    name: 'managed',
    cluster: 'default',
    managedInstancesProvider: {
      infrastructureRoleArn: 'arn:aws:iam::000000000000:role/infrastructure',
      instanceLaunchTemplate: {
        ec2InstanceProfileArn: 'arn:aws:iam::000000000000:instance-profile/instances',
        networkConfiguration: { subnets: ['subnet-1'] },
        instanceRequirements: { vCpuCount: { min: 1 }, memoryMiB: { min: 1 } },
      },
    },
  })
  const autoScalingGroupProvider = { managedScaling: { targetCapacity: 50 } }
  const described = describeCapacityProviders.run(context, { include: ['TAGS'] })
  const updated = updateCapacityProvider.run(context, { name: 'group', autoScalingGroupProvider })
  const deleted = deleteCapacityProvider.run(context, { capacityProvider: 'group' })
  for (const answer of [created, managed])
    expect(check(ECS.CreateCapacityProviderResponse$, answer)).toEqual([])
  expect(check(ECS.DescribeCapacityProvidersResponse$, described)).toEqual([])
  expect(check(ECS.UpdateCapacityProviderResponse$, updated)).toEqual([])
  expect(check(ECS.DeleteCapacityProviderResponse$, deleted)).toEqual([])
})
