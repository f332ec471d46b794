/** The capacity providers of a cluster and its default strategy. */
import type {
  CapacityProviderStrategyItem,
  PutClusterCapacityProvidersRequest,
  PutClusterCapacityProvidersResponse,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Operation } from '#api/operation.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { View } from '#state/store.ts'
import { clusterArnOf, resolveCluster } from './resolve.ts'
import { showCluster } from './show-cluster.ts'

const providersCountMax = 20
/** The providers every account has. */
const predefined: ReadonlySet<string> = new Set(['FARGATE', 'FARGATE_SPOT'])

export const putClusterCapacityProviders: Operation<
  PutClusterCapacityProvidersRequest,
  PutClusterCapacityProvidersResponse
> = {
  resources: (context, { cluster }) => [clusterArnOf(context, cluster)],
  run: (context, input) => {
    const { capacityProviders = [], defaultCapacityProviderStrategy = [] } = input
    return context.store.update((tx) => {
      const cluster = resolveCluster(tx, context, input.cluster)
      checkCapacityProviders(capacityProviders, defaultCapacityProviderStrategy)
      for (const removed of cluster.capacityProviders.filter((name) => !capacityProviders.includes(name)))
        if (isInUse(tx, cluster, removed))
          throw new AwsError(
            'ResourceInUseException',
            'The specified capacity provider is in use and cannot be removed.',
          )
      const updated: Cluster = { ...cluster, capacityProviders, defaultCapacityProviderStrategy }
      tx.put('cluster', updated)
      return { cluster: showCluster(tx, updated, ['ATTACHMENTS', 'SETTINGS', 'TAGS']) }
    })
  },
}

/** Throws InvalidParameterException when the providers are not there, or the strategy is none of them. */
export function checkCapacityProviders(
  capacityProviders: readonly string[],
  strategy: readonly CapacityProviderStrategyItem[],
): void {
  const refuse = (message: string): never => {
    throw new AwsError('InvalidParameterException', message)
  }
  if (capacityProviders.length > providersCountMax)
    refuse(`A cluster can have at most ${providersCountMax} capacity providers.`)
  for (const name of capacityProviders)
    if (!predefined.has(name))
      refuse(
        `The specified capacity provider '${name}' was not found. Specify a valid name or ARN and try again.`,
      )
  for (const { capacityProvider = '', base = 0, weight = 0 } of strategy) {
    if (!capacityProviders.includes(capacityProvider))
      refuse(
        'The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.',
      )
    if (base < 0 || base > 100_000) refuse('The base of a capacity provider must be between 0 and 100000.')
    if (weight < 0 || weight > 1000) refuse('The weight of a capacity provider must be between 0 and 1000.')
  }
  if (strategy.filter(({ base = 0 }) => base > 0).length > 1)
    refuse(
      'The specified capacity provider strategy contains multiple capacity providers with a base value defined. Only one capacity provider per strategy can have a base value defined.',
    )
}

function isInUse(view: View, { clusterArn }: Cluster, name: string): boolean {
  const byService = view
    .by('service', 'cluster', clusterArn)
    .some(
      ({ status, capacityProviderStrategy = [] }) =>
        status !== 'INACTIVE' &&
        capacityProviderStrategy.some(({ capacityProvider }) => capacityProvider === name),
    )
  const byTask = view
    .by('task', 'cluster', clusterArn)
    .some(({ lastStatus, capacityProviderName }) => lastStatus !== 'STOPPED' && capacityProviderName === name)
  return byService || byTask
}
