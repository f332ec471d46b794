/** References as callers write them (names, ids, full or short ARNs) turned into rows, or into AWS's error. */
import { AwsError } from '@berth/wire/error.ts'
import { arnName, formatArn, parseArn, type Scope } from '#domain/arn.ts'
import type { Cluster } from '#domain/cluster.ts'
import type { ContainerInstance } from '#domain/container-instance.ts'
import type { TaskDefinition } from '#domain/task-definition.ts'
import type { View } from '#state/store.ts'
import { familyKey } from '#state/tables.ts'

/** Names are looked up in the caller's account and region. */
interface Scoped {
  readonly scope: Scope
}

/** The ARN a cluster reference means, whether there is such a cluster or not; no reference means `default`. */
export function clusterArnOf({ scope }: Scoped, ref = 'default'): string {
  return ref.startsWith('arn:') ? ref : formatArn(scope, 'ecs', `cluster/${ref}`)
}

/** The cluster, also an INACTIVE one; undefined when there is none in the caller's scope. */
export function findCluster(view: View, context: Scoped, ref?: string): Cluster | undefined {
  const cluster = view.find('cluster', clusterArnOf(context, ref))
  return cluster && isIn(context.scope, cluster) ? cluster : undefined
}

/** The ACTIVE cluster meant. Throws ClusterNotFoundException, and InvalidParameterException for the ARN of another thing. */
export function resolveCluster(view: View, context: Scoped, ref?: string): Cluster {
  if (ref?.startsWith('arn:')) requireKind(ref, ['cluster'])
  const cluster = findCluster(view, context, ref)
  if (!cluster) throw new AwsError('ClusterNotFoundException', 'Cluster not found.')
  if (cluster.status === 'INACTIVE')
    throw new AwsError('ClusterNotFoundException', 'The referenced cluster was inactive.')
  return cluster
}

/**
 * The long ARN that a reference to something in a cluster means: an id or name, a long ARN, or a short one of before 2019.
 * Throws InvalidParameterException when the ARN is of another kind, or names another cluster than the request does, or
 * one of another account or region.
 */
export function arnInCluster(
  cluster: Pick<Cluster, 'accountId' | 'region' | 'clusterName'>,
  kind: 'container-instance' | 'service' | 'task',
  ref: string,
): string {
  const long = (name: string): string => formatArn(cluster, 'ecs', `${kind}/${cluster.clusterName}/${name}`)
  if (!ref.startsWith('arn:')) return long(ref)
  const [, first = '', second] = requireKind(ref, [kind])
  const { accountId, region } = parseArn(ref) ?? cluster
  if (region !== cluster.region) refuseOther('region', region, cluster.region)
  if (accountId !== cluster.accountId) refuseOther('account', accountId, cluster.accountId)
  if (second === undefined) return long(first)
  if (first !== cluster.clusterName) refuseOther('cluster', first, cluster.clusterName)
  return ref
}

function refuseOther(what: 'account' | 'cluster' | 'region', said: string, yours: string): never {
  throw new AwsError('InvalidParameterException', `Identifier is for ${said}. Your ${what} is ${yours}`)
}

/** The container instance of the cluster that is not INACTIVE. Throws ClientException, and as `arnInCluster` does. */
export function resolveContainerInstance(view: View, cluster: Cluster, ref: string): ContainerInstance {
  const found = view.find('containerInstance', arnInCluster(cluster, 'container-instance', ref))
  if (!found || found.status === 'INACTIVE')
    throw new AwsError('ClientException', `Referenced container instance ${arnName(ref)} not found.`)
  return found
}

/**
 * The revision of any status that `FAMILY:REVISION` or an ARN means; for a family alone its latest ACTIVE one.
 * Throws InvalidParameterException for a revision that is not a number and for the ARN of another thing.
 */
export function findTaskDefinition(view: View, { scope }: Scoped, ref: string): TaskDefinition | undefined {
  const arn = parseArn(ref)
  if (arn) requireKind(ref, ['task-definition'])
  const [family = '', ...numbers] = (arn ? arnName(ref) : ref).split(':')
  const revision = numbers.length === 0 ? undefined : numbers.join(':')
  if (arn && !isIn(scope, arn)) return undefined
  if (revision === undefined) return latestActive(view, scope, family)
  if (!/^\d+$/.test(revision))
    throw new AwsError('InvalidParameterException', `Invalid revision number. Number: ${revision}`)
  return view.find('taskDefinition', formatArn(scope, 'ecs', `task-definition/${family}:${Number(revision)}`))
}

/**
 * The ACTIVE revision meant, to start tasks from. Throws ClientException when there is none; of an INACTIVE one
 * RunTask says InvalidParameterException, the default here, and the services' operations ClientException.
 */
export function resolveTaskDefinition(
  view: View,
  context: Scoped,
  ref: string,
  inactive: 'InvalidParameterException' | 'ClientException' = 'InvalidParameterException',
): TaskDefinition {
  const found = findTaskDefinition(view, context, ref)
  if (!found) throw new AwsError('ClientException', 'TaskDefinition not found.')
  if (found.status !== 'ACTIVE') throw new AwsError(inactive, 'TaskDefinition is inactive')
  return found
}

function latestActive(view: View, scope: Scope, family: string): TaskDefinition | undefined {
  const key = familyKey({ ...scope, family })
  if (view.count('taskDefinition', 'familyStatus', `${key} ACTIVE`) === 0) return undefined
  // Walked from the newest: the one wanted is nearly always the first.
  for (let revision = view.find('taskDefinitionFamily', key)?.lastRevision ?? 0; revision > 0; revision--) {
    const found = view.find(
      'taskDefinition',
      formatArn(scope, 'ecs', `task-definition/${family}:${revision}`),
    )
    if (found?.status === 'ACTIVE') return found
  }
  return undefined
}

/** The parts of an ECS ARN's resource, its kind first. Throws InvalidParameterException when it is of no kind named. */
export function requireKind(ref: string, kinds: readonly string[]): readonly string[] {
  const arn = parseArn(ref)
  const parts = arn?.resource.split('/') ?? []
  if (arn?.service !== 'ecs' || parts.length < 2 || parts.includes(''))
    throw new AwsError('InvalidParameterException', `Invalid identifier: ${ref}`)
  if (!kinds.includes(parts[0] ?? ''))
    throw new AwsError('InvalidParameterException', `Unsupported resource type: ${parts[0]}`)
  return parts
}

/** Whether a thing is in the account and region where the caller looks. */
export function isIn(scope: Scope, thing: Scope): boolean {
  return thing.accountId === scope.accountId && thing.region === scope.region
}
