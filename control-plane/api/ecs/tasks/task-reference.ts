import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import { arnName } from '#domain/arn.ts'
import type { Cluster } from '#domain/cluster.ts'
import { arnInCluster, clusterArnOf, findCluster } from '#api/ecs/resolve.ts'

/** Ids have 32 hexadecimal digits; those of before 2019 were UUIDs. */
const idLengths = [32, 36]

/**
 * The ARN that the id or ARN of a task means. Throws InvalidParameterException for what can be no task's; `what` is how
 * the operation calls it.
 */
export function taskArnOf(cluster: Cluster, ref: string, what = 'taskId'): string {
  return arnOfId(cluster, 'task', ref, what)
}

/** The same of a container instance. */
export function containerInstanceArnOf(cluster: Cluster, ref: string): string {
  return arnOfId(cluster, 'container-instance', ref, 'instanceId')
}

function arnOfId(cluster: Cluster, kind: 'task' | 'container-instance', ref: string, what: string): string {
  const arn = arnInCluster(cluster, kind, ref)
  if (!idLengths.includes(arnName(arn).length))
    throw new AwsError(
      'InvalidParameterException',
      `${what} length should be one of [${idLengths.join(',')}]`,
    )
  return arn
}

/** What operations on tasks are authorized against; the cluster's ARN when there is no such cluster. */
export function taskResources(
  context: Context,
  clusterRef: string | undefined,
  refs: readonly string[],
): readonly string[] {
  const cluster = findCluster(context.store, context, clusterRef)
  return cluster ? refs.map((ref) => arnInCluster(cluster, 'task', ref)) : [clusterArnOf(context, clusterRef)]
}
