/**
 * The calls of Terraform's AWS provider, in its order and with its reading of the answers: an apply or destroy succeeds
 * exactly when these do. https://github.com/hashicorp/terraform-provider-aws/tree/main/internal/service/ecs
 */
import { ClientException, type Cluster, DaemonNotFoundException, type ECS } from '@aws-sdk/client-ecs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDaemon } from './daemon.ts'
import { Stage } from './stage.ts'
import { eventually } from './world.ts'

let stage: Stage
beforeAll(async () => {
  stage = await Stage.start()
})
afterAll(() => stage.end())

const tags = [{ key: 'Name', value: 'tf' }]
const running = { name: 'web', image: 'nginx', memory: 64, essential: true }

/** `findClusterByNameOrARN`: undefined where Terraform takes the cluster for gone. */
async function findCluster(ecs: ECS, nameOrArn: string): Promise<Cluster | undefined> {
  const { clusters } = await ecs.describeClusters({
    clusters: [nameOrArn],
    include: ['TAGS', 'CONFIGURATIONS', 'SETTINGS'],
  })
  const [found] = clusters ?? []
  return found?.status === 'INACTIVE' ? undefined : found
}

test.concurrent('aws_ecs_cluster: create, read, update, destroy', async () => {
  const { ecs } = stage.newAccount()
  const settings = [{ name: 'containerInsights' as const, value: 'enabled' }]
  const configuration = { executeCommandConfiguration: { logging: 'DEFAULT' as const } }
  const { cluster } = await ecs.createCluster({ clusterName: 'tf', tags, settings, configuration })
  const clusterArn = cluster?.clusterArn ?? ''
  expect(await findCluster(ecs, clusterArn)).toMatchObject({
    clusterArn,
    clusterName: 'tf',
    status: 'ACTIVE',
    tags,
    settings,
    configuration,
  })
  const disabled = [{ name: 'containerInsights' as const, value: 'disabled' }]
  await ecs.updateCluster({ cluster: clusterArn, settings: disabled })
  expect(await findCluster(ecs, clusterArn)).toMatchObject({ settings: disabled, configuration })
  await ecs.deleteCluster({ cluster: clusterArn })
  expect(await findCluster(ecs, clusterArn)).toBeUndefined()
  expect(await findCluster(ecs, 'never')).toBeUndefined()
})

test.concurrent('aws_ecs_cluster_capacity_providers and aws_ecs_capacity_provider', async () => {
  const account = stage.newAccount()
  const { ecs } = account
  const autoScalingGroupArn = `arn:aws:autoscaling:us-east-1:${account.id}:autoScalingGroup:7c1b2c44-0000-4000-8000-000000000000:autoScalingGroupName/tf`
  const { capacityProvider } = await ecs.createCapacityProvider({
    name: 'tf',
    autoScalingGroupProvider: { autoScalingGroupArn },
    tags,
  })
  const capacityProviderArn = capacityProvider?.capacityProviderArn ?? ''
  const find = async () => {
    const answer = await ecs.describeCapacityProviders({
      capacityProviders: [capacityProviderArn],
      include: ['TAGS'],
    })
    return answer.capacityProviders?.filter(({ status }) => status !== 'INACTIVE')
  }
  expect(await find()).toMatchObject([
    { name: 'tf', status: 'ACTIVE', tags, autoScalingGroupProvider: { autoScalingGroupArn } },
  ])
  await ecs.updateCapacityProvider({
    name: 'tf',
    autoScalingGroupProvider: { managedScaling: { status: 'DISABLED' } },
  })
  await eventually('the update is complete', async () => {
    const [found] = (await find()) ?? []
    return found?.updateStatus === 'UPDATE_COMPLETE'
  })
  await ecs.createCluster({ clusterName: 'tf' })
  await ecs.putClusterCapacityProviders({
    cluster: 'tf',
    capacityProviders: ['FARGATE', 'tf'],
    defaultCapacityProviderStrategy: [{ capacityProvider: 'tf', weight: 1 }],
  })
  const cluster = await eventually('the cluster is available', async () => {
    const found = await findCluster(ecs, 'tf')
    return found?.status === 'ACTIVE' && found
  })
  expect(cluster.capacityProviders?.toSorted()).toEqual(['FARGATE', 'tf'])
  expect(cluster.defaultCapacityProviderStrategy).toEqual([{ capacityProvider: 'tf', weight: 1, base: 0 }])
  // What destroying aws_ecs_cluster_capacity_providers sends.
  await ecs.putClusterCapacityProviders({
    cluster: 'tf',
    capacityProviders: [],
    defaultCapacityProviderStrategy: [],
  })
  expect(await findCluster(ecs, 'tf')).toMatchObject({
    capacityProviders: [],
    defaultCapacityProviderStrategy: [],
  })
  await ecs.deleteCapacityProvider({ capacityProvider: capacityProviderArn })
  await eventually('the capacity provider is gone', async () => (await find())?.length === 0)
  await ecs.deleteCluster({ cluster: 'tf' })
})

test.concurrent('aws_ecs_account_setting_default reads back exactly one setting', async () => {
  const { ecs } = stage.newAccount()
  const { setting } = await ecs.putAccountSettingDefault({ name: 'containerInsights', value: 'enhanced' })
  expect(setting).toMatchObject({ name: 'containerInsights', value: 'enhanced' })
  const { settings } = await ecs.listAccountSettings({ name: 'containerInsights', effectiveSettings: true })
  expect(settings).toMatchObject([
    { name: 'containerInsights', value: 'enhanced', principalArn: setting?.principalArn },
  ])
  // Destroying it puts the value that AWS has by itself.
  await ecs.putAccountSettingDefault({ name: 'containerInsights', value: 'disabled' })
})

test.concurrent('aws_ecs_task_definition: what is read back plans no change', async () => {
  const { ecs } = stage.newAccount()
  const registered = await ecs.registerTaskDefinition({
    family: 'tf',
    containerDefinitions: [running],
    tags,
  })
  const arn = registered.taskDefinition?.taskDefinitionArn ?? ''
  const { taskDefinition, tags: read } = await ecs.describeTaskDefinition({
    taskDefinition: arn,
    include: ['TAGS'],
  })
  expect(read).toEqual(tags)
  // Terraform strips what AWS adds by itself, these members when they are empty, and compares the rest.
  expect(taskDefinition?.containerDefinitions).toEqual([
    {
      ...running,
      cpu: 0,
      environment: [],
      mountPoints: [],
      portMappings: [],
      volumesFrom: [],
      systemControls: [],
    },
  ])
  expect(taskDefinition).toMatchObject({ family: 'tf', revision: 1, status: 'ACTIVE', volumes: [] })
  await ecs.deregisterTaskDefinition({ taskDefinition: arn })
  const gone = await ecs.describeTaskDefinition({ taskDefinition: arn })
  expect(gone.taskDefinition?.status).toBe('INACTIVE')
  await expect(ecs.describeTaskDefinition({ taskDefinition: 'tf' })).rejects.toBeInstanceOf(ClientException)
})

test.concurrent('aws_ecs_tag', async () => {
  const { ecs } = stage.newAccount()
  const { cluster } = await ecs.createCluster({ clusterName: 'tf' })
  const resourceArn = cluster?.clusterArn ?? ''
  await ecs.tagResource({ resourceArn, tags })
  expect(await ecs.listTagsForResource({ resourceArn })).toMatchObject({ tags })
  await ecs.untagResource({ resourceArn, tagKeys: ['Name'] })
  expect(await ecs.listTagsForResource({ resourceArn })).toMatchObject({ tags: [] })
})

test.concurrent('aws_ecs_daemon and aws_ecs_daemon_task_definition', async () => {
  const { ecs } = stage.newAccount()
  const { daemonArn, provider, definition } = await createDaemon(ecs, 'fluent-bit')
  const find = async () => {
    try {
      const { daemon } = await ecs.describeDaemon({ daemonArn })
      return daemon?.status === 'DELETE_IN_PROGRESS' ? undefined : daemon
    } catch (error) {
      if (error instanceof DaemonNotFoundException) return undefined
      throw error
    }
  }
  // No other status is waited for.
  const daemon = await find()
  expect(daemon).toMatchObject({
    status: 'ACTIVE',
    currentRevisions: [{ capacityProviders: [{ arn: provider }] }],
  })
  const { daemonRevisions } = await ecs.describeDaemonRevisions({
    daemonRevisionArns: [daemon?.currentRevisions?.[0]?.arn ?? ''],
  })
  expect(daemonRevisions).toMatchObject([{ daemonTaskDefinitionArn: definition }])
  const update = { daemonArn, daemonTaskDefinitionArn: definition, capacityProviderArns: [provider] }
  await ecs.updateDaemon({ ...update, deploymentConfiguration: { drainPercent: 50 } })
  expect(await find()).toMatchObject({ status: 'ACTIVE' })
  await ecs.deleteDaemon({ daemonArn })
  await eventually('the daemon is gone', async () => (await find()) === undefined)
  await eventually('deleting it again says that there is none', () =>
    ecs.deleteDaemon({ daemonArn }).then(
      () => false,
      (error: unknown) => error instanceof DaemonNotFoundException,
    ),
  )
})
