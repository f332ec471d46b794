/** The capacity providers of a cluster and its default strategy. */
import type {
  CapacityProviderStrategyItem,
  PutClusterCapacityProvidersRequest,
  PutClusterCapacityProvidersResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context, Operation } from '#api/operation.ts'
import { scopeKey } from '#domain/arn.ts'
import { capacityProviderArn, capacityProviderName, isBuiltInProvider } from '#domain/capacity-provider.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { View } from '#state/store.ts'
import { checkAssociated, completeStrategy } from './capacity-choice.ts'
import { refuse } from '#api/ecs/tasks/placement-checks.ts'
import { clusterArnOf, resolveCluster } from '#api/ecs/resolve.ts'
import { showCluster } from './show-cluster.ts'

const providersCountMax = 20

type Association = Pick<Cluster, 'capacityProviders' | 'defaultCapacityProviderStrategy'>

export const putClusterCapacityProviders: Operation<
  PutClusterCapacityProvidersRequest,
  PutClusterCapacityProvidersResponse
> = {
  resources: (context, { cluster }) => [clusterArnOf(context, cluster)],
  run: (context, input) =>
    context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      const association = checkedAssociation(tx, context, cluster.clusterArn, input)
      for (const removed of cluster.capacityProviders.filter(
        (name) => !association.capacityProviders.includes(name),
      ))
        if (isInUse(tx, cluster.clusterArn, removed))
          throw new AwsError(
            'ResourceInUseException',
            'The specified capacity provider is in use and cannot be removed.',
          )
      const updated: Cluster = { ...cluster, ...association }
      tx.put('cluster', updated)
      return { cluster: showCluster(tx, updated, ['ATTACHMENTS', 'SETTINGS', 'TAGS']) }
    }),
}

/**
 * The providers and the strategy as a cluster keeps them: names, each once, with those of managed instances, which are the
 * cluster's from when they are made until they are deleted. Throws InvalidParameterException when a provider is not there
 * or not for this cluster, or the strategy is none of them.
 */
export function checkedAssociation(
  view: View,
  context: Context,
  clusterArn: string,
  {
    capacityProviders: refs = [],
    defaultCapacityProviderStrategy = [],
  }: {
    readonly capacityProviders?: readonly string[] | undefined
    readonly defaultCapacityProviderStrategy?: readonly CapacityProviderStrategyItem[] | undefined
  },
): Association {
  const managed = view.by('capacityProvider', 'cluster', clusterArn).map(({ name }) => name)
  const asked = refs.map((ref) => associable(view, context, clusterArn, ref))
  const capacityProviders = [...new Set([...asked, ...managed])]
  checkProvidersCount(capacityProviders)
  const strategy = completeStrategy(context, defaultCapacityProviderStrategy)
  checkAssociated(view, context, strategy, capacityProviders)
  if (strategy.filter(({ base = 0 }) => base > 0).length > 1)
    refuse(
      'The specified capacity provider strategy contains multiple capacity providers with a base value defined. Only one capacity provider per strategy can have a base value defined.',
    )
  return { capacityProviders, defaultCapacityProviderStrategy: strategy }
}

/** Throws InvalidParameterException. */
export function checkProvidersCount(capacityProviders: readonly string[]): void {
  if (capacityProviders.length > providersCountMax)
    refuse('The maximum number of capacity providers per cluster has been exceeded.')
}

/** The name of the provider, when there is one that the cluster may have. */
function associable(view: View, { scope }: Context, clusterArn: string, ref: string): string {
  const name = capacityProviderName(scope, ref) ?? ''
  if (isBuiltInProvider(name)) return name
  const provider = view.find('capacityProvider', capacityProviderArn(scope, name))
  if (!provider)
    return refuse(
      'The specified capacity provider was not found. Specify a valid capacity provider and try again.',
    )
  if (provider.status !== 'ACTIVE')
    refuse(
      `The specified capacity provider '${name}' is not in an ACTIVE state. Specify a valid capacity provider and try again.`,
    )
  // Of the next text the end, of the one after it all, is made in AWS's manner: no source has it whole.
  if (provider.clusterArn !== undefined && provider.clusterArn !== clusterArn)
    refuse(
      'Cannot associate Managed Instances capacity provider to clusters using this API. Managed Instances capacity providers are already associated with the cluster that they were created in.',
    )
  const others = view.by('cluster', 'capacityProvider', `${scopeKey(scope)}/${name}`)
  if (others.some((other) => other.clusterArn !== clusterArn))
    refuse(
      `The specified capacity provider '${name}' is already associated with another cluster. Specify a valid capacity provider and try again.`,
    )
  return name
}

/** Whether a task is on the provider, or a service or task set may start one there. */
export function isInUse(view: View, clusterArn: string, name: string): boolean {
  const key = `${clusterArn} ${name}`
  return (['task', 'service', 'taskSet'] as const).some(
    (table) => view.count(table, 'capacityProvider', key) > 0,
  )
}
