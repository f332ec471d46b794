import type { CapacityProviderType } from '@aws-sdk/client-ecs'
import type { Scope } from '#domain/arn.ts'
import {
  type CapacityProvider,
  capacityProviderArn,
  isBuiltInProvider,
  providerType,
} from '#domain/capacity-provider.ts'
import type { View } from './store.ts'

/** The row of a capacity provider that somebody made and that is not deleted. */
export function findOwnProvider(view: View, scope: Scope, name: string): CapacityProvider | undefined {
  const found = view.find('capacityProvider', capacityProviderArn(scope, name))
  return found?.status === 'ACTIVE' ? found : undefined
}

/** The type of the provider of that name, built in or made; undefined when there is none, or none any more. */
export function findProviderType(view: View, scope: Scope, name: string): CapacityProviderType | undefined {
  if (isBuiltInProvider(name)) return name
  const own = findOwnProvider(view, scope, name)
  return own && providerType(own)
}
