import { createHash } from 'node:crypto'
import type { Scope } from './arn.ts'
import { scopeKey } from './arn.ts'
import type { SecurityGroup, Subnet, Vpc } from './instance.ts'

/** An id as EC2 makes them, always the same for the same thing: `vpc-0123456789abcdef0`. */
function stableId(prefix: string, scope: Scope, thing: string): string {
  const digest = createHash('sha256')
    .update(`${scopeKey(scope)} ${thing}`)
    .digest('hex')
  return `${prefix}-0${digest.slice(0, 16)}`
}

export interface DefaultNetwork {
  readonly vpc: Vpc
  readonly subnets: readonly Subnet[]
  readonly securityGroup: SecurityGroup
}

/**
 * The default VPC of an account in a region: 172.31.0.0/16 with a subnet in each of three availability zones and the
 * default security group. https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
 */
export function defaultNetwork({ accountId, region }: Scope): DefaultNetwork {
  const scope = { accountId, region }
  const vpcId = stableId('vpc', scope, 'default')
  return {
    vpc: { ...scope, vpcId, cidrBlock: '172.31.0.0/16', isDefault: true },
    subnets: ['a', 'b', 'c'].map((zone, index) => ({
      ...scope,
      subnetId: stableId('subnet', scope, `default ${zone}`),
      vpcId,
      cidrBlock: `172.31.${index * 16}.0/20`,
      availabilityZone: `${region}${zone}`,
      availabilityZoneId: availabilityZoneId(region, index + 1),
      mapPublicIpOnLaunch: true,
      defaultForAz: true,
    })),
    securityGroup: {
      ...scope,
      groupId: stableId('sg', scope, 'default'),
      groupName: 'default',
      description: 'default VPC security group',
      vpcId,
    },
  }
}

const directions: Readonly<Record<string, string>> = { northeast: 'ne', southeast: 'se', central: 'c' }

/** `use1-az1` for the first zone of us-east-1. */
export function availabilityZoneId(region: string, number: number): string {
  const parts = region
    .split('-')
    .map((part) => directions[part] ?? (/^[a-z]{2}$/.test(part) ? part : part[0]))
  return `${parts.join('')}-az${number}`
}

/**
 * A free address of an IPv4 block, without the five that AWS keeps in each subnet; undefined when none is left. Addresses
 * are picked at random, because two installations on one machine must seldom choose the same.
 */
export function pickAddress(
  cidrBlock: string,
  isTaken: (address: string) => boolean,
  fraction: () => number,
): string | undefined {
  const [network = '', length = '32'] = cidrBlock.split('/')
  const size = 2 ** (32 - Number(length))
  const base = addressNumber(network)
  const usable = size - 5
  const start = Math.floor(fraction() * usable)
  for (let step = 0; step < usable; step++) {
    const number = base + 4 + ((start + step) % usable)
    const address = [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
    if (!isTaken(address)) return address
  }
  return undefined
}

/** An IPv4 address as a number. */
export function addressNumber(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0)
}

/** `ip-172-31-5-7.ec2.internal`; outside us-east-1 with the region in it. */
export function privateDnsName(address: string, region: string): string {
  return `ip-${address.replaceAll('.', '-')}.${domainOf(region)}`
}

/** The domain of private names: `ec2.internal`, outside us-east-1 with the region in it. */
export function domainOf(region: string): string {
  return `${region === 'us-east-1' ? 'ec2' : `${region}.compute`}.internal`
}

/**
 * The name by which people and browsers on this machine reach an instance. Not AWS's `….amazonaws.com`, which belongs to
 * somebody else's machine on the internet; `.internal` is reserved for private use.
 */
export function publicDnsName(address: string, region: string): string {
  return `ec2-${address.replaceAll('.', '-')}.${region}.compute.berth.internal`
}
