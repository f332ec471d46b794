// Internet gateways: made, attached and shown. A VPC here reaches the world outside over its machine without one.
import type * as EC2 from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import { type Scope, scopeKey } from '#domain/arn.ts'
import type { InternetGateway } from '#domain/vpc-routing.ts'
import type { View } from '#state/store.ts'
import { chosen, filtered, paged, refuseDryRun } from './list.ts'
import { missing, refuseDependents, resolveVpc } from './network-lookup.ts'
import { ec2Arn, showTags, tagNew, tagsOf } from './tag.ts'

const notFound = (id: string): AwsError =>
  new AwsError('InvalidInternetGatewayID.NotFound', `The internetGateway ID '${id}' does not exist`)

function resolve(view: View, scope: Scope, id: string | undefined): InternetGateway {
  if (!id) throw missing('internetGatewayId')
  const row = view.find('internetGateway', id)
  if (!row || scopeKey(row) !== scopeKey(scope)) throw notFound(id)
  return row
}

export function createInternetGateway(
  { store, scope, ids }: Context,
  input: EC2.CreateInternetGatewayCommandInput,
): Answer<EC2.CreateInternetGatewayCommandOutput> {
  refuseDryRun(input)
  return store.update((tx) => {
    const row: InternetGateway = { ...scope, internetGatewayId: `igw-0${ids.hex(16)}` }
    tx.put('internetGateway', row)
    tagNew(tx, scope, 'internet-gateway', row.internetGatewayId, input.TagSpecifications)
    return { InternetGateway: show(tx, row) }
  })
}

export function attachInternetGateway(
  { store, scope }: Context,
  input: EC2.AttachInternetGatewayCommandInput,
): Record<string, never> {
  refuseDryRun(input)
  return store.update((tx) => {
    const row = resolve(tx, scope, input.InternetGatewayId)
    const { vpcId } = resolveVpc(tx, scope, input.VpcId)
    if (row.vpcId !== undefined)
      throw new AwsError(
        'Resource.AlreadyAssociated',
        `resource ${row.internetGatewayId} is already attached to network ${row.vpcId}`,
      )
    if (tx.count('internetGateway', 'vpc', vpcId) > 0)
      throw new AwsError('InvalidParameterValue', `Network ${vpcId} already has an internet gateway attached`)
    tx.put('internetGateway', { ...row, vpcId })
    return {}
  })
}

export function detachInternetGateway(
  { store, scope }: Context,
  input: EC2.DetachInternetGatewayCommandInput,
): Record<string, never> {
  refuseDryRun(input)
  return store.update((tx) => {
    const { vpcId, ...row } = resolve(tx, scope, input.InternetGatewayId)
    if (vpcId === undefined || vpcId !== input.VpcId)
      throw new AwsError(
        'Gateway.NotAttached',
        `resource ${row.internetGatewayId} is not attached to network ${input.VpcId}`,
      )
    tx.put('internetGateway', row)
    return {}
  })
}

export function deleteInternetGateway(
  { store, scope }: Context,
  input: EC2.DeleteInternetGatewayCommandInput,
): Record<string, never> {
  refuseDryRun(input)
  return store.update((tx) => {
    const { internetGatewayId, vpcId } = resolve(tx, scope, input.InternetGatewayId)
    refuseDependents('internetGateway', internetGatewayId, vpcId !== undefined)
    tx.delete('resourceTags', ec2Arn(scope, 'internet-gateway', internetGatewayId))
    tx.delete('internetGateway', internetGatewayId)
    return {}
  })
}

export function describeInternetGateways(
  { store, scope }: Context,
  input: EC2.DescribeInternetGatewaysCommandInput,
): Answer<EC2.DescribeInternetGatewaysCommandOutput> {
  refuseDryRun(input)
  const all = store
    .by('internetGateway', 'scope', scopeKey(scope))
    .toSorted((one, other) => (one.internetGatewayId < other.internetGatewayId ? -1 : 1))
  const named = chosen(all, input.InternetGatewayIds, (row) => row.internetGatewayId, notFound)
  const matching = filtered(
    named,
    input.Filters,
    {
      'internet-gateway-id': (row) => row.internetGatewayId,
      'attachment.vpc-id': (row) => row.vpcId,
      'attachment.state': (row) => (row.vpcId === undefined ? undefined : 'available'),
      'owner-id': (row) => row.accountId,
    },
    (row) => tagsOf(store, scope, 'internet-gateway', row.internetGatewayId),
  )
  const { rows, nextToken } = paged(matching, input, (row) => row.internetGatewayId)
  return {
    InternetGateways: rows.map((row) => show(store, row)),
    ...(nextToken !== undefined && { NextToken: nextToken }),
  }
}

function show(view: View, row: InternetGateway): EC2.InternetGateway {
  return {
    InternetGatewayId: row.internetGatewayId,
    OwnerId: row.accountId,
    // EC2's own word for an attached one, which the SDK's enum lacks.
    Attachments: row.vpcId === undefined ? [] : [{ VpcId: row.vpcId, State: 'available' as 'attached' }],
    Tags: showTags(tagsOf(view, row, 'internet-gateway', row.internetGatewayId)),
  }
}
