import type { Cluster as ShownCluster, ClusterField, KeyValuePair } from '@aws-sdk/client-ecs'
import type { Cluster } from '#domain/cluster.ts'
import type { View } from '#state/store.ts'
import { showTags } from './tag.ts'

/** A cluster as answers show it; lists that are not included are there, empty. */
export function showCluster(
  view: View,
  cluster: Cluster,
  include: readonly ClusterField[] = ['SETTINGS', 'TAGS'],
): ShownCluster {
  const { clusterArn } = cluster
  const instances = view.by('containerInstance', 'cluster', clusterArn)
  const services = view.by('service', 'cluster', clusterArn)
  const providers = cluster.capacityProviders.length > 0
  return {
    clusterArn,
    clusterName: cluster.clusterName,
    status: cluster.status,
    registeredContainerInstancesCount: instances.filter(
      ({ status }) => status === 'ACTIVE' || status === 'DRAINING',
    ).length,
    runningTasksCount: view.count('task', 'last', `${clusterArn} RUNNING`),
    pendingTasksCount: view.count('task', 'last', `${clusterArn} PENDING`),
    activeServicesCount: services.filter(({ status }) => status === 'ACTIVE').length,
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
  const tasks = (lastStatus: string): ReadonlyArray<{ readonly launchType?: string }> =>
    view.by('task', 'last', `${clusterArn} ${lastStatus}`)
  const services = (status: string): ReadonlyArray<{ readonly launchType?: string }> =>
    view.by('service', 'cluster', clusterArn).filter((service) => service.status === status)
  const groups = [
    ['running', 'TasksCount', tasks('RUNNING')],
    ['pending', 'TasksCount', tasks('PENDING')],
    ['active', 'ServiceCount', services('ACTIVE')],
    ['draining', 'ServiceCount', services('DRAINING')],
  ] as const
  return groups.flatMap(([what, kind, things]) =>
    Object.entries(countedApart).map(([word, launchType]) => ({
      name: `${what}${word}${kind}`,
      value: String(things.filter((thing) => (thing.launchType ?? 'EC2') === launchType).length),
    })),
  )
}
