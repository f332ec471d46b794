/** References to services turned into rows, or into AWS's error. */
import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { Service } from '#domain/service.ts'
import type { View } from '#state/store.ts'
import { arnInCluster, clusterArnOf, findCluster } from '#api/ecs/resolve.ts'

/** The service, whatever its status. Throws ServiceNotFoundException, and InvalidParameterException for another thing's ARN. */
export function resolveService(view: View, cluster: Cluster, ref: string): Service {
  const service = view.find('service', arnInCluster(cluster, 'service', ref))
  if (!service) throw new AwsError('ServiceNotFoundException', 'Service not found.')
  return service
}

/** The ARNs that references to services mean, for authorization. */
export function serviceResources(
  context: Context,
  clusterRef: string | undefined,
  refs: readonly string[],
): readonly string[] {
  const cluster = findCluster(context.store, context, clusterRef)
  return cluster
    ? refs.map((ref) => arnInCluster(cluster, 'service', ref))
    : [clusterArnOf(context, clusterRef)]
}
