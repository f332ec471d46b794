import { pickAddress } from '#domain/ec2-network.ts'
import type { Subnet } from '#domain/instance.ts'
import type { View } from './store.ts'

/** Instances and interfaces of all accounts and regions share one network, so an address is free of all or not free. */
export function isAddressTaken(view: View, address: string): boolean {
  return (
    view.count('instance', 'address', address) > 0 || view.count('networkInterface', 'address', address) > 0
  )
}

/** A free address of the subnet; undefined when none is left. */
export function freeAddress(view: View, { cidrBlock }: Subnet, fraction: () => number): string | undefined {
  return pickAddress(cidrBlock, (address) => isAddressTaken(view, address), fraction)
}

/** How many addresses of a subnet AWS would still give: all but its own five and those in use. */
export function freeAddressCount(view: View, { subnetId, cidrBlock }: Subnet): number {
  const instances = view.by('instance', 'subnet', subnetId).filter(({ state }) => state !== 'terminated')
  const size = 2 ** (32 - Number(cidrBlock.split('/')[1]))
  return size - 5 - instances.length - view.count('networkInterface', 'subnet', subnetId)
}

/** The default security group of a VPC. */
export function defaultGroupOf(view: View, vpcId: string): string | undefined {
  return view.by('securityGroup', 'vpc', vpcId).find(({ groupName }) => groupName === 'default')?.groupId
}
