import type { Cluster as ShownCluster, ClusterField, KeyValuePair } from '@aws-sdk/client-ecs'
import type { Cluster } from '#domain/cluster.ts'
import type { View } from '#state/store.ts'
import { showTags } from '#api/ecs/tag.ts'

/** A cluster as answers show it; lists that are not included are there, empty. */
export function showCluster(
  view: View,
  cluster: Cluster,
  include: readonly ClusterField[] = ['SETTINGS', 'TAGS'],
): ShownCluster {
  const { clusterArn } = cluster
  const instances = (status: string): number =>
    view.count('containerInstance', 'status', `${clusterArn} ${status}`)
  const providers = cluster.capacityProviders.length > 0
  return {
    clusterArn,
    clusterName: cluster.clusterName,
    status: cluster.status,
    registeredContainerInstancesCount: instances('ACTIVE') + instances('DRAINING'),
    runningTasksCount: view.count('task', 'last', `${clusterArn} RUNNING`),
    pendingTasksCount: view.count('task', 'last', `${clusterArn} PENDING`),
    activeServicesCount: view.count('service', 'status', `${clusterArn} ACTIVE`),
    statistics: include.includes('STATISTICS') ? statistics(view, clusterArn) : [],
    tags: include.includes('TAGS') ? showTags(view, clusterArn) : [],
    settings: include.includes('SETTINGS')
      ? cluster.settings.map(({ name, value }) => ({ name, value }))
      : [],
    capacityProviders: [...cluster.capacityProviders],
    defaultCapacityProviderStrategy: [...cluster.defaultCapacityProviderStrategy],
    ...(include.includes('CONFIGURATIONS') &&
      cluster.configuration && { configuration: cluster.configuration }),
    // Providers without an Auto Scaling group attach nothing to a cluster, so their update is over at once.
    ...(include.includes('ATTACHMENTS') && {
      attachments: [],
      ...(providers && { attachmentsStatus: 'UPDATE_COMPLETE' }),
    }),
    ...(cluster.serviceConnectNamespace !== undefined && {
      serviceConnectDefaults: { namespace: cluster.serviceConnectNamespace },
    }),
  }
}

/** The launch types AWS counts apart, by the word in the names of their statistics. */
const countedApart = { EC2: 'EC2', Fargate: 'FARGATE', External: 'EXTERNAL' } as const

function statistics(view: View, clusterArn: string): KeyValuePair[] {
  const groups = [
    ['running', 'TasksCount', 'task', 'RUNNING'],
    ['pending', 'TasksCount', 'task', 'PENDING'],
    ['active', 'ServiceCount', 'service', 'ACTIVE'],
    ['draining', 'ServiceCount', 'service', 'DRAINING'],
  ] as const
  return groups.flatMap(([what, kind, table, status]) =>
    Object.entries(countedApart).map(([word, launchType]) => {
      const key = `${clusterArn} ${status} ${launchType}`
      const count =
        table === 'task' ? view.count('task', 'lastByLaunchType', key) : view.count('service', 'status', key)
      return { name: `${what}${word}${kind}`, value: String(count) }
    }),
  )
}
