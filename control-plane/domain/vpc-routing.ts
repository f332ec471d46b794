import { createHash } from 'node:crypto'
import type { Scope } from './arn.ts'
import type { Vpc } from './instance.ts'

/** Kept as it was made: every VPC here reaches the world outside over its machine, whatever its gateways and routes. */
export interface InternetGateway extends Scope {
  readonly internetGatewayId: string
  readonly vpcId?: string
}

export interface VpcRoute {
  readonly destinationCidrBlock: string
  /** `local`, or what carries it: a gateway's id, an interface's. */
  readonly gatewayId?: string
  readonly networkInterfaceId?: string
}

/** Kept as it was made. */
export interface RouteTable extends Scope {
  readonly routeTableId: string
  readonly vpcId: string
  /** The VPC's own, for subnets that are associated with none. */
  readonly main: boolean
  /** Besides the one within the VPC. */
  readonly routes: readonly VpcRoute[]
  readonly associations: ReadonlyArray<{ readonly associationId: string; readonly subnetId: string }>
}

/** The main route table of a VPC as long as nobody has changed it. */
export function mainRouteTable({ accountId, region, vpcId }: Vpc): RouteTable {
  return {
    accountId,
    region,
    routeTableId: derivedId('rtb', vpcId),
    vpcId,
    main: true,
    routes: [],
    associations: [],
  }
}

/** The id of what every VPC has one of. */
export function derivedId(prefix: string, vpcId: string): string {
  return `${prefix}-0${createHash('sha256').update(`${prefix} ${vpcId}`).digest('hex').slice(0, 16)}`
}
