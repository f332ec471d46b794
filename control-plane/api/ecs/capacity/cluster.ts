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
import { page } from '#api/page.ts'
import { formatArn, scopeKey } from '#domain/arn.ts'
import type { Cluster } from '#domain/cluster.ts'
import { taskStatuses } from '#domain/task.ts'
import type { Transaction } from '#state/store.ts'
import { effectiveSetting } from '#api/ecs/account-setting.ts'
import { checkedAssociation } from './cluster-capacity.ts'
import { fingerprintOf } from '#api/ecs/idempotency.ts'
import { checkOneOf, refuse } from '#api/ecs/tasks/placement-checks.ts'
import { clusterArnOf, findCluster, resolveCluster } from '#api/ecs/resolve.ts'
import { showCluster } from './show-cluster.ts'
import { checkedTags, putTags } from '#api/ecs/tag.ts'

const describedCountMax = 100

/**
 * Makes a cluster, or gives the one of that name that is there. What the request says beside the name must then be as
 * the cluster has it.
 */
export const createCluster: Operation<CreateClusterRequest, CreateClusterResponse> = {
  resources: (context, { clusterName }) => [clusterArnOf(context, clusterName)],
  run: (context, input) => {
    const { clusterName = 'default', configuration, serviceConnectDefaults } = input
    if (!/^[a-zA-Z0-9\-_]{1,255}$/.test(clusterName))
      refuse('ClusterName must match ^[a-zA-Z0-9\\-_]{1,255}$')
    checkSettings(input.settings)
    checkConfiguration(configuration)
    checkNamespace(serviceConnectDefaults?.namespace)
    const tags = checkedTags(input.tags)

    return context.store.update((tx) => {
      const clusterArn = formatArn(context.scope, 'ecs', `cluster/${clusterName}`)
      const cluster: Cluster = {
        ...context.scope,
        clusterArn,
        clusterName,
        status: 'ACTIVE',
        settings: merged(defaultSettings(context), input.settings),
        ...(configuration && { configuration }),
        ...checkedAssociation(tx, context, clusterArn, input),
        ...(serviceConnectDefaults?.namespace && {
          serviceConnectNamespace: serviceConnectDefaults.namespace,
        }),
        createdAt: context.clock.now(),
      }
      const present = tx.find('cluster', clusterArn)
      if (present?.status === 'ACTIVE') {
        requireSame(present, cluster, input)
        return { cluster: showCluster(tx, present, ['CONFIGURATIONS', 'SETTINGS', 'TAGS']) }
      }
      tx.put('cluster', cluster)
      putTags(tx, clusterArn, tags)
      return { cluster: showCluster(tx, cluster, ['CONFIGURATIONS', 'SETTINGS', 'TAGS']) }
    })
  },
}

/** The members that AWS compares, each with what it becomes of the cluster; one that is left out is not compared. */
const compared = {
  settings: 'settings',
  configuration: 'configuration',
  capacityProviders: 'capacityProviders',
  defaultCapacityProviderStrategy: 'defaultCapacityProviderStrategy',
  serviceConnectDefaults: 'serviceConnectNamespace',
} as const satisfies Partial<Record<keyof CreateClusterRequest, keyof Cluster>>

function requireSame(present: Cluster, asked: Cluster, input: CreateClusterRequest): void {
  for (const [member, row] of Object.entries(compared) as Array<[keyof typeof compared, keyof Cluster]>)
    if (
      input[member] !== undefined &&
      fingerprintOf({ is: present[row] }) !== fingerprintOf({ is: asked[row] })
    )
      refuse(
        'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
      )
}

export const describeClusters: Operation<DescribeClustersRequest, DescribeClustersResponse> = {
  resources: (context, { clusters = [] }) =>
    (clusters.length > 0 ? clusters : [undefined]).map((ref) => clusterArnOf(context, ref)),
  run: (context, { clusters = [], include = [] }) => {
    if (clusters.length > describedCountMax)
      refuse(`Clusters cannot have more than ${describedCountMax} elements.`)
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
      { context, maxResults, nextToken, limit: 100, default: 100, parameters: { operation: 'ListClusters' } },
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
    checkNamespace(serviceConnectDefaults?.namespace)
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
  const some = (table: 'containerInstance' | 'service', ...statuses: readonly string[]): boolean =>
    statuses.some((status) => tx.count(table, 'status', `${clusterArn} ${status}`) > 0)
  if (some('containerInstance', 'ACTIVE', 'DRAINING', 'REGISTERING', 'DEREGISTERING'))
    throw new AwsError(
      'ClusterContainsContainerInstancesException',
      'The Cluster cannot be deleted while Container Instances are active or draining.',
    )
  if (some('service', 'ACTIVE'))
    throw new AwsError(
      'ClusterContainsServicesException',
      'The Cluster cannot be deleted while Services are active.',
    )
  const live = taskStatuses.filter((status) => status !== 'STOPPED')
  if (live.some((status) => tx.count('task', 'last', `${clusterArn} ${status}`) > 0))
    throw new AwsError(
      'ClusterContainsTasksException',
      'The Cluster cannot be deleted while Tasks are active.',
    )
  if (tx.count('capacityProvider', 'cluster', clusterArn) > 0)
    throw new AwsError(
      'ClusterContainsCapacityProviderException',
      'The Cluster cannot be deleted while Cluster Scoped Capacity Providers are attached to the cluster.',
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
    if (name !== 'containerInsights') refuse("Invalid setting 'name'")
    if (!['disabled', 'enabled', 'enhanced'].includes(value)) refuse("Invalid setting 'value'")
  }
}

function checkConfiguration({ executeCommandConfiguration: exec }: ClusterConfiguration = {}): void {
  if (!exec) return
  const { logging, logConfiguration } = exec
  checkOneOf('logging', logging, ['NONE', 'DEFAULT', 'OVERRIDE'])
  if (logConfiguration && logging !== 'OVERRIDE')
    refuse("You must set logging to 'OVERRIDE' when you supply a log configuration.")
  const { cloudWatchLogGroupName, s3BucketName } = logConfiguration ?? {}
  if (logging === 'OVERRIDE' && !cloudWatchLogGroupName && !s3BucketName)
    refuse(
      'A CloudWatch log group name or S3 bucket name must be specified when overriding the default log configuration.',
    )
}

/** A name or an ARN; empty, it takes the default namespace away. No source has the text. */
function checkNamespace(namespace = ''): void {
  if (namespace.length > 1024 || (!namespace.startsWith('arn:') && /[<>"/]/.test(namespace)))
    refuse(
      'The namespace name is invalid. Up to 1024 characters are allowed, except greater than (>), less than (<), double quotation marks ("), and slash (/).',
    )
}
