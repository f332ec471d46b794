import type {
  ClusterConfiguration,
  ClusterSetting,
  CreateClusterRequest,
  CreateClusterResponse,
  DeleteClusterRequest,
  DeleteClusterResponse,
  DescribeClustersRequest,
  DescribeClustersResponse,
  Failure,
  ListClustersRequest,
  ListClustersResponse,
  UpdateClusterRequest,
  UpdateClusterResponse,
  UpdateClusterSettingsRequest,
  UpdateClusterSettingsResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import { formatArn, scopeKey } from '#domain/arn.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { Transaction } from '#state/store.ts'
import { effectiveSetting } from './account-setting.ts'
import { checkCapacityProviders } from './cluster-capacity.ts'
import { page } from '#api/page.ts'
import { clusterArnOf, findCluster, resolveCluster } from './resolve.ts'
import { showCluster } from './show-cluster.ts'
import { checkedTags, putTags } from './tag.ts'

const describedCountMax = 100

export const createCluster: Operation<CreateClusterRequest, CreateClusterResponse> = {
  resources: (context, { clusterName }) => [clusterArnOf(context, clusterName)],
  run: (context, input) => {
    const { clusterName = 'default', configuration, serviceConnectDefaults } = input
    const { capacityProviders = [], defaultCapacityProviderStrategy = [] } = input
    if (!/^[a-zA-Z0-9\-_]{1,255}$/.test(clusterName))
      throw new AwsError('InvalidParameterException', 'ClusterName must match ^[a-zA-Z0-9\\-_]{1,255}$')
    checkSettings(input.settings)
    checkConfiguration(configuration)
    checkCapacityProviders(capacityProviders, defaultCapacityProviderStrategy)
    const tags = checkedTags(input.tags)

    return context.store.update((tx) => {
      const clusterArn = formatArn(context.scope, 'ecs', `cluster/${clusterName}`)
      const present = tx.find('cluster', clusterArn)
      if (present?.status === 'ACTIVE') return { cluster: showCluster(tx, present) }
      const cluster: Cluster = {
        ...context.scope,
        clusterArn,
        clusterName,
        status: 'ACTIVE',
        settings: merged(defaultSettings(context), input.settings),
        ...(configuration && { configuration }),
        capacityProviders,
        defaultCapacityProviderStrategy,
        ...(serviceConnectDefaults?.namespace && {
          serviceConnectNamespace: serviceConnectDefaults.namespace,
        }),
        createdAt: context.clock.now(),
      }
      tx.put('cluster', cluster)
      putTags(tx, clusterArn, tags)
      return { cluster: showCluster(tx, cluster, ['CONFIGURATIONS', 'SETTINGS', 'TAGS']) }
    })
  },
}

export const describeClusters: Operation<DescribeClustersRequest, DescribeClustersResponse> = {
  resources: (context, { clusters = [] }) =>
    (clusters.length > 0 ? clusters : [undefined]).map((ref) => clusterArnOf(context, ref)),
  run: (context, { clusters = [], include = [] }) => {
    if (clusters.length > describedCountMax)
      throw new AwsError(
        'InvalidParameterException',
        `Clusters cannot have more than ${describedCountMax} elements.`,
      )
    const refs = clusters.length > 0 ? [...new Set(clusters)] : ['default']
    const found: Cluster[] = []
    const failures: Failure[] = []
    for (const ref of refs) {
      const cluster = findCluster(context.store, context, ref)
      if (cluster) found.push(cluster)
      else failures.push({ arn: clusterArnOf(context, ref), reason: 'MISSING' })
    }
    return { clusters: found.map((cluster) => showCluster(context.store, cluster, include)), failures }
  },
}

export const listClusters: Operation<ListClustersRequest, ListClustersResponse> = {
  resources: () => ['*'],
  run: (context, { maxResults, nextToken }) => {
    const active = context.store
      .by('cluster', 'scope', scopeKey(context.scope))
      .filter(({ status }) => status === 'ACTIVE')
    const { rows, ...rest } = page(
      active,
      { maxResults, nextToken, limit: 100, default: 100, parameters: { operation: 'ListClusters' } },
      ({ clusterArn }) => clusterArn,
    )
    return { clusterArns: rows.map(({ clusterArn }) => clusterArn), ...rest }
  },
}

export const updateCluster: Operation<UpdateClusterRequest, UpdateClusterResponse> = {
  resources: (context, { cluster }) => [clusterArnOf(context, cluster)],
  run: (context, input) => {
    const { settings, configuration, serviceConnectDefaults } = input
    checkSettings(settings)
    checkConfiguration(configuration)
    return context.store.update((tx) => {
      const { serviceConnectNamespace, ...cluster } = resolveCluster(tx, context, input.cluster)
      // An empty namespace takes the default namespace away; none leaves it.
      const namespace = serviceConnectDefaults ? serviceConnectDefaults.namespace : serviceConnectNamespace
      const updated: Cluster = {
        ...cluster,
        settings: merged(cluster.settings, settings),
        ...(configuration && { configuration }),
        ...(namespace && { serviceConnectNamespace: namespace }),
      }
      tx.put('cluster', updated)
      return { cluster: showCluster(tx, updated, ['CONFIGURATIONS', 'SETTINGS', 'TAGS']) }
    })
  },
}

export const updateClusterSettings: Operation<UpdateClusterSettingsRequest, UpdateClusterSettingsResponse> = {
  resources: (context, { cluster }) => [clusterArnOf(context, cluster)],
  run: (context, input) => {
    checkSettings(input.settings)
    return context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const updated: Cluster = { ...cluster, settings: merged(cluster.settings, input.settings) }
      tx.put('cluster', updated)
      return { cluster: showCluster(tx, updated) }
    })
  },
}

export const deleteCluster: Operation<DeleteClusterRequest, DeleteClusterResponse> = {
  resources: (context, { cluster }) => [clusterArnOf(context, cluster)],
  run: (context, input) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      requireEmpty(tx, cluster)
      const deleted: Cluster = { ...cluster, status: 'INACTIVE' }
      tx.put('cluster', deleted)
      const answer = { cluster: showCluster(tx, deleted) }
      tx.delete('resourceTags', cluster.clusterArn)
      return answer
    }),
}

function requireEmpty(tx: Transaction, { clusterArn }: Cluster): void {
  if (tx.by('containerInstance', 'cluster', clusterArn).some(({ status }) => status !== 'INACTIVE'))
    throw new AwsError(
      'ClusterContainsContainerInstancesException',
      'The Cluster cannot be deleted while Container Instances are active or draining.',
    )
  if (tx.by('service', 'cluster', clusterArn).some(({ status }) => status === 'ACTIVE'))
    throw new AwsError(
      'ClusterContainsServicesException',
      'The Cluster cannot be deleted while Services are active.',
    )
  if (tx.by('task', 'cluster', clusterArn).some(({ lastStatus }) => lastStatus !== 'STOPPED'))
    throw new AwsError(
      'ClusterContainsTasksException',
      'The Cluster cannot be deleted while Tasks are active.',
    )
}

function defaultSettings(context: Context): readonly ClusterSetting[] {
  return [{ name: 'containerInsights', value: effectiveSetting(context, 'containerInsights') }]
}

function merged(
  present: readonly ClusterSetting[],
  given: readonly ClusterSetting[] = [],
): readonly ClusterSetting[] {
  return [...new Map([...present, ...given].map((setting) => [setting.name, setting])).values()]
}

function checkSettings(settings: readonly ClusterSetting[] = []): void {
  for (const { name, value = '' } of settings) {
    if (name !== 'containerInsights')
      throw new AwsError('InvalidParameterException', 'Setting name should be one of [containerInsights]')
    if (!['disabled', 'enabled', 'enhanced'].includes(value))
      throw new AwsError(
        'InvalidParameterException',
        `Setting value '${value}' of '${name}' should be one of [disabled,enabled,enhanced]`,
      )
  }
}

function checkConfiguration({ executeCommandConfiguration: exec }: ClusterConfiguration = {}): void {
  const refuse = (message: string): never => {
    throw new AwsError('InvalidParameterException', message)
  }
  if (exec?.logConfiguration && exec.logging !== 'OVERRIDE')
    refuse("You must set logging to 'OVERRIDE' when you supply a log configuration.")
  const { cloudWatchLogGroupName, s3BucketName } = exec?.logConfiguration ?? {}
  if (exec?.logging === 'OVERRIDE' && !cloudWatchLogGroupName && !s3BucketName)
    refuse(
      'A CloudWatch log group name or S3 bucket name must be specified when overriding the default log configuration.',
    )
}
