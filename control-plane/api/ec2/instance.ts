import type {
  DescribeInstanceAttributeCommandInput,
  DescribeInstanceAttributeCommandOutput,
  DescribeInstancesCommandInput,
  DescribeInstancesCommandOutput,
  DescribeInstanceStatusCommandInput,
  DescribeInstanceStatusCommandOutput,
} from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import { type Scope, scopeKey } from '#domain/arn.ts'
import { instanceTypes } from '#domain/ec2-instance-type.ts'
import { type Instance, instanceState } from '#domain/instance.ts'
import type { View } from '#state/store.ts'
import { type FilterTable, filtered, paged, refuseDryRun } from './list.ts'
import { showReservations, showState, stateCode } from './show-instance.ts'
import { tagsOf } from './tag.ts'

/** The instances of these ids. Throws InvalidInstanceID.Malformed or, with all that are missing, InvalidInstanceID.NotFound. */
export function resolveInstances(view: View, scope: Scope, ids: readonly string[]): Instance[] {
  const malformed = ids.find((id) => !/^i-(?:[0-9a-f]{8}|[0-9a-f]{17})$/.test(id))
  if (malformed !== undefined) throw new AwsError('InvalidInstanceID.Malformed', `Invalid id: "${malformed}"`)
  const found = [...new Set(ids)].map((id) => ({ id, row: view.find('instance', id) }))
  const missing = found.flatMap(({ id, row }) =>
    row && row.accountId === scope.accountId && row.region === scope.region ? [] : [id],
  )
  if (missing.length === 1)
    throw new AwsError('InvalidInstanceID.NotFound', `The instance ID '${missing[0]}' does not exist`)
  if (missing.length > 1)
    throw new AwsError('InvalidInstanceID.NotFound', `The instance IDs '${missing.join(', ')}' do not exist`)
  return found.flatMap(({ row }) => row ?? [])
}

/** By launch, then by id: the order of lists. */
const orderOf = (row: Instance): string =>
  `${String(row.launchTime).padStart(16, '0')} ${row.reservationId} ${String(row.launchIndex).padStart(6, '0')}`

/** The instances of a scope, or those of these ids, by launch. */
export function listedInstances(view: View, scope: Scope, ids?: readonly string[]): Instance[] {
  const rows =
    ids === undefined || ids.length === 0
      ? view.by('instance', 'scope', scopeKey(scope))
      : resolveInstances(view, scope, ids)
  return rows.toSorted((left, right) => (orderOf(left) < orderOf(right) ? -1 : 1))
}

function refusePagedIds(ids: readonly string[] | undefined, size: number | undefined): void {
  if (ids !== undefined && ids.length > 0 && size !== undefined)
    throw new AwsError(
      'InvalidParameterCombination',
      'The parameter instancesSet cannot be used with the parameter maxResults',
    )
}

const groupNames =
  (view: View) =>
  (row: Instance): string[] =>
    row.securityGroupIds.flatMap((id) => view.find('securityGroup', id)?.groupName ?? [])

const instanceFilters = (view: View): FilterTable<Instance> => ({
  architecture: (row) => instanceTypes.get(row.instanceType)?.architecture,
  'availability-zone': (row) => row.availabilityZone,
  'client-token': (row) => row.clientToken,
  'dns-name': (row) => row.publicDnsName,
  'group-id': (row) => row.securityGroupIds,
  'group-name': groupNames(view),
  'iam-instance-profile.arn': (row) => row.iamInstanceProfileArn,
  'image-id': (row) => row.imageId,
  'instance-id': (row) => row.instanceId,
  'instance-state-code': (row) => stateCode(row),
  'instance-state-name': (row) => instanceState(row),
  'instance-type': (row) => row.instanceType,
  'instance.group-id': (row) => row.securityGroupIds,
  'instance.group-name': groupNames(view),
  'ip-address': (row) => row.publicIpAddress,
  'key-name': (row) => row.keyName,
  'launch-index': (row) => row.launchIndex,
  'launch-time': (row) => new Date(row.launchTime).toISOString(),
  'network-interface.addresses.private-ip-address': (row) => row.privateIpAddress,
  'network-interface.network-interface-id': (row) => row.networkInterfaceId,
  'network-interface.subnet-id': (row) => row.subnetId,
  'network-interface.vpc-id': (row) => row.vpcId,
  'owner-id': (row) => row.accountId,
  'private-dns-name': (row) => row.privateDnsName,
  'private-ip-address': (row) => row.privateIpAddress,
  'reservation-id': (row) => row.reservationId,
  'state-reason-code': (row) => row.stateReason?.code,
  'subnet-id': (row) => row.subnetId,
  'vpc-id': (row) => row.vpcId,
})

export function describeInstances(
  { store, scope }: Context,
  input: DescribeInstancesCommandInput,
): Answer<DescribeInstancesCommandOutput> {
  refuseDryRun(input)
  refusePagedIds(input.InstanceIds, input.MaxResults)
  const matching = filtered(
    listedInstances(store, scope, input.InstanceIds),
    input.Filters,
    instanceFilters(store),
    (row) => tagsOf(store, scope, 'instance', row.instanceId),
  )
  const { rows, nextToken } = paged(matching, input, orderOf)
  return {
    Reservations: showReservations(store, rows),
    ...(nextToken !== undefined && { NextToken: nextToken }),
  }
}

export function describeInstanceStatus(
  { store, scope }: Context,
  input: DescribeInstanceStatusCommandInput,
): Answer<DescribeInstanceStatusCommandOutput> {
  refuseDryRun(input)
  refusePagedIds(input.InstanceIds, input.MaxResults)
  const all = listedInstances(store, scope, input.InstanceIds).filter(
    (row) => input.IncludeAllInstances === true || instanceState(row) === 'running',
  )
  const healthOf = (row: Instance): 'ok' | 'not-applicable' =>
    instanceState(row) === 'running' ? 'ok' : 'not-applicable'
  const matching = filtered(
    all,
    input.Filters,
    {
      'availability-zone': (row) => row.availabilityZone,
      'instance-state-code': (row) => stateCode(row),
      'instance-state-name': (row) => instanceState(row),
      'instance-status.status': healthOf,
      'system-status.status': healthOf,
    },
    (row) => tagsOf(store, scope, 'instance', row.instanceId),
  )
  const { rows, nextToken } = paged(matching, input, orderOf)
  return {
    InstanceStatuses: rows.map((row) => {
      const status = healthOf(row)
      const summary = {
        Status: status,
        ...(status === 'ok' && { Details: [{ Name: 'reachability', Status: 'passed' } as const] }),
      }
      return {
        InstanceId: row.instanceId,
        AvailabilityZone: row.availabilityZone,
        InstanceState: showState(row),
        InstanceStatus: summary,
        SystemStatus: summary,
      }
    }),
    ...(nextToken !== undefined && { NextToken: nextToken }),
  }
}

/** One attribute of an instance. Those that Berth does not keep have AWS's default. */
export function describeInstanceAttribute(
  { store, scope }: Context,
  input: DescribeInstanceAttributeCommandInput,
): Answer<DescribeInstanceAttributeCommandOutput> {
  refuseDryRun(input)
  const [row] = resolveInstances(store, scope, [input.InstanceId ?? ''])
  const attributes: Readonly<Record<string, Answer<DescribeInstanceAttributeCommandOutput>>> = {
    instanceType: { InstanceType: { Value: row?.instanceType } },
    userData: { UserData: row?.userData === undefined ? {} : { Value: row.userData } },
    disableApiTermination: { DisableApiTermination: { Value: false } },
    disableApiStop: { DisableApiStop: { Value: false } },
    instanceInitiatedShutdownBehavior: { InstanceInitiatedShutdownBehavior: { Value: 'stop' } },
    rootDeviceName: { RootDeviceName: { Value: '/dev/xvda' } },
    sourceDestCheck: { SourceDestCheck: { Value: true } },
    ebsOptimized: { EbsOptimized: { Value: false } },
    groupSet: { Groups: (row?.securityGroupIds ?? []).map((GroupId) => ({ GroupId })) },
    blockDeviceMapping: { BlockDeviceMappings: [] },
  }
  const name = input.Attribute ?? ''
  const attribute = Object.hasOwn(attributes, name) ? attributes[name] : undefined
  if (attribute === undefined)
    throw new AwsError('UnsupportedOperation', `Berth does not keep the attribute ${input.Attribute}.`)
  return { InstanceId: row?.instanceId, ...attribute }
}
