/** Capacity providers: where tasks that name no launch type find their capacity. */
import type {
  AutoScalingGroupProvider,
  CapacityProviderType,
  CapacityProviderUpdateStatus,
  LaunchType,
  ManagedInstancesProvider,
} from '@aws-sdk/client-ecs'
import { arnName, formatArn, parseArn, scopeKey, type Scope } from './arn.ts'

/** A capacity provider that somebody made: of an Auto Scaling group, or of managed instances in one cluster. */
export interface CapacityProvider extends Scope {
  readonly capacityProviderArn: string
  readonly name: string
  /** The one cluster it is of: managed instances only. */
  readonly clusterArn?: string
  readonly status: 'ACTIVE' | 'INACTIVE'
  readonly updateStatus: CapacityProviderUpdateStatus
  /** Why the last deletion failed. */
  readonly updateStatusReason?: string
  /** Exactly one of the next two, every default filled in. */
  readonly autoScalingGroupProvider?: AutoScalingGroupProvider
  readonly managedInstancesProvider?: ManagedInstancesProvider
  readonly createdAt: number
  /** When it was deleted; an hour later it is forgotten. */
  readonly inactiveAt?: number
}

/** The providers every account has. They are facts, not rows: nobody makes, tags or deletes them. */
export const builtInProviders = ['FARGATE', 'FARGATE_SPOT'] as const
export type BuiltInProvider = (typeof builtInProviders)[number]

export function isBuiltInProvider(name: string): name is BuiltInProvider {
  return builtInProviders.some((builtIn) => builtIn === name)
}

/** A name that a capacity provider may have. The prefixes are refused in whatever case. */
export function isProviderName(name: string): boolean {
  return /^[a-zA-Z0-9_-]{1,255}$/.test(name) && !/^(?:aws|ecs|fargate)/i.test(name)
}

/** Where a provider of that name is, whether there is one or not. */
export function capacityProviderArn(scope: Scope, name: string): string {
  return formatArn(scope, 'ecs', `capacity-provider/${name}`)
}

/**
 * The name that a name or an ARN says; undefined for the ARN of another kind of thing, or of another account or Region.
 */
export function capacityProviderName(scope: Scope, ref: string): string | undefined {
  const arn = parseArn(ref)
  if (!arn) return ref
  const name = arnName(ref)
  return scopeKey(arn) === scopeKey(scope) &&
    arn.service === 'ecs' &&
    ref === capacityProviderArn(scope, name)
    ? name
    : undefined
}

/** The kind of a built-in provider, by its name, or of one that was made, by its row. */
export function providerType(provider: BuiltInProvider | CapacityProvider): CapacityProviderType {
  if (typeof provider === 'string') return provider
  return provider.managedInstancesProvider ? 'MANAGED_INSTANCES' : 'EC2_AUTOSCALING'
}

/** The launch type that a task shows which such a provider started. */
export function launchTypeOf(type: CapacityProviderType): LaunchType {
  switch (type) {
    case 'FARGATE':
    case 'FARGATE_SPOT':
      return 'FARGATE'
    case 'MANAGED_INSTANCES':
      return 'MANAGED_INSTANCES'
    case 'EC2_AUTOSCALING':
      return 'EC2'
  }
}

/**
 * The tag that gives an EC2 instance to a capacity provider, since there are no Auto Scaling groups yet that would. It is
 * read when the instance registers as a container instance.
 */
export const capacityProviderTag = 'berth:capacity-provider'
