import type { CapacityProviderStrategyItem, ClusterConfiguration, ClusterSetting } from '@aws-sdk/client-ecs'
import type { Scope } from './arn.ts'

export interface Cluster extends Scope {
  readonly clusterArn: string
  readonly clusterName: string
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly settings: readonly ClusterSetting[]
  readonly configuration?: ClusterConfiguration
  readonly capacityProviders: readonly string[]
  readonly defaultCapacityProviderStrategy: readonly CapacityProviderStrategyItem[]
  readonly serviceConnectNamespace?: string
  readonly createdAt: number
}
