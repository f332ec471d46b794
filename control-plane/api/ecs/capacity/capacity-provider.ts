import type {
  CapacityProvider as ShownCapacityProvider,
  CreateCapacityProviderRequest,
  CreateCapacityProviderResponse,
  DeleteCapacityProviderRequest,
  DeleteCapacityProviderResponse,
  UpdateCapacityProviderRequest,
  UpdateCapacityProviderResponse,
} from '@aws-sdk/client-ecs'
import type { Context, Operation } from '#api/operation.ts'
import { scopeKey } from '#domain/arn.ts'
import {
  type CapacityProvider,
  capacityProviderArn,
  capacityProviderName,
  isBuiltInProvider,
} from '#domain/capacity-provider.ts'
import type { Cluster } from '#domain/cluster.ts'
import { findOwnProvider } from '#state/capacity-providers.ts'
import type { Transaction, View } from '#state/store.ts'
import {
  autoScalingGroupProvider,
  changedGroupProvider,
  checkProviderName,
  refuseProvider,
} from './capacity-provider-checks.ts'
import { changedManagedProvider, managedInstancesProvider } from './capacity-provider-managed.ts'
import { checkProvidersCount, isInUse } from './cluster-capacity.ts'
import { fingerprintOf } from '#api/ecs/idempotency.ts'
import { refuse } from '#api/ecs/tasks/placement-checks.ts'
import { resolveCluster } from '#api/ecs/resolve.ts'
import { showCapacityProvider } from './show-capacity-provider.ts'
import { checkedTags, putTags } from '#api/ecs/tag.ts'

/**
 * Makes a provider of an Auto Scaling group, or one of managed instances in a cluster. The same request again gives what
 * it made. What is done at once here AWS does in steps: its answers, and so these, show the first of them.
 */
export const createCapacityProvider: Operation<
  CreateCapacityProviderRequest,
  CreateCapacityProviderResponse
> = {
  resources: ({ scope }, { name = '' }) => [capacityProviderArn(scope, name)],
  run: (context, input) => {
    const { name = '' } = input
    checkProviderName(name)
    const tags = checkedTags(input.tags)
    const kind = providerKind(input)
    return context.store.update((tx) => {
      const cluster = providerCluster(tx, context, input)
      const made: CapacityProvider = {
        ...context.scope,
        capacityProviderArn: capacityProviderArn(context.scope, name),
        name,
        ...(cluster && { clusterArn: cluster.clusterArn }),
        status: 'ACTIVE',
        updateStatus: 'CREATE_COMPLETE',
        ...kind,
        createdAt: context.clock.now(),
      }
      const present = findOwnProvider(tx, context.scope, name)
      if (present) return { capacityProvider: showCapacityProvider(tx, sameProvider(present, made)) }
      if (kind.autoScalingGroupProvider) requireFreeGroup(tx, context, kind.autoScalingGroupProvider)
      if (cluster) associate(tx, cluster, name)
      tx.put('capacityProvider', made)
      putTags(tx, made.capacityProviderArn, tags)
      const shown = showCapacityProvider(tx, made)
      return {
        capacityProvider: cluster
          ? { ...shown, status: 'PROVISIONING', updateStatus: 'CREATE_IN_PROGRESS' }
          : shown,
      }
    })
  },
}

type Kind = Pick<CapacityProvider, 'autoScalingGroupProvider' | 'managedInstancesProvider'>

/** The one of the two kinds that is asked for, checked. */
function providerKind(input: CreateCapacityProviderRequest): Kind {
  if ((input.autoScalingGroupProvider === undefined) === (input.managedInstancesProvider === undefined))
    refuse('Specify either autoScalingGroupProvider or managedInstancesProvider, but not both.')
  if (input.managedInstancesProvider)
    return { managedInstancesProvider: managedInstancesProvider(input.managedInstancesProvider) }
  return {
    autoScalingGroupProvider: autoScalingGroupProvider(
      input.autoScalingGroupProvider ?? { autoScalingGroupArn: '' },
    ),
  }
}

/** The cluster of managed instances; those of Auto Scaling groups have none of their own. */
function providerCluster(
  view: View,
  context: Context,
  input: CreateCapacityProviderRequest,
): Cluster | undefined {
  if (input.managedInstancesProvider) {
    if (!input.cluster) refuse('A cluster must be specified for a Managed Instances capacity provider.')
    return resolveCluster(view, context, input.cluster)
  }
  if (input.cluster !== undefined)
    refuse('A cluster can be specified for a Managed Instances capacity provider only.')
  return undefined
}

function sameProvider(present: CapacityProvider, made: CapacityProvider): CapacityProvider {
  const configuration = ({
    clusterArn,
    autoScalingGroupProvider: group,
    managedInstancesProvider: managed,
  }: CapacityProvider): string => fingerprintOf({ clusterArn, group, managed })
  return configuration(present) === configuration(made)
    ? present
    : refuseProvider(
        'The specified capacity provider already exists. To change the configuration of an existing capacity provider, update the capacity provider.',
      )
}

function requireFreeGroup(
  view: View,
  { scope }: Context,
  { autoScalingGroupArn }: NonNullable<Kind['autoScalingGroupProvider']>,
): void {
  const own = view.by('capacityProvider', 'scope', scopeKey(scope))
  if (
    own.some(
      (row) =>
        row.status === 'ACTIVE' && row.autoScalingGroupProvider?.autoScalingGroupArn === autoScalingGroupArn,
    )
  )
    refuseProvider(
      'The specified Auto Scaling group ARN is already being used by another capacity provider. Specify a unique Auto Scaling group ARN and try again.',
    )
}

function associate(tx: Transaction, cluster: Cluster, name: string): void {
  const capacityProviders = [...cluster.capacityProviders, name]
  checkProvidersCount(capacityProviders)
  tx.put('cluster', { ...cluster, capacityProviders })
}

/** Changes a provider; what is left out stays. Tasks that run are not touched. */
export const updateCapacityProvider: Operation<
  UpdateCapacityProviderRequest,
  UpdateCapacityProviderResponse
> = {
  resources: ({ scope }, { name = '' }) => [capacityProviderArn(scope, name)],
  run: (context, input) =>
    context.store.update((tx) => {
      const { autoScalingGroupProvider: group, managedInstancesProvider: managed } = input
      if ((group === undefined) === (managed === undefined))
        refuse('Specify either autoScalingGroupProvider or managedInstancesProvider, but not both.')
      const before = resolveProvider(tx, context, input.name ?? '', input.cluster)
      if ((group === undefined) !== (before.autoScalingGroupProvider === undefined))
        refuse('The type of a capacity provider cannot be changed.')
      const { updateStatusReason: _, ...rest } = before
      const after: CapacityProvider = {
        ...rest,
        updateStatus: 'UPDATE_COMPLETE',
        ...(group &&
          before.autoScalingGroupProvider && {
            autoScalingGroupProvider: changedGroupProvider(before.autoScalingGroupProvider, group),
          }),
        ...(managed &&
          before.managedInstancesProvider && {
            managedInstancesProvider: changedManagedProvider(before.managedInstancesProvider, managed),
          }),
      }
      tx.put('capacityProvider', after)
      return {
        capacityProvider: { ...showCapacityProvider(tx, after), updateStatus: 'UPDATE_IN_PROGRESS' },
      }
    }),
}

/**
 * Deletes a provider that no cluster uses. That a cluster does is no error on AWS: the answer says DELETE_FAILED and why,
 * and so does the provider from then on.
 */
export const deleteCapacityProvider: Operation<
  DeleteCapacityProviderRequest,
  DeleteCapacityProviderResponse
> = {
  resources: ({ scope }, { capacityProvider = '' }) => [
    capacityProviderArn(scope, capacityProviderName(scope, capacityProvider) ?? '*'),
  ],
  run: (context, input) =>
    context.store.update((tx) => {
      const provider = resolveProvider(tx, context, input.capacityProvider ?? '', input.cluster)
      const capacityProvider =
        provider.clusterArn === undefined
          ? deleteOfGroup(tx, context, provider)
          : deleteManaged(tx, context, provider)
      return { capacityProvider }
    }),
}

function deleteOfGroup(
  tx: Transaction,
  { clock }: Context,
  provider: CapacityProvider,
): ShownCapacityProvider {
  const [cluster] = tx.by('cluster', 'capacityProvider', `${scopeKey(provider)}/${provider.name}`)
  if (cluster) {
    const failed: CapacityProvider = {
      ...provider,
      updateStatus: 'DELETE_FAILED',
      updateStatusReason: `The capacity provider cannot be deleted because it is associated with cluster: ${cluster.clusterName}. Remove the capacity provider from the cluster and try again.`,
    }
    tx.put('capacityProvider', failed)
    return showCapacityProvider(tx, failed)
  }
  return { ...markDeleted(tx, provider, clock.now()), status: 'ACTIVE', updateStatus: 'DELETE_IN_PROGRESS' }
}

function deleteManaged(
  tx: Transaction,
  { clock }: Context,
  provider: CapacityProvider,
): ShownCapacityProvider {
  const { name, clusterArn = '' } = provider
  if (tx.count('daemon', 'capacityProvider', `${clusterArn} ${name}`) > 0)
    refuseProvider(
      'Cannot delete capacity provider. Daemon services are still associated with this capacity provider.',
    )
  if (isInUse(tx, clusterArn, name))
    refuseProvider('Cannot delete capacity provider. Services or tasks still use this capacity provider.')
  const cluster = tx.find('cluster', clusterArn)
  if (cluster)
    tx.put('cluster', {
      ...cluster,
      capacityProviders: cluster.capacityProviders.filter((other) => other !== name),
      defaultCapacityProviderStrategy: cluster.defaultCapacityProviderStrategy.filter(
        ({ capacityProvider }) => capacityProvider !== name,
      ),
    })
  return {
    ...markDeleted(tx, provider, clock.now()),
    status: 'DEPROVISIONING',
    updateStatus: 'DELETE_IN_PROGRESS',
  }
}

function markDeleted(tx: Transaction, provider: CapacityProvider, now: number): ShownCapacityProvider {
  const { updateStatusReason: _, ...rest } = provider
  const deleted: CapacityProvider = {
    ...rest,
    status: 'INACTIVE',
    updateStatus: 'DELETE_COMPLETE',
    inactiveAt: now,
  }
  tx.put('capacityProvider', deleted)
  const shown = showCapacityProvider(tx, deleted)
  tx.delete('resourceTags', provider.capacityProviderArn)
  return shown
}

/** The provider that somebody made, to be changed. Throws ClientException, and for another cluster's InvalidParameterException. */
function resolveProvider(
  view: View,
  context: Context,
  ref: string,
  clusterRef: string | undefined,
): CapacityProvider {
  const name = capacityProviderName(context.scope, ref) ?? ''
  if (isBuiltInProvider(name))
    refuseProvider(
      'The FARGATE and FARGATE_SPOT capacity providers are reserved and cannot be changed or deleted.',
    )
  const found = findOwnProvider(view, context.scope, name)
  const cluster = clusterRef === undefined ? undefined : resolveCluster(view, context, clusterRef)
  if (!found || (cluster && found.clusterArn !== undefined && found.clusterArn !== cluster.clusterArn))
    return refuseProvider(
      'The specified capacity provider does not exist. Specify a valid name or ARN and try again.',
    )
  return found
}
