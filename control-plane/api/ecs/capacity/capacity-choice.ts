/** What the tasks of a request are started on: a launch type, or the capacity providers of a strategy. */
import type {
  CapacityProviderStrategyItem,
  CapacityProviderType,
  LaunchType,
  NetworkConfiguration,
  RunTaskRequest,
} from '@aws-sdk/client-ecs'
import type { Context } from '#api/operation.ts'
import { capacityProviderName, launchTypeOf } from '#domain/capacity-provider.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { Service } from '#domain/service.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import { findProviderType } from '#state/capacity-providers.ts'
import type { View } from '#state/store.ts'
import { checkFargate, checkPlatform } from '#api/ecs/task-definitions/fargate-checks.ts'
import { checkLaunchType, checkNetwork, refuse } from '#api/ecs/tasks/placement-checks.ts'

export interface Capacity {
  /** The launch type that its tasks show, whichever provider of the strategy starts them. */
  readonly launchType: LaunchType
  /** Present when providers share the tasks; short names, base and weight filled in. */
  readonly strategy?: readonly CapacityProviderStrategyItem[]
}

type Scoped = Pick<Context, 'scope'>
type Asked = Pick<RunTaskRequest, 'launchType' | 'capacityProviderStrategy'>

const strategyItemsMax = 20
const noneAssociated =
  'The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.'

/**
 * The capacity that a request asks for; the cluster's default strategy where it names none, and launch type EC2 where
 * the cluster has none either. `both` is what the operation says of a request that names a launch type and a strategy.
 * Throws InvalidParameterException.
 */
export function chooseCapacity(
  view: View,
  context: Scoped,
  cluster: Cluster,
  { launchType, capacityProviderStrategy: asked = [] }: Asked,
  both: string,
): Capacity {
  checkLaunchType(launchType)
  if (launchType !== undefined && asked.length > 0) refuse(both)
  if (launchType !== undefined) return { launchType }
  const strategy = asked.length > 0 ? asked : cluster.defaultCapacityProviderStrategy
  return strategy.length > 0 ? strategyCapacity(view, context, cluster, strategy) : { launchType: 'EC2' }
}

/** The capacity that a strategy for tasks of the cluster means. Throws InvalidParameterException. */
function strategyCapacity(
  view: View,
  { scope }: Scoped,
  cluster: Cluster,
  asked: readonly CapacityProviderStrategyItem[],
): Capacity {
  const strategy = completeStrategy({ scope }, asked)
  const types = checkAssociated(view, { scope }, strategy, cluster.capacityProviders)
  if (strategy.filter(({ base = 0 }) => base > 0).length > 1)
    refuse(
      'There are multiple capacity providers in the specified capacity provider strategy with a base value greater than zero. Only one capacity provider can have a base value greater than zero. Specify a valid capacity provider strategy and try again.',
    )
  if (!strategy.some(({ weight = 0 }) => weight > 0))
    refuse(
      'There are no capacity providers in the capacity provider strategy with a weight value greater than zero. Specify a weight value greater than zero for at least one capacity provider and try again.',
    )
  return { launchType: launchTypeOf(types[0] ?? 'EC2_AUTOSCALING'), strategy }
}

/** A strategy as AWS shows it: providers by their names, base and weight filled in. Throws InvalidParameterException. */
export function completeStrategy(
  { scope }: Scoped,
  strategy: readonly CapacityProviderStrategyItem[],
): readonly CapacityProviderStrategyItem[] {
  if (strategy.length > strategyItemsMax)
    refuse(`A capacity provider strategy can have at most ${strategyItemsMax} capacity providers.`)
  const complete = strategy.map(({ capacityProvider = '', weight = 0, base = 0 }) => {
    if (base < 0 || base > 100_000) refuse('The base of a capacity provider must be between 0 and 100000.')
    if (weight < 0 || weight > 1000) refuse('The weight of a capacity provider must be between 0 and 1000.')
    return {
      capacityProvider: capacityProviderName(scope, capacityProvider) ?? refuse(noneAssociated),
      weight,
      base,
    }
  })
  if (new Set(complete.map(({ capacityProvider }) => capacityProvider)).size < complete.length)
    refuse('A capacity provider strategy can name each capacity provider only once.')
  return complete
}

/**
 * The types of a strategy's providers. Throws InvalidParameterException when one is not among those associated, or when
 * they do not go together.
 */
export function checkAssociated(
  view: View,
  { scope }: Scoped,
  strategy: readonly CapacityProviderStrategyItem[],
  associated: readonly string[],
): readonly CapacityProviderType[] {
  const types = strategy.map(({ capacityProvider = '' }) => {
    const type = findProviderType(view, scope, capacityProvider)
    return type !== undefined && associated.includes(capacityProvider) ? type : refuse(noneAssociated)
  })
  const launchTypes = new Set(types.map(launchTypeOf))
  if (launchTypes.size > 1)
    refuse(
      launchTypes.has('FARGATE') && launchTypes.has('EC2')
        ? 'A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate providers. Specify one or the other and try again.'
        : 'A capacity provider strategy cannot contain a mix of Amazon ECS Managed Instances and other capacity providers. Specify one or the other and try again.',
    )
  return types
}

/** What bears on whether a task definition's tasks can be started on a capacity. */
export type CapacityInput = Pick<
  RunTaskRequest,
  | 'enableExecuteCommand'
  | 'networkConfiguration'
  | 'overrides'
  | 'placementConstraints'
  | 'placementStrategy'
  | 'platformVersion'
>

/** For services: as `checkPlatformOf`, and the network configuration and the definition's compatibilities too. */
export function checkCapacity(
  taskDefinition: TaskDefinition,
  capacity: Capacity,
  input: CapacityInput,
): void {
  const { launchType } = capacity
  checkNetwork(taskDefinition, input.networkConfiguration, launchType)
  if (!taskDefinition.compatibilities.includes(launchType))
    refuse(`Task definition does not support launch_type ${launchType}.`)
  checkPlatformOf(taskDefinition, capacity, input)
}

/**
 * Throws InvalidParameterException, PlatformUnknownException or PlatformTaskDefinitionIncompatibilityException for tasks
 * that cannot be started on the capacity, wherever there may be room.
 */
export function checkPlatformOf(
  taskDefinition: TaskDefinition,
  { launchType, strategy = [] }: Capacity,
  input: CapacityInput,
): void {
  checkPlatformVersion(launchType, input.platformVersion)
  if (launchType === 'MANAGED_INSTANCES' && (input.placementStrategy ?? []).length > 0)
    refuse('Placement strategies are not supported with Amazon ECS Managed Instances.')
  if (launchType !== 'FARGATE') return
  checkFargate(taskDefinition, input)
  const spot = strategy.some(({ capacityProvider }) => capacityProvider === 'FARGATE_SPOT')
  checkPlatform(taskDefinition, { ...input, spot })
}

/** Throws InvalidParameterException for a platform version of what does not run on Fargate. */
export function checkPlatformVersion(launchType: string, platformVersion: string | undefined): void {
  if (platformVersion !== undefined && launchType !== 'FARGATE')
    refuse('The platform version must be null when specifying an EC2 launch type.')
}

/** What of a capacity a service, a deployment or a task set keeps: launch type or strategy, and Fargate's platform. */
export function capacityRow(
  { launchType, strategy }: Capacity,
  platformVersion = 'LATEST',
): Pick<Service, 'launchType' | 'capacityProviderStrategy' | 'platformVersion'> {
  return {
    ...(strategy ? { capacityProviderStrategy: strategy } : { launchType }),
    ...(launchType === 'FARGATE' && { platformVersion }),
  }
}

/** A network configuration as AWS shows it, with nothing left out. */
export function networkRow({ awsvpcConfiguration }: NetworkConfiguration = {}): Pick<
  Service,
  'networkConfiguration'
> {
  if (!awsvpcConfiguration) return {}
  const { subnets = [], securityGroups = [], assignPublicIp = 'DISABLED' } = awsvpcConfiguration
  return { networkConfiguration: { awsvpcConfiguration: { subnets, securityGroups, assignPublicIp } } }
}

/**
 * What a service is on after an update: what it has, the strategy given, or for an empty one its launch type, which its
 * row keeps beside a strategy, else the cluster's default. Throws InvalidParameterException.
 */
export function capacityAfter(
  view: View,
  context: Scoped,
  cluster: Cluster,
  {
    launchType,
    capacityProviderStrategy: standing = [],
  }: Pick<Service, 'launchType' | 'capacityProviderStrategy'>,
  asked: readonly CapacityProviderStrategyItem[] | undefined,
): Capacity {
  const strategy = asked ?? standing
  if (strategy.length > 0) return strategyCapacity(view, context, cluster, strategy)
  if (launchType !== undefined) return { launchType }
  if (asked === undefined) return { launchType: 'EC2' }
  if (cluster.defaultCapacityProviderStrategy.length > 0)
    return strategyCapacity(view, context, cluster, cluster.defaultCapacityProviderStrategy)
  return refuse(
    'No launch type to fall back to for empty capacity provider strategy. Your service was not created with a launch type.',
  )
}
