import type { CapacityProvider as ShownCapacityProvider } from '@aws-sdk/client-ecs'
import { arnName, type Scope } from '#domain/arn.ts'
import {
  type BuiltInProvider,
  type CapacityProvider,
  capacityProviderArn,
  providerType,
} from '#domain/capacity-provider.ts'
import type { View } from '#state/store.ts'
import { showTags } from '#api/ecs/tag.ts'

/** A capacity provider as answers show it. */
export function showCapacityProvider(
  view: View,
  row: CapacityProvider,
  { tags = true } = {},
): ShownCapacityProvider {
  const { autoScalingGroupProvider, managedInstancesProvider } = row
  return {
    capacityProviderArn: row.capacityProviderArn,
    name: row.name,
    ...(row.clusterArn !== undefined && { cluster: arnName(row.clusterArn) }),
    status: row.status,
    ...(autoScalingGroupProvider && { autoScalingGroupProvider }),
    ...(managedInstancesProvider && { managedInstancesProvider }),
    updateStatus: row.updateStatus,
    ...(row.updateStatusReason !== undefined && { updateStatusReason: row.updateStatusReason }),
    tags: tags ? showTags(view, row.capacityProviderArn) : [],
    type: providerType(row),
  }
}

export function showBuiltInProvider(scope: Scope, name: BuiltInProvider): ShownCapacityProvider {
  return {
    capacityProviderArn: capacityProviderArn(scope, name),
    name,
    status: 'ACTIVE',
    tags: [],
    type: name,
  }
}
