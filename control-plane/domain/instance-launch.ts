import type { Ids } from '@berth/std/id.ts'
import { privateDnsName, publicDnsName } from './ec2-network.ts'
import type { Instance, Subnet } from './instance.ts'

/** What is one instance's alone: ids, addresses and names. */
export function instanceIdentity(
  ids: Ids,
  subnet: Subnet,
  address: string,
  hasPublicAddress: boolean,
): Pick<
  Instance,
  | 'instanceId'
  | 'networkInterfaceId'
  | 'macAddress'
  | 'vpcId'
  | 'subnetId'
  | 'availabilityZone'
  | 'privateIpAddress'
  | 'privateDnsName'
  | 'publicIpAddress'
  | 'publicDnsName'
> {
  const { vpcId, subnetId, availabilityZone, region } = subnet
  const octets = address.split('.').map((octet) => Number(octet).toString(16).padStart(2, '0'))
  return {
    instanceId: `i-0${ids.hex(16)}`,
    networkInterfaceId: `eni-0${ids.hex(16)}`,
    macAddress: `0a:ff:${octets.join(':')}`,
    vpcId,
    subnetId,
    availabilityZone,
    privateIpAddress: address,
    privateDnsName: privateDnsName(address, region),
    // The machine has a route to the private address, so that one serves as the public address too.
    ...(hasPublicAddress && {
      publicIpAddress: address,
      publicDnsName: publicDnsName(address, region),
    }),
  }
}

/** The first boot of an instance that is to run. */
export const firstBoot = {
  desiredState: 'running',
  boot: 1,
  state: 'pending',
  bootSeen: 0,
  stateTransitionReason: '',
} as const satisfies Partial<Instance>
