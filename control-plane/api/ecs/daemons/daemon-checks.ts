/**
 * What CreateDaemon and UpdateDaemon check alike. No source has AWS's texts, but where a service is refused for the same:
 * the others are in its manner.
 */
import type {
  CreateDaemonRequest,
  DaemonDeploymentConfiguration,
  UpdateDaemonRequest,
} from '@aws-sdk/client-ecs'
import { AwsError } from '@berth/wire/error.ts'
import type { Context } from '#api/operation.ts'
import { capacityProviderArn, capacityProviderName, isBuiltInProvider } from '#domain/capacity-provider.ts'
import type { Cluster } from '#domain/cluster.ts'
import {
  completeDaemonDeploymentConfiguration,
  type Daemon,
  daemonArnOf,
  type DaemonRevision,
} from '#domain/daemon.ts'
import type { View } from '#state/store.ts'
import { resolveDaemonTaskDefinition } from './daemon-resolve.ts'
import { checkOneOf, refuse, unsupported } from '#api/ecs/tasks/placement-checks.ts'

type DaemonInput = Omit<CreateDaemonRequest & UpdateDaemonRequest, 'daemonName' | 'daemonArn'>

/**
 * The revision that a request asks for, checked. What it leaves out is as at the first: an update says the whole of a
 * daemon again. Throws InvalidParameterException, ClientException and UnsupportedFeatureException.
 */
export function checkedRevision(
  view: View,
  context: Context,
  {
    cluster,
    daemonArn,
    daemonName,
    now,
  }: Pick<Daemon, 'daemonArn' | 'daemonName'> & { readonly cluster: Cluster; readonly now: number },
  input: DaemonInput,
): DaemonRevision {
  checkOneOf('propagateTags', input.propagateTags, ['DAEMON', 'NONE'])
  const ref = input.daemonTaskDefinitionArn ?? ''
  if (ref === '') refuse('daemonTaskDefinitionArn cannot be empty.')
  const taskDefinition = resolveDaemonTaskDefinition(view, context, ref)
  if (taskDefinition.status !== 'ACTIVE')
    throw new AwsError('ClientException', 'Daemon task definition is inactive')
  return {
    accountId: cluster.accountId,
    region: cluster.region,
    daemonRevisionArn: daemonArnOf(cluster, daemonName, 'daemon-revision', context.ids.digits(19)),
    daemonArn,
    clusterArn: cluster.clusterArn,
    daemonTaskDefinitionArn: taskDefinition.daemonTaskDefinitionArn,
    capacityProviderArns: checkedProviders(view, context, cluster, input.capacityProviderArns ?? []),
    containerImages: taskDefinition.containerDefinitions.map(({ name = '', image = '' }) => ({
      containerName: name,
      image,
    })),
    propagateTags: input.propagateTags ?? 'NONE',
    enableECSManagedTags: input.enableECSManagedTags ?? false,
    enableExecuteCommand: input.enableExecuteCommand ?? false,
    critical: input.critical ?? true,
    createdAt: now,
  }
}

/** Managed-instances capacity providers of the cluster, as ARNs. */
function checkedProviders(
  view: View,
  { scope }: Context,
  cluster: Cluster,
  refs: readonly string[],
): readonly string[] {
  if (refs.length === 0) refuse('capacityProviderArns cannot be empty.')
  const arns = refs.map((ref) => {
    const name = capacityProviderName(scope, ref)
    const arn = capacityProviderArn(scope, name ?? '')
    const found = view.find('capacityProvider', arn)
    if (name !== undefined && isBuiltInProvider(name)) return refuse(notManaged)
    if (found?.status !== 'ACTIVE') return refuse(`The specified capacity provider '${ref}' was not found.`)
    if (!found.managedInstancesProvider) return refuse(notManaged)
    if (found.clusterArn !== cluster.clusterArn)
      return refuse(
        'The specified capacity provider is not associated with the cluster. Associate the capacity provider with the cluster or specify a valid capacity provider and try again.',
      )
    return arn
  })
  if (new Set(arns).size < arns.length)
    refuse('capacityProviderArns must not name a capacity provider twice.')
  return arns
}

const notManaged = 'Daemons are only supported for Amazon ECS Managed Instances capacity providers.'

/** The configuration of a deployment, complete. Throws InvalidParameterException and UnsupportedFeatureException. */
export function checkedDeploymentConfiguration(
  given: DaemonDeploymentConfiguration | undefined,
): DaemonDeploymentConfiguration {
  const { drainPercent = 25, bakeTimeInMinutes = 0, alarms } = given ?? {}
  if (drainPercent < 0 || drainPercent > 100) refuse('drainPercent must be between 0.0 and 100.0.')
  if (bakeTimeInMinutes < 0 || bakeTimeInMinutes > 1_440)
    refuse('bakeTimeInMinutes must be between 0 and 1440.')
  if (alarms?.enable) {
    if ((alarms.alarmNames ?? []).length === 0) refuse('alarmNames cannot be empty when alarms are enabled.')
    unsupported('alarms of daemon deployments', 'Leave them out: the circuit breaker is always on.')
  }
  return completeDaemonDeploymentConfiguration(given)
}
