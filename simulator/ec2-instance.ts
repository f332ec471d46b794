import type { Instance, Subnet } from '@berth/control-plane/domain/instance.ts'
import { scope } from './control-plane.ts'

/** The row of an EC2 instance that runs in a zone, in one of the subnets. */
export function ec2Instance(instanceId: string, zone: string, subnets: readonly Subnet[]): Instance {
  const subnet = subnets.find(({ availabilityZone }) => availabilityZone === zone)
  if (!subnet) throw new Error(`no subnet is in ${zone}`)
  // No two have the same, whichever come and go.
  const parts = [-6, -4, -2].map((at) => Number.parseInt(instanceId.slice(at).slice(0, 2), 16))
  const privateIpAddress = `10.${parts.join('.')}`
  return {
    ...scope,
    instanceId,
    reservationId: 'r-1',
    launchIndex: 0,
    imageId: 'ami-1',
    instanceType: 't3.large',
    vpcId: subnet.vpcId,
    subnetId: subnet.subnetId,
    availabilityZone: zone,
    securityGroupIds: [],
    networkInterfaceId: 'eni-1',
    macAddress: '02:00:00:00:00:01',
    privateIpAddress,
    privateDnsName: `ip-${privateIpAddress.replaceAll('.', '-')}.ec2.internal`,
    launchTime: Date.UTC(2026, 0, 1),
    metadataOptions: { httpTokens: 'optional', httpPutResponseHopLimit: 1 },
    desiredState: 'running',
    boot: 1,
    state: 'running',
    bootSeen: 1,
    stateTransitionReason: '',
  }
}
