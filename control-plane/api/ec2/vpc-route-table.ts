// Route tables, kept as they are made: in a VPC here everything reaches everything, and the world outside.
import type * as EC2 from '@aws-sdk/client-ec2'
import { AwsError } from '@berth/wire/error.ts'
import type { Answer, Context } from '#api/operation.ts'
import { type Scope, scopeKey } from '#domain/arn.ts'
import { derivedId, mainRouteTable, type RouteTable, type VpcRoute } from '#domain/vpc-routing.ts'
import { ensureDefaultNetwork } from '#state/default-network.ts'
import type { View } from '#state/store.ts'
import { refuseMembers } from './inputs.ts'
import { chosen, filtered, paged, refuseDryRun } from './list.ts'
import { blockOf, missing, refuseDependents, resolveSubnet, resolveVpc } from './network-lookup.ts'
import { ec2Arn, showTags, tagNew, tagsOf } from './tag.ts'

const notFound = (id: string): AwsError =>
  new AwsError('InvalidRouteTableID.NotFound', `The routeTable ID '${id}' does not exist`)
const associationNotFound = (id: string): AwsError =>
  new AwsError('InvalidAssociationID.NotFound', `The association ID '${id}' does not exist`)

/** Those that were made, and the main one of each VPC whose nobody has changed. */
function tablesOf(view: View, scope: Scope): RouteTable[] {
  const rows = view.by('routeTable', 'scope', scopeKey(scope))
  const changed = new Set(rows.filter(({ main }) => main).map(({ vpcId }) => vpcId))
  const untouched = view.by('vpc', 'scope', scopeKey(scope)).filter(({ vpcId }) => !changed.has(vpcId))
  return [...rows, ...untouched.map(mainRouteTable)].toSorted((one, other) =>
    one.routeTableId < other.routeTableId ? -1 : 1,
  )
}

function resolve(view: View, scope: Scope, id: string | undefined): RouteTable {
  if (!id) throw missing('routeTableId')
  const row = tablesOf(view, scope).find(({ routeTableId }) => routeTableId === id)
  if (!row) throw notFound(id)
  return row
}

export function createRouteTable(
  { store, scope, ids }: Context,
  input: EC2.CreateRouteTableCommandInput,
): Answer<EC2.CreateRouteTableCommandOutput> {
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const { vpcId } = resolveVpc(tx, scope, input.VpcId)
    const token = input.ClientToken
    const routeTableId = token === undefined ? `rtb-0${ids.hex(16)}` : derivedId('rtb', `${vpcId} ${token}`)
    const known = tx.find('routeTable', routeTableId)
    const row: RouteTable = known ?? {
      ...scope,
      routeTableId,
      vpcId,
      main: false,
      routes: [],
      associations: [],
    }
    tx.put('routeTable', row)
    tagNew(tx, scope, 'route-table', routeTableId, input.TagSpecifications)
    return { RouteTable: show(tx, row), ...(token !== undefined && { ClientToken: token }) }
  })
}

export function deleteRouteTable(
  { store, scope }: Context,
  input: EC2.DeleteRouteTableCommandInput,
): Record<string, never> {
  refuseDryRun(input)
  return store.update((tx) => {
    const { routeTableId, main, associations } = resolve(tx, scope, input.RouteTableId)
    refuseDependents('routeTable', routeTableId, main || associations.length > 0)
    tx.delete('resourceTags', ec2Arn(scope, 'route-table', routeTableId))
    tx.delete('routeTable', routeTableId)
    return {}
  })
}

export function associateRouteTable(
  { store, scope, ids }: Context,
  input: EC2.AssociateRouteTableCommandInput,
): Answer<EC2.AssociateRouteTableCommandOutput> {
  refuseMembers('AssociateRouteTable', input)
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const table = resolve(tx, scope, input.RouteTableId)
    const { subnetId, vpcId } = resolveSubnet(tx, scope, input.SubnetId)
    if (vpcId !== table.vpcId)
      throw new AwsError(
        'InvalidParameterValue',
        `Route table ${table.routeTableId} and subnet ${subnetId} belong to different networks`,
      )
    const [held] = tx.by('routeTable', 'subnet', subnetId)
    const own = held?.associations.find((one) => one.subnetId === subnetId)
    if (held && held.routeTableId !== table.routeTableId)
      throw new AwsError(
        'Resource.AlreadyAssociated',
        `the specified association for route table ${table.routeTableId} conflicts with an existing association`,
      )
    const associationId = own?.associationId ?? `rtbassoc-0${ids.hex(16)}`
    if (!own)
      tx.put('routeTable', { ...table, associations: [...table.associations, { associationId, subnetId }] })
    return { AssociationId: associationId, AssociationState: { State: 'associated' } }
  })
}

export function disassociateRouteTable(
  { store, scope }: Context,
  input: EC2.DisassociateRouteTableCommandInput,
): Record<string, never> {
  refuseDryRun(input)
  return store.update((tx) => {
    const id = input.AssociationId
    if (!id) throw missing('associationId')
    const [table] = tx.by('routeTable', 'association', id)
    if (!table || scopeKey(table) !== scopeKey(scope)) throw associationNotFound(id)
    const associations = table.associations.filter(({ associationId }) => associationId !== id)
    tx.put('routeTable', { ...table, associations })
    return {}
  })
}

export function replaceRouteTableAssociation(
  { store, scope, ids }: Context,
  input: EC2.ReplaceRouteTableAssociationCommandInput,
): Answer<EC2.ReplaceRouteTableAssociationCommandOutput> {
  refuseDryRun(input)
  return store.update((tx) => {
    const id = input.AssociationId
    if (!id) throw missing('associationId')
    const [from] = tx.by('routeTable', 'association', id)
    const moved = from?.associations.find(({ associationId }) => associationId === id)
    if (!from || !moved || scopeKey(from) !== scopeKey(scope)) throw associationNotFound(id)
    tx.put('routeTable', { ...from, associations: from.associations.filter((one) => one !== moved) })
    const to = resolve(tx, scope, input.RouteTableId)
    const associationId = `rtbassoc-0${ids.hex(16)}`
    const associations = [...to.associations, { associationId, subnetId: moved.subnetId }]
    tx.put('routeTable', { ...to, associations })
    return { NewAssociationId: associationId, AssociationState: { State: 'associated' } }
  })
}

/** The target of a route; one of a kind that is not here is refused by name. */
function routeOf(
  { GatewayId, NetworkInterfaceId }: EC2.CreateRouteCommandInput,
  destinationCidrBlock: string,
): VpcRoute {
  if ((GatewayId === undefined) === (NetworkInterfaceId === undefined))
    throw new AwsError(
      'InvalidParameterCombination',
      'Exactly one of gatewayId or networkInterfaceId must be specified.',
    )
  return {
    destinationCidrBlock,
    ...(GatewayId !== undefined && { gatewayId: GatewayId }),
    ...(NetworkInterfaceId !== undefined && { networkInterfaceId: NetworkInterfaceId }),
  }
}

function checkTarget(view: View, scope: Scope, { gatewayId, networkInterfaceId }: VpcRoute): void {
  if (networkInterfaceId !== undefined && !view.find('networkInterface', networkInterfaceId))
    throw new AwsError(
      'InvalidNetworkInterfaceID.NotFound',
      `The networkInterface ID '${networkInterfaceId}' does not exist`,
    )
  if (gatewayId === undefined || gatewayId === 'local') return
  const gateway = view.find('internetGateway', gatewayId)
  if (!gateway || scopeKey(gateway) !== scopeKey(scope))
    throw new AwsError('InvalidGatewayID.NotFound', `The gateway ID '${gatewayId}' does not exist`)
}

const blockIn = (text: string | undefined): string => {
  if (text === undefined) throw missing('destinationCidrBlock')
  return blockOf(text).cidrBlock
}

export function createRoute(
  { store, scope }: Context,
  input: EC2.CreateRouteCommandInput,
): Answer<EC2.CreateRouteCommandOutput> {
  refuseMembers('CreateRoute', input)
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const table = resolve(tx, scope, input.RouteTableId)
    const route = routeOf(input, blockIn(input.DestinationCidrBlock))
    checkTarget(tx, scope, route)
    const known = table.routes.find(
      ({ destinationCidrBlock }) => destinationCidrBlock === route.destinationCidrBlock,
    )
    if (known && JSON.stringify(known) !== JSON.stringify(route))
      throw new AwsError(
        'RouteAlreadyExists',
        `The route identified by ${route.destinationCidrBlock} already exists.`,
      )
    if (!known) tx.put('routeTable', { ...table, routes: [...table.routes, route] })
    return { Return: true }
  })
}

export function replaceRoute(
  { store, scope }: Context,
  input: EC2.ReplaceRouteCommandInput,
): Record<string, never> {
  refuseMembers('ReplaceRoute', input)
  refuseDryRun(input)
  return store.update((tx) => {
    const table = resolve(tx, scope, input.RouteTableId)
    const route = routeOf(input, blockIn(input.DestinationCidrBlock))
    checkTarget(tx, scope, route)
    requireRoute(table, route.destinationCidrBlock)
    tx.put('routeTable', {
      ...table,
      routes: table.routes.map((known) =>
        known.destinationCidrBlock === route.destinationCidrBlock ? route : known,
      ),
    })
    return {}
  })
}

export function deleteRoute(
  { store, scope }: Context,
  input: EC2.DeleteRouteCommandInput,
): Record<string, never> {
  refuseMembers('DeleteRoute', input)
  refuseDryRun(input)
  return store.update((tx) => {
    const table = resolve(tx, scope, input.RouteTableId)
    const block = blockIn(input.DestinationCidrBlock)
    requireRoute(table, block)
    const routes = table.routes.filter(({ destinationCidrBlock }) => destinationCidrBlock !== block)
    tx.put('routeTable', { ...table, routes })
    return {}
  })
}

function requireRoute({ routes, routeTableId }: RouteTable, block: string): void {
  if (!routes.some(({ destinationCidrBlock }) => destinationCidrBlock === block))
    throw new AwsError(
      'InvalidRoute.NotFound',
      `no route with destination-cidr-block ${block} in route table ${routeTableId}`,
    )
}

export function describeRouteTables(
  { store, scope }: Context,
  input: EC2.DescribeRouteTablesCommandInput,
): Answer<EC2.DescribeRouteTablesCommandOutput> {
  refuseDryRun(input)
  return store.update((tx) => {
    ensureDefaultNetwork(tx, scope)
    const named = chosen(tablesOf(tx, scope), input.RouteTableIds, (row) => row.routeTableId, notFound)
    const matching = filtered(
      named,
      input.Filters,
      {
        'route-table-id': (row) => row.routeTableId,
        'vpc-id': (row) => row.vpcId,
        'owner-id': (row) => row.accountId,
        'association.main': (row) => row.main,
        'association.route-table-id': (row) => row.routeTableId,
        'association.route-table-association-id': (row) =>
          row.associations.map(({ associationId }) => associationId),
        'association.subnet-id': (row) => row.associations.map(({ subnetId }) => subnetId),
        'association.gateway-id': () => undefined,
        'route.destination-cidr-block': (row) => row.routes.map((route) => route.destinationCidrBlock),
        'route.gateway-id': (row) => row.routes.map(({ gatewayId }) => gatewayId),
        'route.network-interface-id': (row) => row.routes.map((route) => route.networkInterfaceId),
        'route.nat-gateway-id': () => undefined,
        'route.state': () => 'active',
      },
      (row) => tagsOf(tx, scope, 'route-table', row.routeTableId),
    )
    const { rows, nextToken } = paged(matching, input, (row) => row.routeTableId)
    return {
      RouteTables: rows.map((row) => show(tx, row)),
      ...(nextToken !== undefined && { NextToken: nextToken }),
    }
  })
}

function show(view: View, row: RouteTable): EC2.RouteTable {
  const { routeTableId: RouteTableId, vpcId } = row
  const associated = { RouteTableId, AssociationState: { State: 'associated' as const } }
  const main = { ...associated, RouteTableAssociationId: derivedId('rtbassoc', vpcId), Main: true }
  return {
    RouteTableId,
    VpcId: vpcId,
    OwnerId: row.accountId,
    PropagatingVgws: [],
    Associations: [
      ...(row.main ? [main] : []),
      ...row.associations.map(({ associationId, subnetId }) => ({
        ...associated,
        RouteTableAssociationId: associationId,
        SubnetId: subnetId,
        Main: false,
      })),
    ],
    Routes: [
      {
        DestinationCidrBlock: view.find('vpc', vpcId)?.cidrBlock,
        GatewayId: 'local',
        Origin: 'CreateRouteTable' as const,
        State: 'active' as const,
      },
      ...row.routes.map(({ destinationCidrBlock, gatewayId, networkInterfaceId }) => ({
        DestinationCidrBlock: destinationCidrBlock,
        GatewayId: gatewayId,
        NetworkInterfaceId: networkInterfaceId,
        Origin: 'CreateRoute' as const,
        State: 'active' as const,
      })),
    ],
    Tags: showTags(tagsOf(view, row, 'route-table', RouteTableId)),
  }
}
