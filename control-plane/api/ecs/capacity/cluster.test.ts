import type { ClusterSetting, CreateClusterRequest } from '@aws-sdk/client-ecs'
import { describe, expect, test } from 'vitest'
import { testContext } from '#api/testing.ts'
import { putAccountSettingDefault } from '#api/ecs/account-setting.ts'
import { putClusterCapacityProviders } from './cluster-capacity.ts'
import {
  createCluster,
  deleteCluster,
  describeClusters,
  listClusters,
  updateCluster,
  updateClusterSettings,
} from './cluster.ts'
import { registerContainerInstance } from '#api/ecs/instances/container-instance-registration.ts'
import { refusalOf } from '#api/ecs/testing-rows.ts'

const arn = 'arn:aws:ecs:us-east-1:000000000000:cluster/demo'
const tags = [{ key: 'team', value: 'web' }]

describe('a cluster', () => {
  test('is created once: the same name gives the present one unchanged', async () => {
    const context = await testContext()
    const first = createCluster.run(context, { clusterName: 'demo', tags })
    expect(first.cluster).toEqual({
      clusterArn: arn,
      clusterName: 'demo',
      status: 'ACTIVE',
      registeredContainerInstancesCount: 0,
      runningTasksCount: 0,
      pendingTasksCount: 0,
      activeServicesCount: 0,
      statistics: [],
      tags,
      settings: [{ name: 'containerInsights', value: 'disabled' }],
      capacityProviders: [],
      defaultCapacityProviderStrategy: [],
    })
    const same = {
      settings: [{ name: 'containerInsights' as const, value: 'disabled' }],
      capacityProviders: [],
    }
    expect(createCluster.run(context, { clusterName: 'demo' })).toEqual(first)
    expect(createCluster.run(context, { clusterName: 'demo', ...same, tags: [] })).toEqual(first)
  })

  test.each<Omit<CreateClusterRequest, 'clusterName'>>([
    { settings: [{ name: 'containerInsights', value: 'enabled' }] },
    { configuration: { executeCommandConfiguration: { logging: 'NONE' } } },
    { capacityProviders: ['FARGATE'] },
    { serviceConnectDefaults: { namespace: 'web' } },
  ])('is not another cluster for a request with the same name and %j', async (input) => {
    const context = await testContext()
    createCluster.run(context, { clusterName: 'demo' })
    expect(refusalOf(() => createCluster.run(context, { clusterName: 'demo', ...input }))).toBe(
      'InvalidParameterException: Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
    )
    expect(createCluster.run(context, { clusterName: 'other', ...input }).cluster?.status).toBe('ACTIVE')
  })

  test('is called default when it has no name, here and in every reference', async () => {
    const context = await testContext()
    createCluster.run(context, {})
    expect(describeClusters.run(context, {})).toMatchObject({
      clusters: [{ clusterName: 'default' }],
      failures: [],
    })
  })

  test('refuses a name that is none', async () => {
    const context = await testContext()
    for (const clusterName of ['', 'a b', arn, 'x'.repeat(256)])
      expect(() => createCluster.run(context, { clusterName })).toThrow(
        expect.objectContaining({
          code: 'InvalidParameterException',
          message: 'ClusterName must match ^[a-zA-Z0-9\\-_]{1,255}$',
        }),
      )
  })

  test('shows settings, tags and statistics only when they are included', async () => {
    const context = await testContext()
    createCluster.run(context, { clusterName: 'demo', tags })
    expect(describeClusters.run(context, { clusters: ['demo'] }).clusters).toMatchObject([
      { settings: [], tags: [], statistics: [] },
    ])
    const [full] =
      describeClusters.run(context, {
        clusters: [arn],
        include: ['SETTINGS', 'TAGS', 'STATISTICS', 'CONFIGURATIONS', 'ATTACHMENTS'],
      }).clusters ?? []
    expect(full).toMatchObject({ tags, settings: [{ name: 'containerInsights' }], attachments: [] })
    expect(full?.statistics).toContainEqual({ name: 'runningEC2TasksCount', value: '0' })
  })

  test('is missing in another Region and under another name, without an error', async () => {
    const context = await testContext()
    createCluster.run(context, { clusterName: 'demo' })
    const elsewhere = { ...context, scope: { ...context.scope, region: 'eu-west-1' } }
    expect(describeClusters.run(elsewhere, { clusters: ['demo', arn] })).toEqual({
      clusters: [],
      failures: [
        { arn: 'arn:aws:ecs:eu-west-1:000000000000:cluster/demo', reason: 'MISSING' },
        { arn, reason: 'MISSING' },
      ],
    })
    expect(listClusters.run(elsewhere, {}).clusterArns).toEqual([])
    expect(listClusters.run(context, {}).clusterArns).toEqual([arn])
  })

  test('takes its settings from the account unless it is told', async () => {
    const context = await testContext()
    putAccountSettingDefault.run(context, { name: 'containerInsights', value: 'enhanced' })
    const settings = [{ name: 'containerInsights' as const, value: 'disabled' }]
    expect(createCluster.run(context, {}).cluster?.settings?.[0]?.value).toBe('enhanced')
    expect(updateClusterSettings.run(context, { cluster: 'default', settings }).cluster?.settings).toEqual(
      settings,
    )
    expect(() =>
      updateCluster.run(context, {
        cluster: 'default',
        settings: [{ name: 'containerInsights', value: 'much' }],
      }),
    ).toThrow(expect.objectContaining({ code: 'InvalidParameterException' }))
  })

  test.each([
    [{ logging: 'DEFAULT', logConfiguration: { s3BucketName: 'b' } }, "You must set logging to 'OVERRIDE'"],
    [{ logging: 'OVERRIDE' }, 'A CloudWatch log group name or S3 bucket name must be specified'],
  ] as const)('refuses the exec configuration %j', async (executeCommandConfiguration, message) => {
    const context = await testContext()
    expect(() => createCluster.run(context, { configuration: { executeCommandConfiguration } })).toThrow(
      message,
    )
  })

  test.each([
    [{ name: 'speed', value: 'enabled' }, "Invalid setting 'name'"],
    [{ name: 'containerInsights', value: 'on' }, "Invalid setting 'value'"],
  ])('refuses the setting %j', async (setting, message) => {
    const context = await testContext()
    const settings = [setting as ClusterSetting]
    expect(refusalOf(() => createCluster.run(context, { settings }))).toBe(
      `InvalidParameterException: ${message}`,
    )
  })
})

describe('deleting a cluster', () => {
  test('is refused while an instance is registered, and then leaves it INACTIVE', async () => {
    const context = await testContext()
    createCluster.run(context, { clusterName: 'demo' })
    createCluster.run(context, { clusterName: 'used' })
    registerContainerInstance.run(context, { cluster: 'used' })
    expect(() => deleteCluster.run(context, { cluster: 'used' })).toThrow(
      expect.objectContaining({ code: 'ClusterContainsContainerInstancesException' }),
    )
    expect(deleteCluster.run(context, { cluster: 'demo' }).cluster?.status).toBe('INACTIVE')
    expect(describeClusters.run(context, { clusters: ['demo'] }).clusters).toMatchObject([
      { status: 'INACTIVE' },
    ])
    expect(listClusters.run(context, {}).clusterArns).toHaveLength(1)
    expect(() => updateCluster.run(context, { cluster: 'demo' })).toThrow(
      expect.objectContaining({
        code: 'ClusterNotFoundException',
        message: 'The referenced cluster was inactive.',
      }),
    )
    expect(createCluster.run(context, { clusterName: 'demo' }).cluster?.status).toBe('ACTIVE')
  })

  test('says of one that never was that it is not found', async () => {
    const context = await testContext()
    expect(() => deleteCluster.run(context, { cluster: 'demo' })).toThrow(
      expect.objectContaining({ code: 'ClusterNotFoundException', message: 'Cluster not found.' }),
    )
  })
})

describe('capacity providers of a cluster', () => {
  test('replace those there are, strategy and all', async () => {
    const context = await testContext()
    createCluster.run(context, { clusterName: 'demo' })
    const strategy = [{ capacityProvider: 'FARGATE', base: 1, weight: 1 }]
    const put = putClusterCapacityProviders.run(context, {
      cluster: 'demo',
      capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
      defaultCapacityProviderStrategy: strategy,
    })
    expect(put.cluster).toMatchObject({
      capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
      defaultCapacityProviderStrategy: strategy,
      attachmentsStatus: 'UPDATE_COMPLETE',
    })
  })

  test.each([
    [['mine'], [], 'The specified capacity provider was not found.'],
    [['FARGATE'], [{ capacityProvider: 'FARGATE_SPOT' }], 'not associated with the cluster'],
    [
      ['FARGATE', 'FARGATE_SPOT'],
      [
        { capacityProvider: 'FARGATE', base: 1 },
        { capacityProvider: 'FARGATE_SPOT', base: 1 },
      ],
      'multiple capacity providers with a base value',
    ],
  ])('are refused: %j with %j', async (capacityProviders, defaultCapacityProviderStrategy, message) => {
    const context = await testContext()
    createCluster.run(context, { clusterName: 'demo' })
    const input = { cluster: 'demo', capacityProviders, defaultCapacityProviderStrategy }
    expect(() => putClusterCapacityProviders.run(context, input)).toThrow(message)
    expect(() => createCluster.run(context, { ...input, clusterName: 'other' })).toThrow(message)
    expect(context.store.size('cluster')).toBe(1)
  })
})
